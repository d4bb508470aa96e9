"""Decides what seal ink lies under black print and beside it."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import InkAmount

DARK = 0.30
"""Black, in units of solid seal ink, from which a pixel in or at a stroke of print counts as printed over."""
PRINT_DENSITY = 0.9
PRINT_TO_INK = 1.2
"""Optical density of a stroke of print along the black stain, and how many times the seal ink under it;
a thin red stroke, which cameras and JPEG see greyer than it is, holds less."""
PRINT_RIM_MM = 0.2
COVERED = 0.45
"""Black under which ink is filled in from both sides."""
CERTAIN = 0.36
"""Ink on the mean from which what lies under or beside print is ink by itself, plus a tenth of the black."""
GAP_MM = 0.75
"""How wide a stroke of print may be and ink be filled in under it."""
SHINES_THROUGH = 0.35
"""Ink that must be seen through print to be filled in, unless the print is too black to see anything."""
DIRECTIONS = 8


def find_print(strength: InkAmount, black: InkAmount, *, solid: float, px_per_mm: float) -> NDArray[np.bool_]:
    """Return where black print or writing lies.

    Args:
        solid: optical density of solid seal ink, the unit of the two amounts.
    """
    core = (black * solid > PRINT_DENSITY) & (black > PRINT_TO_INK * strength)
    rim = 2 * max(1, round(PRINT_RIM_MM * px_per_mm)) + 1
    around = cv2.dilate(core.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (rim, rim)))
    return np.asarray((black > DARK) & (around > 0), np.bool_)


def weigh_print(
    is_ink: NDArray[np.bool_],
    dark: NDArray[np.bool_],
    strength: InkAmount,
    black: InkAmount,
    *,
    blind: NDArray[np.bool_],
    px_per_mm: float,
) -> NDArray[np.bool_]:
    """Return the ink once print is taken account of.

    A scanner sees colour at the rims of black strokes, red on one side and cyan on the other. So what
    lies under print and beside it must be ink on the mean of its surroundings; and a piece of ink
    must show somewhere clear of print. Under the print, ink that arrives from both sides goes on.

    Args:
        is_ink: what looks like ink pixel by pixel.
        dark: where print lies.
        strength: (H, W), seal ink in units of solid ink, below 0 for the opposite colour.
        black: (H, W), black in units of solid ink.
        blind: where the picture is so black that nothing can shine through.
    """
    if not dark.any():
        return _without_specks(is_ink, is_ink)
    near = cv2.dilate(dark.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    mean = _mean_within(strength, near, sigma=max(0.7, 0.08 * px_per_mm))
    kept = is_ink & (~near | (mean > CERTAIN + 0.10 * black))
    kept = _without_specks(kept, kept & ~near)
    covered = dark & (black > COVERED) & (blind | (mean > SHINES_THROUGH))
    return kept | (covered & _between_ink(kept, covered, length=round(GAP_MM * px_per_mm)))


def _mean_within(values: InkAmount, where: NDArray[np.bool_], *, sigma: float) -> InkAmount:
    """Return the local mean of values, taken over part of the picture only."""
    weight = where.astype(np.float32)
    total = cv2.GaussianBlur(values * weight, (0, 0), sigma)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3), np.float32)


def _without_specks(is_ink: NDArray[np.bool_], clear: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Drop specks, and pieces that hardly show clear of black print."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(is_ink.astype(np.uint8))
    area = stats[:, cv2.CC_STAT_AREA]
    keep = (np.bincount(labels[clear], minlength=count) >= 0.25 * area) & (area >= 4)
    keep[0] = False
    return np.asarray(keep[labels], np.bool_)


def _between_ink(is_ink: NDArray[np.bool_], covered: NDArray[np.bool_], *, length: int) -> NDArray[np.bool_]:
    """Return what lies, in any direction, between ink at most `length` pixels apart."""
    x, y, w, h = cv2.boundingRect(covered.astype(np.uint8))
    margin = length + 1
    rows = slice(max(0, y - margin), y + h + margin)
    columns = slice(max(0, x - margin), x + w + margin)
    part = is_ink[rows, columns].astype(np.uint8)
    filled = np.zeros_like(part)
    for number in range(DIRECTIONS):
        filled |= cv2.morphologyEx(part, cv2.MORPH_CLOSE, _line(length, math.pi * number / DIRECTIONS))
    whole = np.zeros(is_ink.shape, np.bool_)
    whole[rows, columns] = filled > 0
    return whole


def _line(length: int, angle: float) -> NDArray[np.uint8]:
    """Return a straight line of odd length as a structuring element."""
    half = max(1, length // 2)
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.uint8)
    dx, dy = round(half * math.cos(angle)), round(half * math.sin(angle))
    cv2.line(kernel, (half - dx, half - dy), (half + dx, half + dy), 1)
    return kernel
