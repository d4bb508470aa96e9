"""Tells whether a page bears print or writing beside its impressions."""

from collections.abc import Sequence

import cv2
import numpy as np

from seal_imaging.impression import RgbImage

LOOK_SIDE_PX = 1200
PAPER_CELL_PX = 41
DARK_SHARE = 0.7
"""Of the paper's brightness around it; what is darker is ink of some kind."""
MIN_PRINT_SHARE = 0.0015
"""Of the page: a line of text takes more, dust and the shadow along an edge take less."""
EDGE_SHARE = 0.02


def has_print(page: RgbImage, boxes_px: Sequence[tuple[int, int, int, int]]) -> bool:
    """Tell whether dark strokes stand outside the given boxes.

    Args:
        boxes_px: x, y, w, h of the impressions.
    """
    height, width = page.shape[:2]
    scale = min(1.0, LOOK_SIDE_PX / max(height, width))
    grey = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)
    small = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    paper = cv2.medianBlur(cv2.dilate(small, np.ones((9, 9), np.uint8)), PAPER_CELL_PX)
    dark = small < DARK_SHARE * np.asarray(paper, np.float32)
    for x, y, w, h in boxes_px:
        margin = 0.05 * max(w, h)
        left, top = (max(0, int((v - margin) * scale)) for v in (x, y))
        dark[top : int((y + h + margin) * scale) + 1, left : int((x + w + margin) * scale) + 1] = False
    rim = max(1, round(EDGE_SHARE * min(dark.shape)))
    return float(dark[rim:-rim, rim:-rim].mean()) > MIN_PRINT_SHARE
