"""The edges of an A4 sheet in a photo tell its scale; a picture without edges has none."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.tryout.artwork import Artwork
from pipeline.tryout.foreign_forms import draw_foreign_form
from pipeline.tryout.specimens import SpecimenPage
from seal_imaging import Reason, ScaleSource, read_page
from seal_imaging.sheet import find_sheet
from seal_imaging.units import A4_MM
from tests.seal_imaging.truth import size_error
from tests.seal_imaging.views import view_of


def _sheet(size_mm: tuple[float, float] = A4_MM, px_per_mm: float = 6.0) -> NDArray[np.uint8]:
    return np.full((round(size_mm[1] * px_per_mm), round(size_mm[0] * px_per_mm), 3), 238, np.uint8)


@pytest.fixture(scope="module")
def form_page(font: bytes, round_seal: Artwork, square_seal: Artwork) -> SpecimenPage:
    rng = np.random.default_rng(3)
    return draw_foreign_form([round_seal, square_seal], rng, font, strangers=[], px_per_mm=150 / 25.4)


@settings(max_examples=15, deadline=None)
@given(tilt=st.floats(0, 20), towards=st.floats(0, 180), turn=st.floats(-35, 35))
def test_a_sheet_is_found_however_it_is_seen(tilt: float, towards: float, turn: float) -> None:
    view = view_of(_sheet(), tilt_deg=tilt, towards_deg=towards, turn_deg=turn, fills=0.55)
    pose = find_sheet(view)
    assert pose is not None
    assert pose.size_mm == A4_MM
    # A length at the sheet's middle is as long as the view has it.
    middle = np.array([[105, 148.5], [115, 148.5]], np.float64).reshape(-1, 1, 2)
    a, b = cv2.perspectiveTransform(middle, pose.page_from_mm).reshape(2, 2)
    plain = view_of(_sheet_with_dash(), tilt_deg=tilt, towards_deg=towards, turn_deg=turn, fills=0.55)
    assert np.linalg.norm(b - a) == pytest.approx(_dash_px(plain), rel=0.04)
    assert 0 < pose.confidence <= 1


def _sheet_with_dash() -> NDArray[np.uint8]:
    sheet = _sheet()
    cv2.circle(sheet, (105 * 6, 891), 4, (255, 0, 0), -1)
    cv2.circle(sheet, (115 * 6, 891), 4, (0, 0, 255), -1)
    return sheet


def _dash_px(view: NDArray[np.uint8]) -> float:
    red, blue = view[..., 0].astype(int), view[..., 2].astype(int)
    ends = [np.argwhere(mask).mean(0) for mask in (red - blue > 90, blue - red > 90)]
    return float(np.linalg.norm(ends[0] - ends[1]))


def test_a_sheet_lying_on_its_side_is_wide() -> None:
    pose = find_sheet(view_of(_sheet(A4_MM[::-1]), tilt_deg=6, fills=0.42))
    assert pose is not None
    assert pose.size_mm == A4_MM[::-1]


@pytest.mark.parametrize(
    "size_mm", [(210.0, 250.0), (215.9, 279.4), (150.0, 297.0)], ids=["torn", "letter", "strip"]
)
def test_a_sheet_that_is_not_a4_tells_no_scale(size_mm: tuple[float, float]) -> None:
    assert find_sheet(view_of(_sheet(size_mm), tilt_deg=5)) is None


@pytest.mark.parametrize(
    "picture",
    [
        _sheet(),
        np.zeros((900, 700, 3), np.uint8),
        view_of(_sheet(), fills=0.95)[:, 260:],
        np.random.default_rng(1).integers(0, 255, (600, 500, 3)).astype(np.uint8),
    ],
    ids=["scan", "black", "one edge outside", "noise"],
)
def test_a_picture_without_four_edges_tells_no_scale(picture: NDArray[np.uint8]) -> None:
    assert find_sheet(picture) is None


def test_a_photo_of_a_foreign_form_is_measured_by_its_sheet(form_page: SpecimenPage) -> None:
    photo = view_of(form_page.page, tilt_deg=9, turn_deg=4, size_px=(2100, 2800), fills=0.85)
    reading = read_page(photo, None)
    assert reading.scale_source is ScaleSource.SHEET_EDGES
    assert len(reading.impressions) == len(form_page.truths)
    for truth, found in zip(form_page.truths, reading.impressions, strict=True):
        assert size_error(truth, found) <= 0.4
        assert found.flatten is not None
        assert Reason.SCALE_UNKNOWN not in found.quality.reasons


def test_a_scan_of_a_foreign_form_says_its_scale_is_unknown(form_page: SpecimenPage) -> None:
    reading = read_page(form_page.page, None)
    assert reading.scale_source is ScaleSource.UNKNOWN
    assert reading.px_per_mm is None
    assert len(reading.impressions) == len(form_page.truths)
    assert all(Reason.SCALE_UNKNOWN in one.quality.reasons for one in reading.impressions)
    given_scale = read_page(form_page.page, form_page.px_per_mm)
    assert given_scale.scale_source is ScaleSource.GIVEN
    assert given_scale.pose is None
