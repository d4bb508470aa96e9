"""Finds where on a page coloured ink lies together as a seal might."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import RgbImage
from seal_imaging.ruling import least_length, without_rules
from seal_imaging.separate import (
    BLUE_HUES,
    RED_HUES,
    hue_deg,
    in_hues,
    most_and_least,
    optical_density,
    paper_over,
)
from seal_imaging.surroundings import find_surroundings

COARSE_PX_PER_MM = 5.0
COARSE_SIDE_PX = 1400
MIN_SEAL_MM = 8.0
MAX_SEAL_MM = 72.0
MAX_GROUP_MM = 210.0
"""Three of the largest seals, touching."""
MIN_SEAL_SHARE = 0.045
"""Of the longer side of a page of unknown scale."""
MIN_SEAL_PX = 24
MAX_CANDIDATES = 200
FRINGE_SHARE = 0.8
"""Colour weaker than this share of the black beside it is that black's fringe."""
COLOURED_SHARE = 0.33
"""Of a pixel's density so much must be colour, or it is black."""
MIN_LEAST_CHROMA = 0.07
MAX_LEAST_CHROMA = 0.3
"""Ink has more colour than this, however uneven the light and however much of a cutting is inked."""
PAPER_DENSITY = 0.2
MIN_PAPER_SHARE = 0.05
_REACH_MM = 1.2
_REACH_SHARE = 0.005


@dataclass(frozen=True, eq=False)
class Candidate:
    """Ink lying together.

    Attributes:
        box_px: x, y, w, h on the page.
        outer_px: (N, 2), points on the outside of the ink, x, y on the page.
        hues: the family its ink was found in.
    """

    box_px: tuple[int, int, int, int]
    outer_px: NDArray[np.float64]
    hues: tuple[float, float]


@dataclass(frozen=True, eq=False)
class CoarseInk:
    """Where a page seen at low resolution is coloured.

    Attributes:
        masks: one for each family of hues, without ruled lines.
        ruled: where coloured lines are ruled.
        scale: its pixels per page pixel.
    """

    masks: tuple[tuple[tuple[float, float], NDArray[np.bool_]], ...]
    ruled: NDArray[np.bool_]
    scale: float
    page_shape: tuple[int, ...]
    px_per_mm: float | None


