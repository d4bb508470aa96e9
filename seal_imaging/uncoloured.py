"""Finds seals that have no colour, in black ink or on grey copies, by their closed outlines.

Without colour nothing tells a seal's ink from print but its form, so only what can hardly be anything
else is read: a ring with writing along it, an ellipse likewise, a dense square. Rectangles in black are
boxes of forms too often, and are not read.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import Box, Impression, InkAmount, InkColour, Reason, RgbImage, SealShape
from seal_imaging.measuring import measure
from seal_imaging.ruling import MIN_RULE_MM, without_rules
from seal_imaging.separate import Density, Separation, Stains, most_and_least, optical_density, paper_over
from seal_imaging.shape import Outline, fit_outline
from seal_imaging.strangers import border_contrast, is_code
from seal_imaging.units import A4_MM

SEARCH_PX_PER_MM = 5.0
SEARCH_SIDE_PX = 1400
MIN_DENSITY = 0.18
LEVELS = (0.18, 0.45)
"""Optical densities from which strokes are looked at: a grey copy's red is paler than its black."""
MAX_CHROMA_SHARE = 0.33
GREY_CHROMA = 0.10
MAX_COLOURED_SHARE = 0.0003
"""Of a page's area: a grey page has no more that is coloured."""
MIN_ROUND_MM, MAX_ROUND_MM = 26.0, 62.0
MIN_SQUARE_MM, MAX_SQUARE_MM = 12.0, 32.0
MIN_SUPPORT = 0.70
MIN_BORDER_CONTRAST = 0.45
MIN_SQUARE_INK = 0.22
MAX_INK = 0.60
MAX_ROUND_FILL = 0.9
"""Of its bounding box a ring's hull fills 0.79, a little more where print touches it."""
TEXT_BAND = (0.60, 0.90)
MIN_TEXT_ANGLES = 0.45
MIN_TEXT_CHANGES = 14
"""A ring of text fills so much of the circle and begins and ends so often; spokes and pictures do not."""
PRINT_OVER = 1.5
"""Times a grey seal's density from which what lies on it is print."""
WORTH = 0.5
"""What the score of a seal without colour is multiplied by."""


def is_grey(page: RgbImage) -> bool:
    """Tell a page without any colour: a grey scan, a photocopy."""
    scale = min(1.0, SEARCH_SIDE_PX / 2 / max(page.shape[:2]))
    small = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32)
    most, least = most_and_least(np.log(small + 8.0))
    chroma = most - least
    cast = float(np.median(chroma))
    return float((chroma > cast + GREY_CHROMA).mean()) < MAX_COLOURED_SHARE


def read_uncoloured(
    page: RgbImage,
    paper: NDArray[np.float32],
    *,
    px_per_mm: float | None,
    page_turn_deg: float,
    without: Sequence[Box] = (),
) -> list[Impression]:
    """Return the seals of a page that have no colour; on a grey page each is marked as a copy's.

    Args:
        without: boxes, x, y, w, h on the page, in which all ink is accounted for.
    """
    longest = max(page.shape[:2])
    about = px_per_mm or longest / A4_MM[1]
    scale = min(1.0, SEARCH_PX_PER_MM / px_per_mm if px_per_mm else SEARCH_SIDE_PX / longest)
    small = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    whole = (0, 0, small.shape[1], small.shape[0])
    density = optical_density(small, paper_over(paper, small.shape, whole))
    most, least = most_and_least(density)
    dark = np.where(most - least < MAX_CHROMA_SHARE * most, _mean(density), 0).astype(np.float32)
    for x, y, w, h in without:
        left, top = round(x * scale), round(y * scale)
        dark[top : top + math.ceil(h * scale), left : left + math.ceil(w * scale)] = 0
    grey = is_grey(page)
    found: list[Impression] = []
    for box in _candidates(dark, about * scale, scale * longest):
        if any(_over(one.box_px, box, scale) for one in found):
            continue
        x, y, w, h = (round(v / scale) for v in box)
        by = round(2.0 * about)
        left, top = max(0, x - by), max(0, y - by)
        right, bottom = min(page.shape[1], x + w + by), min(page.shape[0], y + h + by)
        one = _read(page, paper, (left, top, right - left, bottom - top), about, px_per_mm, page_turn_deg)
        if one is not None:
            found.append(_marked(one, is_copy=grey))
    return found


