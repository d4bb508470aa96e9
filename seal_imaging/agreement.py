"""Weighs whether two inks that lie over each other are of one seal."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import Impression, InkAmount, SealShape

_SLACK = 0.0035
"""By how much strokes of one seal may lie or be thicker apart, as a share of the frame."""
_NEAR, NEAR_LARGE = 0.0075, 0.014
"""How near to a stroke the other must have ink for its lack to say anything; and in large characters."""
_NEARBY = 0.02


def likeness(a: InkAmount, b: InkAmount, where: NDArray[np.bool_]) -> float:
    """Return the correlation of two inks over part of the frame, as far as both have ink thereabouts.

    Where one got no ink there is nothing to compare: a missing stroke is not another stroke.
    """
    sigma = max(1.0, _NEARBY * max(a.shape))
    both = np.minimum(cv2.GaussianBlur(a, (0, 0), sigma), cv2.GaussianBlur(b, (0, 0), sigma))
    weight = both[where].astype(np.float64)
    total = float(weight.sum())
    if total <= 0:
        return 0.0
    p, q = a[where].astype(np.float64), b[where].astype(np.float64)
    p, q = p - (p * weight).sum() / total, q - (q * weight).sum() / total
    power = math.sqrt(float((p * p * weight).sum()) * float((q * q * weight).sum()))
    return float((p * q * weight).sum()) / power if power > 0 else 0.0


def agreement_map(
    a: InkAmount, b: InkAmount, trust: NDArray[np.float32], *, place_px: float, near: float = _NEAR
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how far two inks agree around each pixel, 0..1, and how much ink says so.

    A missing stroke is no disagreement, another one is: around a place where ink did not arrive one
    impression has strokes the other lacks, but not the other way round. Where two seals bear
    different characters, each has what the other lacks, beside ink of the other.

    Args:
        trust: (H, W), 0..1, how far to believe each pixel of both.
        place_px: sigma of the neighbourhood within which strokes are set against each other.
        near: as a share of the frame, how near to a stroke the other ink must reach to speak of it.
    """
    side = max(a.shape)
    slack_kernel = _disc(_SLACK * side)
    near_kernel = _disc(near * side)

    def around(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.GaussianBlur(values * trust, (0, 0), max(1.0, place_px)), np.float32)

    only_a = np.maximum(a - cv2.dilate(b, slack_kernel), 0) * cv2.dilate(b, near_kernel)
    only_b = np.maximum(b - cv2.dilate(a, slack_kernel), 0) * cv2.dilate(a, near_kernel)
    shared = around(np.minimum(a, b))
    against = 2 * np.minimum(around(only_a), around(only_b))
    evidence = shared + against
    return np.asarray(shared / np.maximum(evidence, 1e-6), np.float32), evidence


def overlap(a: InkAmount, b: InkAmount, weight: NDArray[np.float32]) -> float:
    """Return how much of the lesser ink lies on ink of the other, 0..1.

    Args:
        weight: (H, W), 0..1, how much each pixel counts.
    """
    least = min(float((a * weight).sum()), float((b * weight).sum()))
    return float((np.minimum(a, b) * weight).sum()) / least if least > 0 else 0.0


def worst_share(
    agreement: NDArray[np.float32], evidence: NDArray[np.float32], where: NDArray[np.bool_], share: float
) -> float:
    """Return the agreement that this share of the evidence stays below, 0..1; 0 without evidence."""
    local, weight = agreement[where], evidence[where]
    order = np.argsort(local)
    total = np.cumsum(weight[order], dtype=np.float64)
    if total.size == 0 or total[-1] <= 0:
        return 0.0
    return float(local[order][min(total.size - 1, int(np.searchsorted(total, share * total[-1])))])


def _disc(radius_px: float) -> NDArray[np.uint8]:
    reach = max(1, round(radius_px))
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)), np.uint8)


def text_mask(reference: Impression, shape: tuple[int, int], at: float) -> NDArray[np.bool_]:
    """Return where a seal's text lies: inside its border, and outside the star of a round one.

    Args:
        shape: h, w of the frame.
        at: pixels of the frame for each pixel of the impression's flat frame.
    """
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    x, y = columns - reference.centre_px[0] * at, rows - reference.centre_px[1] * at
    turn = math.radians(reference.angle_deg)
    u = (x * math.cos(turn) + y * math.sin(turn)) / (reference.size_px[0] * at / 2)
    v = (y * math.cos(turn) - x * math.sin(turn)) / (reference.size_px[1] * at / 2)
    if reference.shape is SealShape.CIRCLE:
        radius = np.hypot(u, v)
        return np.asarray((radius > 0.42) & (radius < 0.92), np.bool_)
    if reference.shape is SealShape.ELLIPSE:
        return np.asarray(np.hypot(u, v) < 0.92, np.bool_)
    if reference.shape is SealShape.FREEFORM:
        return np.asarray(np.maximum(np.abs(u), np.abs(v)) < 1.1, np.bool_)
    return np.asarray(np.maximum(np.abs(u), np.abs(v)) < 0.84, np.bool_)
