"""Tells seals from what else is inked on forms: emblems, fingerprints, codes, pasted copies of papers."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import Box, InkAmount, RgbImage, SealShape
from seal_imaging.separate import most_and_least
from seal_imaging.shape import Outline
from seal_imaging.units import A4_MM

WHITE_LINES = 96
MIN_WHITE_STROKES = 1.9
"""A line across a letter or a logo meets 1.4 at most, one across a sunk name seal 2.5 and more."""
BORDER_FROM = 0.93
GAP_FROM = 0.70
"""Shares of the way from a round seal's middle to its edge: the border, and where white lies inside it."""
MIN_BORDER_CONTRAST = 0.22
"""An emblem is as full inside its edge as at it; so are a fingerprint's ridges."""
MIN_OVAL_CONTRAST = 0.30
CLEAR_SUPPORT = 0.9
FEW_STROKES = 6
MANY_STROKES = 10
"""So many strokes are met on the way round inside a round seal, where its letters are: 20 to 50 in whole
seals, up to 7 in rings drawn by hand, 3 in emblems and letters O. A well inked outline needs few: no hand
draws one."""
LETTERS_FROM = 0.45
LETTERS_TO = 0.93
BROAD_SHARE = 0.16
"""Of a seal's width: no stroke is so broad, nor is a star's middle (0.309 of its diameter, and that 0.35)."""
MAX_BROAD_ROUND = 0.12
MAX_BROAD_SQUARE = 0.45
"""Share of the area in broad strokes. Letters, logos and emblems have more; over-inked name seals 0.4."""
BROAD_SIDE_PX = 64
FRAME_SHARE = 0.12
MAX_FRAME_INK = 0.10
"""Within a frame, as a share of its lesser side, so much ink at most; a rectangular seal's text has 0.13."""
FRAMED_DENSITY = 0.15
CODE_SIDE_PX = 180
CODE_MODULES = tuple(range(21, 58, 4))
MIN_EYE = 0.62
"""Correlation with a QR code's eye and the white round it from which a corner counts as one."""
_CODE_MARGIN_PX = 14
PASTED_SIDE_PX = 740
MAX_PASTED_PX_PER_MM = 2.6
"""A whole A4 page's at PASTED_SIDE_PX: nothing looked for needs more, and a cutting is read the sooner."""
SMOOTH_SHRINK = 8
"""How much coarser the paper is described than the page that lies on it."""
STROKE_MM = 3.0
MIN_TONE = 0.05
MIN_PASTED_SHARE = 0.011
MAX_PASTED_SHARE = 0.5
"""Of the page's area: from a passport photo's to half a page."""
MIN_FILLED = 0.85
MIN_SHARP_EDGE = 0.7
MIN_TEXTURE = 0.025
MIN_PICTURE_SHARE = 0.08
PICTURE_TONE = 0.35
MIN_BESIDE = 0.3
"""Of a copy so much must lie beside the seals found, or the tone is their own ink."""
MOSTLY = 0.45

_EYE = np.pad(np.pad(np.ones((3, 3), np.float32), 1), 1, constant_values=1.0)
_EYE = np.pad(_EYE, 1)
"""Nine modules a side, the white separator included."""


def is_stranger(ink: InkAmount, black: InkAmount, outline: Outline) -> bool:
    """Tell a fitted outline that is not a seal's by what lies inside it.

    Args:
        black: (H, W), optical density of print.
    """
    broad = broad_share(ink, outline)
    if outline.shape in (SealShape.CIRCLE, SealShape.ELLIPSE):
        least = MIN_OVAL_CONTRAST if outline.shape is SealShape.ELLIPSE else MIN_BORDER_CONTRAST
        needed = FEW_STROKES if outline.support >= CLEAR_SUPPORT else MANY_STROKES
        return (
            broad > MAX_BROAD_ROUND
            or border_contrast(ink, outline) < least
            or most_strokes(ink, outline) < needed
        )
    is_block = broad > MAX_BROAD_SQUARE and white_strokes(ink, outline) < MIN_WHITE_STROKES
    return is_block or frames_print(ink, black, outline) or is_code(ink, outline)


