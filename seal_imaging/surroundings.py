"""Finds what lies round the sheet in a photo: the table it lies on is no paper, its colour no ink."""

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import RgbImage
from seal_imaging.sheet import rough_corners

SEARCH_SIDE_PX = 800
MIN_SIDE_PX = 1000
"""A smaller picture is a cutting of a page, not a photo of one."""
STROKE_SHARE = 0.02
"""Of the longer side: what is narrower lies on the sheet."""
PAPER_PERCENTILE = 80
DARK_SHARE = 0.55
"""Of the paper's brightest colour. Seal ink of any colour leaves more of one of the three."""
MARGIN_SHARE = 0.006
"""Along its edge a sheet is blurred, and casts a shadow."""


def find_surroundings(page: RgbImage) -> NDArray[np.bool_] | None:
    """Return where the picture shows no sheet, at SEARCH_SIDE_PX; None when it shows nothing else.

    What is outside a sheet whose four edges are all seen, and else what is dark and reaches the
    picture's rim.
    """
    longest = max(page.shape[:2])
    if longest < MIN_SIDE_PX:
        return None
    scale = SEARCH_SIDE_PX / longest
    small = np.asarray(cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    outside = _dark_rim(small)
    corners = rough_corners(small)
    if corners is not None:
        sheet = np.zeros(small.shape[:2], np.uint8)
        cv2.fillConvexPoly(sheet, np.round(corners).astype(np.int32), 1)
        outside |= sheet == 0
    if not outside.any():
        return None
    side = 2 * max(1, round(MARGIN_SHARE * SEARCH_SIDE_PX)) + 1
    return np.asarray(cv2.dilate(outside.astype(np.uint8), np.ones((side, side), np.uint8)) > 0, np.bool_)


def _dark_rim(small: RgbImage) -> NDArray[np.bool_]:
    side = max(3, round(STROKE_SHARE * max(small.shape[:2])) | 1)
    calm = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    red, green, blue = cv2.split(calm)
    level = cv2.max(cv2.max(red, green), blue)
    dark = np.asarray(level < DARK_SHARE * float(np.percentile(level, PAPER_PERCENTILE)), np.uint8)
    _, labels = cv2.connectedComponents(dark)
    rim = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return np.asarray(np.isin(labels, rim[rim > 0]), np.bool_)
