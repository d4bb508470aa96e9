"""Draws the seal specimen forms (印模采集表), blank or as examples, from `seal_imaging.form`."""

import re
from pathlib import Path

import cv2
import numpy as np
import pymupdf
from numpy.typing import NDArray

from seal_imaging import form
from seal_imaging.form import FormKind
from seal_imaging.units import pt_from_mm
from stages.errors import InputRefused
from stages.sample_seals import draw_samples

MAX_APPLICANT_CHARS = 60
QR_QUIET_MODULES = 4
"""ISO/IEC 18004:2015 §9.1."""
TITLE_PT = 17.0
TEXT_PT = 9.5
_FIELD_NAME_MM = 38.0
BLANK = "_" * 40
"""To be filled in by hand."""

_BLACK = (0.0, 0.0, 0.0)
_GREY = (0.55, 0.55, 0.55)
_ORDER_NUMBER = re.compile(rf"[A-Za-z0-9._-]{{1,{form.MAX_ORDER_NUMBER_CHARS}}}")

_FONT = "cjk"
EXAMPLE_ORDER = "EXAMPLE"
EXAMPLE_APPLICANT = "某某建设有限公司（填写样例）"


def draw_example(path: Path, *, kind: FormKind = FormKind.ALL) -> None:
    """Write the filled-in example (填写样例): sample seals in every box, and a QR code that says so.

    What is scanned of it is refused as a specimen.
    """
    words = form.SpecimenForm(
        EXAMPLE_ORDER,
        EXAMPLE_APPLICANT,
        title=f"{form.TEMPLATES[kind].title}填写样例 SAMPLE",
        kind=kind,
        is_example=True,
    )
    _draw(path, words)


def draw_form(path: Path, *, order_number: str, applicant: str = "", kind: FormKind = FormKind.ALL) -> None:
    """Write the form as a one-page A4 PDF, all of it vectors; the same words make the same bytes.

    Args:
        order_number: letters, digits, dot, hyphen and underscore; also in the QR code.
        applicant: printed behind 申请单位, may be empty to be written by hand.

    Raises:
        InputRefused: the order number or the applicant's name is malformed or too long.
    """
    _check_words(order_number, applicant)
    _draw(path, form.SpecimenForm(order_number, applicant, title=form.TEMPLATES[kind].title, kind=kind))


def _draw(path: Path, words: form.SpecimenForm) -> None:
    with pymupdf.open() as document:
        width_pt, height_pt = (pt_from_mm(side_mm) for side_mm in form.PAGE_MM)
        page = document.new_page(width=width_pt, height=height_pt)
        page.insert_font(fontname=_FONT, fontbuffer=pymupdf.Font("cjk").buffer)
        _draw_markers(page)
        _draw_qr(page, form.qr_text(words.order_number, kind=words.kind, is_example=words.is_example))
        _write(page, form.TITLE_BOX_MM, words.title, size_pt=TITLE_PT, centred=True)
        _write(page, form.LEGEND_BOX_MM, words.legend, size_pt=TEXT_PT, centred=True)
        x_mm, y_mm, w_mm, h_mm = form.ORDER_BOX_MM
        _write(page, form.ORDER_BOX_MM, f"订单号：{words.order_number}", size_pt=TEXT_PT)
        _write(page, (x_mm, y_mm + h_mm, w_mm, h_mm), f"申请单位：{words.owner or BLANK}", size_pt=TEXT_PT)
        for row in form.rows_of(words.kind):
            _draw_row(page, row)
            if words.is_example:
                draw_samples(page, row, font=_FONT)
        _draw_fields(page, form.TEMPLATES[words.kind])
        _write_lines(page, form.FOOTER_BOX_MM, words.instructions)
        document.set_metadata({"title": words.title, "producer": "Sealine", "creator": "Sealine"})
        document.subset_fonts()
        # no_new_id: the file's ID would be drawn at random.
        document.save(path, garbage=4, deflate=True, deflate_fonts=True, no_new_id=True)


def _check_words(order_number: str, applicant: str) -> None:
    if not _ORDER_NUMBER.fullmatch(order_number):
        raise InputRefused(
            f"order number {order_number!r}: use 1 to {form.MAX_ORDER_NUMBER_CHARS} letters, digits, "
            "dots, hyphens or underscores",
            zh=f"订单号“{order_number}”无效：应为 1 至 {form.MAX_ORDER_NUMBER_CHARS} 位字母、数字、点、"
            "连字符或下划线。",
        )
    if len(applicant) > MAX_APPLICANT_CHARS or (applicant and not applicant.isprintable()):
        raise InputRefused(
            f"applicant of {len(applicant)} characters: use up to {MAX_APPLICANT_CHARS} printable characters",
            zh=f"申请单位名称应不超过 {MAX_APPLICANT_CHARS} 个可见字符。",
        )


