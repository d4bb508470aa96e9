"""Reads a page: in comes a page, out come its seal impressions."""

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.candidates import (
    MAX_SEAL_MM,
    MIN_SEAL_MM,
    MIN_SEAL_SHARE,
    Candidate,
    find_candidates,
    find_coloured,
)
from seal_imaging.errors import ImpressionUnusable
from seal_imaging.impression import Impression, InkAmount, RgbImage
from seal_imaging.locate import Homography, find_form, square_up
from seal_imaging.ordering import in_reading_order, without_doubles
from seal_imaging.quality import grade
from seal_imaging.separate import (
    Separation,
    colour_of,
    estimate_paper,
    estimate_stains,
    ink_rgb,
    optical_density,
    paper_over,
    separate_ink,
)
from seal_imaging.shape import Outline, fit_circles, fit_outline
from seal_imaging.upright import find_angle

MAX_PIXELS = 120_000_000
"""An A4 page at 1200 dpi is 139 million; 600 dpi, the most that helps, is 35 million."""
MIN_SIDE_PX = 16
MAX_PX_PER_MM = 100.0
MIN_PX_PER_MM = 2.0
TYPICAL_SEAL_MM = 42.0
"""What a seal of unknown scale is taken to measure when windows are chosen; no size comes from it."""
BORDER_SHARE = 0.09
"""Of a seal's width its border takes less, and a large letter's stroke less than twice as much."""
MIN_INSIDE_INK = 0.02
MAX_INSIDE_INK = 0.93
"""A ring drawn by hand has nothing inside; a button or a blot is full."""
MIN_EXTENT_MM = 10.0
GOOD_SUPPORT = 0.75
PASSES = ((1.0, GOOD_SUPPORT), (1.0, GOOD_SUPPORT), (2.5, GOOD_SUPPORT), (2.5, 0.0), (1.0, 0.0))
"""How far apart ink may lie, and how much of an outline it must support, from pass to pass.

Good impressions are read first. What they leave may be a seal that touched one of them, or the
pieces of a badly inked one.
"""


def read_impressions(page: RgbImage, px_per_mm: float | None) -> list[Impression]:
    """Return the seal impressions on a page, top to bottom, left to right; none is not an error.

    Args:
        px_per_mm: the page's scale; None to find it by the four marks of our form. Without marks
            the impressions are measured in pixels only.

    Raises:
        ImpressionUnusable: not an RGB page of 8 bits a channel, or larger than MAX_PIXELS.
    """
    check_page(page)
    if px_per_mm is not None:
        _check_scale(px_per_mm)
        return _read_flat(page, px_per_mm, page_turn_deg=0.0)
    pose = find_form(page)
    if pose is None:
        return _read_flat(page, None, page_turn_deg=0.0)
    if pose.is_flat:
        return _read_flat(page, pose.px_per_mm, page_turn_deg=pose.turn_deg)
    squared = square_up(page, pose)
    found = _read_flat(squared.page, squared.px_per_mm, page_turn_deg=0.0)
    return [_back_on_page(impression, squared.given_from_squared, page.shape) for impression in found]


def check_page(page: RgbImage) -> None:
    """Refuse what is not a page of RGB pixels.

    Raises:
        ImpressionUnusable: wrong type, shape or size.
    """
    if not isinstance(page, np.ndarray) or page.dtype != np.uint8 or page.ndim != 3 or page.shape[2] != 3:
        raise ImpressionUnusable(
            "the page is not an 8-bit RGB picture; convert it to RGB first",
            zh="页面不是8位RGB图像，请先转换为RGB",
        )
    height, width = page.shape[:2]
    if height * width > MAX_PIXELS:
        raise ImpressionUnusable(
            f"the page has {width} x {height} pixels, more than {MAX_PIXELS}; scan at 600 dpi or less",
            zh=f"页面有{width}×{height}像素，超过上限{MAX_PIXELS}，请以不高于600 dpi扫描",
        )
    if min(height, width) < MIN_SIDE_PX:
        raise ImpressionUnusable(
            f"the page has only {width} x {height} pixels; scan at 300 dpi or more",
            zh=f"页面只有{width}×{height}像素，请以不低于300 dpi扫描",
        )


def _check_scale(px_per_mm: float) -> None:
    if not (math.isfinite(px_per_mm) and MIN_PX_PER_MM <= px_per_mm <= MAX_PX_PER_MM):
        raise ImpressionUnusable(
            f"a scale of {px_per_mm} px/mm is outside {MIN_PX_PER_MM}..{MAX_PX_PER_MM}; check the dpi given",
            zh=f"比例{px_per_mm}像素/毫米超出{MIN_PX_PER_MM}至{MAX_PX_PER_MM}，请检查所给的dpi",
        )


