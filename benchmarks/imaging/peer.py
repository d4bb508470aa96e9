"""The naive peer: a red threshold in HSV, gaps closed, pieces of a seal's size boxed."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class NaiveSeal:
    """What the peer knows of a seal: its box and the red in it."""

    box_px: tuple[int, int, int, int]
    ink: NDArray[np.bool_]


def red_mask(page: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the pixels most web pages on the matter call red."""
    hsv = cv2.cvtColor(page, cv2.COLOR_RGB2HSV)
    low = cv2.inRange(hsv, (0, 43, 46), (10, 255, 255))
    return np.asarray((low | cv2.inRange(hsv, (156, 43, 46), (180, 255, 255))) > 0)


def read_naively(page: NDArray[np.uint8], px_per_mm: float) -> list[NaiveSeal]:
    """Return what is red and of a seal's size."""
    mask = red_mask(page)
    reach = 2 * round(0.6 * px_per_mm) + 1
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        x, y, w, h = cv2.boundingRect(contour)
        if 8 * px_per_mm <= min(w, h) and max(w, h) <= 72 * px_per_mm:
            found.append(NaiveSeal((x, y, w, h), mask[y : y + h, x : x + w]))
    return found
