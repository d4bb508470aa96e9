"""Continues strokes of ink under what hides them, from where they can be seen."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

REACH_MM = 1.2
"""How far to look from a hidden pixel for one that can be seen."""
DIRECTIONS = 8
ALONG_CONTOURS = 0.9
"""How much more what is seen along the contours around weighs than what is seen across them."""
CONTOUR_WINDOW_MM = 0.6
"""How far around contours are looked at."""
_UNSEEN, _PAPER, _INK = 0, 1, 2


def continue_strokes(
    ink: NDArray[np.bool_], hidden: NDArray[np.bool_], asked: NDArray[np.bool_], *, px_per_mm: float
) -> NDArray[np.float32]:
    """Return how likely each pixel asked for holds ink, 0..1, from the ink around; 0 everywhere else.

    Along each of several lines through a pixel the nearest seen pixels on both sides are looked up.
    What they show, ink or paper, is interpolated. Lines on which both lie close weigh most, and lines
    along the contours of the ink around: a contour goes on straight, whatever is printed across it.

    Args:
        ink: where ink is seen.
        hidden: where neither ink nor paper can be seen.
        asked: the hidden pixels to answer for.

    Source: the weights follow Bornemann & März, "Fast image inpainting based on coherence transport",
    2007, with both sides looked at instead of one.
    """
    stride = max(1.0, px_per_mm / 12)
    steps = max(2, round(REACH_MM * px_per_mm / stride))
    pad = math.ceil(steps * stride) + 1
    state = np.where(hidden, _UNSEEN, np.where(ink, _INK, _PAPER)).astype(np.uint8)
    state = cv2.copyMakeBorder(state, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=_UNSEEN)
    width = state.shape[1]
    side = 2 * pad + 1
    within = cv2.dilate(ink.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    rows, columns = np.nonzero(asked & within)
    out = np.zeros(ink.shape, np.float32)
    if not len(rows):
        return out
    flat = state.ravel()
    at = (rows + pad) * width + columns + pad
    cos_twice, sin_twice = _contours(ink, hidden, rows, columns, px_per_mm=px_per_mm)
    total = np.full(len(at), 1e-6, np.float32)
    inked = np.zeros(len(at), np.float32)
    for number in range(DIRECTIONS):
        angle = math.pi * number / DIRECTIONS
        ahead, far = _look(flat, at, width, math.cos(angle), math.sin(angle), steps=steps, stride=stride)
        behind, back = _look(flat, at, width, -math.cos(angle), -math.sin(angle), steps=steps, stride=stride)
        length = np.maximum(far + back, 1)
        value = ((ahead == _INK) * back + (behind == _INK) * far) / length
        along = 1 + ALONG_CONTOURS * (math.cos(2 * angle) * cos_twice + math.sin(2 * angle) * sin_twice)
        weight = (along / length) ** 2 * ((ahead != _UNSEEN) & (behind != _UNSEEN))
        total += weight
        inked += weight * value
    out[rows, columns] = inked / total
    return out


def _look(
    flat: NDArray[np.uint8],
    at: NDArray[np.int64],
    width: int,
    dx: float,
    dy: float,
    *,
    steps: int,
    stride: float,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return what is seen first from each pixel in one direction, and how many steps away."""
    seen = np.zeros(len(at), np.uint8)
    far = np.zeros(len(at), np.float32)
    active = np.arange(len(at))
    for step in range(1, steps + 1):
        offset = round(step * stride * dy) * width + round(step * stride * dx)
        found = flat[at[active] + offset]
        is_seen = found != _UNSEEN
        done = active[is_seen]
        seen[done] = found[is_seen]
        far[done] = step
        active = active[~is_seen]
        if not len(active):
            break
    return seen, far


def _contours(
    ink: NDArray[np.bool_],
    hidden: NDArray[np.bool_],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    *,
    px_per_mm: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return cosine and sine of twice the angle of the contours around, times how much they agree."""
    values = cv2.GaussianBlur(ink.astype(np.float32), (3, 3), 0)
    seen = cv2.erode((~hidden).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    across = cv2.Scharr(values, cv2.CV_32F, 1, 0) * seen
    down = cv2.Scharr(values, cv2.CV_32F, 0, 1) * seen
    side = 2 * round(CONTOUR_WINDOW_MM * px_per_mm) + 1
    xx = cv2.blur(across * across, (side, side))[rows, columns]
    yy = cv2.blur(down * down, (side, side))[rows, columns]
    xy = cv2.blur(across * down, (side, side))[rows, columns]
    power = np.maximum(xx + yy, 1e-6)
    # The contour runs at a right angle to the gradient: twice the angle turns by half a circle.
    return np.asarray((yy - xx) / power, np.float32), np.asarray(-2 * xy / power, np.float32)