def _read_flat(page: RgbImage, px_per_mm: float | None, *, page_turn_deg: float) -> list[Impression]:
    paper = estimate_paper(page)
    coarse = find_coloured(page, paper, px_per_mm=px_per_mm)
    found: list[Impression] = []
    read: dict[tuple[tuple[int, int, int, int], tuple[float, float]], list[Impression]] = {}
    for reach, least_support in PASSES:
        known = [impression.box_px for impression in found]
        for candidate in find_candidates(coarse, reach=reach, without=known):
            key = (candidate.box_px, candidate.hues)
            if key not in read:
                read[key] = _read_candidate(page, paper, candidate, px_per_mm, page_turn_deg)
            found += [one for one in read[key] if one.quality.outline >= least_support]
        found = without_doubles(found)
    return in_reading_order(found)


def _read_candidate(
    page: RgbImage,
    paper: NDArray[np.float32],
    candidate: Candidate,
    px_per_mm: float | None,
    page_turn_deg: float,
) -> list[Impression]:
    """Return the seals of one group of ink: mostly one, or several that touch, or none."""
    about = px_per_mm or max(candidate.box_px[2:]) / TYPICAL_SEAL_MM
    box = _grown(candidate.box_px, round(2.5 * about), page.shape)
    separation = _separated(page, paper, box, candidate.hues, about)
    if separation is None:
        return []
    outlines = _outlines(separation.ink, candidate.outer_px - box[:2], about)
    wider = _around(outlines, box, round(2.5 * about), page.shape)
    if wider != box:
        box = wider
        separation = _separated(page, paper, box, candidate.hues, about)
        if separation is None:
            return []
        outlines = _outlines(separation.ink, candidate.outer_px - box[:2], about)
    longest = max(page.shape[:2])
    return [
        _measured(separation, one, box, page.shape, px_per_mm, about, page_turn_deg)
        for one in outlines
        if _is_seal(separation.ink, one, longest, px_per_mm)
    ]


def _separated(
    page: RgbImage,
    paper: NDArray[np.float32],
    box: tuple[int, int, int, int],
    hues: tuple[float, float],
    about: float,
) -> Separation | None:
    """Return one box of the page taken apart; None when too little of it is coloured."""
    x, y, w, h = box
    density = optical_density(page[y : y + h, x : x + w], paper_over(paper, page.shape, box))
    stains = estimate_stains(density, hues)
    return None if stains is None else separate_ink(density, stains, px_per_mm=about)


def _outlines(ink: InkAmount, outer: NDArray[np.float64], about: float) -> list[Outline]:
    """Return the outline of a group of ink, or those of the circles it is made of."""
    outline = fit_outline(ink, outer, px_per_mm=about)
    outlines = [outline] if outline else []
    if outline is None or outline.support < GOOD_SUPPORT:
        circles = fit_circles(ink, outer, px_per_mm=about)
        if len(circles) > 1 or not outlines:
            outlines = circles
    return outlines