def _rect(x_mm: float, y_mm: float, w_mm: float, h_mm: float) -> pymupdf.Rect:
    return pymupdf.Rect(*(pt_from_mm(v) for v in (x_mm, y_mm, x_mm + w_mm, y_mm + h_mm)))


def _fill_modules(
    page: pymupdf.Page, dark: NDArray[np.bool_], *, x_mm: float, y_mm: float, module_mm: float
) -> None:
    """Fill the dark modules of a square code, each run of a row as one rectangle, all in one path."""
    shape = page.new_shape()
    for row, modules in enumerate(dark):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], modules.astype(np.int8), [0]))))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            shape.draw_rect(
                _rect(x_mm + start * module_mm, y_mm + row * module_mm, (end - start) * module_mm, module_mm)
            )
    shape.finish(fill=_BLACK, color=None, width=0)
    shape.commit()


def _draw_markers(page: pymupdf.Page) -> None:
    dictionary = cv2.aruco.getPredefinedDictionary(form.ARUCO_DICTIONARY)
    for marker_id, x_mm, y_mm in form.MARKERS:
        modules = cv2.aruco.generateImageMarker(dictionary, marker_id, form.MARKER_MODULES)
        _fill_modules(
            page,
            np.asarray(modules) == 0,
            x_mm=x_mm,
            y_mm=y_mm,
            module_mm=form.MARKER_MM / form.MARKER_MODULES,
        )


def _draw_qr(page: pymupdf.Page, text: str) -> None:
    parameters = cv2.QRCodeEncoder.Params()
    parameters.correction_level = cv2.QRCODE_ENCODER_CORRECT_LEVEL_M
    encoded = np.asarray(cv2.QRCodeEncoder.create(parameters).encode(text)) == 0
    rows, columns = np.flatnonzero(encoded.any(axis=1)), np.flatnonzero(encoded.any(axis=0))
    dark = encoded[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    x_mm, y_mm, side_mm, _ = form.QR_BOX_MM
    module_mm = side_mm / (len(dark) + 2 * QR_QUIET_MODULES)
    margin_mm = QR_QUIET_MODULES * module_mm
    _fill_modules(page, dark, x_mm=x_mm + margin_mm, y_mm=y_mm + margin_mm, module_mm=module_mm)


def _draw_row(page: pymupdf.Page, row: form.FormRow) -> None:
    left_mm = row.boxes[0][0]
    right_mm = row.boxes[-1][0] + row.boxes[-1][2]
    _write(page, (left_mm, row.y_mm, right_mm - left_mm, form.LABEL_H_MM), row.label, size_pt=TEXT_PT)
    for box in row.boxes:
        page.draw_rect(_rect(*box), color=_GREY, width=pt_from_mm(form.LINE_MM))


def _draw_fields(page: pymupdf.Page, template: form.FormTemplate) -> None:
    """Draw the lines the applicant writes on."""
    if template.fields_box_mm is None:
        return
    x_mm, y_mm, w_mm, h_mm = template.fields_box_mm
    line_mm = h_mm / len(template.fields)
    for number, name in enumerate(template.fields):
        top_mm = y_mm + number * line_mm
        _write(page, (x_mm, top_mm, _FIELD_NAME_MM, line_mm), f"{name}：", size_pt=TEXT_PT)
        rule = _rect(x_mm + _FIELD_NAME_MM, top_mm + 0.72 * line_mm, w_mm - _FIELD_NAME_MM, 0.0)
        page.draw_line(rule.tl, rule.br, color=_GREY, width=pt_from_mm(form.LINE_MM))


def _write(
    page: pymupdf.Page, box_mm: form.BoxMm, text: str, *, size_pt: float, centred: bool = False
) -> None:
    """Write one line into a box, smaller when it would not fit, its middle on the box's."""
    rect = _rect(*box_mm)
    font = pymupdf.Font("cjk")
    natural_pt = font.text_length(text, fontsize=size_pt)
    size_pt *= min(1.0, rect.width / natural_pt)
    x_pt = rect.x0 + ((rect.width - font.text_length(text, fontsize=size_pt)) / 2 if centred else 0.0)
    baseline_pt = (rect.y0 + rect.y1) / 2 + 0.36 * size_pt
    page.insert_text((x_pt, baseline_pt), text, fontname=_FONT, fontsize=size_pt, color=_BLACK)


def _write_lines(page: pymupdf.Page, box_mm: form.BoxMm, lines: tuple[str, ...]) -> None:
    x_mm, y_mm, w_mm, h_mm = box_mm
    line_mm = h_mm / max(len(lines), 1)
    for number, line in enumerate(lines):
        _write(page, (x_mm, y_mm + number * line_mm, w_mm, line_mm), line, size_pt=TEXT_PT)
