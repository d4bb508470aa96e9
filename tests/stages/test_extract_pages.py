"""What extract says of each page: its kind, its order and boxes, and what told its scale."""

from pathlib import Path

import cv2
import numpy as np
import pymupdf
import pytest

from pipeline.tryout.artwork import Artwork, draw_round_seal, draw_square_seal
from pipeline.tryout.specimens import CLEAN, draw_filled_form, draw_specimen_page, photograph
from seal_imaging import ImpressionUnusable, Reason, RgbImage
from seal_imaging.form import QR_BOX_MM, FormCode, FormKind, FormPlace, SealKind
from stages import page_reading
from stages.errors import InputRefused
from stages.extract import ExtractOptions, extract
from stages.extraction import ExtractedSeals, PageKind, ScaleFrom
from stages.page_reading import read_scanned_page
from stages.scans import ScannedPage

COMPANY = "测试建设有限公司"
ORDER = "AC2021111313"
DPI = 150
PX_PER_MM = DPI / 25.4


@pytest.fixture(scope="module")
def font() -> bytes:
    return bytes(pymupdf.Font("cjk").buffer)


@pytest.fixture(scope="module")
def seals(font: bytes) -> list[Artwork]:
    return [draw_round_seal(COMPANY, font), draw_square_seal("张三之印", font)]


@pytest.fixture(scope="module")
def form_page(seals: list[Artwork], font: bytes) -> RgbImage:
    return draw_filled_form(ORDER, seals, np.random.default_rng(4), font, px_per_mm=PX_PER_MM).page


@pytest.fixture(scope="module")
def filled(form_page: RgbImage, tmp_path_factory: pytest.TempPathFactory) -> ExtractedSeals:
    return extract([ScannedPage(0, form_page, None, "unknown")], tmp_path_factory.mktemp("filled"))


def codes(extracted: ExtractedSeals, page: int = 0) -> set[str]:
    return {note.code for note in extracted.pages[page].notes}


def test_each_impression_knows_the_box_it_was_stamped_in(filled: ExtractedSeals) -> None:
    assert [one.place for one in filled.impressions] == [
        FormPlace(kind, column)
        for kind in (SealKind.OFFICIAL, SealKind.LEGAL_REPRESENTATIVE)
        for column in range(3)
    ]
    assert [seal.row for seal in filled.seals] == [SealKind.OFFICIAL, SealKind.LEGAL_REPRESENTATIVE]
    (page,) = filled.pages
    assert [(row.row, row.boxes) for row in page.rows] == [
        (SealKind.OFFICIAL, ((0,), (1,), (2,))),
        (SealKind.LEGAL_REPRESENTATIVE, ((3,), (4,), (5,))),
        (SealKind.PROFESSIONAL, ((), (), ())),
        (SealKind.SIGNATURE, ((), (), ())),
    ]


def test_the_form_says_its_order_and_its_marks_its_scale(filled: ExtractedSeals) -> None:
    (page,) = filled.pages
    assert (page.kind, page.scale_source) == (PageKind.FORM, ScaleFrom.MARKS)
    assert (page.order_number, page.form_kind) == (ORDER, FormKind.ALL)
    assert page.px_per_mm == pytest.approx(PX_PER_MM, rel=2e-3)
    assert not any(Reason.FORM_MISMATCH in seal.reasons for seal in filled.seals)


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_form_that_lies_sideways_means_the_same(form_page: RgbImage, quarter_turns: int) -> None:
    turned = np.ascontiguousarray(np.rot90(form_page, quarter_turns))
    read = read_scanned_page(ScannedPage(0, turned, None, "unknown"))
    assert read.page.order_number == ORDER
    assert [len(box) for row in read.page.rows for box in row.boxes] == [1] * 6 + [0] * 6


def test_a_form_of_another_order_is_a_mismatch(form_page: RgbImage) -> None:
    read = read_scanned_page(ScannedPage(0, form_page, None, "unknown"), order="AC1")
    assert [note.code for note in read.page.notes] == ["other-order"]
    assert all(Reason.FORM_MISMATCH in one.quality.reasons for one in read.impressions)
    same = read_scanned_page(ScannedPage(0, form_page, None, "unknown"), order=ORDER)
    assert not any(Reason.FORM_MISMATCH in one.quality.reasons for one in same.impressions)


def _blank_form_with(seal: Artwork, centre_mm: tuple[float, float], font: bytes) -> RgbImage:
    """Our form at 150 dpi with one impression somewhere."""
    form = draw_filled_form(ORDER, [], np.random.default_rng(1), font, px_per_mm=PX_PER_MM, look=CLEAN).page
    side = 52.0
    stamped = draw_specimen_page(
        [seal], rng=np.random.default_rng(2), font=font, px_per_mm=PX_PER_MM, page_mm=(side, side), copies=1
    ).page
    left, top = (round((v - side / 2) * PX_PER_MM) for v in centre_mm)
    region = form[top : top + stamped.shape[0], left : left + stamped.shape[1]]
    np.minimum(region, stamped[: region.shape[0], : region.shape[1]], out=region)
    return form


