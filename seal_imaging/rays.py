"""Walks from outside towards a seal and says where ink begins."""

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import InkAmount
from seal_imaging.outline import Points

EDGE = 0.5
"""A stroke's edge lies where the ink is half of what it is inside: blur does not move it."""
STEP_PX = 0.5
_OUTER_SHARE = 0.4
"""A ring around the best-inked one counts as the seal's edge when this much of it, in its units, is there."""


def first_ink(edge: InkAmount, start: Points, step: Points, steps: int) -> NDArray[np.float64]:
    """Walk from each start by its step and return after how many steps ink begins; NaN when it does not.

    A walk that begins in ink begins on something else and counts as not met.

    Args:
        start, step: (N, 2), x and y.
    """
    along = np.arange(steps, dtype=np.float32)
    first_x, first_y = start[:, :1].astype(np.float32) - 0.5, start[:, 1:].astype(np.float32) - 0.5
    x = first_x + along * step[:, :1].astype(np.float32)
    y = first_y + along * step[:, 1:].astype(np.float32)
    samples = cv2.remap(edge, x, y, cv2.INTER_LINEAR, borderValue=0)
    above = samples >= EDGE
    first = above.argmax(1)
    row = np.arange(len(first))
    met = above[row, first] & (first > 0)
    before = samples[row, np.maximum(first - 1, 0)]
    after = samples[row, first]
    part = (EDGE - before) / np.maximum(after - before, 1e-6)
    return np.where(met, first - 1 + part, np.nan)


def outermost_line(out: NDArray[np.float64], *, tolerance: float, apart: float) -> float:
    """Return where along the walks the outermost line lies that is well enough inked.

    Of two lines, such as the two rings of a double border, the outer one is the seal's edge even
    if less of it came out; scattered ink outside makes no line.

    Args:
        out: how far out each walk met ink, in any unit; not empty.
        tolerance: how far ink of one line may lie apart.
        apart: how far two lines must lie apart to be two.
    """
    low = float(out.min())
    bins = np.floor((out - low) / tolerance).astype(int)
    count = np.convolve(np.bincount(bins), np.ones(3))[1:-1]
    best = int(np.argmax(count))
    for number in range(len(count) - 1, best, -1):
        is_peak = count[number] >= count[max(0, number - 2) : number + 3].max()
        if is_peak and count[number] >= _OUTER_SHARE * count[best] and (number - best) * tolerance > apart:
            best = number
            break
    near = out[np.abs(out - (low + (best + 0.5) * tolerance)) <= 1.5 * tolerance]
    return float(np.median(near))
