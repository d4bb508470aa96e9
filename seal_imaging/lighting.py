"""Tells where light or shadow on the page hides a part of an impression."""

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import RgbImage

GLARE_LEVEL = 249
"""Grey level of paper from which a picture holds nothing any more."""
GLARE_LEAST = 230
"""What the weakest of the three colours has left there."""
PAPER_BELOW = 242
"""Paper usually lighter than this is as white as glare; there glare cannot be told, nor hides it much."""
SHADE = 0.74
"""Brightness of paper, as a share of the brightest around the impression, below which it lies in shade."""
SHADE_COLOUR = 0.2
"""Shares of light left in the three colours differ by less in the shade of white light."""
_PX_PER_MM = 4.0
_REACH_MM = 1.3
"""Half the width of strokes that the paper is seen through."""


def hidden_share(picture: RgbImage, inside: NDArray[np.bool_], *, px_per_mm: float) -> float:
    """Return the share of an impression's area that is washed out by light or lies in a deep shadow.

    Args:
        picture: the part of the page the impression lies on.
        inside: within the impression's outline.
        px_per_mm: the scale, or a guess of it.
    """
    shrink = min(1.0, _PX_PER_MM / px_per_mm)
    size = (max(4, round(picture.shape[1] * shrink)), max(4, round(picture.shape[0] * shrink)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    within = cv2.resize(inside.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    if not within.any():
        return 0.0
    side = 2 * max(1, round(_REACH_MM * px_per_mm * shrink)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)
    paper = cv2.GaussianBlur(paper, (0, 0), 1.0).astype(np.float32)
    light = paper.max(axis=2)
    usual = float(np.median(light))
    # Where red alone is full there is red ink, not light.
    is_glare = (light >= GLARE_LEVEL) & (paper.min(axis=2) >= GLARE_LEAST) & (usual < PAPER_BELOW)
    lit = paper[~is_glare]
    if not len(lit):
        return 1.0
    shares = paper / np.maximum(np.percentile(lit, 90, axis=0), 1.0)
    # Shade takes light of all colours; a blot of ink leaves one of them.
    is_shade = ~is_glare & (shares.max(axis=2) < SHADE) & (np.ptp(shares, axis=2) < SHADE_COLOUR)
    return float(((is_glare | is_shade) & within).sum() / int(within.sum()))
