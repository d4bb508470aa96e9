"""Measures how one ink is pulled about against another that it lies over, place by place."""

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import InkAmount

_WINDOW = 0.035
"""Sigma of the neighbourhoods that move as one, as a share of the frame: about one character."""
_OUTLIER = 0.3
_STEPS = 4
_FIRM = 2e-4
"""Added to what the strokes tell, so that empty or one-sided places stay where they are."""


def displacement(
    fixed: InkAmount, moving: InkAmount, trust: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how far `moving` is off `fixed` around each pixel, and how much ink says so.

    Args:
        fixed, moving: (H, W), apart by no more than a stroke's width.
        trust: (H, W), 0..1, how far to believe each pixel of both.

    Returns:
        (H, W, 2), x and y in pixels; (H, W), not negative.

    Source: Lucas & Kanade, "An iterative image registration technique", 1981, in Gaussian windows.
    """
    height, width = fixed.shape
    sigma = max(2.0, _WINDOW * max(fixed.shape))
    a = cv2.GaussianBlur(fixed, (0, 0), 1.2)
    b = cv2.GaussianBlur(moving, (0, 0), 1.2)
    arrived = [np.minimum(cv2.GaussianBlur(ink, (0, 0), 4.0) / 0.08, 1) for ink in (fixed, moving)]
    trust = np.asarray(trust * arrived[0] * arrived[1], np.float32)
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    moved = np.zeros((height, width, 2), np.float32)
    evidence = np.zeros((height, width), np.float32)
    gx, gy = cv2.Scharr(a, cv2.CV_32F, 1, 0, scale=1 / 32), cv2.Scharr(a, cv2.CV_32F, 0, 1, scale=1 / 32)

    def around(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)

    for _ in range(_STEPS):
        now = cv2.remap(b, columns + moved[..., 0], rows + moved[..., 1], cv2.INTER_LINEAR)
        off = a - now
        weight = trust / (1 + (off / _OUTLIER) ** 2) ** 2
        xx, yy, xy = (around(weight * p * q) for p, q in ((gx, gx), (gy, gy), (gx, gy)))
        xo, yo = around(weight * gx * off), around(weight * gy * off)
        xx, yy = xx + _FIRM, yy + _FIRM
        determinant = xx * yy - xy * xy
        moved[..., 0] += (yy * xo - xy * yo) / determinant
        moved[..., 1] += (xx * yo - xy * xo) / determinant
        evidence = determinant / (xx + yy)
    return moved, evidence