def broad_share(ink: InkAmount, outline: Outline) -> float:
    """Return the share of an outline's area that strokes too broad for a seal fill, 0..1."""
    small = min(outline.size_px)
    shrink = min(1.0, BROAD_SIDE_PX / max(1.0, small))
    inside = outline.mask((ink.shape[0], ink.shape[1]), margin_px=0.0)
    own = np.where(inside, ink, np.float32(0))
    inked = cv2.resize(own, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) > 0.5
    side = max(3, round(BROAD_SHARE * small * shrink) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    broad = cv2.morphologyEx(inked.astype(np.uint8), cv2.MORPH_OPEN, kernel, borderValue=0)
    return float(cv2.countNonZero(broad)) / max(1.0, float(inside.sum()) * shrink**2)


def white_strokes(ink: InkAmount, outline: Outline) -> float:
    """Return how many white strokes a line across a square or rectangle meets, on the mean.

    A sunk name seal (白文) is a block of ink cut through by its characters; a letter or a logo as full of
    ink has one or two gaps.
    """
    theta = math.radians(outline.angle_deg)
    axes = np.array([[math.cos(theta), -math.sin(theta)], [math.sin(theta), math.cos(theta)]])
    grid = np.linspace(-0.46, 0.46, WHITE_LINES)
    u, v = np.meshgrid(grid * outline.size_px[0], grid * outline.size_px[1])
    at = (np.stack([u, v], -1) @ axes.T + outline.centre_px - 0.5).astype(np.float32)
    inked = cv2.remap(ink, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderValue=0) > 0.5
    begins = [(~inked[:, 1:] & inked[:, :-1]).sum(1), (~inked[1:] & inked[:-1]).sum(0)]
    return float(np.mean(begins))


def frames_print(ink: InkAmount, black: InkAmount, outline: Outline) -> bool:
    """Tell the coloured frame of a certificate or a box: what fills it is print, not its own ink."""
    depth = FRAME_SHARE * min(outline.size_px)
    inside = outline.mask((ink.shape[0], ink.shape[1]), margin_px=-depth)
    if not inside.any():
        return False
    inked = ink[inside] > 0.5
    printed = (black[inside] > FRAMED_DENSITY) & ~inked
    return bool(inked.mean() < MAX_FRAME_INK and printed.mean() > inked.mean())


def border_contrast(ink: InkAmount, outline: Outline) -> float:
    """Return how much fuller a round outline's border is than the emptiest ring inside it, 0..1."""
    radius = np.arange(GAP_FROM, 1.0, 0.4 / max(8.0, outline.size_px[0]))
    full = _rings(ink, outline, radius).mean(0)
    return float(full[radius >= BORDER_FROM].max() - full[radius < 0.985].min())


def most_strokes(ink: InkAmount, outline: Outline) -> int:
    """Return how many strokes that ring inside a round outline meets which meets most."""
    rings = _rings(ink, outline, np.arange(LETTERS_FROM, LETTERS_TO, 0.02))
    return int((rings & ~np.roll(rings, 1, axis=0)).sum(0).max())


def _rings(ink: InkAmount, outline: Outline, radius: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return (angles, radii), where ink lies on rings of these shares of a round outline's radius."""
    theta = np.linspace(0, 2 * math.pi, 360, endpoint=False)
    flat = np.stack(
        [
            np.outer(np.cos(theta), radius) * outline.size_px[0] / 2,
            np.outer(np.sin(theta), radius) * outline.size_px[1] / 2,
        ],
        -1,
    )
    turn = math.radians(outline.angle_deg)
    x = flat[..., 0] * math.cos(turn) - flat[..., 1] * math.sin(turn) + outline.centre_px[0] - 0.5
    y = flat[..., 0] * math.sin(turn) + flat[..., 1] * math.cos(turn) + outline.centre_px[1] - 0.5
    rings = cv2.remap(ink, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderValue=0)
    return np.asarray(rings > 0.5)


def is_code(ink: InkAmount, outline: Outline) -> bool:
    """Tell a QR code, whatever its ink, by the eyes in three of its corners (ISO/IEC 18004 §6.3.3)."""
    side = max(outline.size_px)
    if side < 8:
        return False
    scale = CODE_SIDE_PX / side
    turn = math.radians(outline.angle_deg)
    cos, sin = scale * math.cos(turn), scale * math.sin(turn)
    cx, cy = outline.centre_px[0] - 0.5, outline.centre_px[1] - 0.5
    middle = CODE_SIDE_PX / 2 + _CODE_MARGIN_PX
    matrix = np.array(
        [[cos, sin, middle - cos * cx - sin * cy], [-sin, cos, middle + sin * cx - cos * cy]], np.float64
    )
    whole = CODE_SIDE_PX + 2 * _CODE_MARGIN_PX
    upright = (cv2.warpAffine(ink, matrix, (whole, whole)) > 0.5).astype(np.float32)
    for modules in CODE_MODULES:
        module_px = CODE_SIDE_PX / modules
        size = round(9 * module_px)
        eye = cv2.resize(_EYE, (size, size), interpolation=cv2.INTER_NEAREST)
        reach = min(whole, size + 2 * _CODE_MARGIN_PX)
        seen = 0
        for turned in range(4):
            corner = np.ascontiguousarray(np.rot90(upright, turned)[:reach, :reach])
            seen += bool(cv2.matchTemplate(corner, eye, cv2.TM_CCOEFF_NORMED).max() > MIN_EYE)
        if seen >= 3:
            return True
    return False


def find_pasted(page: RgbImage, px_per_mm: float | None, *, seals_px: Sequence[Box]) -> NDArray[np.bool_]:
    """Return where copies of cards, licences and photos lie on a page, at PASTED_SIDE_PX or less.

    A pasted copy is toned all over, with tints and pictures, and ends in straight sharp edges. A shadow has
    soft edges; a tinted box of a form is even inside.

    Args:
        seals_px: boxes on the page, x, y, w, h, of what was read as seals.
    """
    longest = max(page.shape[:2])
    scale = min(1.0, PASTED_SIDE_PX / longest)
    if px_per_mm is not None:
        scale = min(scale, MAX_PASTED_PX_PER_MM / px_per_mm)
    per_mm = scale * px_per_mm if px_per_mm else scale * longest / A4_MM[1]
    small = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    side = 2 * max(1, round(STROKE_MM * per_mm / 2)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    ground = np.log(cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel).astype(np.float32) + 2.0)
    tone = most_and_least(np.abs(_smooth_ground(ground) - ground))[0]
    toned = (tone > MIN_TONE).astype(np.uint8)
    toned = cv2.morphologyEx(toned, cv2.MORPH_CLOSE, kernel)
    toned = cv2.morphologyEx(toned, cv2.MORPH_OPEN, kernel)
    beside = np.ones(toned.shape, np.bool_)
    for x, y, w, h in seals_px:
        beside[int(y * scale) : math.ceil((y + h) * scale), int(x * scale) : math.ceil((x + w) * scale)] = (
            False
        )
    pasted = np.zeros(toned.shape, np.uint8)
    contours, _ = cv2.findContours(toned, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for contour in contours:
        area = float(cv2.contourArea(contour))
        if not MIN_PASTED_SHARE * toned.size < area < MAX_PASTED_SHARE * toned.size:
            continue
        (_, (w, h), _) = box = cv2.minAreaRect(contour)
        if area < MIN_FILLED * w * h or max(w, h) > 3.5 * min(w, h):
            continue
        inside = np.zeros(toned.shape, np.uint8)
        cv2.drawContours(inside, [contour], -1, 1, -1)
        if float(beside[inside > 0].mean()) < MIN_BESIDE:
            continue
        if _is_picture(tone, ground, inside > 0) and _is_sharp(tone, box, per_mm):
            pasted |= inside
    return pasted > 0


def lies_in(box_px: Box, pasted: NDArray[np.bool_], page_shape: Sequence[int]) -> bool:
    """Tell whether most of a box on the page lies in a pasted copy."""
    scale = pasted.shape[1] / page_shape[1]
    x, y, w, h = (v * scale for v in box_px)
    part = pasted[max(0, round(y)) : max(1, round(y + h)), max(0, round(x)) : max(1, round(x + w))]
    return bool(part.size) and float(part.mean()) > MOSTLY


def _smooth_ground(ground: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the page's paper as a smooth surface, channel by channel, minding little what lies on it."""
    height, width = ground.shape[:2]
    small_size = (max(2, width // SMOOTH_SHRINK), max(2, height // SMOOTH_SHRINK))
    values = cv2.resize(ground, small_size, interpolation=cv2.INTER_AREA).reshape(-1, 3)
    rows, columns = np.mgrid[-1 : 1 : small_size[1] * 1j, -1 : 1 : small_size[0] * 1j]
    design = np.stack([np.ones_like(rows), rows, columns, rows**2, columns**2, rows * columns], -1)
    design = design.reshape(-1, 6)
    weight = np.ones(len(design))
    solution = np.zeros((6, 3))
    for _ in range(8):
        root = np.sqrt(weight)[:, None]
        solution = np.linalg.lstsq(design * root, values * root, rcond=None)[0]
        off = (values - design @ solution).min(1)
        spread = max(0.01, float(np.median(np.abs(off))))
        # What lies on paper darkens it: being darker than the surface counts less than being lighter.
        weight = 1 / (1 + (off / np.where(off < 0, 2 * spread, 6 * spread)) ** 2) ** 2
    surface = (design @ solution).astype(np.float32).reshape(small_size[1], small_size[0], 3)
    return np.asarray(cv2.resize(surface, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _is_picture(tone: NDArray[np.float32], ground: NDArray[np.float32], inside: NDArray[np.bool_]) -> bool:
    """Tell a picture from an even tint."""
    levels = ground[inside].mean(1)
    low, high = np.percentile(levels, (20, 80))
    return bool(high - low > MIN_TEXTURE or (tone[inside] > PICTURE_TONE).mean() > MIN_PICTURE_SHARE)


def _is_sharp(
    tone: NDArray[np.float32], box: tuple[Sequence[float], Sequence[float], float], per_mm: float
) -> bool:
    """Tell whether the tone ends within a millimetre or two along most of a rectangle's edge."""
    centre, size, turn = box
    reach = 2.0 * per_mm

    def around(by: float) -> NDArray[np.float32]:
        grown = (centre, (max(1.0, size[0] + 2 * by), max(1.0, size[1] + 2 * by)), turn)
        corners = cv2.boxPoints(grown)
        along = np.linspace(0, 1, 60, endpoint=False)[:, None]
        points = np.concatenate(
            [a + along * (b - a) for a, b in zip(corners, np.roll(corners, -1, 0), strict=True)]
        )
        where = points.astype(np.float32)
        return np.asarray(
            cv2.remap(
                tone, where[:, None, 0], where[:, None, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
        ).ravel()

    return float((around(-reach) - around(reach) > 0.7 * MIN_TONE).mean()) > MIN_SHARP_EDGE
