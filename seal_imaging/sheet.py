"""Finds the sheet of paper in a photo by its edges: on an A4 sheet they tell the scale."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import RgbImage
from seal_imaging.squaring import PagePose, fit_similarity
from seal_imaging.units import A4_MM

Corners = NDArray[np.float64]
"""(4, 2), x and y, clockwise from the top left."""

SEARCH_SIDE_PX = 800
REFINE_SIDE_PX = 2400
MIN_SHEET_SHARE = 0.25
MARGIN_PX = 3
"""At SEARCH_SIDE_PX, so far from the picture's rim all four edges must lie: a cropped scan shows no edges."""
MIN_FILLED = 0.96
MIN_STEP = 18.0
"""Grey levels between paper and what it lies on."""
MAX_RATIO_OFF = 0.06
FOCAL_LENGTHS = (0.65, 1.6)
"""Of a phone's camera, in longer sides of its picture."""
MIN_EDGE_SEEN = 0.6
_SAMPLES = 160
_ROUNDS = 8


@dataclass(frozen=True, eq=False)
class SheetPose(PagePose):
    """How an A4 sheet lies on the page.

    Attributes:
        confidence: 0..1, share of its four edges that was seen, times how well its sides agree with A4.
    """

    confidence: float = 0.0


def find_sheet(page: RgbImage) -> SheetPose | None:
    """Return how an A4 sheet lies in a photo.

    None when its four edges are not all in the picture, or when it has not A4's proportions. A5 and A3
    have the same; they are not told from A4.
    """
    scale = min(1.0, SEARCH_SIDE_PX / max(page.shape[:2]))
    small = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rough = rough_corners(small)
    if rough is None:
        return None
    fine = min(1.0, REFINE_SIDE_PX / max(page.shape[:2]))
    grey = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)
    if fine < 1.0:
        grey = cv2.resize(grey, None, fx=fine, fy=fine, interpolation=cv2.INTER_AREA)
    refined = _refined(grey, rough * (fine / scale), reach=3.0 * fine / scale)
    if refined is None:
        return None
    corners, seen = refined
    corners = corners / fine
    size_mm = A4_MM if _is_upright(corners) else A4_MM[::-1]
    sheet = np.array([[0, 0], [size_mm[0], 0], size_mm, [0, size_mm[1]]], np.float64)
    matrix = cv2.getPerspectiveTransform(sheet.astype(np.float32), corners.astype(np.float32))
    off = _ratio_off(np.asarray(matrix, np.float64), page.shape)
    if off > MAX_RATIO_OFF:
        return None
    flat = fit_similarity(sheet, corners)
    confidence = seen * (1 - 0.5 * off / MAX_RATIO_OFF)
    return SheetPose(
        np.asarray(matrix, np.float64), size_mm, flat.px_per_mm, flat.turn_deg, flat.bend_mm, confidence
    )


