"""Spoils a drawn page as paper, light and scanning software do."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.tryout.printing import print_text

_VERSO_LINE = "本页背面为投标函附录及授权委托书正文内容"
_FOLD_MM = 0.7
_BLACK_POINT, _WHITE_POINT = 70.0, 205.0
_SATURATION = 1.25
_BAR_MM = 15.0
_PENUMBRA_MM = 0.8
_GLARE_LIGHT = 1.25
_HALO_PX = 1.6


def add_folds(canvas: NDArray[np.float32], count: int, *, px_per_mm: float, rng: np.random.Generator) -> None:
    """Draw folds across the page: a dark line beside a light one, the halves a little unlike; in place.

    Args:
        canvas: (H, W, 3), light passed, 0..1.
    """
    for _ in range(count):
        is_level = bool(rng.uniform() < 0.5)
        length = canvas.shape[0] if is_level else canvas.shape[1]
        at = float(rng.uniform(0.15, 0.85)) * length
        away = (np.arange(length, dtype=np.float32) - at) / (_FOLD_MM * px_per_mm)
        dip = float(rng.uniform(0.12, 0.25)) * np.exp(-0.5 * away**2)
        half = float(rng.uniform(0.0, 0.05)) * (away > 0)
        factor = (1 - dip - half).astype(np.float32)
        canvas *= factor[:, None, None] if is_level else factor[None, :, None]


def let_print_through(
    canvas: NDArray[np.float32],
    strength: float,
    *,
    font: bytes,
    px_per_mm: float,
    rng: np.random.Generator,
) -> None:
    """Let print on the page's other side be seen, mirrored and blurred; in place.

    Args:
        strength: light it takes, 0..1.
    """
    verso = np.ones_like(canvas)
    pitch_px = 8.0 * px_per_mm
    for row in range(int(canvas.shape[0] / pitch_px)):
        print_text(
            verso,
            _VERSO_LINE * 3,
            font=font,
            left_px=float(rng.uniform(-40, 10)) * px_per_mm,
            middle_px=(row + 0.5) * pitch_px,
            height_px=4.5 * px_per_mm,
            transmittance=0.0,
        )
    seen = cv2.GaussianBlur(np.ascontiguousarray(verso[:, ::-1]), (0, 0), 0.12 * px_per_mm)
    canvas *= 1 - strength * (1 - seen)


def stretch_contrast(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what "enhance" makes of a scan: levels stretched, white clipped, colours gaudy."""
    levels = np.clip((np.arange(256) - _BLACK_POINT) / (_WHITE_POINT - _BLACK_POINT), 0, 1)
    stretched = cv2.LUT(page, np.round(255 * levels).astype(np.uint8)).astype(np.float32)
    grey = stretched.mean(2, keepdims=True)
    return np.asarray(np.clip(grey + _SATURATION * (stretched - grey), 0, 255), np.uint8)


def displace_red(picture: NDArray[np.float32], by_px: float) -> NDArray[np.float32]:
    """Return the picture with its red to the right of its blue: black strokes get coloured rims."""
    height, width = picture.shape[:2]
    moved = picture.copy()
    for channel, share in ((0, 0.5), (2, -0.5)):
        matrix = np.array([[1, 0, share * by_px], [0, 1, share * by_px]], np.float64)
        plane = np.ascontiguousarray(picture[..., channel])
        moved[..., channel] = cv2.warpAffine(plane, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return moved


def cast_shadow(
    canvas: NDArray[np.float32], strength: float, *, px_per_mm: float, rng: np.random.Generator
) -> None:
    """Lay the shadows of a window's bars over the page, a centimetre and a half wide; in place.

    Args:
        strength: light lost in the shade, 0..1.
    """
    height, width = canvas.shape[:2]
    slope = float(rng.uniform(-0.5, 0.5))
    rows, columns = (np.arange(side, dtype=np.float32)[None] / px_per_mm for side in (height, width))
    along_mm = rows.T + slope * columns + float(rng.uniform(0, 2 * _BAR_MM))
    within_mm = np.abs(along_mm % (2 * _BAR_MM) - _BAR_MM) - _BAR_MM / 2
    shade = np.clip(within_mm / _PENUMBRA_MM + 0.5, 0, 1)
    canvas *= (1 - strength * shade)[..., None]


def cast_glare(
    canvas: NDArray[np.float32],
    strength: float,
    *,
    boxes_px: Sequence[tuple[int, int, int, int]],
    rng: np.random.Generator,
) -> None:
    """Let a lamp shine back from a part of each box (x, y, w, h) of the page, in place.

    Args:
        strength: 1 washes out everything in the middle of the spot.
    """
    rows, columns = (np.arange(side, dtype=np.float32) for side in canvas.shape[:2])
    for x, y, w, h in boxes_px:
        cx, cy = x + w * float(rng.uniform(0.3, 0.7)), y + h * float(rng.uniform(0.3, 0.7))
        radius = float(rng.uniform(0.22, 0.32)) * min(w, h)
        away = np.hypot(columns[None] - cx, rows[:, None] - cy) / radius
        spot = (strength * np.exp(-(away**4)))[..., None]
        canvas *= 1 - spot
        canvas += _GLARE_LIGHT * spot


def copy_grey(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what a photocopier makes of a page: no colour, more contrast."""
    grey = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)
    return np.asarray(stretch_contrast(np.repeat(grey[..., None], 3, axis=2)), np.uint8)


def sharpen(picture: NDArray[np.float32], amount: float) -> NDArray[np.float32]:
    """Return a picture with its edges overdone, light and dark halos beside them."""
    calm = cv2.GaussianBlur(picture, (0, 0), _HALO_PX)
    return np.asarray(picture + amount * (picture - calm), np.float32)
