"""Shows a page of light as a scanner, a photocopier or a phone sees it."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.tryout.degradations import copy_grey, displace_red, sharpen, stretch_contrast
from pipeline.tryout.looks import PageLook
from seal_imaging.impression import RgbImage


def expose(canvas: NDArray[np.float32], look: PageLook, rng: np.random.Generator) -> RgbImage:
    """Return what a scanner or phone would make of the page."""
    height, width = canvas.shape[:2]
    picture = canvas * np.array(look.paper_rgb, np.float32)
    if look.shading > 0:
        direction = rng.uniform(0, 2 * math.pi)
        across = np.linspace(0, math.cos(direction), width, dtype=np.float32)[None, :]
        down = np.linspace(0, math.sin(direction), height, dtype=np.float32)[:, None]
        ramp = across + down
        picture *= (1 - look.shading * (ramp - ramp.min()) / max(1e-6, float(np.ptp(ramp))))[..., None]
    if look.fringe_px > 0:
        picture = displace_red(picture, look.fringe_px)
    if look.blur_px > 0:
        picture = cv2.GaussianBlur(picture, (0, 0), look.blur_px)
    if look.sharpening > 0:
        picture = sharpen(picture, look.sharpening)
    if look.noise > 0:
        picture += look.noise * rng.standard_normal((height, width, 1), dtype=np.float32)
        chroma = rng.standard_normal((height // 2 + 1, width // 2 + 1, 3), dtype=np.float32)
        picture += 0.6 * look.noise * np.repeat(np.repeat(chroma, 2, 0), 2, 1)[:height, :width]
    page = np.clip(picture, 0, 255).astype(np.uint8)
    if look.is_enhanced:
        page = stretch_contrast(page)
    if look.is_grey:
        page = copy_grey(page)
    if look.jpeg_quality is not None:
        how = [cv2.IMWRITE_JPEG_QUALITY, look.jpeg_quality]
        if look.is_chroma_coarse:
            how += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411]
        _, data = cv2.imencode(".jpg", page[..., ::-1], how)
        page = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    return np.ascontiguousarray(page)


def photograph(
    page: RgbImage, rng: np.random.Generator, *, tilt: float = 0.05, size_px: tuple[int, int] = (2700, 3600)
) -> tuple[RgbImage, NDArray[np.float64]]:
    """Return the page as a phone sees it from above, and the 3 × 3 map from page to photo.

    Args:
        tilt: how far each corner of the page strays from its place, as a share of the picture.
    """
    width, height = size_px
    margin = 0.06
    corners = np.array(
        [[margin, margin], [1 - margin, margin], [1 - margin, 1 - margin], [margin, 1 - margin]]
    )
    corners = (corners + rng.uniform(-tilt, tilt, (4, 2))) * (width, height)
    page_corners = np.array([[0, 0], [page.shape[1], 0], [page.shape[1], page.shape[0]], [0, page.shape[0]]])
    to_photo = cv2.getPerspectiveTransform(page_corners.astype(np.float32), corners.astype(np.float32))
    photo = cv2.warpPerspective(
        page,
        to_photo,
        size_px,
        flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(104, 92, 80),
    )
    return np.ascontiguousarray(photo), np.asarray(to_photo, dtype=np.float64)