def ruled_in(coarse: CoarseInk, box: tuple[int, int, int, int]) -> NDArray[np.bool_] | None:
    """Return where lines are ruled in a box, x, y, w, h, of the page; None when nowhere."""
    x, y, w, h = box
    matrix = np.array(
        [
            [coarse.scale, 0, (x + 0.5) * coarse.scale - 0.5],
            [0, coarse.scale, (y + 0.5) * coarse.scale - 0.5],
        ]
    )
    wide = cv2.dilate(coarse.ruled.astype(np.uint8), np.ones((3, 3), np.uint8))
    part = cv2.warpAffine(wide, matrix, (w, h), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    return part > 0 if part.any() else None


def find_coloured(page: RgbImage, paper: NDArray[np.float32], *, px_per_mm: float | None) -> CoarseInk:
    """Return where a page holds coloured ink."""
    longest = max(page.shape[:2])
    scale = min(1.0, COARSE_PX_PER_MM / px_per_mm if px_per_mm else COARSE_SIDE_PX / longest)
    small = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = small.shape[:2]
    density = optical_density(small, paper_over(paper, small.shape, (0, 0, width, height)))
    most, least = most_and_least(density)
    chroma = most - least
    is_coloured = chroma > COLOURED_SHARE * most
    # Beside black print a scanner sees colour: where red, green and blue lie apart by part of a pixel.
    # Pale or dark ink is greyish too, and no black.
    black = np.where(is_coloured, np.float32(0), least)
    beside_black = FRINGE_SHARE * cv2.dilate(black, np.ones((3, 3), np.uint8))
    coloured = is_coloured & (chroma > _least_chroma(chroma, most)) & (chroma > beside_black)
    outside = find_surroundings(page)
    if outside is not None:
        on_sheet = (~outside).astype(np.uint8)
        coloured &= cv2.resize(on_sheet, (width, height), interpolation=cv2.INTER_NEAREST) > 0
    hue = hue_deg(density)
    whole = [(hues, coloured & in_hues(hue, hues)) for hues in (RED_HUES, BLUE_HUES)]
    least_px = least_length(scale * longest, None if px_per_mm is None else scale * px_per_mm)
    masks = tuple(
        (hues, without_rules(mask, longest_px=scale * longest, least_px=least_px)) for hues, mask in whole
    )
    ruled = np.zeros(coloured.shape, np.bool_)
    for (_, mask), (_, left) in zip(whole, masks, strict=True):
        ruled |= mask & ~left
    return CoarseInk(masks, ruled, scale, page.shape, px_per_mm)


def _least_chroma(chroma: NDArray[np.float32], most: NDArray[np.float32]) -> float:
    """Return what chroma noise of the paper hardly reaches."""
    paper = chroma[most < PAPER_DENSITY]
    noise = 1.4826 * float(np.median(paper if len(paper) > MIN_PAPER_SHARE * chroma.size else chroma))
    return min(MAX_LEAST_CHROMA, max(MIN_LEAST_CHROMA, 5.0 * noise))


def find_candidates(
    coarse: CoarseInk, *, reach: float = 1.0, without: Sequence[tuple[int, int, int, int]] = ()
) -> list[Candidate]:
    """Return groups of coloured ink of a seal's size, largest first, at most MAX_CANDIDATES.

    Args:
        reach: how far ink may lie apart and be of one group, times the usual; badly inked seals
            fall to pieces at 1.
        without: boxes, x, y, w, h on the page, in which all ink is accounted for.
    """
    longest = max(coarse.page_shape[:2])
    per_mm = coarse.px_per_mm
    usual = _REACH_MM * per_mm if per_mm else _REACH_SHARE * longest
    found: list[Candidate] = []
    for hues, mask in coarse.masks:
        left = mask.copy()
        for box in without:
            x, y, w, h = (round(v * coarse.scale) for v in box)
            left[y : y + h, x : x + w] = False
        if not left.any():
            continue
        for box, points in _groups(left, max(1, round(reach * usual * coarse.scale))):
            candidate = _on_page(box, points, coarse.page_shape, coarse.scale, hues)
            if _is_seal_sized(candidate, longest, per_mm):
                found.append(candidate)
    found.sort(key=lambda candidate: -candidate.box_px[2] * candidate.box_px[3])
    return found[:MAX_CANDIDATES]


def _groups(
    mask: NDArray[np.bool_], reach: int
) -> list[tuple[tuple[int, int, int, int], NDArray[np.float64]]]:
    """Return box and outline points of every group of ink within reach of each other."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    kept = stats[:, cv2.CC_STAT_AREA] >= 3
    kept[0] = False
    clean = kept[labels]
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    count, near, boxes, _ = cv2.connectedComponentsWithStats(
        cv2.dilate(clean.astype(np.uint8), kernel), connectivity=8
    )
    members = _merge_nested(boxes[1:count, :4])
    groups = []
    for group in members:
        lookup = np.zeros(count, np.bool_)
        lookup[[index + 1 for index in group]] = True
        x0, y0 = boxes[[index + 1 for index in group], :2].min(0)
        x1, y1 = (boxes[[index + 1 for index in group], :2] + boxes[[index + 1 for index in group], 2:4]).max(
            0
        )
        part = (lookup[near[y0:y1, x0:x1]] & clean[y0:y1, x0:x1]).astype(np.uint8)
        if not part.any():
            continue
        contours, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        points = np.concatenate([contour.reshape(-1, 2) for contour in contours]).astype(np.float64)
        left, top, w, h = cv2.boundingRect(part)
        groups.append(((int(x0) + left, int(y0) + top, w, h), points + np.array([x0 + 0.5, y0 + 0.5])))
    return groups


def _merge_nested(boxes: NDArray[np.int32]) -> list[list[int]]:
    """Return groups of boxes of which one lies mostly inside another, as a star does in its ring."""
    order = sorted(range(len(boxes)), key=lambda i: -int(boxes[i][2]) * int(boxes[i][3]))
    leaders: list[int] = []
    groups: dict[int, list[int]] = {}
    for index in order:
        x, y, w, h = (int(v) for v in boxes[index])
        for leader in leaders:
            lx, ly, lw, lh = (int(v) for v in boxes[leader])
            over_x = min(x + w, lx + lw) - max(x, lx)
            over_y = min(y + h, ly + lh) - max(y, ly)
            if over_x > 0 and over_y > 0 and over_x * over_y > 0.6 * w * h:
                groups[leader].append(index)
                break
        else:
            leaders.append(index)
            groups[index] = [index]
    return [groups[leader] for leader in leaders]


def _on_page(
    box: tuple[int, int, int, int],
    points: NDArray[np.float64],
    page_shape: tuple[int, ...],
    scale: float,
    hues: tuple[float, float],
) -> Candidate:
    x, y, w, h = (round(v / scale) for v in box)
    x, y = min(x, page_shape[1] - 1), min(y, page_shape[0] - 1)
    w, h = max(1, min(w, page_shape[1] - x)), max(1, min(h, page_shape[0] - y))
    return Candidate((x, y, w, h), points / scale, hues)


def _is_seal_sized(candidate: Candidate, longest: int, px_per_mm: float | None) -> bool:
    """Tell a seal's size; a group of several touching seals may be larger than one."""
    _, _, w, h = candidate.box_px
    if px_per_mm is None:
        return max(w, h) >= max(MIN_SEAL_PX, MIN_SEAL_SHARE * longest) and min(w, h) >= MIN_SEAL_PX / 2
    if max(w, h) > MAX_GROUP_MM * px_per_mm:
        return False
    return max(w, h) >= MIN_SEAL_MM * px_per_mm and min(w, h) >= 0.5 * MIN_SEAL_MM * px_per_mm