def _around(
    outlines: list[Outline], box: tuple[int, int, int, int], margin: int, page_shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """Return the box, widened where outlines of a seal's size reach beyond it."""
    x0, y0, x1, y1 = box[0], box[1], box[0] + box[2], box[1] + box[3]
    for outline in outlines:
        points = outline.points()
        if np.ptp(points, axis=0).max() > 1.5 * max(box[2:]):
            continue
        low, high = points.min(0), points.max(0)
        if low.min() < 0 or high[0] > box[2] or high[1] > box[3]:
            x0, y0 = (
                min(x0, box[0] + math.floor(low[0]) - margin),
                min(y0, box[1] + math.floor(low[1]) - margin),
            )
            x1, y1 = (
                max(x1, box[0] + math.ceil(high[0]) + margin),
                max(y1, box[1] + math.ceil(high[1]) + margin),
            )
    return _grown((x0, y0, x1 - x0, y1 - y0), 0, page_shape)


def _is_seal(ink: InkAmount, outline: Outline, longest: int, px_per_mm: float | None) -> bool:
    """Tell a seal by its size and by having something inside its border."""
    small, large = min(outline.size_px), max(outline.size_px)
    if px_per_mm is None:
        if large < MIN_SEAL_SHARE * longest or large > 1.05 * longest:
            return False
    elif (
        small < MIN_SEAL_MM * px_per_mm
        or large < MIN_EXTENT_MM * px_per_mm
        or large > MAX_SEAL_MM * px_per_mm
    ):
        return False
    shares = []
    for depth in (BORDER_SHARE, 2 * BORDER_SHARE):
        inside = outline.mask((ink.shape[0], ink.shape[1]), margin_px=-depth * small)
        shares.append(float((ink[inside] > 0.5).mean()) if inside.any() else 0.0)
    return MIN_INSIDE_INK <= shares[0] <= MAX_INSIDE_INK and shares[1] >= MIN_INSIDE_INK


def _measured(
    separation: Separation,
    outline: Outline,
    box: tuple[int, int, int, int],
    page_shape: tuple[int, ...],
    px_per_mm: float | None,
    about: float,
    page_turn_deg: float,
) -> Impression:
    """Return one impression, cut to its outline with a narrow margin."""
    margin = max(1.0, 0.35 * about)
    shape = (separation.ink.shape[0], separation.ink.shape[1])
    own = outline.mask(shape, margin_px=margin)
    ink = np.where(own, separation.ink, np.float32(0))
    strength = np.where(own, separation.strength, np.float32(0))
    edge = outline.points()
    left, top = (max(0, math.floor(v - margin)) for v in edge.min(0))
    right, bottom = (math.ceil(v + margin) for v in edge.max(0))
    right, bottom = min(right, shape[1]), min(bottom, shape[0])
    on_page = edge + np.array([box[0], box[1]])
    is_cut_off = bool(
        (on_page < -1.5 * about / 10 - 1).any()
        or (on_page > np.array([page_shape[1], page_shape[0]]) + 1.5 * about / 10 + 1).any()
    )
    colour = colour_of(separation.stains.ink * separation.stains.solid)
    quality = grade(
        separation,
        ink,
        outline,
        colour=colour,
        px_per_mm=about,
        scale_is_known=px_per_mm is not None,
        is_cut_off=is_cut_off,
    )
    width, height = outline.size_px
    return Impression(
        box_px=(box[0] + left, box[1] + top, right - left, bottom - top),
        ink=np.ascontiguousarray(ink[top:bottom, left:right]),
        size_mm=None if px_per_mm is None else (width / px_per_mm, height / px_per_mm),
        shape=outline.shape,
        angle_deg=find_angle(ink, outline, page_turn_deg=page_turn_deg),
        colour=colour,
        quality=quality,
        centre_px=(outline.centre_px[0] - left, outline.centre_px[1] - top),
        size_px=(width, height),
        px_per_mm=px_per_mm,
        ink_rgb=ink_rgb(separation.core),
        strength=np.ascontiguousarray(strength[top:bottom, left:right]),
        covered=np.clip(separation.black[top:bottom, left:right], 0, 1),
    )


def _grown(box: tuple[int, int, int, int], by: int, page_shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    x0, y0 = max(0, box[0] - by), max(0, box[1] - by)
    x1, y1 = min(page_shape[1], box[0] + box[2] + by), min(page_shape[0], box[1] + box[3] + by)
    return x0, y0, x1 - x0, y1 - y0


def _back_on_page(
    impression: Impression, given_from_squared: Homography, page_shape: tuple[int, ...]
) -> Impression:
    """Return an impression measured on the squared-up page with box and ink as on the page given.

    Its `flatten` leads from the box back to the squared-up pixels its other figures are in.
    """
    x, y, w, h = impression.box_px
    corners = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float64)
    homogeneous = np.column_stack([corners, np.ones(4)]) @ given_from_squared.T
    given = homogeneous[:, :2] / homogeneous[:, 2:]
    left, top = (max(0, math.floor(v)) for v in given.min(0))
    right, bottom = (math.ceil(v) for v in given.max(0))
    right, bottom = min(right, page_shape[1]), min(bottom, page_shape[0])
    to_box = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]])
    from_squared_box = to_box @ given_from_squared @ np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    matrix = np.linalg.inv(half) @ from_squared_box @ half
    size = (max(1, right - left), max(1, bottom - top))

    def laid_back(layer: InkAmount | None) -> InkAmount | None:
        if layer is None:
            return None
        return np.asarray(cv2.warpPerspective(layer, matrix, size, flags=cv2.INTER_LINEAR), np.float32)

    ink = cv2.warpPerspective(impression.ink, matrix, size, flags=cv2.INTER_LINEAR)
    # Rows of the matrix from the box on the page to the box on the squared-up page.
    flatten = np.linalg.inv(from_squared_box)
    rows = tuple(float(v) for v in (flatten / flatten[2, 2]).ravel())
    return replace(
        impression,
        box_px=(left, top, *size),
        ink=np.asarray(ink, np.float32),
        strength=laid_back(impression.strength),
        covered=laid_back(impression.covered),
        flatten=rows,
    )
