"""Reads one page of a scan: what it is, what tells its scale, which impressions stand where."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from seal_imaging import (
    Impression,
    ImpressionUnusable,
    PageReading,
    Reason,
    ScaleSource,
    SealShape,
    read_page,
)
from seal_imaging.form import FormCode, FormKind, FormPlace, SealKind, place_of, rows_of
from seal_imaging.form_code import read_code
from seal_imaging.locate import FormPose, find_form
from seal_imaging.page_print import has_print
from seal_imaging.sheet import find_sheet
from seal_imaging.uncoloured import is_grey
from seal_imaging.units import px_per_mm_from_dpi
from stages.extraction import ExtractedPage, FormRowFilled, PageKind, PageNote, ScaleFrom
from stages.scans import ScannedPage

MAX_SCALE_DIFFERENCE = 0.01
"""Between marks and file: printers that fit a form to the page shrink it by some 3 %."""
SHEETS_MM = ((210.0, 297.0), (215.9, 279.4), (297.0, 420.0))
SHEET_TOLERANCE = 0.025
"""Scanners crop: an A4 page of 291.5 mm is real."""

MIN_SHEET_CONFIDENCE = 0.8
MAX_SHEET_DIFFERENCE = 0.03
"""Between an A4 sheet's edges and the file: a photo wrapped in a PDF claims the size of the PDF's page."""

UNLIKELY_SHAPES = {
    SealKind.OFFICIAL: frozenset({SealShape.SQUARE}),
    SealKind.LEGAL_REPRESENTATIVE: frozenset({SealShape.CIRCLE, SealShape.ELLIPSE}),
    SealKind.PROFESSIONAL: frozenset[SealShape](),
    SealKind.SIGNATURE: frozenset({SealShape.CIRCLE, SealShape.ELLIPSE, SealShape.SQUARE}),
}
"""Shapes seldom seen in a row of our form. They warn only: companies have round name seals made."""


NO_COLOUR = PageNote(
    "no-colour",
    "the page has no colour: it is a photocopy or a grey scan; scan the original in colour",
    "页面没有颜色，是复印件或灰度扫描件，请用彩色模式扫描原件。",
)


@dataclass(frozen=True, eq=False)
class ReadPage:
    """A page with its impressions, still as pixels.

    Attributes:
        page: what is to be said of it; the numbers of its impressions count from 0 on this page.
        places: for each impression, the box of our form it stands in.
        is_other_order: it is our form, but of another order than the one asked for.
    """

    page: ExtractedPage
    impressions: tuple[Impression, ...]
    places: tuple[FormPlace | None, ...]
    is_other_order: bool = False


def read_scanned_page(page: ScannedPage, *, dpi: float | None = None, order: str | None = None) -> ReadPage:
    """Return what stands on a page.

    On our form the marks tell scale and boxes, and the QR code the order. Elsewhere the scale is what a
    person stated, what the file says, or what the sheet's edges tell; or it is unknown.

    Args:
        dpi: the resolution as somebody states it.
        order: the order number the form should bear.

    Raises:
        ImpressionUnusable: a page the reader refuses.
    """
    number = page.page_index + 1
    try:
        pose = find_form(page.image)
        code = None if pose is None else read_code(page.image, pose)
        if code is not None and code.is_example:
            return _example(page, code)
        scale, source, notes = _scale(page, pose, dpi)
        # Of our own form the marks tell turn and signature boxes, whatever tells its scale.
        reading = read_page(page.image, scale if pose is None else None, form_pose=pose)
        if pose is not None and scale is not None:
            reading = _at_scale(reading, scale)
    except ImpressionUnusable as error:
        raise ImpressionUnusable(f"page {number}: {error}", zh=f"第 {number} 页：{error.zh}") from error
    if reading.scale_source is ScaleSource.SHEET_EDGES:
        source = ScaleFrom.SHEET_EDGES
    if pose is None:
        return _foreign(page, reading, source, notes)
    return _on_form(page, reading, source, notes, pose=pose, code=code, order=order)


def _scale(
    page: ScannedPage, pose: FormPose | None, dpi: float | None
) -> tuple[float | None, ScaleFrom, list[PageNote]]:
    """Return the scale to read the page at, None to let the marks or the sheet tell it."""
    is_flat = pose is None or pose.is_flat
    if dpi is not None and is_flat:
        return px_per_mm_from_dpi(dpi), ScaleFrom.STATED, []
    if pose is None:
        if page.px_per_mm is not None and _is_photo_of_a_sheet(page):
            return None, ScaleFrom.SHEET_EDGES, [_PHOTO]
        return page.px_per_mm, ScaleFrom(page.scale_source), []
    if is_flat and page.px_per_mm is not None:
        printed_at = pose.px_per_mm / page.px_per_mm
        if abs(printed_at - 1) > MAX_SCALE_DIFFERENCE and _is_a_sheet(page):
            # The file's resolution makes it a whole sheet of paper: the printer shrank the form, not the
            # scanner the seals.
            return page.px_per_mm, ScaleFrom(page.scale_source), [_printed_at(printed_at)]
    return None, ScaleFrom.MARKS, []


def _at_scale(reading: PageReading, px_per_mm: float) -> PageReading:
    """Return what was read of a flat page, measured at another scale than its marks tell."""
    impressions = tuple(
        replace(one, px_per_mm=px_per_mm, size_mm=(one.size_px[0] / px_per_mm, one.size_px[1] / px_per_mm))
        for one in reading.impressions
    )
    return replace(reading, impressions=impressions, scale_source=ScaleSource.GIVEN, px_per_mm=px_per_mm)


def _is_photo_of_a_sheet(page: ScannedPage) -> bool:
    """Tell whether the whole sheet lies in the picture at another scale than its file says."""
    sheet = find_sheet(page.image)
    if sheet is None or page.px_per_mm is None or sheet.confidence < MIN_SHEET_CONFIDENCE:
        return False
    return abs(sheet.px_per_mm / page.px_per_mm - 1) > MAX_SHEET_DIFFERENCE


def _is_a_sheet(page: ScannedPage) -> bool:
    if page.px_per_mm is None:
        return False
    sides = sorted(side / page.px_per_mm for side in page.image.shape[:2])
    return any(
        all(abs(side / paper - 1) <= SHEET_TOLERANCE for side, paper in zip(sides, sheet, strict=True))
        for sheet in SHEETS_MM
    )


def _example(page: ScannedPage, code: FormCode) -> ReadPage:
    note = PageNote(
        "example",
        "the filled-in example is no specimen; print a blank form, stamp it and scan that",
        "这是填写样例，不能作为印模；请打印空白采集表，加盖印章后再扫描。",
    )
    return ReadPage(
        ExtractedPage(
            page.page_index,
            PageKind.EXAMPLE,
            ScaleFrom.UNKNOWN,
            None,
            order_number=code.order_number,
            form_kind=code.kind,
            notes=(note,),
        ),
        (),
        (),
    )


def _foreign(page: ScannedPage, reading: PageReading, source: ScaleFrom, notes: list[PageNote]) -> ReadPage:
    printed = has_print(page.image, [one.box_px for one in reading.impressions])
    if reading.impressions:
        kind = PageKind.FOREIGN_FORM if printed else PageKind.BLANK_SHEET
        if reading.px_per_mm is None:
            notes = [*notes, _SCALE_UNKNOWN]
    else:
        kind = PageKind.SUPPORTING if printed else PageKind.EMPTY
        if printed and is_grey(page.image):
            notes = [*notes, NO_COLOUR]
    described = ExtractedPage(
        page.page_index,
        kind,
        source if reading.px_per_mm is not None else ScaleFrom.UNKNOWN,
        reading.px_per_mm,
        turn_deg=reading.turn_deg,
        impressions=tuple(range(len(reading.impressions))),
        notes=tuple(notes),
    )
    return ReadPage(described, reading.impressions, (None,) * len(reading.impressions))


def _on_form(
    page: ScannedPage,
    reading: PageReading,
    source: ScaleFrom,
    notes: list[PageNote],
    *,
    pose: FormPose,
    code: FormCode | None,
    order: str | None,
) -> ReadPage:
    kind = FormKind.ALL if code is None else code.kind
    places = tuple(_place(one, pose, kind) for one in reading.impressions)
    is_other_order = order is not None and code is not None and code.order_number != order
    notes = [*notes, *_form_notes(pose, code, order)]
    if not reading.impressions and is_grey(page.image):
        notes.append(NO_COLOUR)
    impressions = tuple(
        _against_form(one, place, is_other_order=is_other_order)
        for one, place in zip(reading.impressions, places, strict=True)
    )
    rows = tuple(
        FormRowFilled(
            row.kind,
            tuple(
                tuple(index for index, place in enumerate(places) if place == FormPlace(row.kind, column))
                for column in range(len(row.boxes))
            ),
        )
        for row in rows_of(kind)
    )
    described = ExtractedPage(
        page.page_index,
        PageKind.FORM,
        source,
        reading.px_per_mm,
        turn_deg=pose.turn_deg,
        order_number=None if code is None else code.order_number,
        form_kind=None if code is None else code.kind,
        rows=rows,
        impressions=tuple(range(len(impressions))),
        notes=tuple(notes),
    )
    return ReadPage(described, impressions, places, is_other_order)


def _place(impression: Impression, pose: FormPose, kind: FormKind) -> FormPlace | None:
    x, y, w, h = impression.box_px
    middle = np.array([[[x + w / 2, y + h / 2]]], np.float64)
    ((x_mm, y_mm),) = cv2.perspectiveTransform(middle, np.linalg.inv(pose.page_from_mm))[0]
    return place_of(float(x_mm), float(y_mm), kind=kind)


def _against_form(impression: Impression, place: FormPlace | None, *, is_other_order: bool) -> Impression:
    """Return the impression, with FORM_MISMATCH when form and place do not fit it."""
    fits = place is not None and impression.shape not in UNLIKELY_SHAPES[place.row] and not is_other_order
    reasons = impression.quality.reasons
    if fits or Reason.FORM_MISMATCH in reasons:
        return impression
    return replace(impression, quality=replace(impression.quality, reasons=(*reasons, Reason.FORM_MISMATCH)))


def _form_notes(pose: FormPose, code: FormCode | None, order: str | None) -> list[PageNote]:
    notes = []
    if pose.marks < 4:
        notes.append(_MARK_MISSING)
    if code is None:
        notes.append(_NO_CODE)
    elif order is not None and code.order_number != order:
        notes.append(
            PageNote(
                "other-order",
                f"the form belongs to order {code.order_number}, not to {order}; scan the form of this order",
                f"表上的订单号是 {code.order_number}，与所填 {order} 不符；请扫描本订单的采集表。",
            )
        )
    return notes


def _printed_at(printed_at: float) -> PageNote:
    return PageNote(
        "printed-to-another-size",
        f"the form was printed at {printed_at:.1%}; sizes are taken from the scan's resolution, not from the "
        "marks. Print at actual size (100 %), or state --dpi",
        f"采集表打印时被缩放为 {printed_at:.1%}，尺寸改按扫描分辨率计算；打印请选“实际大小”（100%），"
        "或用 --dpi 指定分辨率。",
    )


_SCALE_UNKNOWN = PageNote(
    "scale-unknown",
    "nothing tells the page's scale; use our form with its four marks, state the scanner's resolution "
    "(--dpi), or the seal's measured width (--width-mm)",
    "页面没有可信的比例：请改用带四角定位标记的采集表，或用 --dpi 填写扫描分辨率，"
    "或量出印章实物宽度后用 --width-mm 填写。",
)
_PHOTO = PageNote(
    "photo-of-a-sheet",
    "a photo of a whole A4 sheet; sizes come from its edges, not from the resolution the file states",
    "这是整张 A4 纸的照片，尺寸按纸边推算，未采用文件所写的分辨率。",
)
_MARK_MISSING = PageNote(
    "mark-missing",
    "one of the form's four marks is hidden or cut off; sizes come from the other three. Scan all of it",
    "四角定位标记有一个被遮挡或裁掉，尺寸由其余三个推算；请完整扫描整张表。",
)
_NO_CODE = PageNote(
    "no-order-code",
    "the form's QR code cannot be read, so its order is not known; scan it uncovered at 150 dpi or more",
    "读不出表上的二维码，无法核对订单号；请勿遮挡，用不低于 150 dpi 重新扫描。",
)
