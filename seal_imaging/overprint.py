"""Decides what seal ink lies under black print and beside it."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.continuation import REACH_MM, continue_strokes
from seal_imaging.impression import InkAmount

DARK = 0.30
"""Black, in units of solid seal ink, from which a pixel in or at a stroke of print counts as printed over."""
PRINT_DENSITY = 0.9
PRINT_TO_INK = 1.2
"""Optical density of a stroke of print along the black stain, and how many times the seal ink under it;
a thin red stroke, which cameras and JPEG see greyer than it is, holds less."""
PRINT_RIM_MM = 0.2
DEEP_DENSITY = 1.3
MIXED_SHARE = 0.3
"""Paler strokes than this, amid so much ink, are ink that lost its colour."""
WITNESS_MM = 0.09
"""Over how much print its colour is averaged (sigma)."""
GREY_LEVEL_ERROR = 5.0
"""How wrong, in grey levels, the light that shines through print may be: noise, JPEG, glare."""
MODEL_ERROR = 0.2
"""How wrong the amount of ink under print may be however much light comes through, in solid ink."""
INDEPENDENT_PX = 3.0
"""Pixels of a local mean that say something new; noise of JPEG and of colour sensors is no pixel's own."""
USUAL_STRENGTH = 0.8
"""Ink to be seen under print where there is ink, in units of solid ink."""
INK_FROM = 0.43
"""Ink seen from which it speaks for ink; a little above half the usual, as print draws its rims blacker."""
MAX_EVIDENCE = 4.0
CONTINUATION_WEIGHT = 6.0
"""Log odds between all lines through a pixel showing ink and all showing paper."""
CERTAIN = 2.0
"""Log odds of colour alone from which ink under print is no guess,"""
CERTAIN_FROM = 0.45
"""if the print around shows so much ink on the mean: both rims of a stroke, not the red one only."""


def find_print(
    strength: InkAmount, black: InkAmount, share_around: InkAmount, *, solid: float, px_per_mm: float
) -> NDArray[np.bool_]:
    """Return where black print or writing lies.

    Args:
        share_around: (H, W), share of seal ink in what darkens the surroundings, 0..1.
        solid: optical density of solid seal ink, the unit of the two amounts.
    """
    core = (black * solid > PRINT_DENSITY) & (black > PRINT_TO_INK * strength)
    core &= (black * solid > DEEP_DENSITY) | (share_around < MIXED_SHARE)
    rim = 2 * max(1, round(PRINT_RIM_MM * px_per_mm)) + 1
    around = cv2.dilate(core.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (rim, rim)))
    return np.asarray((black > DARK) & (around > 0), np.bool_)


def weigh_print(
    is_ink: NDArray[np.bool_],
    dark: NDArray[np.bool_],
    strength: InkAmount,
    *,
    light: InkAmount,
    px_per_mm: float,
) -> NDArray[np.bool_]:
    """Return the ink once print is taken account of.

    Two witnesses are heard. The colour that shines through the print, which weighs the less the
    less light comes through, and nothing where print is black; it is averaged over the print around,
    because scanners see red at one rim of a black stroke and cyan at the other. And the strokes of
    ink that meet the print, which go on under it.

    Args:
        is_ink: what looks like ink pixel by pixel.
        dark: where print lies.
        strength: (H, W), seal ink in units of solid ink, below 0 for the opposite colour.
        light: (H, W), what the brightest channel lets through, 0..255.
    """
    x, y, w, h = cv2.boundingRect(dark.view(np.uint8))
    margin = 2 + round(REACH_MM * px_per_mm)
    part = (slice(max(0, y - margin), y + h + margin), slice(max(0, x - margin), x + w + margin))
    near = _at_print(dark)
    clear = without_specks(is_ink & ~near, is_ink & ~near)
    kept, certain = clear.copy(), clear.copy()
    kept[part], certain[part] = _hear(
        clear[part], near[part], strength[part], light[part], px_per_mm=px_per_mm
    )
    return without_specks(kept, certain)


def _at_print(dark: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return print with its rims, where pixels hold some of what lies beside them."""
    return np.asarray(cv2.dilate(dark.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_))


def _hear(
    clear: NDArray[np.bool_],
    near: NDArray[np.bool_],
    strength: InkAmount,
    light: InkAmount,
    *,
    px_per_mm: float,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where ink is once both witnesses are heard, and where that is certain."""
    error = np.square(1.5 * GREY_LEVEL_ERROR / np.maximum(light, 0.1)) + MODEL_ERROR**2
    trust = near / error
    sigma = max(0.7, WITNESS_MM * px_per_mm)
    total = _mean(trust, sigma)
    seen = _mean(strength * trust, sigma) / np.maximum(total, 1e-6)
    evidence = INDEPENDENT_PX * USUAL_STRENGTH * total * (seen - INK_FROM)
    np.clip(evidence, -MAX_EVIDENCE, MAX_EVIDENCE, out=evidence)
    asked = near & (np.abs(evidence) < CONTINUATION_WEIGHT / 2)
    prior = continue_strokes(clear, near, asked, px_per_mm=px_per_mm)
    kept = clear | (near & (evidence + CONTINUATION_WEIGHT * asked * (prior - 0.5) > 0))
    broad = _mean(seen * total, 2 * sigma) > CERTAIN_FROM * _mean(total, 2 * sigma)
    return kept, clear | (kept & (evidence > CERTAIN) & broad)


def _mean(values: NDArray[np.floating], sigma: float) -> InkAmount:
    """Return the mean around each pixel, of bell-shaped weight."""
    side = 2 * math.ceil(2.5 * sigma) + 1
    return np.asarray(cv2.GaussianBlur(values, (side, side), sigma), np.float32)


def fill_strength(
    strength: InkAmount, ink: NDArray[np.bool_], dark: NDArray[np.bool_], *, px_per_mm: float
) -> InkAmount:
    """Return the density of ink with what lies under print and at its rims taken from the ink around it."""
    near = _at_print(dark)
    side = 2 * max(2, round(0.5 * px_per_mm)) + 1
    clear = (ink & ~near).view(np.uint8)
    inner = cv2.erode(clear, np.ones((3, 3), np.uint8)).astype(np.float32)
    weight, total = inner, strength * inner
    for _ in range(2):
        weight, total = (cv2.blur(part, (side, side)) for part in (weight, total))
    usual = float(total.sum() / max(1e-6, float(weight.sum())))
    filled = np.where(weight > 1e-3, total / np.maximum(weight, 1e-3), np.float32(usual))
    return np.asarray(np.where(near, filled * ink, strength), np.float32)


def without_specks(is_ink: NDArray[np.bool_], certain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Drop specks, and pieces of which hardly anything is certain."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(is_ink.astype(np.uint8))
    area = stats[:, cv2.CC_STAT_AREA]
    keep = (np.bincount(labels[certain], minlength=count) >= 0.25 * area) & (area >= 4)
    keep[0] = False
    return np.asarray(keep[labels], np.bool_)
