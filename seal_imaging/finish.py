"""Turns soft ink on the canvas into the alpha and the colour of a finished seal image."""

import math
from enum import StrEnum
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.errors import ImpressionUnusable
from seal_imaging.impression import InkAmount, InkColour, RgbaImage

Rgb = tuple[int, int, int]

STATED_COLOURS = MappingProxyType(
    {
        InkColour.RED: (230, 0, 18),
        InkColour.BLUE: (29, 60, 150),
        InkColour.PURPLE: (110, 40, 140),
        InkColour.BLACK: (30, 30, 30),
    }
)
"""What an ink family is drawn in when somebody asks for it by name; no rule gives these values."""

CALM_MM = 0.03
"""Blur before the contour is drawn: a third of a 300 dpi pixel takes the scanner's steps off, no stroke."""
EDGE_MM = 0.08
"""Width of the antialiased edge: 1.6 px of the canvas."""
STEEPNESS_MM = 0.25
"""Ink that rises slower than from nothing to solid over twice this has no edge; it stays soft."""
CORE_MM = 0.10
"""So deep inside a stroke the scanner's blur no longer thins the ink."""
MIN_STRENGTH, MAX_STRENGTH = 0.45, 1.6
"""Natural ink is kept in this range: fainter would be no seal, darker is the scanner's shadow."""
MAX_COVERED = 0.25
"""Ink more hidden than this by print tells nothing of its own density."""


class InkChoice(StrEnum):
    """How the ink of a finished seal image looks."""

    UNIFIED = "unified"
    """One colour, one density."""
    NATURAL = "natural"
    """The real ink's texture, still without paper."""


def check_colour(colour: Rgb | InkColour) -> Rgb:
    """Return a stated colour as R, G, B.

    Raises:
        ImpressionUnusable: not three values from 0 to 255, or too light to be seen on paper.
    """
    if isinstance(colour, InkColour):
        return STATED_COLOURS[colour]
    if len(colour) != 3 or any(not 0 <= value <= 255 for value in colour) or min(colour) > 200:
        raise ImpressionUnusable(
            f"a seal cannot be drawn in the colour {colour}; state R, G, B from 0 to 255, not near white",
            zh=f"印章颜色{colour}不可用，请给出 0 至 255 的 RGB 值，且不能接近白色",
        )
    return colour[0], colour[1], colour[2]


def sharp_alpha(ink: InkAmount, *, px_per_mm: float) -> InkAmount:
    """Return how much of each pixel lies inside the ink's contour, 0..1, with smooth antialiased edges.

    The contour is where the soft ink passes one half. How far a pixel lies from it is the ink's excess
    over one half divided by its slope, so that the edge lies between pixels where the scan says it does.

    Args:
        ink: (H, W), resampled to the canvas without being thresholded.
    """
    calm = cv2.GaussianBlur(ink, (0, 0), CALM_MM * px_per_mm) if CALM_MM * px_per_mm > 0.2 else ink
    across = cv2.Sobel(calm, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(calm, cv2.CV_32F, 0, 1, scale=1 / 8)
    slope = cv2.max(cv2.magnitude(across, down), 0.5 / (STEEPNESS_MM * px_per_mm))
    inside_px = cv2.divide(calm - np.float32(0.5), slope)
    edge_px = max(1.0, EDGE_MM * px_per_mm)
    return np.asarray(np.clip(inside_px / edge_px + 0.5, 0, 1), np.float32)


def unified(alpha: InkAmount, colour: Rgb) -> RgbaImage:
    """Return ink of one colour: RGB is constant, also where nothing is seen."""
    canvas = np.empty((*alpha.shape, 4), np.uint8)
    canvas[..., :3] = colour
    canvas[..., 3] = np.round(alpha * 255).astype(np.uint8)
    return canvas


def natural(
    alpha: InkAmount,
    strength: InkAmount,
    colour: Rgb,
    *,
    px_per_mm: float,
    covered: InkAmount | None = None,
) -> RgbaImage:
    """Return ink with its own texture: thinner ink lets more light pass, thicker ink is darker.

    Args:
        alpha: (H, W), from `sharp_alpha`.
        strength: (H, W), density in units of solid ink, resampled like the ink.
        colour: of solid ink on white paper.
        covered: (H, W), where print hides the ink, 0..1; there it takes the middling strength of all ink.
    """
    if covered is not None:
        clear = (alpha > 0.9) & (covered < MAX_COVERED)
        middling = np.float32(np.median(strength[clear])) if clear.any() else np.float32(1)
        hidden = np.clip(covered / MAX_COVERED, 0, 1)
        strength = strength + hidden * (middling - strength)
    inner = np.clip(_without_edges(alpha, strength, px_per_mm), MIN_STRENGTH, MAX_STRENGTH)
    density = -np.log((np.array(colour, np.float32) + 1) / 256)
    deepest = float(density.max())
    cover = (1 - np.exp(-deepest * np.minimum(inner, 1))) / (1 - math.exp(-deepest))
    darker = np.exp(-density * np.maximum(inner - 1, 0)[..., None])
    canvas = np.empty((*alpha.shape, 4), np.uint8)
    canvas[..., 3] = np.round(alpha * cover * 255).astype(np.uint8)
    seen = canvas[..., 3:] > 0
    canvas[..., :3] = np.round(np.where(seen, np.array(colour, np.float32) * darker, colour))
    return canvas


def _without_edges(alpha: InkAmount, strength: InkAmount, px_per_mm: float) -> NDArray[np.float32]:
    """Return the strength with each edge's replaced by that of the stroke it belongs to."""
    reach = max(1, round(CORE_MM * px_per_mm))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    core = cv2.erode((alpha > 0.5).astype(np.float32), disc)
    weight = cv2.GaussianBlur(core, (0, 0), float(reach))
    mean = cv2.GaussianBlur(strength * core, (0, 0), float(reach)) / np.maximum(weight, 1e-3)
    thin = cv2.dilate(strength, disc)  # a stroke without a core: its middle speaks for it
    beside = np.where(weight > 0.01, mean, thin)
    return np.asarray(np.where(core > 0, strength, beside), np.float32)
