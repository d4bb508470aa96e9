"""Finds our specimen form on a page by its four marks."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging import form
from seal_imaging.impression import RgbImage
from seal_imaging.squaring import PagePose, fit_similarity

MARKER_SEARCH_SIDE_PX = 2600
MIN_MARKS = 3
MAX_MARK_ERROR_MM = 0.5
"""How far a mark's corner may lie from where the others say, should one mark be missing."""


@dataclass(frozen=True, eq=False)
class FormPose(PagePose):
    """How our form lies on the page.

    Attributes:
        marks: how many of its four marks were seen.
    """

    marks: int = 4


def find_form(page: RgbImage) -> FormPose | None:
    """Return how our form lies on the page; None unless its marks are seen once each.

    Three of the four do when they agree: one may be folded under, covered or cut off.
    """
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
    counts = [seen.count(marker) for marker in wanted]
    if max(counts) > 1 or sum(counts) < MIN_MARKS:
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
    page_from_mm = np.asarray(matrix, np.float64)
    flat = fit_similarity(source, target)
    if sum(counts) < len(counts):
        seen_at = cv2.perspectiveTransform(source[None], page_from_mm)[0]
        if np.linalg.norm(seen_at - target, axis=1).max() > MAX_MARK_ERROR_MM * flat.px_per_mm:
            return None
    return FormPose(
        page_from_mm, form.PAGE_MM, flat.px_per_mm, flat.turn_deg, flat.bend_mm, marks=sum(counts)
    )


def _refine(grey: NDArray[np.uint8], corners: NDArray[np.float64], *, radius: int) -> NDArray[np.float64]:
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 30, 0.01)
    start = (corners - 0.5).astype(np.float32).reshape(-1, 1, 2)
    refined = cv2.cornerSubPix(grey, start, (radius + 2, radius + 2), (-1, -1), stop)
    return np.asarray(refined, np.float64).reshape(-1, 2) + 0.5
