"""Finds a third stain in a picture: a coloured pen's ink, or another seal's."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

FOREIGN_DENSITY = 0.35
FOREIGN_CHROMA = 0.4
"""Density of foreign ink at least, and how much of it must be colour."""
FOREIGN_ANGLE_DEG = 35.0
"""How far its optical density must point away from the seal ink's; a blue pen on a purple seal does not."""
SPREAD_DEG = 16.0
"""How far most of it may point away from its own direction; rims of print are of all colours."""
UNEXPLAINED = 0.15
"""Share of a density that two inks need not explain."""
MIN_SHARE = 0.0004
MIN_PX = 12
"""How much of its strokes' middles there must be."""
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def find_foreign(
    density: NDArray[np.float32],
    most: NDArray[np.float32],
    chroma: NDArray[np.float32],
    ink: NDArray[np.float32],
) -> NDArray[np.float32] | None:
    """Return the direction of a foreign ink's optical density, of length 1; None when there is none.

    Args:
        density: (H, W, 3).
        most, chroma: (H, W), the largest of the three densities and how far it lies above the smallest.
        ink: (3,), direction of the seal ink's optical density.
    """
    coloured = (most > FOREIGN_DENSITY) & (chroma > FOREIGN_CHROMA * most)
    length = np.sqrt(cv2.transform(density * density, np.ones((1, 3), np.float32)))
    along = cv2.transform(density, ink[None]) / np.maximum(length, 1e-3)
    coloured &= along < math.cos(math.radians(FOREIGN_ANGLE_DEG))
    # Strokes have a middle; the rims of print, coloured by the lens, have none.
    middle = cv2.erode(coloured.view(np.uint8), _CROSS) > 0
    found = density[middle] / length[middle, None]
    if len(found) < max(MIN_PX, MIN_SHARE * most.size):
        return None
    foreign = np.median(found, axis=0)
    foreign = np.asarray(foreign / np.linalg.norm(foreign), np.float32)
    if float(np.median(found @ foreign)) < math.cos(math.radians(SPREAD_DEG)):
        return None
    if float(foreign @ ink) > math.cos(math.radians(FOREIGN_ANGLE_DEG)):
        return None
    return foreign


def unmix_three(
    density: NDArray[np.float32],
    ink: NDArray[np.float32],
    black: NDArray[np.float32],
    foreign: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return the amounts of ink, black and foreign ink, the last two not below 0.

    Two inks one over the other look nearly black. So where the two explain a pixel there is no black.
    """
    every = np.linalg.pinv(np.stack([ink, black, foreign], 1))
    across = np.cross(ink, foreign)
    inks = np.vstack([np.linalg.pinv(np.stack([ink, foreign], 1)), across / np.linalg.norm(across)])
    amount, dark, other = cv2.split(cv2.transform(density, every))
    amount_alone, other_alone, off = cv2.split(cv2.transform(density, inks))
    no_black = (dark < 0) | (
        (np.abs(off) < UNEXPLAINED * (np.abs(amount_alone) + np.abs(other_alone))) & (other_alone > 0)
    )
    np.copyto(amount, amount_alone, where=no_black)
    np.copyto(other, other_alone, where=no_black)
    dark[no_black] = 0
    return amount, dark, np.maximum(other, 0)
