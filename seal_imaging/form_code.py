"""Reads the QR code of our form, whose place on the page is known from the marks."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.form import QR_BOX_MM, FormCode, read_qr_text
from seal_imaging.impression import RgbImage
from seal_imaging.locate import FormPose
from seal_imaging.warping import in_cv2

GreyImage = NDArray[np.uint8]

SIDES_PX = (390, 260, 520, 780, 1040)
"""Sizes the code is looked at; what a detector misses at one it reads at another."""
MODULES_PX = 6
"""Size of a module in a code drawn anew."""
QUIET_MODULES = 4
MIN_FINDER_AGREEMENT = 0.9
"""Share of the three finder patterns' modules that must be as they should."""
VERSIONS = range(1, 13)


def read_code(page: RgbImage, pose: FormPose) -> FormCode | None:
    """Return what the form's QR code says; None when it is covered, cut off, or unreadable.

    The code is squared up by the form's marks and tried at several sizes; last, its modules are
    sampled one by one and drawn anew.
    """
    grey = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)
    readers = (cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco())
    for side_px in SIDES_PX:
        code = _squared_code(grey, pose, side_px)
        for reader in readers:
            found = _said(reader, code)
            if found is not None:
                return found
    code = _squared_code(grey, pose, SIDES_PX[-1])
    for drawn in _drawn_anew(code):
        for reader in readers:
            found = _said(reader, drawn)
            if found is not None:
                return found
    return None


def _said(reader: cv2.QRCodeDetector | cv2.QRCodeDetectorAruco, code: GreyImage) -> FormCode | None:
    try:
        text, _, _ = reader.detectAndDecode(code)
    except (cv2.error, UnicodeDecodeError):  # what cv2 takes for a code may hold any bytes
        return None
    return read_qr_text(text)


def _squared_code(grey: GreyImage, pose: FormPose, side_px: int) -> GreyImage:
    """Return the code's box seen from straight above, side_px wide."""
    x_mm, y_mm, w_mm, _ = QR_BOX_MM
    scale = w_mm / side_px
    mm_from_code = np.array([[scale, 0, x_mm], [0, scale, y_mm], [0, 0, 1.0]])
    matrix = in_cv2(pose.page_from_mm @ mm_from_code)
    shrink = pose.px_per_mm * scale
    if shrink > 1.5:
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.4 * shrink), np.uint8)
    squared = cv2.warpPerspective(
        grey,
        matrix,
        (side_px, side_px),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=255,
    )
    return np.asarray(squared, np.uint8)


def _drawn_anew(code: GreyImage) -> Iterator[GreyImage]:
    """Yield the code redrawn with clean modules, for every size of code whose finder patterns fit."""
    _, dark = cv2.threshold(code, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    points = cv2.findNonZero(np.asarray(cv2.medianBlur(np.asarray(dark, np.uint8), 5)))
    if points is None:
        return
    x, y, w, h = cv2.boundingRect(points)
    fits = []
    for version in VERSIONS:
        count = 17 + 4 * version
        inside = cv2.resize(dark[y : y + h, x : x + w], (count * 8, count * 8), interpolation=cv2.INTER_AREA)
        cells = np.asarray(inside, np.float32).reshape(count, 8, count, 8)[:, 2:6, :, 2:6].mean((1, 3)) > 0.5
        agreement = _finder_agreement(cells)
        if agreement >= MIN_FINDER_AGREEMENT:
            fits.append((agreement, count, cells))
    for _, _, cells in sorted(fits, key=lambda fit: (-fit[0], fit[1])):
        quiet = np.pad(~cells, QUIET_MODULES, constant_values=True).astype(np.uint8) * 255
        yield np.asarray(np.kron(quiet, np.ones((MODULES_PX, MODULES_PX), np.uint8)), np.uint8)


def _finder_agreement(cells: NDArray[np.bool_]) -> float:
    """Return how many modules of the three finder patterns are as ISO/IEC 18004 §6.3.3 draws them."""
    finder = np.ones((7, 7), np.bool_)
    finder[1:6, 1:6] = False
    finder[2:5, 2:5] = True
    corners = (cells[:7, :7], cells[:7, -7:], cells[-7:, :7])
    return float(np.mean([(corner == finder).mean() for corner in corners]))
