"""Lifts seal ink off paper, print and lines by unmixing two stains in optical density."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.foreign_ink import find_foreign, unmix_three
from seal_imaging.impression import InkAmount, InkColour, RgbImage
from seal_imaging.overprint import fill_strength, find_print, weigh_print, without_specks
from seal_imaging.spread_colour import give_back_colour, ink_share_around

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
MAX_STAIN_PX = 65_000
MAX_SAMPLE = 6000
"""Pixels enough to tell the stains from, and values enough for a median."""
MIN_BLACK_PX = 200
NEAR_INK = 0.96
PLAIN_CHROMA = 0.2
"""Coloured black so near to the ink (a cosine) was told from thin dark ink; so little of print is colour."""
MIN_PAPER_PX = 60
MIN_STRENGTH = 0.16
FOREIGN_FROM = 0.2
"""Optical density of foreign ink from which it is taken off."""
LEVELS = 100.0
FRINGE_DENSITY = 0.55
"""Black from which what lies beside it may be coloured by the scanner alone."""

RED_HUES = (322.0, 32.0)
BLUE_HUES = (185.0, 322.0)
"""Families in which ink is looked for, in degrees of HSV over white paper; purple counts with blue."""
PURPLE_FROM_DEG = 252.0

_LOG = np.log(np.arange(256, dtype=np.float32) + 2.0)[None]
_THREE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, eq=False)
class Stains:
    """What the two inks of a picture are made of.

    Attributes:
        ink, black: (3,), direction of each stain's optical density, length 1.
        foreign: (3,), the same of a coloured pen or another seal; None when there is none.
        solid: optical density of a solid stroke of seal ink, along `ink`.
    """

    ink: NDArray[np.float32]
    black: NDArray[np.float32]
    solid: float
    foreign: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class Separation:
    """A picture taken apart.

    Attributes:
        ink: (H, W), 0 = paper, 1 = solid ink; above one half is ink.
        black: (H, W), amount of black print in units of solid seal ink.
        strength: (H, W), density of the ink in units of solid ink, not evened out; under print that of
            the ink around.
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
    density = cv2.log(paper + np.float32(2.0))
    cv2.subtract(density, cv2.LUT(picture, _LOG), dst=density)
    return np.asarray(np.clip(density, -0.02, MAX_DENSITY, out=density), np.float32)


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
    least = max(MIN_CORE_PX, CORE_SHARE * cv2.countNonZero(core))
    deeper = cv2.erode(core, _THREE)
    if cv2.countNonZero(deeper) < least:
        return np.asarray(stains.ink * stains.solid, np.float32)
    for _ in range(MAX_CORE_DEPTH_PX):
        if cv2.countNonZero(deeper) < least:
            break
        core, deeper = deeper, cv2.erode(deeper, _THREE)
    sample = _thinned(density[core > 0])
    return np.asarray(np.percentile(sample, CORE_PERCENTILE, axis=0), np.float32)