def test_no_seal_is_made_off_a_form_of_another_order(form_page: RgbImage, tmp_path: Path) -> None:
    pages = [ScannedPage(0, form_page, None, "unknown")]
    extracted = extract(pages, tmp_path, options=ExtractOptions(order="AC1"))
    assert all(Reason.FORM_MISMATCH in one.refusing for one in extracted.impressions)
    assert all(Reason.FORM_MISMATCH in seal.refusing for seal in extracted.seals)


def test_a_round_seal_in_the_legal_representatives_row_is_a_mismatch_that_warns(
    seals: list[Artwork], font: bytes, tmp_path: Path
) -> None:
    page = _blank_form_with(seals[0], (105.0, 131.0), font)
    (seal,) = extract([ScannedPage(0, page, None, "unknown")], tmp_path).seals
    assert seal.row is SealKind.LEGAL_REPRESENTATIVE
    assert Reason.FORM_MISMATCH in seal.reasons
    assert Reason.FORM_MISMATCH not in seal.refusing
    assert Reason.FEWER_THAN_THREE in seal.reasons


def test_an_impression_outside_every_box_is_a_mismatch(seals: list[Artwork], font: bytes) -> None:
    page = _blank_form_with(seals[1], (105.0, 262.0), font)
    read = read_scanned_page(ScannedPage(0, page, None, "unknown"))
    assert read.places == (None,)
    assert Reason.FORM_MISMATCH in read.impressions[0].quality.reasons


def test_a_form_whose_code_is_covered_still_means_its_boxes(form_page: RgbImage) -> None:
    page = form_page.copy()
    x, y, w, h = (round(v * PX_PER_MM) for v in QR_BOX_MM)
    page[y : y + h, x : x + w] = 255
    read = read_scanned_page(ScannedPage(0, page, None, "unknown"), order=ORDER)
    assert read.page.order_number is None
    assert [note.code for note in read.page.notes] == ["no-order-code"]
    assert read.places[0] == FormPlace(SealKind.OFFICIAL, 0)


def test_the_marks_win_over_a_resolution_that_makes_no_sheet_of_paper(form_page: RgbImage) -> None:
    read = read_scanned_page(ScannedPage(0, form_page, 200 / 25.4, "dpi"))
    assert read.page.scale_source is ScaleFrom.MARKS
    assert read.page.px_per_mm == pytest.approx(PX_PER_MM, rel=2e-3)


def test_a_form_shrunk_by_the_printer_is_measured_by_the_scanners_resolution(
    form_page: RgbImage,
) -> None:
    height, width = form_page.shape[:2]
    shrunk = cv2.resize(form_page, None, fx=0.95, fy=0.95, interpolation=cv2.INTER_AREA)
    page = np.full_like(form_page, 250)
    top, left = (height - shrunk.shape[0]) // 2, (width - shrunk.shape[1]) // 2
    page[top : top + shrunk.shape[0], left : left + shrunk.shape[1]] = shrunk
    read = read_scanned_page(ScannedPage(0, page, PX_PER_MM, "dpi"))
    assert (read.page.scale_source, read.page.px_per_mm) == (ScaleFrom.DPI, PX_PER_MM)
    assert [note.code for note in read.page.notes] == ["printed-to-another-size"]
    assert "95.0%" in read.page.notes[0].message
    size_mm = read.impressions[0].size_mm
    assert size_mm is not None
    assert size_mm[0] == pytest.approx(42 * 0.95, abs=0.3)
    assert read.places[0] == FormPlace(SealKind.OFFICIAL, 0)


def test_a_stated_resolution_decides(form_page: RgbImage) -> None:
    read = read_scanned_page(ScannedPage(0, form_page, None, "unknown"), dpi=160)
    assert (read.page.scale_source, read.page.px_per_mm) == (ScaleFrom.STATED, 160 / 25.4)
    size_mm = read.impressions[0].size_mm
    assert size_mm is not None
    assert size_mm[0] == pytest.approx(42 * 150 / 160, abs=0.3)


def test_a_blank_sheet_with_an_impression_is_told_from_a_foreign_form(
    seals: list[Artwork], font: bytes
) -> None:
    drawn = draw_specimen_page(
        seals[:1],
        rng=np.random.default_rng(2),
        font=font,
        px_per_mm=PX_PER_MM,
        page_mm=(120, 80),
        copies=1,
    )
    blank = read_scanned_page(ScannedPage(0, drawn.page, PX_PER_MM, "dpi"))
    assert (blank.page.kind, blank.page.scale_source) == (PageKind.BLANK_SHEET, ScaleFrom.DPI)
    ruled = drawn.page.copy()
    ruled[20:24, 20:-20] = ruled[-24:-20, 20:-20] = ruled[20:-20, 20:24] = 40
    assert read_scanned_page(ScannedPage(0, ruled, PX_PER_MM, "dpi")).page.kind is PageKind.FOREIGN_FORM
    unknown = read_scanned_page(ScannedPage(0, drawn.page, None, "unknown"))
    assert unknown.page.scale_source is ScaleFrom.UNKNOWN
    assert [note.code for note in unknown.page.notes] == ["scale-unknown"]
    assert "--dpi" in unknown.page.notes[0].message_zh


