"""A coloured pen over a seal is no seal ink, and the seal goes on under it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.tryout.artwork import Artwork
from pipeline.tryout.specimens import CLEAN, PRINTED_OVER, ImpressionTruth
from seal_imaging.impression import RgbImage
from seal_imaging.separate import (
    RED_HUES,
    Stains,
    estimate_paper,
    estimate_stains,
    optical_density,
    paper_over,
    separate_ink,
)
from tests.seal_imaging.conftest import Draw

PENS = {"blue": (40, 70, 190), "pale blue": (110, 135, 215), "navy": (25, 30, 90)}
PEN_MM = 0.5


def _write(
    page: RgbImage, box: tuple[int, int, int, int], rgb: tuple[int, int, int], px_per_mm: float
) -> tuple[RgbImage, NDArray[np.bool_]]:
    """Return the page with waves written over a box of it, and where the pen went."""
    left, top, width, height = box
    x = left + np.linspace(0.05, 0.95, 300) * width
    pen = np.zeros(page.shape[:2], np.uint8)
    for level in np.linspace(0.2, 0.8, 4):
        y = top + level * height + 2.5 * px_per_mm * np.sin(x / (2.0 * px_per_mm))
        points = np.round(16 * np.stack([x, y], 1)).astype(np.int32)
        cv2.polylines(pen, [points], False, 255, round(PEN_MM * px_per_mm), cv2.LINE_AA, 4)
    cover = cv2.GaussianBlur(pen, (0, 0), 0.6).astype(np.float32)[..., None] / 255
    written = page * (1 - cover * (1 - np.array(rgb, np.float32) / 255))
    return written.astype(np.uint8), pen > 127


def _around(page: RgbImage, truth: ImpressionTruth, margin: int) -> tuple[int, int, int, int]:
    x, y, w, h = truth.box_px
    left, top = max(0, x - margin), max(0, y - margin)
    return left, top, min(page.shape[1], x + w + margin) - left, min(page.shape[0], y + h + margin) - top


def _stains(page: RgbImage, box: tuple[int, int, int, int]) -> tuple[NDArray[np.float32], Stains]:
    x, y, w, h = box
    paper = paper_over(estimate_paper(page), page.shape, box)
    density = optical_density(page[y : y + h, x : x + w], paper)
    stains = estimate_stains(density, RED_HUES)
    assert stains is not None
    return density, stains


@pytest.mark.parametrize("pen", PENS)
def test_a_seal_goes_on_under_a_pen_and_the_pen_does_not_stay(
    draw: Draw, round_seal: Artwork, pen: str
) -> None:
    drawn = draw([round_seal], look=CLEAN, copies=1)
    (truth,) = drawn.truths
    left, top, w, h = box = _around(drawn.page, truth, 20)
    page, written = _write(drawn.page, box, PENS[pen], drawn.px_per_mm)
    density, stains = _stains(page, box)
    ink = separate_ink(density, stains, px_per_mm=drawn.px_per_mm).ink > 0.5
    x, y, tw, th = truth.box_px
    true = np.zeros((h, w), np.bool_)
    true[y - top : y - top + th, x - left : x - left + tw] = truth.mask
    under = written[top : top + h, left : left + w]
    assert (ink & true & under).sum() >= 0.8 * (true & under).sum()
    assert (ink & ~true & under).sum() <= 0.01 * ink.sum()


def test_coloured_rims_of_print_are_no_pen(draw: Draw, round_seal: Artwork) -> None:
    fringed = replace(PRINTED_OVER, fringe_px=0.8)
    drawn = draw([round_seal], look=fringed, copies=3)
    for truth in drawn.truths:
        _, stains = _stains(drawn.page, _around(drawn.page, truth, 20))
        assert stains.foreign is None


def test_a_clean_seal_has_nothing_foreign(draw: Draw, round_seal: Artwork) -> None:
    drawn = draw([round_seal], look=CLEAN, copies=1)
    _, stains = _stains(drawn.page, _around(drawn.page, drawn.truths[0], 20))
    assert stains.foreign is None
