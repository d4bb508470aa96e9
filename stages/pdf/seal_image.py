"""A seal as PDF carries it: cut to its ink box, a colour plane with a soft mask, deflated once."""

import hashlib
import threading
import zlib
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, UnidentifiedImageError

from seal_imaging.units import CANVAS_MM, SEAL_PX_PER_MM
from stages.documents import SealFace
from stages.errors import InputRefused
from stages.pdf.geometry import Box

MAX_IMAGE_BYTES = 16 << 20
MAX_CACHED_SEALS = 64
DEFLATE_LEVEL = 6
"""Level 9 saves one byte in a hundred and takes five times as long."""
CANVAS_PX = round(CANVAS_MM * SEAL_PX_PER_MM)

_cache: dict[tuple[str, Box], "SealXObject"] = {}
_cache_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class SealXObject:
    """The two image streams of a seal, both with /FlateDecode.

    Attributes:
        width_px, height_px: of both.
        rgb, alpha: 8 bits a component, DeviceRGB and DeviceGray.
        box_mm: x, y, w, h of the picture relative to the ink box's top left corner; whole pixels may
            reach a little over it.
        colour: R, G, B of the ink, 0..255; text set in the seal has it too.
    """

    width_px: int
    height_px: int
    rgb: bytes = field(repr=False)
    alpha: bytes = field(repr=False)
    box_mm: Box
    colour: tuple[int, int, int]


def seal_xobject(face: SealFace) -> SealXObject:
    """Return a seal's image streams; the same seal is read and deflated once in a process.

    Raises:
        InputRefused: the picture cannot be read, is not the one its digest names, is no 1400 × 1400 px
            RGBA, or its ink box is empty or leaves the canvas.
    """
    key = (face.image_sha256, face.ink_box_mm)
    with _cache_lock:
        cached = _cache.get(key)
    if cached is not None:
        return cached
    made = _made(face)
    with _cache_lock:
        if len(_cache) >= MAX_CACHED_SEALS:
            _cache.pop(next(iter(_cache)))
        _cache[key] = made
    return made


def _refused(face: SealFace, what: str, zh: str) -> InputRefused:
    return InputRefused(
        f"seal {face.name}: {what}; make the seal again", zh=f"印章“{face.name}”：{zh}，请重新制作印章"
    )


def _read_canvas(face: SealFace) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    try:
        size = face.image_path.stat().st_size
        if size > MAX_IMAGE_BYTES:
            raise _refused(face, f"its picture is over {MAX_IMAGE_BYTES} bytes", "图像文件过大")
        data = face.image_path.read_bytes()
        if hashlib.sha256(data).hexdigest() != face.image_sha256:
            raise _refused(face, "its picture has been changed since it was made", "图像在制作后被改动")
        with Image.open(face.image_path, formats=["PNG"]) as image:
            if image.size != (CANVAS_PX, CANVAS_PX) or image.mode != "RGBA":
                raise _refused(
                    face,
                    f"its picture is {image.size[0]} × {image.size[1]} px {image.mode}, "
                    f"not {CANVAS_PX} × {CANVAS_PX} RGBA",
                    f"图像不是 {CANVAS_PX} × {CANVAS_PX} 的 RGBA",
                )
            return np.asarray(image)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise _refused(face, "its picture cannot be read", "图像无法读取") from error


def ink_pixels(face: SealFace) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Return the whole pixels that hold a seal's ink box, RGBA.

    Raises:
        InputRefused: see `seal_xobject`.
    """
    canvas = _read_canvas(face)
    left, top, right, bottom = _pixel_box(face)
    if not (0 <= left < right <= CANVAS_PX and 0 <= top < bottom <= CANVAS_PX):
        raise _refused(face, "its ink box does not lie on the canvas", "墨迹范围超出画布")
    cut = canvas[top:bottom, left:right]
    if not cut[..., 3].any():
        raise _refused(face, "there is no ink in its ink box", "墨迹范围内没有墨迹")
    return cut


def _pixel_box(face: SealFace) -> tuple[int, int, int, int]:
    x, y, w, h = face.ink_box_mm
    left, top = int(np.floor(x * SEAL_PX_PER_MM + 1e-6)), int(np.floor(y * SEAL_PX_PER_MM + 1e-6))
    right = int(np.ceil((x + w) * SEAL_PX_PER_MM - 1e-6))
    bottom = int(np.ceil((y + h) * SEAL_PX_PER_MM - 1e-6))
    return left, top, right, bottom


def _made(face: SealFace) -> SealXObject:
    cut = ink_pixels(face)
    left, top, right, bottom = _pixel_box(face)
    x, y, _, _ = face.ink_box_mm
    alpha = cut[..., 3]
    colour = np.average(cut[..., :3].reshape(-1, 3), axis=0, weights=alpha.reshape(-1))
    # Where nothing is seen the plane takes the ink's colour: it deflates to nothing, and no fringe shows.
    rgb = np.where(alpha[..., None] > 0, cut[..., :3], np.rint(colour).astype(np.uint8))
    return SealXObject(
        width_px=right - left,
        height_px=bottom - top,
        rgb=zlib.compress(rgb.tobytes(), DEFLATE_LEVEL),
        alpha=zlib.compress(alpha.tobytes(), DEFLATE_LEVEL),
        box_mm=(
            left / SEAL_PX_PER_MM - x,
            top / SEAL_PX_PER_MM - y,
            (right - left) / SEAL_PX_PER_MM,
            (bottom - top) / SEAL_PX_PER_MM,
        ),
        colour=(round(colour[0]), round(colour[1]), round(colour[2])),
    )
