"""Shows layers of pixels as another frame sees them: turned, scaled, or from an angle."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import Impression, InkAmount

Matrix = NDArray[np.float64]
"""(3, 3), maps pixels to pixels, 0, 0 = outer corner of the first pixel."""

_HALF = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
"""Leads from cv2's pixels, whose middles are whole numbers, to ours."""


def in_cv2(matrix: Matrix) -> Matrix:
    """Return a map between our pixels as the one between cv2's."""
    return np.asarray(np.linalg.inv(_HALF) @ matrix @ _HALF, np.float64)


def from_cv2(matrix: NDArray[np.floating]) -> Matrix:
    """Return a map between cv2's pixels, (2, 3) or (3, 3), as the one between ours."""
    whole = matrix if len(matrix) == 3 else np.vstack([matrix, [0, 0, 1]])
    return np.asarray(_HALF @ whole @ np.linalg.inv(_HALF), np.float64)


def lay(layer: InkAmount, layer_from_frame: Matrix, size_px: tuple[int, int]) -> InkAmount:
    """Return a layer as a frame of w × h pixels sees it, without aliasing; values are not clipped."""
    shrink = math.sqrt(abs(float(np.linalg.det(layer_from_frame[:2, :2]))))
    if shrink > 1.3:
        layer = np.asarray(cv2.GaussianBlur(layer, (0, 0), 0.4 * shrink), np.float32)
    matrix = in_cv2(layer_from_frame)
    flags = (cv2.INTER_CUBIC if shrink < 2 else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    if abs(matrix[2, 0]) + abs(matrix[2, 1]) < 1e-12:
        return np.asarray(cv2.warpAffine(layer, matrix[:2], size_px, flags=flags, borderValue=0), np.float32)
    return np.asarray(cv2.warpPerspective(layer, matrix, size_px, flags=flags, borderValue=0), np.float32)


def lay_ink(impression: Impression, box_from_picture: Matrix, size_px: tuple[int, int]) -> InkAmount:
    """Return an impression's ink, 0..1, as a picture of w × h pixels sees it."""
    return np.asarray(np.clip(lay(impression.ink, box_from_picture, size_px), 0, 1), np.float32)


def box_from_target(
    impression: Impression,
    *,
    target_px_per_mm: float,
    target_centre: tuple[float, float],
    target_turn_deg: float = 0.0,
    px_per_mm: float | None = None,
) -> Matrix:
    """Return the 3 × 3 map from pixels of a picture to pixels of the impression's box.

    Args:
        target_centre: where the seal's centre comes to lie, x, y.
        target_turn_deg: how far the seal shall be turned clockwise there.
        px_per_mm: the impression's scale where its own is unknown or not wanted.
    """
    scale = (px_per_mm or impression.px_per_mm or 1.0) / target_px_per_mm
    turn = math.radians(impression.angle_deg - target_turn_deg)
    cos, sin = scale * math.cos(turn), scale * math.sin(turn)
    cx, cy = impression.centre_px
    tx, ty = target_centre
    to_flat = np.array(
        [[cos, -sin, cx - cos * tx + sin * ty], [sin, cos, cy - sin * tx - cos * ty], [0, 0, 1.0]]
    )
    if impression.flatten is None:
        return to_flat
    return np.asarray(np.linalg.inv(np.array(impression.flatten).reshape(3, 3)) @ to_flat, np.float64)
