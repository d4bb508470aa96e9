"""Says how good an impression is, with reasons an operator knows."""

import cv2
import numpy as np

from seal_imaging.impression import InkAmount, InkColour, Quality, Reason, SealShape
from seal_imaging.separate import Separation
from seal_imaging.shape import Outline

FAINT_BELOW = 0.75
INCOMPLETE_BELOW = 0.85
FOREIGN_ABOVE = 0.015
FAINT_DENSITY = 0.95
"""Optical density of solid strokes below which an impression is pale all over."""


def grade(
    separation: Separation,
    ink: InkAmount,
    outline: Outline,
    *,
    colour: InkColour,
    px_per_mm: float,
    scale_is_known: bool,
    is_cut_off: bool,
) -> Quality:
    """Return the measures of one impression and what speaks against it.

    Args:
        ink: the impression's own ink, over the same box as the separation.
        px_per_mm: the scale, or a guess of it.
        is_cut_off: the page ends before the seal does.
    """
    strokes = ink > 0.5
    inside = outline.mask((ink.shape[0], ink.shape[1]), margin_px=0.0)
    coverage = _coverage(separation, strokes)
    sharpness = _sharpness(ink, px_per_mm)
    black = (separation.black > 0.45) & inside
    foreign = float(black.sum()) / max(1, int(inside.sum()))
    support = 1.0 if outline.shape is SealShape.FREEFORM else min(1.0, outline.support)
    density = min(1.0, separation.stains.solid / (1.5 * FAINT_DENSITY))
    score = (
        0.35 * support
        + 0.30 * coverage
        + 0.15 * density
        + 0.10 * sharpness
        + 0.10 * max(0.0, 1 - foreign / 0.06)
    )
    reasons = [
        (Reason.OTHER_TEXT, foreign > FOREIGN_ABOVE),
        (Reason.FAINT, coverage < FAINT_BELOW or separation.stains.solid < FAINT_DENSITY),
        (Reason.INCOMPLETE, is_cut_off or support < INCOMPLETE_BELOW),
        (Reason.COLOUR, colour is InkColour.BLACK),
        (Reason.SCALE_UNKNOWN, not scale_is_known),
    ]
    return Quality(
        score=float(np.clip(score, 0, 1)),
        outline=support,
        coverage=coverage,
        sharpness=sharpness,
        foreign_ink=float(np.clip(foreign, 0, 1)),
        reasons=tuple(reason for reason, holds in reasons if holds),
    )


def _coverage(separation: Separation, strokes: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    """Return the share of stroke pixels that hold at least half of what solid strokes hold."""
    clear = strokes & (separation.black < 0.3)
    # The rim of a stroke is half ink by nature and says nothing of the stamping.
    core = clear & (cv2.erode(strokes.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    if int(core.sum()) < 20:
        core = clear
    if not core.any():
        return 0.0
    return float((separation.strength[core] > 0.5).mean())


def _sharpness(ink: InkAmount, px_per_mm: float) -> float:
    """Return how quickly strokes rise from paper to ink: 1 for a rise within 0.1 mm."""
    gradient_x, gradient_y = (
        cv2.Sobel(ink, cv2.CV_32F, 1, 0, scale=0.125),
        cv2.Sobel(ink, cv2.CV_32F, 0, 1, scale=0.125),
    )
    steep = np.hypot(gradient_x, gradient_y)
    edges = steep[steep > 0.1]
    if edges.size < 20:
        return 0.0
    return float(np.clip(np.percentile(edges, 75) * px_per_mm * 0.1 / min(0.5, 0.05 * px_per_mm), 0, 1))
