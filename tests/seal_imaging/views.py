"""A sheet as a camera with a lens sees it: what a random shift of four corners is not."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

DESK_RGB = (104, 92, 80)


def view_of(
    sheet: NDArray[np.uint8],
    *,
    tilt_deg: float = 0.0,
    towards_deg: float = 30.0,
    turn_deg: float = 0.0,
    size_px: tuple[int, int] = (1500, 2000),
    fills: float = 0.78,
) -> NDArray[np.uint8]:
    """Return the sheet on a desk, seen by a phone tilted by `tilt_deg`.

    Args:
        towards_deg: direction of the tilt on the sheet.
        fills: share of the picture's height that the sheet takes when it is seen from above.
    """
    width, height = size_px
    focal = 0.8 * max(size_px)
    sheet_h, sheet_w = sheet.shape[:2]
    axis = np.array([math.cos(math.radians(towards_deg)), math.sin(math.radians(towards_deg)), 0.0])
    tilt, _ = cv2.Rodrigues(axis * math.radians(tilt_deg))
    turn, _ = cv2.Rodrigues(np.array([0.0, 0.0, math.radians(turn_deg)]))
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (sheet_w / 2, sheet_h / 2)
    solid = np.column_stack([corners, np.zeros(4)]) @ (tilt @ turn).T
    distance = focal * sheet_h / (fills * height)
    seen = focal * solid[:, :2] / (solid[:, 2:] + distance) + (width / 2, height / 2)
    flat = np.array([[0, 0], [sheet_w, 0], [sheet_w, sheet_h], [0, sheet_h]], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, seen.astype(np.float32))
    picture = cv2.warpPerspective(
        sheet, matrix, size_px, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT, borderValue=DESK_RGB
    )
    return np.ascontiguousarray(picture)
