"""Measures one seal of known outline: its size, its turn, its colour, its worth."""

import math
from dataclasses import dataclass

import numpy as np

from seal_imaging.impression import Impression, InkColour, RgbImage, SealShape
from seal_imaging.outline import turned
from seal_imaging.quality import grade
from seal_imaging.separate import Separation, colour_of, ink_rgb
from seal_imaging.shape import Outline
from seal_imaging.upright import find_angle
from seal_imaging.warping import Matrix, lay

MAX_TILTED_ASPECT = 1.15
"""The roundest oval seals are a third longer than wide: what is rounder is a circle seen at an angle."""


@dataclass(frozen=True, eq=False)
class _Tilted:
    """A circle seen at an angle, and how to see it from above."""

    circle: Outline
    box_from_flat: Matrix


def measure(
    page: RgbImage,
    separation: Separation,
    outline: Outline,
    box_px: tuple[int, int, int, int],
    *,
    px_per_mm: float | None,
    about_px_per_mm: float,
    page_turn_deg: float,
    colour: InkColour | None = None,
) -> Impression:
    """Return one impression, cut to its outline with a narrow margin.

    Args:
        separation: over `box_px` of the page.
        outline: in pixels of the box.
        px_per_mm: the page's scale; None when unknown.
        about_px_per_mm: the scale, or a guess of it, for windows and margins.
        colour: None to tell it from the ink.
    """
    about = about_px_per_mm
    margin = max(1.0, 0.35 * about)
    shape = (separation.ink.shape[0], separation.ink.shape[1])
    own = outline.mask(shape, margin_px=margin)
    ink = np.where(own, separation.ink, np.float32(0))
    strength = np.where(own, separation.strength, np.float32(0))
    edge = outline.points()
    left, top = (max(0, math.floor(v - margin)) for v in edge.min(0))
    right, bottom = (math.ceil(v + margin) for v in edge.max(0))
    right, bottom = min(right, shape[1]), min(bottom, shape[0])
    on_page = edge + np.array([box_px[0], box_px[1]])
    is_cut_off = bool(
        (on_page < -1.5 * about / 10 - 1).any()
        or (on_page > np.array([page.shape[1], page.shape[0]]) + 1.5 * about / 10 + 1).any()
    )
    if colour is None:
        colour = colour_of(separation.stains.ink * separation.stains.solid)
    tilted = _tilted_circle(outline, margin)
    if tilted is None:
        upright = find_angle(ink, outline, page_turn_deg=page_turn_deg)
    else:
        side = math.ceil(2 * tilted.circle.centre_px[0])
        flat = lay(ink, tilted.box_from_flat, (side, side))
        upright = find_angle(np.clip(flat, 0, 1), tilted.circle, page_turn_deg=page_turn_deg)
    quality = grade(
        page[box_px[1] : box_px[1] + box_px[3], box_px[0] : box_px[0] + box_px[2]],
        separation,
        ink,
        outline,
        colour=colour,
        px_per_mm=about,
        scale_is_known=px_per_mm is not None,
        is_cut_off=is_cut_off,
        angle_deg=upright.angle_deg,
        page_turn_deg=page_turn_deg,
    )
    centre = (outline.centre_px[0] - left, outline.centre_px[1] - top)
    flatten = None
    if tilted is not None:
        outline, centre = tilted.circle, tilted.circle.centre_px
        from_cut = np.linalg.inv(tilted.box_from_flat) @ np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]])
        flatten = tuple(float(v) for v in from_cut.ravel())
    width, height = outline.size_px
    return Impression(
        box_px=(box_px[0] + left, box_px[1] + top, right - left, bottom - top),
        ink=np.ascontiguousarray(ink[top:bottom, left:right]),
        size_mm=None if px_per_mm is None else (width / px_per_mm, height / px_per_mm),
        shape=outline.shape,
        angle_deg=upright.angle_deg,
        angle_confidence=upright.confidence,
        other_angles_deg=upright.alternatives,
        colour=colour,
        quality=quality,
        centre_px=centre,
        size_px=(width, height),
        px_per_mm=px_per_mm,
        flatten=flatten,
        ink_rgb=ink_rgb(separation.core),
        strength=np.ascontiguousarray(strength[top:bottom, left:right]),
        covered=np.clip(separation.black[top:bottom, left:right], 0, 1),
    )


def _tilted_circle(outline: Outline, margin: float) -> _Tilted | None:
    """Return a nearly round ellipse as the circle it is of; None for any other outline."""
    long, short = max(outline.size_px), min(outline.size_px)
    if outline.shape is not SealShape.ELLIPSE or long > MAX_TILTED_ASPECT * short:
        return None
    diameter = math.sqrt(long * short)
    middle = diameter / 2 + margin
    axes = turned(outline.angle_deg)
    linear = axes @ np.diag([side / diameter for side in outline.size_px]) @ axes.T
    matrix = np.eye(3, dtype=np.float64)
    matrix[:2, :2] = linear
    matrix[:2, 2] = np.array(outline.centre_px) - linear @ np.full(2, middle)
    circle = Outline(SealShape.CIRCLE, (middle, middle), (diameter, diameter), 0.0, outline.support)
    return _Tilted(circle, matrix)