def test_a_photo_of_a_whole_sheet_is_measured_by_its_edges_whatever_the_file_says(
    seals: list[Artwork], font: bytes
) -> None:
    drawn = draw_specimen_page(seals[:1], rng=np.random.default_rng(2), font=font, px_per_mm=PX_PER_MM)
    photo, _ = photograph(drawn.page, np.random.default_rng(3), tilt=0.0, size_px=(1273, 1800))
    read = read_scanned_page(ScannedPage(0, photo, 1800 / 297, "pdf"))
    assert read.page.scale_source is ScaleFrom.SHEET_EDGES
    assert [note.code for note in read.page.notes] == ["photo-of-a-sheet"]
    sizes = [one.size_mm for one in read.impressions]
    assert len(sizes) == 3
    assert all(size is not None and abs(size[0] - 42) < 0.8 for size in sizes)


def test_pages_without_an_impression_are_supporting_or_empty() -> None:
    empty = np.full((600, 420, 3), 250, np.uint8)
    printed = empty.copy()
    for row in range(60, 540, 24):
        printed[row : row + 8, 50:370:3] = 30
    pages = [ScannedPage(index, image, PX_PER_MM, "dpi") for index, image in enumerate((empty, printed))]
    read = [read_scanned_page(page).page for page in pages]
    assert [page.kind for page in read] == [PageKind.EMPTY, PageKind.SUPPORTING]
    assert [[note.code for note in page.notes] for page in read] == [[], ["no-colour"]]


def test_a_copy_without_colour_and_without_a_seal_is_called_a_copy(tmp_path: Path) -> None:
    printed = np.full((600, 420, 3), 250, np.uint8)
    for row in range(60, 540, 24):
        printed[row : row + 8, 50:370:3] = 30
    with pytest.raises(ImpressionUnusable, match="photocopy") as refused:
        extract([ScannedPage(0, printed, PX_PER_MM, "dpi")], tmp_path)
    assert "复印件" in refused.value.zh


def test_widths_are_stated_for_single_seals(seals: list[Artwork], font: bytes, tmp_path: Path) -> None:
    drawn = draw_specimen_page(
        seals, rng=np.random.default_rng(3), font=font, px_per_mm=PX_PER_MM, page_mm=(110, 90), copies=1
    )
    pages = [ScannedPage(0, drawn.page, None, "unknown")]
    options = ExtractOptions(width_mm=40.0, seal_widths_mm={1: 19.0})
    both = extract(pages, tmp_path, options=options).seals
    assert [seal.size_mm[0] for seal in both if seal.size_mm is not None] == [40.0, 19.0]
    assert all(seal.true_to_size for seal in both)
    with pytest.raises(InputRefused, match="seal 3") as caught:
        extract(pages, tmp_path, options=ExtractOptions(seal_widths_mm={2: 19.0}))
    assert caught.value.zh
    with pytest.raises(InputRefused, match="4 mm wide"):
        extract(pages, tmp_path, options=ExtractOptions(seal_widths_mm={0: 4.0}))


def test_a_size_no_seal_has_is_said_and_warns(seals: list[Artwork], font: bytes, tmp_path: Path) -> None:
    drawn = draw_specimen_page(
        seals, rng=np.random.default_rng(3), font=font, px_per_mm=PX_PER_MM, page_mm=(110, 90), copies=1
    )
    pages = [ScannedPage(0, drawn.page, PX_PER_MM, "dpi")]
    usual = extract(pages, tmp_path).seals
    assert not any(Reason.FORMAT_SIZE in seal.reasons for seal in usual)
    coarse = extract(pages, tmp_path, options=ExtractOptions(dpi=DPI * 1.5)).seals
    assert [Reason.FORMAT_SIZE in seal.reasons for seal in coarse] == [True, False]
    assert not any(Reason.FORMAT_SIZE in seal.refusing for seal in coarse)


@pytest.mark.parametrize("dpi", [0.0, 30.0, 5000.0, float("nan")])
def test_a_resolution_no_scanner_has_is_refused(tmp_path: Path, dpi: float) -> None:
    with pytest.raises(InputRefused, match="dpi") as caught:
        extract([], tmp_path, options=ExtractOptions(dpi=dpi))
    assert caught.value.zh


def test_the_example_is_no_specimen(
    form_page: RgbImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_reading, "read_code", lambda *_: FormCode(ORDER, is_example=True))
    with pytest.raises(ImpressionUnusable, match="page 1: the filled-in example") as caught:
        extract([ScannedPage(0, form_page, None, "unknown")], tmp_path)
    assert "填写样例" in caught.value.zh
