"""Decides what seal ink lies under black print and beside it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.continuation import continue_strokes
from seal_imaging.impression import InkAmount

DARK = 0.30
"""Black, in units of solid seal ink, from which a pixel in or at a stroke of print counts as printed over."""
PRINT_DENSITY = 0.9
PRINT_TO_INK = 1.2
"""Optical density of a stroke of print along the black stain, and how many times the seal ink under it;
a thin red stroke, which cameras and JPEG see greyer than it is, holds less."""
PRINT_RIM_MM = 0.2
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


def find_print(strength: InkAmount, black: InkAmount, *, solid: float, px_per_mm: float) -> NDArray[np.bool_]:
    """Return where black print or writing lies.

    Args:
        solid: optical density of solid seal ink, the unit of the two amounts.
    """
    core = (black * solid > PRINT_DENSITY) & (black > PRINT_TO_INK * strength)
    rim = 2 * max(1, round(PRINT_RIM_MM * px_per_mm)) + 1
    around = cv2.dilate(core.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (rim, rim)))
    return np.asarray((black > DARK) & (around > 0), np.bool_)


def weigh_print(
    is_ink: NDArray[np.bool_],
    dark: NDArray[np.bool_],
    strength: InkAmount,
    black: InkAmount,
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
        black: (H, W), black in units of solid ink.
        light: (H, W), what the brightest channel lets through, 0..255.
    """
    if not dark.any():
        return _without_specks(is_ink, is_ink)
    near = cv2.dilate(dark.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    clear = _without_specks(is_ink & ~near, is_ink & ~near)
    error = np.square(1.5 * GREY_LEVEL_ERROR / np.maximum(light, 0.1)) + MODEL_ERROR**2
    trust = np.where(near, 1 / error, 0).astype(np.float32)
    sigma = max(0.7, WITNESS_MM * px_per_mm)
    total = cv2.GaussianBlur(trust, (0, 0), sigma)
    seen = cv2.GaussianBlur(strength * trust, (0, 0), sigma) / np.maximum(total, 1e-6)
    weight = INDEPENDENT_PX * total
    evidence = weight * USUAL_STRENGTH * (seen - INK_FROM)
    broad = cv2.GaussianBlur(total, (0, 0), 2 * sigma)
    broadly = cv2.GaussianBlur(seen * total, (0, 0), 2 * sigma) / np.maximum(broad, 1e-6)
    certain = (evidence > CERTAIN) & (broadly > CERTAIN_FROM)
    prior = continue_strokes(clear, near, px_per_mm=px_per_mm)
    odds = np.clip(evidence, -MAX_EVIDENCE, MAX_EVIDENCE) + CONTINUATION_WEIGHT * (prior - 0.5)
    kept = clear | (near & (odds > 0))
    return _without_specks(kept, clear | (kept & certain))


def _without_specks(is_ink: NDArray[np.bool_], certain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Drop specks, and pieces of which hardly anything is certain."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(is_ink.astype(np.uint8))
    area = stats[:, cv2.CC_STAT_AREA]
    keep = (np.bincount(labels[certain], minlength=count) >= 0.25 * area) & (area >= 4)
    keep[0] = False
    return np.asarray(keep[labels], np.bool_)
