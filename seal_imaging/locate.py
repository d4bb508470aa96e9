"""Finds our specimen form on a page by its four marks: its scale, its turn, and how to square it up."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging import form
from seal_imaging.impression import RgbImage

Homography = NDArray[np.float64]
"""(3, 3), between pixels or mm, outer corner of the first pixel at 0, 0."""

MAX_BEND_MM = 0.12
"""A scan whose marks lie this close to a turned and scaled form needs no squaring up."""
MARKER_SEARCH_SIDE_PX = 2600


@dataclass(frozen=True, eq=False)
class FormPose:
    """How the form lies on the page.

    Attributes:
        page_from_mm: from mm on the form to page pixels.
        px_per_mm: mean scale on the page.
        turn_deg: clockwise turn of the form on the page.
        bend_mm: largest distance of a mark's corner from where a flat scan would have it.
    """

    page_from_mm: Homography
    px_per_mm: float
    turn_deg: float
    bend_mm: float

    @property
    def is_flat(self) -> bool:
        """Tell whether the page is a scan: turned and scaled, but not seen at an angle."""
        return self.bend_mm <= MAX_BEND_MM


@dataclass(frozen=True, eq=False)
class SquaredPage:
    """The form seen straight from above.

    Attributes:
        given_from_squared: from its pixels to pixels of the page given.
    """

    page: RgbImage
    px_per_mm: float
    given_from_squared: Homography


def find_form(page: RgbImage) -> FormPose | None:
    """Return how our form lies on the page; None unless all four marks are seen once each."""
    grey = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(form.ARUCO_DICTIONARY), parameters)
    scale = min(1.0, MARKER_SEARCH_SIDE_PX / max(page.shape[:2]))
    small = grey if scale == 1.0 else cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    corners, ids, _ = detector.detectMarkers(small)
    if ids is None:
        return None
    seen = [int(i) for i in np.asarray(ids).ravel()]
    wanted = {marker: (x, y) for marker, x, y in form.MARKERS}
    if any(seen.count(marker) != 1 for marker in wanted):
        return None
    page_px, form_mm = [], []
    for marker, quad in zip(seen, corners, strict=True):
        if marker in wanted:
            x, y = wanted[marker]
            side = form.MARKER_MM
            form_mm += [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
            page_px.append((np.asarray(quad, np.float64).reshape(4, 2) + 0.5) / scale)
    source = np.array(form_mm, np.float64)
    target = np.concatenate(page_px)
    if scale < 1.0:
        target = _refine(grey, target, radius=max(2, round(0.6 / scale)))
    matrix, _ = cv2.findHomography(source, target)
    if matrix is None:
        return None
    return _pose(np.asarray(matrix, np.float64), source, target)


def _refine(grey: NDArray[np.uint8], corners: NDArray[np.float64], *, radius: int) -> NDArray[np.float64]:
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 30, 0.01)
    start = (corners - 0.5).astype(np.float32).reshape(-1, 1, 2)
    refined = cv2.cornerSubPix(grey, start, (radius + 2, radius + 2), (-1, -1), stop)
    return np.asarray(refined, np.float64).reshape(-1, 2) + 0.5


def _pose(matrix: Homography, form_mm: NDArray[np.float64], page_px: NDArray[np.float64]) -> FormPose:
    """Fit turn, scale and shift by least squares (Umeyama 1991) and see how far off they leave the marks."""
    mean_mm, mean_px = form_mm.mean(0), page_px.mean(0)
    a, b = form_mm - mean_mm, page_px - mean_px
    weight = float((a**2).sum())
    real = float((a * b).sum()) / weight
    imaginary = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / weight
    scale = math.hypot(real, imaginary)
    turn = np.array([[real, -imaginary], [imaginary, real]])
    left_over = np.linalg.norm(b - a @ turn.T, axis=1)
    return FormPose(matrix, scale, math.degrees(math.atan2(imaginary, real)), float(left_over.max() / scale))


def square_up(page: RgbImage, pose: FormPose) -> SquaredPage:
    """Return the form as a flat scan of the same scale."""
    px_per_mm = pose.px_per_mm
    width, height = (round(side * px_per_mm) for side in form.PAGE_MM)
    to_mm = np.diag([1 / px_per_mm, 1 / px_per_mm, 1.0])
    given_from_squared = pose.page_from_mm @ to_mm
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    squared = cv2.warpPerspective(
        page,
        np.linalg.inv(half) @ given_from_squared @ half,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return SquaredPage(np.asarray(squared, np.uint8), px_per_mm, given_from_squared)