def rough_corners(small: RgbImage) -> Corners | None:
    """Return the corners of a bright four-sided thing inside the picture, clockwise from the top left."""
    height, width = small.shape[:2]
    side = max(3, round(0.02 * max(height, width)) | 1)
    calm = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    level = cv2.GaussianBlur(calm.min(2), (0, 0), 1.5)
    limit, _ = cv2.threshold(level, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    for threshold in (limit, 0.85 * limit, 1.15 * limit):
        bright = (level > threshold).astype(np.uint8)
        contours, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if not contours:
            continue
        hull = cv2.convexHull(max(contours, key=cv2.contourArea))
        area = float(cv2.contourArea(hull))
        if area < MIN_SHEET_SHARE * height * width:
            continue
        for tolerance in (0.01, 0.02, 0.03, 0.05):
            quad = cv2.approxPolyDP(hull, tolerance * cv2.arcLength(hull, True), True).reshape(-1, 2)
            if len(quad) <= 4:
                break
        if len(quad) != 4 or float(cv2.contourArea(quad)) < MIN_FILLED * area:
            continue
        inside = np.array([width, height]) - 1 - MARGIN_PX
        if quad.min() < MARGIN_PX or (quad > inside).any():
            continue
        return _ordered(quad.astype(np.float64) + 0.5)
    return None


def _ordered(quad: Corners) -> Corners:
    """Return corners clockwise, from the one that is the top left of the sheet turned least."""
    middle = quad.mean(0)
    clockwise = quad[np.argsort(np.arctan2(*(quad - middle).T[::-1]))]
    turns = []
    for first in range(4):
        a, b, c, d = np.roll(clockwise, -first, 0)
        along = (b - a) + (c - d)
        turns.append(abs(math.atan2(along[1], along[0])))
    return np.roll(clockwise, -int(np.argmin(turns)), 0)


def _is_upright(corners: Corners) -> bool:
    a, b, c, d = corners
    return math.dist(a, b) + math.dist(c, d) < math.dist(b, c) + math.dist(d, a)


def _refined(grey: NDArray[np.uint8], corners: Corners, *, reach: float) -> tuple[Corners, float] | None:
    """Return the corners where straight lines through the edges meet, and the share of the edges seen."""
    seen = 1.0
    blurred = cv2.GaussianBlur(grey, (0, 0), 1.0).astype(np.float32)
    for by in (reach, 0.5 * reach):
        lines = []
        shares = []
        for a, b in zip(corners, np.roll(corners, -1, 0), strict=True):
            line = _edge(blurred, a, b, reach=max(4.0, by))
            if line is None:
                return None
            lines.append(line[0])
            shares.append(line[1])
        corners = np.array([_meet(lines[k - 1], lines[k]) for k in range(4)])
        if not np.isfinite(corners).all():
            return None
        seen = min(shares)
    return corners, seen


def _edge(
    grey: NDArray[np.float32], a: NDArray[np.float64], b: NDArray[np.float64], *, reach: float
) -> tuple[NDArray[np.float64], float] | None:
    """Return the line (x, y, 1) · line = 0 along the steepest step from dark to paper near a to b."""
    along = (b - a) / max(1e-6, math.dist(a, b))
    inward = np.array([-along[1], along[0]])
    at = np.linspace(0.04, 0.96, _SAMPLES)[:, None]
    depth = np.arange(-reach, reach + 0.25, 0.5)
    points = (a + at * (b - a))[:, None] + depth[None, :, None] * inward - 0.5
    seen = cv2.remap(
        grey, points[..., 0].astype(np.float32), points[..., 1].astype(np.float32), cv2.INTER_LINEAR
    )
    rise = seen[:, 4:] - seen[:, :-4]
    best = rise.argmax(1)
    met = rise.max(1) > MIN_STEP
    if float(met.mean()) < MIN_EDGE_SEEN:
        return None
    x, out = at[met, 0], depth[best[met] + 2]
    weight = np.ones(len(x))
    slope = offset = 0.0
    off = np.zeros(len(x))
    for _ in range(_ROUNDS):
        mean_x, mean_out = np.average(x, weights=weight), np.average(out, weights=weight)
        spread = ((x - mean_x) ** 2 * weight).sum()
        slope = float(((x - mean_x) * (out - mean_out) * weight).sum() / max(1e-9, spread))
        offset = float(mean_out - slope * mean_x)
        off = np.abs(out - offset - slope * x)
        weight = 1 / (1 + (off / max(0.5, 1.5 * float(np.median(off)))) ** 2) ** 2
    share = float((off < max(2.0, 0.004 * math.dist(a, b))).sum()) / _SAMPLES
    if share < MIN_EDGE_SEEN:
        return None
    first, last = a + inward * offset, b + inward * (offset + slope)
    return np.cross([*first, 1.0], [*last, 1.0]), share


def _meet(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, w = np.cross(one, other)
    return np.array([x / w, y / w]) if abs(w) > 1e-9 else np.full(2, np.nan)


def _ratio_off(matrix: NDArray[np.float64], page_shape: tuple[int, ...]) -> float:
    """Return by how much a sheet's sides differ from those that `matrix` takes it to have, as a share.

    A picture of a rectangle tells its sides' ratio once the focal length is known; of the focal lengths
    a phone may have, the one that speaks most for the sheet is taken.

    Source: Zhang & He, "Whiteboard scanning and image enhancement", 2007, §3.
    """
    height, width = page_shape[:2]
    centred = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1.0]]) @ matrix
    first, second = centred[:, 0], centred[:, 1]
    longest = max(height, width)
    offs = []
    for focal in np.linspace(*FOCAL_LENGTHS, 12) * longest:
        lens = np.array([1 / focal, 1 / focal, 1.0])
        offs.append(abs(float(np.linalg.norm(lens * first) / np.linalg.norm(lens * second)) - 1))
    return min(offs)
