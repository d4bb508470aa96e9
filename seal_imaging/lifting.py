"""Reads one group of coloured ink: takes it apart, fits outlines to it, tells which are seals."""

import math

import numpy as np
from numpy.typing import NDArray

from seal_imaging.candidates import MAX_SEAL_MM, MIN_SEAL_MM, MIN_SEAL_SHARE, Candidate, CoarseInk, ruled_in
from seal_imaging.impression import Impression, InkAmount, RgbImage, SealShape
from seal_imaging.measuring import MAX_TILTED_ASPECT, measure
from seal_imaging.separate import (
    Separation,
    estimate_stains,
    optical_density,
    paper_over,
    separate_ink,
)
from seal_imaging.shape import Outline, fit_outline, fit_outlines
from seal_imaging.strangers import is_stranger

TYPICAL_SEAL_MM = 42.0
"""What a seal of unknown scale is taken to measure when windows are chosen; no size comes from it."""
BORDER_SHARE = 0.09
"""Of a seal's width its border takes less, and a large letter's stroke less than twice as much."""
MIN_INSIDE_INK = 0.02
MAX_INSIDE_INK = 0.93
"""A ring drawn by hand has nothing inside; a button or a blot is full."""
MIN_EXTENT_MM = 10.0
MIN_ELLIPSE_MM = 27.0
"""The smallest oval seal is 31 mm long, a thumb's print 25 mm."""
GOOD_SUPPORT = 0.75


def read_candidate(
    page: RgbImage,
    paper: NDArray[np.float32],
    candidate: Candidate,
    coarse: CoarseInk,
    px_per_mm: float | None,
    page_turn_deg: float,
) -> list[Impression]:
    """Return the seals of one group of ink: mostly one, or several that touch, or none.

    Args:
        page_turn_deg: how far the page is turned clockwise, as far as known.
    """
    about = px_per_mm or max(candidate.box_px[2:]) / TYPICAL_SEAL_MM
    box = _grown(candidate.box_px, round(2.5 * about), page.shape)
    separation = _separated(page, paper, box, candidate.hues, about)
    if separation is None:
        return []
    outlines = _outlines(_unruled(separation.ink, coarse, box), candidate.outer_px - box[:2], about)
    wider = _around(outlines, box, round(2.5 * about), page.shape)
    if wider != box:
        box = wider
        separation = _separated(page, paper, box, candidate.hues, about)
        if separation is None:
            return []
        outlines = _outlines(_unruled(separation.ink, coarse, box), candidate.outer_px - box[:2], about)
    longest = max(page.shape[:2])
    black = separation.black * np.float32(separation.stains.solid)
    return [
        measure(
            page,
            separation,
            one,
            box,
            px_per_mm=px_per_mm,
            about_px_per_mm=about,
            page_turn_deg=page_turn_deg,
        )
        for one in outlines
        if _is_seal(separation.ink, one, longest, px_per_mm) and not is_stranger(separation.ink, black, one)
    ]


def _unruled(ink: InkAmount, coarse: CoarseInk, box: tuple[int, int, int, int]) -> InkAmount:
    """Return the ink less coloured ruled lines, which would pass for a seal's straight border."""
    ruled = ruled_in(coarse, box)
    return ink if ruled is None else np.where(ruled, np.float32(0), ink)


def _separated(
    page: RgbImage,
    paper: NDArray[np.float32],
    box: tuple[int, int, int, int],
    hues: tuple[float, float],
    about: float,
) -> Separation | None:
    """Return one box of the page taken apart; None when too little of it is coloured."""
    x, y, w, h = box
    density = optical_density(page[y : y + h, x : x + w], paper_over(paper, page.shape, box))
    stains = estimate_stains(density, hues)
    return None if stains is None else separate_ink(density, stains, px_per_mm=about)


def _outlines(ink: InkAmount, outer: NDArray[np.float64], about: float) -> list[Outline]:
    """Return the outline of a group of ink, or those of the seals it is made of."""
    outline = fit_outline(ink, outer, px_per_mm=about)
    outlines = [outline] if outline else []
    if outline is None or outline.support < GOOD_SUPPORT:
        several = fit_outlines(ink, outer, px_per_mm=about)
        if len(several) > 1 or not outlines:
            outlines = several
    return outlines


def _around(
    outlines: list[Outline], box: tuple[int, int, int, int], margin: int, page_shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """Return the box, widened where outlines of a seal's size reach beyond it."""
    x0, y0, x1, y1 = box[0], box[1], box[0] + box[2], box[1] + box[3]
    for outline in outlines:
        points = outline.points()
        if np.ptp(points, axis=0).max() > 1.5 * max(box[2:]):
            continue
        low, high = points.min(0), points.max(0)
        if low.min() < 0 or high[0] > box[2] or high[1] > box[3]:
            x0, y0 = (
                min(x0, box[0] + math.floor(low[0]) - margin),
                min(y0, box[1] + math.floor(low[1]) - margin),
            )
            x1, y1 = (
                max(x1, box[0] + math.ceil(high[0]) + margin),
                max(y1, box[1] + math.ceil(high[1]) + margin),
            )
    return _grown((x0, y0, x1 - x0, y1 - y0), 0, page_shape)


def _is_seal(ink: InkAmount, outline: Outline, longest: int, px_per_mm: float | None) -> bool:
    """Tell a seal by its size and by having something inside its border."""
    small, large = min(outline.size_px), max(outline.size_px)
    is_oval = outline.shape is SealShape.ELLIPSE and large > MAX_TILTED_ASPECT * small
    if px_per_mm is None:
        if large < MIN_SEAL_SHARE * longest or large > 1.05 * longest:
            return False
    elif (
        small < MIN_SEAL_MM * px_per_mm
        or large < MIN_EXTENT_MM * px_per_mm
        or large > MAX_SEAL_MM * px_per_mm
    ) or (is_oval and large < MIN_ELLIPSE_MM * px_per_mm):
        return False
    shares = []
    for depth in (BORDER_SHARE, 2 * BORDER_SHARE):
        inside = outline.mask((ink.shape[0], ink.shape[1]), margin_px=-depth * small)
        shares.append(float((ink[inside] > 0.5).mean()) if inside.any() else 0.0)
    # Round seals may be empty but for the letters along their border; is_stranger counts those.
    is_round = outline.shape in (SealShape.CIRCLE, SealShape.ELLIPSE)
    return MIN_INSIDE_INK <= shares[0] <= MAX_INSIDE_INK and (is_round or shares[1] >= MIN_INSIDE_INK)


def _grown(box: tuple[int, int, int, int], by: int, page_shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    x0, y0 = max(0, box[0] - by), max(0, box[1] - by)
    x1, y1 = min(page_shape[1], box[0] + box[2] + by), min(page_shape[0], box[1] + box[3] + by)
    return x0, y0, x1 - x0, y1 - y0
