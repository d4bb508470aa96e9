"""Lifts seal ink off paper, print and lines by unmixing two stains in optical density."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import InkAmount, InkColour, RgbImage
from seal_imaging.overprint import find_print, weigh_print

Density = NDArray[np.float32]
"""(H, W, 3), optical density over the local paper in R, G, B."""

MAX_DENSITY = 4.0
"""Beyond this shadows are noise. Print leaves about 2.3; what shines through it lies between."""
PAPER_SIDE_PX = 240
SMALL_PICTURE_PX = 700
"""A picture below this size is taken for a cutting of one seal, not a page."""
MIN_SEED_PX = 60
MIN_CORE_PX = 40
CORE_PERCENTILE = 65
CORE_SHARE = 0.05
MAX_CORE_DEPTH_PX = 6
"""How far from the edges of its strokes ink shows its colour, and how much of it must lie so deep."""
MIN_SEED_SHARE = 0.2
"""Of the coloured pixels so many must lie clear of black print for those beside it to be left out."""
FRINGE_DENSITY = 0.55
"""Black from which what lies beside it may be coloured by the scanner alone."""

RED_HUES = (322.0, 32.0)
BLUE_HUES = (185.0, 322.0)
"""Families in which ink is looked for, in degrees of HSV over white paper; purple counts with blue."""
PURPLE_FROM_DEG = 252.0

_LOG = np.log(np.arange(256, dtype=np.float32) + 2.0)


@dataclass(frozen=True, eq=False)
class Stains:
    """What the two inks of a picture are made of.

    Attributes:
        ink, black: (3,), direction of each stain's optical density, length 1.
        solid: optical density of a solid stroke of seal ink, along `ink`.
    """

    ink: NDArray[np.float32]
    black: NDArray[np.float32]
    solid: float


@dataclass(frozen=True, eq=False)
class Separation:
    """A picture taken apart.

    Attributes:
        ink: (H, W), 0 = paper, 1 = solid ink; above one half is ink.
        black: (H, W), amount of black print in units of solid seal ink.
        strength: (H, W), seal ink in units of solid ink, not evened out.
        core: (3,), optical density of ink in the middle of strokes.
    """

    ink: InkAmount
    black: InkAmount
    strength: InkAmount
    stains: Stains
    core: NDArray[np.float32]


def estimate_paper(page: RgbImage) -> NDArray[np.float32]:
    """Return the page without anything on it, as a small picture to be stretched over the page."""
    longest = max(page.shape[:2])
    scale = min(1.0, PAPER_SIDE_PX / longest)
    small = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    share = 0.10 if longest > SMALL_PICTURE_PX else 0.25
    side = max(5, int(share * max(small.shape[:2])) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(closed.astype(np.float32), (0, 0), side * 0.35), dtype=np.float32)


def paper_over(
    paper: NDArray[np.float32], page_shape: tuple[int, ...], box: tuple[int, int, int, int]
) -> NDArray[np.float32]:
    """Return the paper stretched over one box (x, y, w, h) of the page."""
    x, y, w, h = box
    scale_x, scale_y = paper.shape[1] / page_shape[1], paper.shape[0] / page_shape[0]
    matrix = np.array(
        [[scale_x, 0, (x + 0.5) * scale_x - 0.5], [0, scale_y, (y + 0.5) * scale_y - 0.5]], np.float64
    )
    stretched = cv2.warpAffine(
        paper,
        matrix,
        (w, h),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(stretched, dtype=np.float32)


def optical_density(picture: RgbImage, paper: NDArray[np.float32]) -> Density:
    """Return −log(picture / paper), from slightly below 0 to MAX_DENSITY."""
    density = np.log(paper + 2.0) - _LOG[picture]
    return np.asarray(np.clip(density, -0.02, MAX_DENSITY), dtype=np.float32)


def most_and_least(density: Density) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the largest and the smallest of each pixel's three densities.

    Channel by channel: NumPy's own reduction over an axis of three is ten times as slow.
    """
    red, green, blue = cv2.split(density)
    most, least = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    return np.asarray(most, np.float32), np.asarray(least, np.float32)


def hue_deg(density: Density) -> NDArray[np.float32]:
    """Return the hue each pixel would have on white paper, 0..360; grey pixels have any."""
    passed = np.exp(-np.maximum(density, 0.0), dtype=np.float32)
    return np.asarray(cv2.cvtColor(passed, cv2.COLOR_RGB2HSV)[..., 0], dtype=np.float32)


def in_hues(hue: NDArray[np.float32], hues: tuple[float, float]) -> NDArray[np.bool_]:
    """Return where a hue lies in a range that may pass through 0."""
    low, high = hues
    inside = (hue >= low) & (hue < high) if low < high else (hue >= low) | (hue < high)
    return np.asarray(inside, dtype=np.bool_)


def colour_of(ink: NDArray[np.float32]) -> InkColour:
    """Return how people would call an ink of this optical density."""
    hue = float(hue_deg(ink.reshape(1, 1, 3))[0, 0])
    if in_hues(np.array([hue], np.float32), RED_HUES)[0]:
        return InkColour.RED
    return InkColour.PURPLE if hue >= PURPLE_FROM_DEG else InkColour.BLUE


