"""Chooses the outline of a seal that its ink supports best: circle, ellipse, square or rectangle."""

import math

import cv2
import numpy as np

from seal_imaging.impression import InkAmount, SealShape
from seal_imaging.outline import Outline, Points
from seal_imaging.rectangles import fit_rectangle
from seal_imaging.round_outlines import fit_circle, fit_ellipse

__all__ = ["MIN_SUPPORT", "Outline", "Points", "fit_outline", "fit_outlines"]

MIN_SUPPORT = 0.45
"""Share of an outline that must carry ink, or it is none."""
CLEAR_SUPPORT = 0.90
"""An outline this well inked is not compared with others."""
CIRCLE_FIRST = 0.85
"""An ellipse can follow any circle: it must be this much better than one to count."""
SURE_SUPPORT = 0.90
MAX_BESIDE = 0.2
"""Of the ink so much may lie beside squares and rectangles that are not well inked."""
MAX_SPREAD = 1.25
"""The ink's hull may be so much larger than the one rectangle in it."""
MAX_TOUCHING = 6
_MIN_POINTS = 30


def fit_outline(ink: InkAmount, outer: Points, *, px_per_mm: float) -> Outline | None:
    """Return the outline that the ink supports best; None when there is none.

    Args:
        outer: points on the outside of the ink, from which the first guesses are made.
        px_per_mm: the scale, or a guess of it; it sets the smoothing only.
    """
    if len(outer) < 12:
        return None
    outline = _best(_smoothed(ink, px_per_mm), outer)
    return outline if outline and _is_believed([outline], outer)[0] else None


def fit_outlines(ink: InkAmount, outer: Points, *, px_per_mm: float) -> list[Outline]:
    """Return the outlines that ink touching other ink is made of, best first, MAX_TOUCHING at most."""
    edge = _smoothed(ink, px_per_mm)
    found: list[Outline] = []
    left = outer
    while len(left) >= _MIN_POINTS and len(found) < MAX_TOUCHING:
        outline = _best(edge, left)
        if outline is None:
            break
        outside = left[~outline.holds(left, grown=1.04)]
        if len(outside) > 0.95 * len(left):
            break
        if all(math.dist(outline.centre_px, one.centre_px) > 0.5 * min(one.size_px) for one in found):
            found.append(outline)
        left = outside
    return [one for one, holds in zip(found, _is_believed(found, outer), strict=True) if holds]


def _is_believed(found: list[Outline], outer: Points) -> list[bool]:
    """Tell seals from lines of text, which make rectangles too: there more text lies beside them."""
    beside = np.ones(len(outer), np.bool_)
    for outline in found:
        beside &= ~outline.holds(outer, grown=1.06)
    is_all = float(beside.mean()) <= MAX_BESIDE
    if len(found) == 1 and found[0].shape not in (SealShape.CIRCLE, SealShape.ELLIPSE):
        hull = cv2.contourArea(cv2.convexHull(outer.astype(np.float32)))
        is_all &= hull <= MAX_SPREAD * found[0].size_px[0] * found[0].size_px[1]
    round_ones = (SealShape.CIRCLE, SealShape.ELLIPSE)
    return [is_all or one.shape in round_ones or one.support >= SURE_SUPPORT for one in found]


def _smoothed(ink: InkAmount, px_per_mm: float) -> InkAmount:
    return np.asarray(cv2.GaussianBlur(ink, (0, 0), max(0.5, 0.06 * px_per_mm)), np.float32)


def _best(edge: InkAmount, outer: Points) -> Outline | None:
    circle = fit_circle(edge, outer)
    if circle and circle.support >= CLEAR_SUPPORT:
        return circle
    ellipse = fit_ellipse(edge, outer)
    if circle and ellipse and circle.support >= CIRCLE_FIRST * ellipse.support:
        ellipse = None
    if ellipse and ellipse.support >= CLEAR_SUPPORT:
        return ellipse
    found = [
        fit for fit in (circle, ellipse, fit_rectangle(edge, outer)) if fit and fit.support >= MIN_SUPPORT
    ]
    return max(found, key=lambda fit: fit.support, default=None)
