"""Reads a handwritten signature out of a box of a page, in whatever ink it was written."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import Box, Impression, InkColour, Reason, RgbImage, SealShape
from seal_imaging.measuring import measure
from seal_imaging.separate import Separation, Stains, colour_of, optical_density, paper_over
from seal_imaging.shape import Outline
from seal_imaging.units import A4_MM

EDGE_MM = 1.0
"""So much of a box's rim is left out, with the line printed round it."""
MIN_DENSITY = 0.22
"""What shines through from the other side of the paper is paler."""
STROKE_SHARE = 0.40
"""Of a solid stroke's density, from which a pixel is the pen's."""
CERTAIN_SHARE = 0.60
"""A piece of ink that is nowhere so dense is dirt or shines through."""
MIN_PIECE_MM2 = 0.06
MIN_EXTENT_MM = 6.0
MIN_INK_MM2 = 2.5
MAX_INK_SHARE = 0.35
"""Of the box; a signature is thin."""
COLOURED_SHARE = 0.35
CUT_SHARE = 0.04
"""Of a signature's outer strokes that may lie at the box's rim before it counts as cut off."""


@dataclass(frozen=True, eq=False)
class Region:
    """Where somebody was asked to sign.

    Attributes:
        corners_px: (4, 2), x and y on the page, clockwise from the box's top left.
    """

    corners_px: NDArray[np.float64]

    def holds(self, box_px: Box) -> bool:
        """Tell whether the middle of a box, x, y, w, h, lies in it."""
        x, y, w, h = box_px
        outline = self.corners_px.astype(np.float32)
        return bool(cv2.pointPolygonTest(outline, (x + w / 2, y + h / 2), False) >= 0)


def region_of(box_px: Box) -> Region:
    """Return the region of a box, x, y, w, h, that lies straight on the page."""
    x, y, w, h = box_px
    return Region(np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float64))


def read_signatures(
    page: RgbImage,
    paper: NDArray[np.float32],
    regions: Sequence[Region],
    *,
    px_per_mm: float | None,
    page_turn_deg: float,
) -> list[Impression]:
    """Return what is written in each region, one impression a region; nothing where nothing is written."""
    found = [_read(page, paper, region, px_per_mm, page_turn_deg) for region in regions]
    return [one for one in found if one is not None]


def _read(
    page: RgbImage,
    paper: NDArray[np.float32],
    region: Region,
    px_per_mm: float | None,
    page_turn_deg: float,
) -> Impression | None:
    height, width = page.shape[:2]
    left, top = (max(0, math.floor(v)) for v in region.corners_px.min(0))
    right = min(width, math.ceil(region.corners_px[:, 0].max()))
    bottom = min(height, math.ceil(region.corners_px[:, 1].max()))
    if right - left < 8 or bottom - top < 8:
        return None
    box = (left, top, right - left, bottom - top)
    about = px_per_mm or max(page.shape[:2]) / A4_MM[1]
    inside = np.zeros((bottom - top, right - left), np.uint8)
    corners = region.corners_px - (left, top)
    cv2.fillPoly(inside, [np.round((corners - 0.5) * 16).astype(np.int32)], 1, shift=4)
    rim = max(1, round(EDGE_MM * about))
    inside = cv2.erode(inside, np.ones((3, 3), np.uint8), iterations=rim, borderValue=0)
    density = optical_density(page[top:bottom, left:right], paper_over(paper, page.shape, box))
    separation = _pen(density, inside > 0, about)
    if separation is None:
        return None
    outline = _extent(separation.ink, page_turn_deg)
    if max(outline.size_px) < MIN_EXTENT_MM * about:
        return None
    solid = separation.core
    is_coloured = float(solid.max() - solid.min()) > COLOURED_SHARE * float(solid.max())
    one = measure(
        page,
        separation,
        outline,
        box,
        px_per_mm=px_per_mm,
        about_px_per_mm=about,
        page_turn_deg=page_turn_deg,
        colour=colour_of(solid) if is_coloured else InkColour.BLACK,
    )
    return _judged(one, is_cut=_is_cut(separation.ink, inside > 0))


def _pen(density: NDArray[np.float32], inside: NDArray[np.bool_], about: float) -> Separation | None:
    """Return the pen's strokes; None when there are too few, or too many for a signature."""
    amount = np.where(inside, density.mean(2), 0).astype(np.float32)
    written = amount > MIN_DENSITY
    if float(written.sum()) < MIN_INK_MM2 * about**2:
        return None
    solid = float(np.percentile(amount[written], 75))
    _, labels, stats, _ = cv2.connectedComponentsWithStats((amount > STROKE_SHARE * solid).astype(np.uint8))
    certain = np.bincount(labels[amount > CERTAIN_SHARE * solid], minlength=len(stats))
    kept = (certain > 0) & (stats[:, cv2.CC_STAT_AREA] >= MIN_PIECE_MM2 * about**2)
    kept[0] = False
    strokes = kept[labels] & inside
    area = float(strokes.sum())
    if area < MIN_INK_MM2 * about**2 or area > MAX_INK_SHARE * float(inside.sum()):
        return None
    core = np.percentile(density[strokes], 65, axis=0).astype(np.float32)
    length = float(np.linalg.norm(core))
    direction = np.asarray(core / max(1e-6, length), np.float32)
    strength = np.asarray(np.where(inside, density @ direction, 0) / max(1e-6, length), np.float32)
    near = cv2.dilate(strokes.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    soft = np.clip(strength, 0, 1)
    ink = np.where(strokes, np.maximum(soft, 0.55), np.where(near, np.minimum(soft, 0.49), 0))
    even = np.full(3, 1 / math.sqrt(3), np.float32)
    black = np.zeros_like(amount)
    return Separation(
        np.asarray(ink, np.float32), black, np.maximum(strength, 0), Stains(direction, even, length), core
    )


def _extent(ink: NDArray[np.float32], turn_deg: float) -> Outline:
    """Return the box round all ink, turned as the page is."""
    rows, columns = np.nonzero(ink > 0.5)
    points = np.column_stack([columns, rows]).astype(np.float64) + 0.5
    turn = math.radians(turn_deg)
    axes = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    flat = points @ axes
    # A pixel reaches half its side beyond its middle, and further when seen askew.
    half = 0.5 * (abs(math.cos(turn)) + abs(math.sin(turn)))
    low, high = flat.min(0) - half, flat.max(0) + half
    centre = axes @ ((low + high) / 2)
    size = high - low
    return Outline(
        SealShape.FREEFORM,
        (float(centre[0]), float(centre[1])),
        (float(size[0]), float(size[1])),
        turn_deg,
        1.0,
    )


def _is_cut(ink: NDArray[np.float32], inside: NDArray[np.bool_]) -> bool:
    """Tell a signature that runs over the edge of its box."""
    inner = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=2, borderValue=0) > 0
    strokes = ink > 0.5
    return int((strokes & inside & ~inner).sum()) > CUT_SHARE * int(strokes.sum()) / 2


def _judged(impression: Impression, *, is_cut: bool) -> Impression:
    """Return the impression with what is said of pens and not of seals: black is no fault of a signature."""
    reasons = [one for one in impression.quality.reasons if one is not Reason.COLOUR]
    if is_cut and Reason.INCOMPLETE not in reasons:
        reasons.append(Reason.INCOMPLETE)
    return replace(impression, quality=replace(impression.quality, reasons=tuple(reasons)))
