"""The form's parts fit the page and keep out of each other's way."""

from itertools import combinations

import pytest

from seal_imaging import form
from seal_imaging.form import BoxMm, SealKind

_MARKS: list[BoxMm] = [
    (
        x - form.MARKER_QUIET_MM,
        y - form.MARKER_QUIET_MM,
        form.MARKER_MM + 2 * form.MARKER_QUIET_MM,
        form.MARKER_MM + 2 * form.MARKER_QUIET_MM,
    )
    for _, x, y in form.MARKERS
]
_ROWS: list[BoxMm] = [(row.boxes[0][0], row.y_mm, 190, row.h_mm) for row in form.ROWS]
_TEXTS: list[BoxMm] = [
    form.QR_BOX_MM,
    form.TITLE_BOX_MM,
    form.LEGEND_BOX_MM,
    form.ORDER_BOX_MM,
    form.FOOTER_BOX_MM,
]


def _overlap(a: BoxMm, b: BoxMm) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def test_no_part_of_the_form_lies_over_another() -> None:
    for a, b in combinations(_MARKS + _ROWS + _TEXTS, 2):
        assert not _overlap(a, b), (a, b)


@pytest.mark.parametrize("row", form.ROWS, ids=lambda row: row.kind)
def test_the_boxes_of_a_row_lie_apart_and_on_the_page(row: form.FormRow) -> None:
    for a, b in combinations(row.boxes, 2):
        assert not _overlap(a, b)
    for x, y, w, h in row.boxes:
        assert x >= 5
        assert x + w <= form.PAGE_MM[0] - 5
        assert y >= row.y_mm + form.LABEL_H_MM
        assert y + h <= row.y_mm + row.h_mm


@pytest.mark.parametrize(
    ("kind", "size_mm"),
    [
        (SealKind.OFFICIAL, (45, 45)),
        (SealKind.LEGAL_REPRESENTATIVE, (25, 25)),
        (SealKind.PROFESSIONAL, (63, 28)),
        (SealKind.PROFESSIONAL, (50, 36)),
    ],
)
def test_the_largest_seal_of_each_kind_fits_its_box(kind: SealKind, size_mm: tuple[float, float]) -> None:
    row = next(row for row in form.ROWS if row.kind == kind)
    for _, _, w, h in row.boxes:
        assert w >= size_mm[0] + 3
        assert h >= size_mm[1] + 3


def test_the_order_number_comes_back_from_the_qr_text() -> None:
    assert form.read_qr_text(form.qr_text("AC2021111313")) == form.FormCode("AC2021111313")
    assert form.read_qr_text("https://example.org") is None
    assert form.read_qr_text(form.qr_text("A" * 65)) is None
