"""Thin red strokes that a camera made grey are read as ink; black ones are not."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from seal_imaging.separate import (
    RED_HUES,
    Separation,
    estimate_paper,
    estimate_stains,
    optical_density,
    paper_over,
    separate_ink,
)

SIDE_PX = 240
PX_PER_MM = 6.0
THICK, RED_LINES, BLACK_LINES = slice(10, 60), slice(80, 140), slice(170, 230)


def _sheet() -> NDArray[np.uint8]:
    """Return a thick red stroke, a row of thin red ones and a row of thin dark grey ones."""
    page = np.full((SIDE_PX, SIDE_PX, 3), (225, 225, 228), np.uint8)
    page[THICK, 20:220] = (190, 40, 55)
    page[RED_LINES, 20:220:9] = (190, 40, 55)
    page[BLACK_LINES, 20:220:9] = (95, 95, 95)
    return np.asarray(cv2.GaussianBlur(page, (3, 3), 0.6), np.uint8)


def _with_coarse_colour(page: NDArray[np.uint8], *, kept: float) -> NDArray[np.uint8]:
    """Return the page with its colour at half resolution and, of fine colour, a part kept."""
    parts = cv2.cvtColor(page, cv2.COLOR_RGB2YCrCb).astype(np.float32)
    coarse = cv2.resize(parts[..., 1:], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    spread = 128 + kept * (cv2.GaussianBlur(coarse, (0, 0), 1.0) - 128)
    parts[..., 1:] = cv2.resize(spread, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(np.clip(parts, 0, 255).astype(np.uint8), cv2.COLOR_YCrCb2RGB), np.uint8)


def _separated(page: NDArray[np.uint8]) -> Separation:
    paper = paper_over(estimate_paper(page), page.shape, (0, 0, SIDE_PX, SIDE_PX))
    density = optical_density(page, paper)
    stains = estimate_stains(density, RED_HUES)
    assert stains is not None
    return separate_ink(density, stains, px_per_mm=PX_PER_MM)


@pytest.mark.parametrize("kept", [1.0, 0.7])
def test_thin_strokes_are_ink_although_their_colour_is_spread(kept: float) -> None:
    ink = _separated(_with_coarse_colour(_sheet(), kept=kept)).ink > 0.5
    assert ink[RED_LINES, 20:220:9].mean() > 0.9


def test_dark_red_strokes_greyed_by_a_camera_are_not_what_print_looks_like() -> None:
    page = np.full((SIDE_PX, SIDE_PX, 3), (225, 225, 228), np.uint8)
    page[THICK, 20:220] = (104, 14, 18)
    page[RED_LINES, 20:220:9] = (110, 77, 79)
    page[RED_LINES, 21:220:9] = (110, 79, 81)
    density = optical_density(page, paper_over(estimate_paper(page), page.shape, (0, 0, SIDE_PX, SIDE_PX)))
    stains = estimate_stains(density, RED_HUES)
    assert stains is not None
    assert np.ptp(stains.black) < 0.12
    assert (_separated(page).ink[RED_LINES, 20:220:9] > 0.5).mean() > 0.9


@pytest.mark.parametrize("kept", [1.0, 0.7])
def test_dark_grey_strokes_stay_out(kept: float) -> None:
    ink = _separated(_with_coarse_colour(_sheet(), kept=kept)).ink > 0.5
    assert not ink[BLACK_LINES].any()


def test_the_room_between_thin_strokes_stays_open() -> None:
    ink = _separated(_with_coarse_colour(_sheet(), kept=0.8)).ink > 0.5
    between = np.stack([ink[RED_LINES, 20 + k : 212 : 9] for k in (4, 5)])
    assert between.mean() < 0.02
