"""Displayed space and user space are one and the same place, whichever way the page is turned."""

from pathlib import Path

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.documents import PageGeometry
from stages.errors import InputRefused
from stages.pdf.geometry import (
    displayed_box,
    image_matrix,
    is_box_disputed,
    page_geometry,
    to_user_space,
    transformed,
    user_box,
)
from stages.pdf.increment import open_base
from stages.pdf.structure import page_at, walk_pages
from tests.simulators import pdfs
from tests.simulators.pdfs import PageKind

coordinates = st.floats(-2000, 2000)
lengths = st.floats(10, 3000)


@st.composite
def geometries(draw: st.DrawFn) -> PageGeometry:
    x, y, w, h = draw(coordinates), draw(coordinates), draw(lengths), draw(lengths)
    page = pikepdf.Dictionary(
        MediaBox=pikepdf.Array([round(value, 3) for value in (x, y, x + w, y + h)]),
        Rotate=draw(st.sampled_from([0, 90, 180, 270, -90, 450])),
        UserUnit=draw(st.sampled_from([1, 2, 0.5])),
    )
    return page_geometry(page)


@given(geometries())
def test_the_corners_of_the_page_are_the_corners_of_its_box(page: PageGeometry) -> None:
    whole = user_box(page, (0, 0, page.width_mm, page.height_mm))
    assert whole == pytest.approx(page.crop_pt, abs=1e-6)


@given(geometries(), st.floats(0, 1), st.floats(0, 1))
def test_a_point_goes_to_user_space_and_back(page: PageGeometry, u: float, v: float) -> None:
    a, b, c, d, e, f = to_user_space(page)
    x_mm, y_mm = u * page.width_mm, v * page.height_mm
    x, y = transformed((a, b, c, d, e, f), x_mm, y_mm)
    x0, y0, x1, y1 = page.crop_pt
    assert x0 - 1e-6 <= x <= x1 + 1e-6
    assert y0 - 1e-6 <= y <= y1 + 1e-6
    determinant = a * d - b * c
    back_x = (d * (x - e) - c * (y - f)) / determinant
    back_y = (a * (y - f) - b * (x - e)) / determinant
    assert (back_x, back_y) == pytest.approx((x_mm, y_mm), abs=1e-6)


@given(geometries(), st.floats(0, 500), st.floats(0, 500), st.floats(0, 70), st.floats(0, 70))
def test_a_box_goes_to_user_space_and_back(
    page: PageGeometry, x: float, y: float, w: float, h: float
) -> None:
    assert displayed_box(page, user_box(page, (x, y, w, h))) == pytest.approx((x, y, w, h), abs=1e-6)


@given(geometries(), st.floats(0, 100), st.floats(0, 100), st.floats(1, 70), st.floats(1, 70))
def test_an_image_fills_its_box_upright(page: PageGeometry, x: float, y: float, w: float, h: float) -> None:
    to_user = to_user_space(page)
    matrix = image_matrix(to_user, (x, y, w, h))
    assert transformed(matrix, 0, 1) == pytest.approx(transformed(to_user, x, y), abs=1e-6)
    assert transformed(matrix, 1, 0) == pytest.approx(transformed(to_user, x + w, y + h), abs=1e-6)
    assert transformed(matrix, 0, 0) == pytest.approx(transformed(to_user, x, y + h), abs=1e-6)


@pytest.mark.parametrize(
    ("entries", "crop", "rotate"),
    [
        ({}, (0, 0, 612, 792), 0),
        ({"/MediaBox": [300, 400, 0, 0]}, (0, 0, 300, 400), 0),
        ({"/MediaBox": [0, 0, 300, 400], "/CropBox": [-50, 100, 200, 900]}, (0, 100, 200, 400), 0),
        ({"/MediaBox": [0, 0, 300, 400], "/CropBox": [500, 500, 900, 900]}, (0, 0, 300, 400), 0),
        ({"/MediaBox": [0, 0, 300, 400], "/CropBox": [7, 7, 7, 7]}, (0, 0, 300, 400), 0),
        ({"/MediaBox": [0, 0, 1e30, 400]}, (0, 0, 612, 792), 0),
        ({"/MediaBox": [0, 0, 300]}, (0, 0, 612, 792), 0),
        ({"/MediaBox": [0, 0, 300, 400], "/Rotate": -90}, (0, 0, 300, 400), 270),
        ({"/MediaBox": [0, 0, 300, 400], "/Rotate": 91}, (0, 0, 300, 400), 90),
        ({"/MediaBox": [0, 0, 300, 400], "/UserUnit": -3}, (0, 0, 300, 400), 0),
    ],
)
def test_odd_boxes_are_read_as_readers_do(
    entries: dict[str, object], crop: tuple[float, ...], rotate: int
) -> None:
    page = pikepdf.Dictionary()
    for key, value in entries.items():
        page[key] = pikepdf.Array(value) if isinstance(value, list) else value
    geometry = page_geometry(page)
    assert geometry.crop_pt == pytest.approx(crop)
    assert geometry.rotate == rotate
    assert geometry.user_unit == 1
    size = (crop[2] - crop[0], crop[3] - crop[1])
    assert (geometry.width_mm, geometry.height_mm) == pytest.approx(
        [v * 25.4 / 72 for v in (reversed(size) if rotate in (90, 270) else size)]
    )


def test_boxes_and_rotation_come_from_the_nodes_above(tmp_path: Path) -> None:
    kind = pdfs.PageKind(crop=(10, 20, 110, 220), rotate=270, inherit=True)
    with open_base(pdfs.build(tmp_path / "a.pdf", [kind])) as base:
        geometry = page_geometry(page_at(base.pdf, 0))
    assert geometry.crop_pt == (10, 20, 110, 220)
    assert geometry.rotate == 270
    assert geometry.width_mm == pytest.approx(200 * 25.4 / 72)


def test_a_page_without_area_is_refused() -> None:
    page = pikepdf.Dictionary(MediaBox=pikepdf.Array([0, 0, 0.001, 400]))
    with pytest.raises(InputRefused, match="no area"):
        page_geometry(page)


@pytest.mark.parametrize(
    ("crop", "is_disputed"),
    [
        (None, False),
        ((50, 60, 500, 700), False),
        ((-100, -100, 900, 900), False),  # all around it
        ((-40, 100, 400, 900), False),
        ((-20, 33, 590, 800), True),  # wider than the page, and not over its right edge
        ((700, 0, 900, 100), True),
        ((595.28, 0, 900, 100), True),
    ],
)
def test_boxes_that_readers_disagree_on_are_known(
    tmp_path: Path, crop: tuple[float, float, float, float] | None, is_disputed: bool
) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(crop=crop, inherit=True)])
    with pikepdf.open(path, inherit_page_attributes=False) as pdf:
        (page,) = walk_pages(pdf)
        assert is_box_disputed(page) is is_disputed
