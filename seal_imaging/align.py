"""Finds to a fraction of a pixel how one ink picture must move to lie on another that it nearly covers."""

import math
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import InkAmount
from seal_imaging.warping import Matrix, lay

_OUTLIER = 0.3
"""Inks that differ by more are of other strokes, or of none."""
_STEPS = 12
_STILL_PX = 0.004
_ARRIVED = 0.08


class Motion(IntEnum):
    """What a seal may do between two impressions; the value is the number of parameters."""

    RIGID = 3
    SIMILAR = 4
    AFFINE = 6


def align(
    fixed: InkAmount,
    moving: InkAmount,
    trust: NDArray[np.float32],
    *,
    motion: Motion,
    sigma_px: float,
) -> Matrix:
    """Return the map from pixels of `fixed` to those of `moving` that makes their inks agree.

    Only strokes that both have are set against each other: where ink did not arrive, and where the
    inks disagree outright, nothing pulls.

    Args:
        fixed, moving: (H, W), apart by no more than a stroke's width.
        trust: (H, W), 0..1, how far to believe each pixel of both.
        sigma_px: smoothing of both; how far apart they may be.

    Source: Benhimane & Malis, "Real-time image-based tracking of planes using efficient second-order
    minimization", 2004; weights of Geman & McClure.
    """
    height, width = fixed.shape
    a = cv2.GaussianBlur(fixed, (0, 0), sigma_px)
    b = cv2.GaussianBlur(moving, (0, 0), sigma_px)
    reach = max(2.0, 3 * sigma_px)
    arrived = [np.minimum(cv2.GaussianBlur(ink, (0, 0), reach) / _ARRIVED, 1) for ink in (fixed, moving)]
    trust = trust * arrived[0] * arrived[1]
    used = np.nonzero((trust > 0.05) & (cv2.dilate(a, np.ones((3, 3), np.uint8)) > 0.05))
    found = np.eye(3)
    if len(used[0]) < 50:
        return found
    centre = np.array([width / 2, height / 2])
    radius = max(width, height) / 2
    u = ((used[1] + 0.5 - centre[0]) / radius).astype(np.float32)
    v = ((used[0] + 0.5 - centre[1]) / radius).astype(np.float32)
    a_at, trust_at = a[used], trust[used]
    ax, ay = (slope[used] for slope in _slopes(a))
    for _ in range(_STEPS):
        b_now = lay(np.asarray(b, np.float32), found, (width, height))
        bx, by = (slope[used] for slope in _slopes(b_now))
        gx, gy = (np.asarray((p + q) / 2, np.float32) for p, q in ((ax, bx), (ay, by)))
        off = a_at - b_now[used]
        weight = trust_at / (1 + (off / _OUTLIER) ** 2) ** 2
        columns = _columns(gx, gy, u, v, motion)
        weighted = columns * weight
        normal = (weighted @ columns.T).astype(np.float64)
        normal[np.diag_indices_from(normal)] *= 1 + 1e-6
        try:
            step = np.linalg.solve(normal, (weighted @ off).astype(np.float64))
        except np.linalg.LinAlgError:
            break
        if not np.isfinite(step).all() or np.abs(step).max() > 0.1 * radius:
            break
        found = found @ _moved(step / np.array([1, 1, *[radius] * (motion - 2)]), centre, motion)
        if np.abs(step).max() < _STILL_PX:
            break
    return found


def _slopes(ink: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the slope to the right and downwards."""
    right = cv2.Scharr(ink, cv2.CV_32F, 1, 0, scale=1 / 32)
    down = cv2.Scharr(ink, cv2.CV_32F, 0, 1, scale=1 / 32)
    return np.asarray(right, np.float32), np.asarray(down, np.float32)


def _columns(
    gx: NDArray[np.float32],
    gy: NDArray[np.float32],
    u: NDArray[np.float32],
    v: NDArray[np.float32],
    motion: Motion,
) -> NDArray[np.float32]:
    """Return (motion, N): how each pixel's ink changes with shift, turn and stretch."""
    if motion is Motion.AFFINE:
        return np.stack([gx, gy, gx * u, gx * v, gy * u, gy * v])
    rows = [gx, gy, gy * u - gx * v]
    if motion is Motion.SIMILAR:
        rows.append(gx * u + gy * v)
    return np.stack(rows)


def _moved(step: NDArray[np.float64], centre: NDArray[np.float64], motion: Motion) -> Matrix:
    """Return the small motion about the centre."""
    if motion is Motion.AFFINE:
        linear = np.array([[1 + step[2], step[3]], [step[4], 1 + step[5]]])
    else:
        size = 1 + (step[3] if motion is Motion.SIMILAR else 0.0)
        cos, sin = size * math.cos(step[2]), size * math.sin(step[2])
        linear = np.array([[cos, -sin], [sin, cos]])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = centre - linear @ centre + step[:2]
    return matrix