def _mean(density: Density) -> NDArray[np.float32]:
    """Return the mean of each pixel's three densities."""
    return np.asarray(cv2.transform(density, np.full((1, 3), 1 / 3, np.float32)), np.float32)


def _over(box_px: Box, small_box: Box, scale: float) -> bool:
    """Tell whether the middle of a box of the small page lies in a box of the page."""
    cx, cy = (small_box[0] + small_box[2] / 2) / scale, (small_box[1] + small_box[3] / 2) / scale
    x, y, w, h = box_px
    return x <= cx <= x + w and y <= cy <= y + h


def _candidates(dark: NDArray[np.float32], per_mm: float, longest_px: float) -> list[Box]:
    """Return boxes, x, y, w, h, of rings and of strokes that hang together as a seal's outline does."""
    boxes: list[Box] = []
    picture = np.clip(255 * np.exp(-dark), 0, 255).astype(np.uint8)
    rings = cv2.HoughCircles(
        cv2.GaussianBlur(picture, (0, 0), 1.0),
        cv2.HOUGH_GRADIENT_ALT,
        1.5,
        MIN_ROUND_MM / 2 * per_mm,
        param1=150,
        param2=0.75,
        minRadius=round(MIN_ROUND_MM / 2 * per_mm),
        maxRadius=round(MAX_ROUND_MM / 2 * per_mm),
    )
    if rings is not None:
        for cx, cy, radius in np.asarray(rings, np.float64).reshape(-1, rings.shape[-1])[:, :3]:
            boxes.append((round(cx - radius), round(cy - radius), round(2 * radius), round(2 * radius)))
    for level in LEVELS:
        strokes = without_rules(dark > level, longest_px=longest_px, least_px=MIN_RULE_MM * per_mm)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(strokes.astype(np.uint8))
        for label, (x, y, w, h, area) in enumerate(stats.tolist()):
            small, large = min(w, h) / per_mm, max(w, h) / per_mm
            if (
                label > 0
                and small >= MIN_SQUARE_MM
                and large <= MAX_ROUND_MM
                and large < 2 * small
                and area < MAX_INK * w * h
                and (large <= MAX_SQUARE_MM or not _fills_corners(labels[y : y + h, x : x + w] == label))
            ):
                boxes.append((x, y, w, h))
    return sorted(boxes, key=lambda box: -box[2] * box[3])[:60]


def _fills_corners(strokes: NDArray[np.bool_]) -> bool:
    """Tell a box of a form from a ring: its hull fills the corners that a ring leaves empty."""
    points = cv2.findNonZero(strokes.astype(np.uint8))
    return float(cv2.contourArea(cv2.convexHull(points))) > MAX_ROUND_FILL * strokes.size


def _read(
    page: RgbImage,
    paper: NDArray[np.float32],
    box_px: Box,
    about: float,
    px_per_mm: float | None,
    page_turn_deg: float,
) -> Impression | None:
    """Return the seal in a box; None when there is none."""
    x, y, w, h = box_px
    density = optical_density(page[y : y + h, x : x + w], paper_over(paper, page.shape, box_px))
    amount = _mean(density)
    first = _outline((amount > MIN_DENSITY).astype(np.float32), about)
    if first is None:
        return None
    separation = _taken_apart(amount, _border_density(amount, first))
    outline = _outline(separation.ink, about)
    if outline is None or not _is_seal(separation.ink, outline, about):
        return None
    return measure(
        page,
        separation,
        outline,
        box_px,
        px_per_mm=px_per_mm,
        about_px_per_mm=about,
        page_turn_deg=page_turn_deg,
        colour=InkColour.BLACK,
    )


