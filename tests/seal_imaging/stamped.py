"""Impressions straight from a seal's drawing, without a page: moved, pulled and badly inked as told."""

import math

import cv2
import numpy as np

from pipeline.tryout.artwork import ARTWORK_PX_PER_MM, Artwork
from seal_imaging import Impression
from seal_imaging.comparison import impression_of_image


def frame_from_seal(
    px_per_mm: float,
    *,
    turn_deg: float = 0.0,
    shift_mm: tuple[float, float] = (0.0, 0.0),
    stretch: tuple[float, float] = (1.0, 1.0),
) -> np.ndarray:
    """Return the 3 × 3 map from mm about the seal's middle to pixels of a 70 mm canvas."""
    turn = math.radians(turn_deg)
    turned = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    matrix = np.eye(3)
    matrix[:2, :2] = px_per_mm * turned @ np.diag(stretch)
    matrix[:2, 2] = (35 + shift_mm[0]) * px_per_mm, (35 + shift_mm[1]) * px_per_mm
    return matrix


def stamp(
    artwork: Artwork,
    frame: np.ndarray,
    px_per_mm: float,
    *,
    missing: float = 0.0,
    noise: float = 0.06,
    seed: int = 0,
) -> Impression:
    """Return the impression a seal leaves under a map of `frame_from_seal`.

    Args:
        missing: share of the canvas where no ink arrived, in blotches of 3 mm.
        noise: sigma of the ink, from pixel to pixel.
    """
    side = round(70 * px_per_mm)
    height, width = artwork.ink.shape
    to_mm = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, ARTWORK_PX_PER_MM]]) / ARTWORK_PX_PER_MM
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    matrix = np.linalg.inv(half) @ frame @ to_mm @ half
    smooth = cv2.GaussianBlur(artwork.ink, (0, 0), 0.5 * ARTWORK_PX_PER_MM / px_per_mm)
    ink = cv2.warpAffine(smooth, matrix[:2], (side, side), flags=cv2.INTER_LINEAR)
    rng = np.random.default_rng(seed)
    if missing:
        cells = rng.standard_normal((24, 24)).astype(np.float32)
        blotches = cv2.resize(cells, (side, side), interpolation=cv2.INTER_CUBIC)
        ink = ink * np.clip((blotches - float(np.quantile(blotches, missing))) * 6 + 0.5, 0, 1)
    ink = ink + noise * rng.standard_normal(ink.shape).astype(np.float32) * (ink > 0.05)
    rgba = np.zeros((side, side, 4), np.uint8)
    rgba[..., :3] = artwork.ink_rgb
    rgba[..., 3] = np.round(255 * np.clip(ink, 0, 1))
    return impression_of_image(rgba, px_per_mm)