def ink_rgb(core: NDArray[np.float32]) -> tuple[int, int, int]:
    """Return the colour on white paper of ink of this optical density."""
    red, green, blue = (round(255 * math.exp(-max(0.0, float(v)))) for v in core)
    return red, green, blue


def _core_density(density: Density, clear: NDArray[np.bool_], stains: Stains) -> NDArray[np.float32]:
    """Return the optical density of ink in the middle of strokes, where neither blur nor JPEG pales it.

    Args:
        clear: ink that no print covers.
    """
    core = clear.astype(np.uint8)
    least = max(MIN_CORE_PX, CORE_SHARE * int(core.sum()))
    deeper = cv2.erode(core, np.ones((3, 3), np.uint8))
    if int(deeper.sum()) < least:
        return np.asarray(stains.ink * stains.solid, np.float32)
    for _ in range(MAX_CORE_DEPTH_PX):
        if int(deeper.sum()) < least:
            break
        core, deeper = deeper, cv2.erode(deeper, np.ones((3, 3), np.uint8))
    return np.asarray(np.percentile(density[core > 0], CORE_PERCENTILE, axis=0), np.float32)


def estimate_stains(density: Density, hues: tuple[float, float]) -> Stains | None:
    """Return the stains of a picture; None when too little of it is coloured.

    Source: Ruifrok & Johnston, "Quantification of histochemical staining by color deconvolution",
    2001. Black is estimated too, because printed black is not (1, 1, 1).
    """
    most, least = most_and_least(density)
    chroma = most - least
    dark = (least > 0.55) & (chroma < 0.35 * most)
    black = np.ones(3, np.float32)
    if int(dark.sum()) > 200:
        black = np.median(density[dark], axis=0)
    black = np.asarray(black / np.linalg.norm(black), np.float32)
    seed = (most > 0.10) & (chroma > 0.40 * most) & (chroma > 0.08)
    beside = cv2.dilate((least > FRINGE_DENSITY).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if int((seed & ~beside).sum()) > MIN_SEED_SHARE * int(seed.sum()):
        seed &= ~beside
    candidates = density[seed]
    if len(candidates) < MIN_SEED_PX:
        return None
    candidates = candidates[in_hues(hue_deg(candidates[:, None, :])[:, 0], hues)]
    if len(candidates) < MIN_SEED_PX:
        return None
    length = np.linalg.norm(candidates, axis=1)
    low, high = np.percentile(length, (30, 92))
    body = candidates[(length >= low) & (length <= high)]
    ink = np.median(body / np.linalg.norm(body, axis=1, keepdims=True), axis=0)
    ink = np.asarray(ink / np.linalg.norm(ink), np.float32)
    return Stains(ink, black, float(np.percentile(candidates @ ink, 70)))


def separate_ink(density: Density, stains: Stains, *, px_per_mm: float) -> Separation:
    """Return seal ink and black print apart.

    A pixel is ink when it holds at least half of what the strokes around it hold: so faint and
    full parts of one impression are cut at their true edges. Where black covers a stroke, what
    shines through decides, and gaps between ink on both sides of the black are closed.

    Args:
        px_per_mm: the scale, or a guess of it; it sets the windows only.
    """
    solid = max(stains.solid, 0.05)
    mixing = np.stack([stains.ink, stains.black], 1)
    unmix = np.linalg.pinv(mixing).astype(np.float32)
    amounts = cv2.transform(density, unmix)
    amount, black = amounts[..., 0], amounts[..., 1]
    signed = np.where(black < 0, density @ stains.ink, amount).astype(np.float32)
    amount = np.maximum(signed, 0)
    black = (np.maximum(black, 0) / solid).astype(np.float32)
    most, least = most_and_least(density)
    dark = find_print(np.asarray(amount / solid, np.float32), black, solid=solid, px_per_mm=px_per_mm)
    black[~dark] = 0
    paper = most < 0.10
    noise = 0.02
    if int(paper.sum()) > 500:
        on_paper = amount[paper]
        noise = 1.4826 * float(np.median(np.abs(on_paper - np.median(on_paper))))
    floor = max(0.16 * solid, 5 * noise)

    side = 2 * max(1, round(0.5 * px_per_mm)) + 1
    calm = cv2.GaussianBlur(np.where(dark, 0, amount).astype(np.float32), (0, 0), 0.8)
    local = cv2.dilate(calm, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    local = cv2.GaussianBlur(local, (0, 0), side / 3)
    local = np.maximum(local, 0.55 * solid * np.clip(local / (0.35 * solid), 0, 1))
    share = (1 - np.exp(-amount)) / np.maximum(1 - np.exp(-local), 1e-3)
    strength = np.asarray(amount / solid, np.float32)

    is_ink = (share > 0.5) & (amount > floor) & (~dark | (strength > 0.25 + 0.10 * black))
    is_ink = weigh_print(
        is_ink,
        dark,
        np.asarray(signed / solid, np.float32),
        black,
        light=np.asarray(255 * np.exp(-least), np.float32),
        px_per_mm=px_per_mm,
    )
    core = _core_density(density, is_ink & ~dark, stains)
    soft = np.clip(share, 0, 1)
    near = cv2.dilate(is_ink.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    ink = np.where(is_ink, np.maximum(soft, 0.55), np.where(near & ~dark, np.minimum(soft, 0.49), 0))
    return Separation(np.asarray(ink, np.float32), np.asarray(black, np.float32), strength, stains, core)