def _thinned(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return at most MAX_SAMPLE of the values, evenly spread."""
    return values[:: 1 + len(values) // MAX_SAMPLE]


def estimate_stains(density: Density, hues: tuple[float, float]) -> Stains | None:
    """Return the stains of a picture; None when too little of it is coloured.

    Source: Ruifrok & Johnston, "Quantification of histochemical staining by color deconvolution",
    2001. Black is estimated too, because printed black is not (1, 1, 1).
    """
    step = 1 + math.isqrt(density.shape[0] * density.shape[1] // MAX_STAIN_PX)
    density = np.ascontiguousarray(density[::step, ::step])
    most, least = most_and_least(density)
    chroma = most - least
    dark = (least > FRINGE_DENSITY) & (chroma < 0.35 * most)
    black = _black_of(density[dark], MIN_BLACK_PX / step**2)
    seed = (chroma > 0.08) & (most > 0.10) & (chroma > 0.40 * most)
    kernel = np.ones((max(3, 4 // step + 1),) * 2, np.uint8)
    enough = max(8, MIN_SEED_PX // step**2)
    # Dark ink is taken for black at first; where that leaves nothing, only what is colourless is black.
    for black_core in (least > FRINGE_DENSITY, dark):
        clear = seed & (cv2.dilate(black_core.astype(np.uint8), kernel) == 0)
        is_enough = np.count_nonzero(clear) > MIN_SEED_SHARE * np.count_nonzero(seed)
        used = clear if is_enough else seed
        candidates = density[used]
        if len(candidates):
            candidates = candidates[in_hues(hue_deg(candidates[:, None, :])[:, 0], hues)]
        if len(candidates) >= enough:
            break
    else:
        return None
    seed = used
    candidates = _thinned(candidates)
    length = np.linalg.norm(candidates, axis=1)
    low, high = np.percentile(length, (30, 92))
    is_body = (length >= low) & (length <= high)
    body = candidates[is_body] / length[is_body, None]
    ink = np.median(body, axis=0)
    ink = np.asarray(ink / np.linalg.norm(ink), np.float32)
    if float(black @ ink) > NEAR_INK and float(np.ptp(black)) > PLAIN_CHROMA * float(black.max()):
        black = _black_of(density[dark & (chroma < PLAIN_CHROMA * most)], MIN_BLACK_PX / step**2)
    solid = float(np.percentile(candidates @ ink, 70))
    foreign = find_foreign(density, most, chroma, ink)
    if foreign is not None:
        # Foreign ink over seal ink looks black; print is looked for away from seal ink.
        apart = dark & (cv2.dilate(seed.view(np.uint8), np.ones((7, 7), np.uint8)) == 0)
        black = _black_of(density[apart], MIN_BLACK_PX / step**2)
    return Stains(ink, black, solid, foreign)


def _black_of(dark: NDArray[np.float32], enough: float) -> NDArray[np.float32]:
    """Return the direction of black's optical density from (N, 3) dark pixels; grey when too few."""
    black = np.median(_thinned(dark), axis=0) if len(dark) > enough else np.ones(3)
    return np.asarray(black / np.linalg.norm(black), np.float32)


def separate_ink(density: Density, stains: Stains, *, px_per_mm: float) -> Separation:
    """Return seal ink and black print apart.

    A pixel is ink when it holds at least half of what the strokes around it hold: so faint and
    full parts of one impression are cut at their true edges. Where black covers a stroke, what
    shines through decides, and gaps between ink on both sides of the black are closed.

    Args:
        px_per_mm: the scale, or a guess of it; it sets the windows only.
    """
    solid = max(stains.solid, 0.05)
    strength, black, least, most = _amounts(density, stains, solid)
    pen = None
    if stains.foreign is not None:
        strength, black, pen = _amounts_of_three(density, stains, strength, black, solid)
    share_around = ink_share_around(strength, black)
    dark = find_print(strength, black, share_around, solid=solid, px_per_mm=px_per_mm)
    if pen is not None:
        dark |= pen > 0
        black += pen
    strength = give_back_colour(strength, black, share_around, dark)
    np.multiply(black, dark, out=black)
    held = np.maximum(strength, 0)
    floor = max(MIN_STRENGTH, 5 * _noise(held, most))
    around = _strongest_around(held, dark, px_per_mm=px_per_mm)
    # What a pixel takes of the light, as a share of what the strokes around it take.
    taken = 1 - cv2.exp(held * np.float32(-solid))
    level = np.arange(256, dtype=np.float32) / LEVELS
    level = np.maximum(level, 0.55 * np.minimum(level / 0.35, 1))
    whole = cv2.LUT(around, np.maximum(1 - np.exp(-solid * level), 1e-3).astype(np.float32)[None])
    share = cv2.divide(taken, whole)
    is_ink = (share > 0.5) & (held > floor)
    if dark.any():
        is_ink &= ~dark | (held > 0.25 + 0.10 * black)
        light = 255 * cv2.exp(-least)
        weighed = weigh_print(is_ink, dark, strength, light=light, px_per_mm=px_per_mm)
        held = fill_strength(held, weighed, dark, px_per_mm=px_per_mm)
    else:
        weighed = without_specks(is_ink, is_ink)
    core = _core_density(density, weighed & ~dark, stains)
    near = cv2.dilate(weighed.view(np.uint8), _THREE).view(np.bool_)
    # Soft edges stay soft, ink stays above one half and all else below it.
    least_ink = weighed * np.float32(0.55)
    most_ink = np.maximum((near & ~dark) * np.float32(0.49), weighed)
    ink = np.clip(share, least_ink, most_ink)
    return Separation(np.asarray(ink, np.float32), black, held, stains, core)


def _amounts(
    density: Density, stains: Stains, solid: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return seal ink (below 0 for the opposite colour) and black (not below 0), both in units of
    solid ink; then each pixel's least and most density."""
    unmix = np.linalg.pinv(np.stack([stains.ink, stains.black], 1))
    mixed, black, alone = cv2.split(cv2.transform(density, np.vstack([unmix, stains.ink]) / solid))
    # Where black would be negative there is none, and all is ink.
    np.copyto(mixed, alone, where=black < 0)
    most, least = most_and_least(density)
    return mixed, np.maximum(black, 0, out=black), least, most


def _amounts_of_three(
    density: Density, stains: Stains, strength: InkAmount, black: InkAmount, solid: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return seal ink, black and foreign ink in units of solid ink; the last is 0 where there is little.

    Args:
        strength, black: what there is if nothing is foreign.
    """
    if stains.foreign is None:
        return strength, black, np.zeros_like(black)
    mixed, grey, pen = unmix_three(density / np.float32(solid), stains.ink, stains.black, stains.foreign)
    is_pen = pen > FOREIGN_FROM / solid
    is_pen = cv2.dilate(
        cv2.morphologyEx(is_pen.view(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)), _THREE
    ).view(np.bool_) & (pen > 0.5 * FOREIGN_FROM / solid)
    return np.where(is_pen, mixed, strength), np.where(is_pen, grey, black), pen * is_pen


def _noise(held: InkAmount, most: NDArray[np.float32]) -> float:
    """Return the spread of ink amounts on bare paper."""
    on_paper = _thinned(held[::3, ::3][most[::3, ::3] < 0.10])
    if len(on_paper) < MIN_PAPER_PX:
        return 0.02
    return 1.4826 * float(np.median(np.abs(on_paper - np.median(on_paper))))


def _strongest_around(held: InkAmount, dark: NDArray[np.bool_], *, px_per_mm: float) -> NDArray[np.uint8]:
    """Return how much ink the strokes around each pixel hold, times LEVELS."""
    side = 2 * max(1, round(0.5 * px_per_mm)) + 1
    calm = cv2.convertScaleAbs(held, alpha=LEVELS)
    if dark.any():
        calm *= ~dark
    calm = cv2.GaussianBlur(calm, (5, 5), 0.8)
    local = cv2.dilate(calm, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    evened = cv2.blur(cv2.blur(local, (side | 1, side | 1)), (side // 2 | 1, side // 2 | 1))
    return np.asarray(evened, np.uint8)
