"""Lays an impression over its own seal image: the same seal, printed or stamped, and scanned again."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from seal_imaging.impression import Impression, InkAmount
from seal_imaging.warping import Matrix, box_from_target, from_cv2, lay_ink

_COARSE_PX_PER_MM = 3.0
_COARSE_STEP_DEG = 2.0
_TRIED = 3
_CERTAIN = 0.9
"""Likeness at which no other turn needs to be tried."""
_ECC_STEPS = 60
_ECC_ENOUGH = 1e-5


@dataclass(frozen=True, eq=False)
class LaidOver:
    """Where an impression lies on the canvas.

    Attributes:
        box_from_canvas: (3, 3), from pixels of the canvas to pixels of the impression's box.
        likeness: correlation of its ink with the seal image's, 0..1.
    """

    box_from_canvas: Matrix
    likeness: float


def lay_over(impression: Impression, strokes: InkAmount, *, width_mm: float, px_per_mm: float) -> LaidOver:
    """Find turn, place, and slight stretch that lay an impression's ink on a seal image's strokes.

    Every turn is tried on a small picture, for the star and the frame look alike in several; the likeliest
    few are refined. The scale comes from the seal's own width, not from the page.

    Args:
        strokes: (S, S), the seal image's alpha, 0..1, at px_per_mm.
        width_mm: of the seal image's ink.

    Source: Evangelidis & Psarakis, "Parametric image alignment using enhanced correlation coefficient
    maximization", 2008.
    """
    side = strokes.shape[0]
    scan_px_per_mm = impression.size_px[0] / width_mm
    shrink = _COARSE_PX_PER_MM / px_per_mm
    small_side = round(side * shrink)
    small = cv2.resize(strokes, (small_side, small_side), interpolation=cv2.INTER_AREA)
    fixed = _calm(small)

    def canvas_map(turn_deg: float, at_px_per_mm: float, size: int) -> Matrix:
        return box_from_target(
            impression,
            target_px_per_mm=at_px_per_mm,
            target_centre=(size / 2, size / 2),
            target_turn_deg=turn_deg,
            px_per_mm=scan_px_per_mm,
        )

    tried: list[tuple[float, float]] = []
    for step in range(round(360 / _COARSE_STEP_DEG)):
        turn_deg = step * _COARSE_STEP_DEG
        seen = lay_ink(
            impression, canvas_map(turn_deg, _COARSE_PX_PER_MM, small_side), (small_side, small_side)
        )
        tried.append((_correlation(fixed, _calm(seen)), turn_deg))
    best: LaidOver | None = None
    for _, turn_deg in _peaks(tried):
        start = canvas_map(turn_deg, px_per_mm, side)
        laid = _refined(impression, strokes, start, px_per_mm)
        if best is None or laid.likeness > best.likeness:
            best = laid
        if best.likeness >= _CERTAIN:
            break
    return best if best is not None else LaidOver(canvas_map(0.0, px_per_mm, side), 0.0)


def _peaks(tried: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the likeliest turns, none beside a likelier one."""
    chosen: list[tuple[float, float]] = []
    for likeness, turn_deg in sorted(tried, reverse=True):
        if all(abs((turn_deg - other + 180) % 360 - 180) > 3 * _COARSE_STEP_DEG for _, other in chosen):
            chosen.append((likeness, turn_deg))
        if len(chosen) == _TRIED:
            break
    return chosen


def _refined(impression: Impression, strokes: InkAmount, start: Matrix, px_per_mm: float) -> LaidOver:
    """Return the overlay after ECC from coarse to fine; the start where it does not converge."""
    size = (strokes.shape[1], strokes.shape[0])
    current = start
    for blur_mm in (0.4, 0.12):
        sigma = blur_mm * px_per_mm
        fixed = cv2.GaussianBlur(strokes, (0, 0), sigma)
        seen = cv2.GaussianBlur(lay_ink(impression, current, size), (0, 0), sigma)
        shift = np.eye(2, 3, dtype=np.float32)
        criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ECC_STEPS, _ECC_ENOUGH)
        try:
            _, shift = cv2.findTransformECC(fixed, seen, shift, cv2.MOTION_AFFINE, criteria, None, 1)
        except cv2.error:
            break
        current = current @ from_cv2(shift)
    seen = cv2.GaussianBlur(lay_ink(impression, current, size), (0, 0), 0.1 * px_per_mm)
    return LaidOver(current, _correlation(cv2.GaussianBlur(strokes, (0, 0), 0.1 * px_per_mm), seen))


def _calm(ink: InkAmount) -> InkAmount:
    return np.asarray(cv2.GaussianBlur(ink, (0, 0), 1.0), np.float32)


def _correlation(a: InkAmount, b: InkAmount) -> float:
    """Return Pearson's correlation of two pictures, not below 0."""
    x, y = a - a.mean(), b - b.mean()
    norm = math.sqrt(float((x * x).sum()) * float((y * y).sum()))
    return max(0.0, float((x * y).sum()) / norm) if norm > 0 else 0.0
