"""Gives strokes back the colour that cameras and JPEG spread over what lies beside them.

Both keep brightness sharp and colour coarse. A thin red stroke comes out grey, with a little red
around it. What spreading leaves as it is, is the mean: over an area wider than the spread, the share
of seal ink in all that darkens the paper is the true one, and black print has none.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import InkAmount

SPREAD_PX = 1.5
"""How far colour spreads: it is stored at half the resolution, whatever the scale."""
LEAST_SHARE = 0.15
FULL_SHARE = 0.275
"""Share of ink on the mean from which grey begins to count as ink, and from which all of it does."""
GREY_TO_INK = 0.7
"""A stroke whose colour was taken away holds more black than this times its ink; a clean rim does not."""
LEAST_AMOUNT = 0.05


def ink_share_around(strength: InkAmount, black: InkAmount) -> InkAmount:
    """Return the share of seal ink in what darkens each pixel's surroundings, 0..1.

    Args:
        strength: (H, W), seal ink in units of solid ink, below 0 for the opposite colour.
        black: (H, W), black in units of solid ink.
    """
    ink = cv2.GaussianBlur(strength, (9, 9), SPREAD_PX)
    every = ink + cv2.GaussianBlur(black, (9, 9), SPREAD_PX)
    return np.asarray(np.clip(ink / np.maximum(every, LEAST_AMOUNT), 0, 1), np.float32)


def give_back_colour(
    strength: InkAmount, black: InkAmount, share: InkAmount, dark: NDArray[np.bool_]
) -> InkAmount:
    """Return the ink with the grey that is ink counted in.

    Args:
        share: from `ink_share_around`.
        dark: where print lies; it and its rims stay as they are.
    """
    near = cv2.dilate(dark.view(np.uint8), np.ones((3, 3), np.uint8))
    greyed = (near == 0) & (black > GREY_TO_INK * strength)
    part = np.clip((share - LEAST_SHARE) / (FULL_SHARE - LEAST_SHARE), 0, 1)
    return np.asarray(strength + black * greyed * part, np.float32)
