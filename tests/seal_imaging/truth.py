"""Compares what was read with what was drawn."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.tryout.artwork import Artwork
from pipeline.tryout.specimens import ImpressionTruth
from seal_imaging import Impression


def overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    """Return intersection over union of two boxes."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0, w) * max(0, h)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def pairs(
    truths: Sequence[ImpressionTruth], found: Sequence[Impression]
) -> list[tuple[ImpressionTruth, Impression]]:
    """Return each truth with what was found there; fail unless it is one to one."""
    assert len(found) == len(truths)
    matched = [
        (truth, impression)
        for truth in truths
        for impression in found
        if overlap(truth.box_px, impression.box_px) > 0.85
    ]
    assert len(matched) == len(truths)
    return matched


def _on_page(
    box: tuple[int, int, int, int], mask: NDArray[np.bool_], shape: tuple[int, int]
) -> NDArray[np.bool_]:
    page = np.zeros(shape, np.bool_)
    x, y, w, h = box
    x0, y0, x1, y1 = max(0, x), max(0, y), min(shape[1], x + w), min(shape[0], y + h)
    page[y0:y1, x0:x1] = mask[y0 - y : y1 - y, x0 - x : x1 - x]
    return page


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float(2 * (a & b).sum() / max(1, int(a.sum()) + int(b.sum())))


def ink_dice(truth: ImpressionTruth, impression: Impression, shape: tuple[int, int]) -> float:
    """Return Dice of the ink found against the ink that was put on the page."""
    return dice(
        _on_page(truth.box_px, truth.mask, shape), _on_page(impression.box_px, impression.ink > 0.5, shape)
    )


def canvas_dice(artwork: Artwork, rgba: NDArray[np.uint8]) -> float:
    """Return Dice of a composed seal image against the seal as its maker cut it."""
    side = rgba.shape[0]
    w, h = (round(v * side / 70) for v in artwork.size_mm)
    design = cv2.resize(artwork.ink, (w, h), interpolation=cv2.INTER_AREA) > 0.5
    truth = np.zeros((side, side), np.bool_)
    truth[(side - h) // 2 : (side - h) // 2 + h, (side - w) // 2 : (side - w) // 2 + w] = design
    return dice(truth, rgba[..., 3] > 127)


def angle_error(truth: ImpressionTruth, impression: Impression) -> float:
    return abs((impression.angle_deg - truth.angle_deg + 180) % 360 - 180)


def size_error(truth: ImpressionTruth, impression: Impression) -> float:
    assert impression.size_mm is not None
    return max(abs(a - b) for a, b in zip(truth.size_mm, impression.size_mm, strict=True))
