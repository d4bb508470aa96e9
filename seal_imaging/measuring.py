"""Measures one seal of known outline: its size, its turn, its colour, its worth."""

import math

import numpy as np

from seal_imaging.impression import Impression, InkColour, RgbImage
from seal_imaging.quality import grade
from seal_imaging.separate import Separation, colour_of, ink_rgb
from seal_imaging.shape import Outline
from seal_imaging.upright import find_angle


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
    upright = find_angle(ink, outline, page_turn_deg=page_turn_deg)
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
        centre_px=(outline.centre_px[0] - left, outline.centre_px[1] - top),
        size_px=(width, height),
        px_per_mm=px_per_mm,
        ink_rgb=ink_rgb(separation.core),
        strength=np.ascontiguousarray(strength[top:bottom, left:right]),
        covered=np.clip(separation.black[top:bottom, left:right], 0, 1),
    )