def _outline(ink: InkAmount, about: float) -> Outline | None:
    """Return the outline of what hangs together best in the box."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((ink > 0.5).astype(np.uint8))
    if len(stats) < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_WIDTH] * stats[1:, cv2.CC_STAT_HEIGHT]))
    contours, _ = cv2.findContours(
        (labels == largest).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    points = np.concatenate([contour.reshape(-1, 2) for contour in contours]).astype(np.float64) + 0.5
    outline = fit_outline(ink, points, px_per_mm=about)
    return outline if outline is not None and outline.support >= MIN_SUPPORT else None


def _border_density(amount: NDArray[np.float32], outline: Outline) -> float:
    """Return the optical density of an outline's own stroke."""
    shape = (amount.shape[0], amount.shape[1])
    depth = 0.03 * min(outline.size_px)
    border = outline.mask(shape, margin_px=0.0) & ~outline.mask(shape, margin_px=-depth)
    values = amount[border & (amount > MIN_DENSITY)]
    return float(np.percentile(values, 60)) if values.size > 20 else 2 * MIN_DENSITY


def _taken_apart(amount: NDArray[np.float32], solid: float) -> Separation:
    """Return the ink of about a density; what is much denser is print over it."""
    even = np.full(3, 1 / math.sqrt(3), np.float32)
    strength = np.asarray(amount / solid, np.float32)
    is_print = cv2.dilate((strength > PRINT_OVER).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    # A black seal's own strokes vary as much as print does over it: only a pale seal's print can be told.
    black = np.where(is_print & (solid < 0.9), strength, 0).astype(np.float32)
    soft = np.clip(strength, 0, 1)
    ink = np.where(black > 0, 0, np.where(strength > 0.5, np.maximum(soft, 0.55), soft * 0.98)).astype(
        np.float32
    )
    core = np.full(3, solid, np.float32)
    return Separation(ink, black, strength, Stains(even, even, solid * math.sqrt(3)), core)


def _is_seal(ink: InkAmount, outline: Outline, about: float) -> bool:
    """Tell a seal by its size and by what lies inside its border."""
    small, large = (side / about for side in sorted(outline.size_px))
    inside = outline.mask((ink.shape[0], ink.shape[1]), margin_px=-0.09 * min(outline.size_px))
    share = float((ink[inside] > 0.5).mean()) if inside.any() else 0.0
    if share > MAX_INK:
        return False
    if outline.shape is SealShape.SQUARE:
        fits = small >= MIN_SQUARE_MM and large <= MAX_SQUARE_MM
        return fits and share >= MIN_SQUARE_INK and not is_code(ink, outline)
    if outline.shape is SealShape.RECTANGLE or large > MAX_ROUND_MM or large < MIN_ROUND_MM:
        return False
    return border_contrast(ink, outline) >= MIN_BORDER_CONTRAST and _has_text_ring(ink, outline)


def _has_text_ring(ink: InkAmount, outline: Outline) -> bool:
    """Tell whether writing runs along a round outline."""
    theta = np.linspace(0, 2 * math.pi, 360, endpoint=False)
    radius = np.linspace(*TEXT_BAND, 24)
    turn = math.radians(outline.angle_deg)
    u = np.outer(np.cos(theta), radius) * outline.size_px[0] / 2
    v = np.outer(np.sin(theta), radius) * outline.size_px[1] / 2
    x = u * math.cos(turn) - v * math.sin(turn) + outline.centre_px[0] - 0.5
    y = u * math.sin(turn) + v * math.cos(turn) + outline.centre_px[1] - 0.5
    band = cv2.remap(ink, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderValue=0)
    full = (band > 0.5).mean(1)
    written = full > 0.12
    changes = int((written != np.roll(written, 1)).sum())
    near = cv2.dilate(written.astype(np.uint8)[:, None], np.ones((7, 1), np.uint8))
    return float(near.mean()) >= MIN_TEXT_ANGLES and changes >= MIN_TEXT_CHANGES


def _marked(impression: Impression, *, is_copy: bool) -> Impression:
    """Return the impression worth less, as one of a copy when it is."""
    quality = impression.quality
    reasons = quality.reasons
    if is_copy:
        reasons = (*(one for one in reasons if one is not Reason.COLOUR), Reason.GREY_COPY)
    elif Reason.COLOUR not in reasons:
        reasons = (*reasons, Reason.COLOUR)
    return replace(impression, quality=replace(quality, score=WORTH * quality.score, reasons=reasons))
