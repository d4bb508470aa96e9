"""How a flat sheet lies on a page that may be seen at an angle, and the page squared up."""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import Impression, InkAmount, RgbImage
from seal_imaging.warping import in_cv2

Homography = NDArray[np.float64]
"""(3, 3), between pixels or mm, outer corner of the first pixel at 0, 0."""

MAX_BEND_MM = 0.12
"""A scan whose marks lie this close to a turned and scaled sheet needs no squaring up."""


@dataclass(frozen=True, eq=False)
class PagePose:
    """How a sheet of known size lies on the page.

    Attributes:
        page_from_mm: from mm on the sheet to page pixels.
        size_mm: w, h of the sheet.
        px_per_mm: mean scale on the page.
        turn_deg: clockwise turn of the sheet on the page.
        bend_mm: largest distance of a known point from where a flat scan would have it.
    """

    page_from_mm: Homography
    size_mm: tuple[float, float]
    px_per_mm: float
    turn_deg: float
    bend_mm: float

    @property
    def is_flat(self) -> bool:
        """Tell whether the page is a scan: turned and scaled, but not seen at an angle."""
        return self.bend_mm <= MAX_BEND_MM


@dataclass(frozen=True, eq=False)
class SquaredPage:
    """The sheet seen straight from above.

    Attributes:
        given_from_squared: from its pixels to pixels of the page given.
    """

    page: RgbImage
    px_per_mm: float
    given_from_squared: Homography


@dataclass(frozen=True)
class Similarity:
    """How a flat scan would show points of a sheet, and how far off that leaves them."""

    px_per_mm: float
    turn_deg: float
    bend_mm: float


def fit_similarity(sheet_mm: NDArray[np.float64], page_px: NDArray[np.float64]) -> Similarity:
    """Fit turn, scale and shift by least squares (Umeyama 1991) and see how far off they leave the points."""
    a, b = sheet_mm - sheet_mm.mean(0), page_px - page_px.mean(0)
    weight = float((a**2).sum())
    real = float((a * b).sum()) / weight
    imaginary = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / weight
    scale = math.hypot(real, imaginary)
    turn = np.array([[real, -imaginary], [imaginary, real]])
    left_over = np.linalg.norm(b - a @ turn.T, axis=1)
    return Similarity(scale, math.degrees(math.atan2(imaginary, real)), float(left_over.max() / scale))


def square_up(page: RgbImage, pose: PagePose) -> SquaredPage:
    """Return the sheet as a flat scan of the same scale."""
    px_per_mm = pose.px_per_mm
    width, height = (round(side * px_per_mm) for side in pose.size_mm)
    to_mm = np.diag([1 / px_per_mm, 1 / px_per_mm, 1.0])
    given_from_squared = pose.page_from_mm @ to_mm
    squared = cv2.warpPerspective(
        page,
        in_cv2(given_from_squared),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return SquaredPage(np.asarray(squared, np.uint8), px_per_mm, given_from_squared)


def back_on_page(
    impression: Impression, given_from_squared: Homography, page_shape: tuple[int, ...]
) -> Impression:
    """Return an impression measured on the squared-up page with box and ink as on the page given.

    Its `flatten` leads from the box back to the squared-up pixels its other figures are in.
    """
    x, y, w, h = impression.box_px
    corners = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float64)
    homogeneous = np.column_stack([corners, np.ones(4)]) @ given_from_squared.T
    given = homogeneous[:, :2] / homogeneous[:, 2:]
    left, top = (max(0, math.floor(v)) for v in given.min(0))
    right, bottom = (math.ceil(v) for v in given.max(0))
    right, bottom = min(right, page_shape[1]), min(bottom, page_shape[0])
    to_box = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]])
    from_squared_box = to_box @ given_from_squared @ np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])
    matrix = in_cv2(from_squared_box)
    size = (max(1, right - left), max(1, bottom - top))

    def laid_back(layer: InkAmount | None) -> InkAmount | None:
        if layer is None:
            return None
        return np.asarray(cv2.warpPerspective(layer, matrix, size, flags=cv2.INTER_LINEAR), np.float32)

    ink = cv2.warpPerspective(impression.ink, matrix, size, flags=cv2.INTER_LINEAR)
    # Rows of the matrix from the box on the page to the box on the squared-up page.
    flatten = np.linalg.inv(from_squared_box)
    if impression.flatten is not None:
        flatten = np.array(impression.flatten).reshape(3, 3) @ flatten
    rows = tuple(float(v) for v in (flatten / flatten[2, 2]).ravel())
    return replace(
        impression,
        box_px=(left, top, *size),
        ink=np.asarray(ink, np.float32),
        strength=laid_back(impression.strength),
        covered=laid_back(impression.covered),
        flatten=rows,
    )
