"""Tells a seal struck twice from one struck once, by a second outline beside the first."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import SealShape
from seal_imaging.shape import Outline

MAX_SHIFT_MM = 2.2
"""Two strikes farther apart are read as one seal and something beside it, or as two seals."""
_STEP_MM = 0.2
_POINTS = 144
_DEEPEST_MM = 3.2
_DEPTH_STEP_MM = 0.1
_CLEAR_MM = 0.25
"""So much farther apart than the border is wide must two outlines lie to be seen apart."""
_MIN_APART = 0.25
_CHANCE, _CERTAIN = 0.72, 0.95
"""Share of a shifted outline that finds ink: by chance, on letters; and under a second strike."""
_ALL_ROUND = 0.8
_NARROW = 20
"""Percentile of the border's width: what it is where the strikes lie on each other."""
_WIDER_MM, _MUCH_WIDER_MM = 0.28, 0.55
_REGULAR = 0.5
"""Share of the border's changes in width that a shift must explain."""


def second_strike(inked: NDArray[np.bool_], outline: Outline, *, px_per_mm: float) -> float:
    """Return how strongly a second, shifted strike shows in the outline, 0..1.

    The outline fitted around two strikes is their hull: where its normal n has the shift d before it,
    one border lies on the hull and the other |n . d| inside. Near strikes show as a border that
    is wider by |n . d|, distant ones as a second line.

    Args:
        inked: all ink around the impression.
    """
    if outline.shape is SealShape.FREEFORM:
        return 0.0
    shrink = min(1.0, 7.0 / px_per_mm)
    ink = cv2.resize(inked.astype(np.float32), None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    points, normals = _line(outline, shrink)
    depths_mm = np.arange(-0.3, _DEEPEST_MM, _DEPTH_STEP_MM)
    xy = points[:, None] - depths_mm[None, :, None] * normals[:, None] * px_per_mm * shrink - 0.5
    xy = xy.astype(np.float32)
    is_ink = cv2.remap(ink, xy[..., 0], xy[..., 1], cv2.INTER_LINEAR, borderValue=0) > 0.5
    first = is_ink.argmax(1)
    met = is_ink.any(1) & (depths_mm[first] < 1.0)
    if met.mean() < 0.3:
        return 0.0
    after = is_ink & (np.arange(len(depths_mm)) >= first[:, None])
    ends = (~after & (np.arange(len(depths_mm)) > first[:, None])).argmax(1)
    ends = np.where(ends == 0, len(depths_mm), ends)
    widths_mm = (ends - first) * _DEPTH_STEP_MM
    border_mm = float(np.percentile(widths_mm[met], _NARROW))
    return max(
        _second_line(is_ink, first, met, normals, border_mm),
        _uneven_border(widths_mm[met], normals[met]),
    )


def _second_line(
    is_ink: NDArray[np.bool_],
    first: NDArray[np.intp],
    met: NDArray[np.bool_],
    normals: NDArray[np.float64],
    border_mm: float,
) -> float:
    """Return how fully a second border is inked where a shift would lay it clear of the first."""
    axis = np.arange(-MAX_SHIFT_MM, MAX_SHIFT_MM + _STEP_MM / 2, _STEP_MM)
    shifts = np.stack(np.meshgrid(axis, axis[axis >= 0]), -1).reshape(-1, 2)
    depth_mm = np.abs(shifts @ normals.T)
    apart = (depth_mm > border_mm + _CLEAR_MM) & met
    enough = apart.mean(1) >= _MIN_APART
    if not enough.any():
        return 0.0
    middle = first + 0.5 * border_mm / _DEPTH_STEP_MM
    at = np.round(middle + depth_mm[enough] / _DEPTH_STEP_MM).astype(np.intp)
    rows = np.arange(len(first))
    found = is_ink[rows, np.clip(at, 0, is_ink.shape[1] - 1)] & (at < is_ink.shape[1])
    # A seal's own inner ring lies equally deep all round; a second strike does not.
    beyond = round((border_mm + _CLEAR_MM) / _DEPTH_STEP_MM)
    own = _inner_ring(is_ink, first, met, beyond=beyond)
    counted = apart[enough] & ~own[np.clip(at - first, 0, len(own) - 1)]
    share = (found & counted).sum(1) / np.maximum(counted.sum(1), 1)
    share[counted.mean(1) < 0.5 * _MIN_APART] = 0.0
    return float(np.clip((share.max() - _CHANCE) / (_CERTAIN - _CHANCE), 0, 1))


def _inner_ring(
    is_ink: NDArray[np.bool_], first: NDArray[np.intp], met: NDArray[np.bool_], *, beyond: int
) -> NDArray[np.bool_]:
    """Return at which steps below the outline ink lies nearly all round: an inner border of the seal."""
    steps = np.arange(is_ink.shape[1])
    at = first[met, None] + steps[None]
    inked = np.take_along_axis(is_ink[met], np.minimum(at, is_ink.shape[1] - 1), 1) & (at < is_ink.shape[1])
    ring = (inked.mean(0) > _ALL_ROUND) & (steps >= beyond)
    return np.asarray(cv2.dilate(ring.astype(np.uint8)[None], np.ones((1, 7), np.uint8))[0] > 0, np.bool_)


def _uneven_border(widths_mm: NDArray[np.float64], normals: NDArray[np.float64]) -> float:
    """Return how far the border is wider in one direction, both ways, and narrow across it."""
    directions = np.linspace(0, math.pi, 24, endpoint=False)
    along = np.abs(normals @ np.stack([np.cos(directions), np.sin(directions)]))
    centred = along - along.mean(0)
    spread = (centred**2).sum(0)
    off = widths_mm - widths_mm.mean()
    slopes = (centred * off[:, None]).sum(0) / np.maximum(spread, 1e-9)
    explained = slopes**2 * spread / max(1e-9, float((off**2).sum()))
    at = int(np.argmax(np.where(slopes > 0, explained, 0)))
    if explained[at] < _REGULAR or slopes[at] <= 0:
        return 0.0
    return float(np.clip((slopes[at] - _WIDER_MM) / (_MUCH_WIDER_MM - _WIDER_MM), 0, 1))


def _line(outline: Outline, shrink: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points along the outline and its outward normals, in pixels of the small picture."""
    if outline.shape in (SealShape.CIRCLE, SealShape.ELLIPSE):
        points = outline.points(_POINTS)
    else:
        corners = outline.points()
        part = np.linspace(0.06, 0.94, _POINTS // 4)[:, None]
        sides = [a + (b - a) * part for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
        points = np.concatenate(sides)
    if outline.shape in (SealShape.CIRCLE, SealShape.ELLIPSE):
        ahead = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    else:
        ahead = np.repeat(np.roll(corners, -1, axis=0) - corners, _POINTS // 4, axis=0)
    normals = np.stack([ahead[:, 1], -ahead[:, 0]], 1)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    outward = ((points - outline.centre_px) * normals).sum(1, keepdims=True)
    return points * shrink, normals * np.sign(outward)
