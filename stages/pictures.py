"""Opens untrusted picture files, with every limit checked before a pixel is decoded."""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from seal_imaging.impression import RgbImage
from stages.errors import InputRefused

MAX_PICTURE_PIXELS = 80_000_000
"""A3 at 600 dpi is 70 million."""
MAX_ICC_BYTES = 8 * 1024 * 1024

_MAGICS: tuple[tuple[bytes, str, type[ImageFile]], ...] = (
    (b"\xff\xd8\xff", "JPEG", JpegImageFile),
    (b"\x89PNG\r\n\x1a\n", "PNG", PngImageFile),
    (b"II*\x00", "TIFF", TiffImageFile),
    (b"MM\x00*", "TIFF", TiffImageFile),
    (b"GIF8", "GIF", GifImageFile),
    (b"BM", "BMP", BmpImageFile),
)
MAGIC_BYTES = 8

_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What Pillow's decoders are known to raise on damaged files."""


def picture_format(head: bytes) -> str:
    """Return JPEG, PNG, TIFF, GIF or BMP for a file's first bytes, empty for anything else."""
    return next((name for magic, name, _ in _MAGICS if head.startswith(magic)), "")


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what a decoder raises inside the block into InputRefused.

    Args:
        name: the file, for the message.

    Raises:
        InputRefused: the picture is damaged, or needs more memory than there is.
    """
    try:
        yield
    except MemoryError as error:
        raise InputRefused(
            f"{name}: too large for this machine's memory; scan at a lower resolution",
            zh=f"{name}：图像太大，内存不足；请降低扫描分辨率。",
        ) from error
    except _FAULTS as error:
        raise InputRefused(
            f"{name}: the file is damaged or cut short ({type(error).__name__}); scan or send it again",
            zh=f"{name}：文件已损坏或不完整，请重新扫描或重新上传。",
        ) from error


_OTHERS: tuple[tuple[int, bytes, str, str], ...] = (
    (4, b"ftypheic", "a HEIC photo", "HEIC 照片"),
    (4, b"ftypheix", "a HEIC photo", "HEIC 照片"),
    (4, b"ftypmif1", "a HEIF photo", "HEIF 照片"),
    (4, b"ftypavif", "an AVIF picture", "AVIF 图像"),
    (8, b"WEBP", "a WebP picture", "WebP 图像"),
    (4, b"jP  \r\n\x87\n", "a JPEG 2000 picture", "JPEG 2000 图像"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture", "JPEG 2000 图像"),
    (0, b"GIF8", "a GIF picture", "GIF 图像"),
    (0, b"BM", "a BMP picture", "BMP 图像"),
    (0, b"PK\x03\x04", "a zip archive or an office document", "zip 压缩包或 Office 文档"),
    (0, b"Rar!", "a rar archive", "rar 压缩包"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z 压缩包"),
    (0, b"\xd0\xcf\x11\xe0", "an old office document", "旧版 Office 文档"),
)
"""What people send instead of a scan: offset, first bytes, what it is."""


def name_other_format(head: bytes) -> tuple[str, str] | None:
    """Return what a file is, in English and Chinese, that is not read here but well known."""
    for offset, magic, english, chinese in _OTHERS:
        if head[offset : offset + len(magic)] == magic:
            return english, chinese
    return None


def open_picture(
    source: BinaryIO, *, name: str, formats: frozenset[str], max_pixels: int = MAX_PICTURE_PIXELS
) -> ImageFile:
    """Read a picture's header; no pixel is decoded yet.

    Pillow's plug-ins are called directly, so that only the wanted formats are ever parsed and the
    limit is ours, not a warning on stderr.

    Args:
        formats: names as `picture_format` gives them.

    Raises:
        InputRefused: another format, damaged, or more than `max_pixels`.
    """
    head = source.read(MAGIC_BYTES)
    source.seek(0)
    found = picture_format(head)
    if found not in formats:
        wanted = ", ".join(sorted(formats))
        raise InputRefused(
            f"{name}: not a picture of a known kind; give {wanted}",
            zh=f"{name}：不是可识别的图像，请提供 {wanted} 文件。",
        )
    plugin = next(plugin for _, name_, plugin in _MAGICS if name_ == found)
    with reading(name):
        picture = plugin(source)
    check_pixels(picture.size, name=name, max_pixels=max_pixels)
    return picture


def open_picture_bytes(data: bytes, *, name: str, formats: frozenset[str], max_pixels: int) -> ImageFile:
    """Read the header of a picture held in memory; see `open_picture`.

    Raises:
        InputRefused: another format, damaged, or more than `max_pixels`.
    """
    return open_picture(io.BytesIO(data), name=name, formats=formats, max_pixels=max_pixels)


def check_pixels(size_px: tuple[int, int], *, name: str, max_pixels: int = MAX_PICTURE_PIXELS) -> None:
    """Check a picture's size, w and h, before it is decoded.

    Raises:
        InputRefused: empty, or more than `max_pixels`.
    """
    width, height = size_px
    if width < 1 or height < 1 or width * height > max_pixels:
        raise InputRefused(
            f"{name}: {width} x {height} px, the limit is {max_pixels} pixels; scan at 300 dpi",
            zh=f"{name}：图像 {width}×{height} 像素，超过上限 {max_pixels} 像素；请用 300 dpi 扫描。",
        )


def decode_rgb(picture: Image.Image, *, name: str) -> RgbImage:
    """Decode a picture to upright sRGB: rotated as EXIF says, transparency laid on white.

    16-bit grey keeps its high byte. Colours go through the profile in the file when there is one.

    Raises:
        InputRefused: damaged, cut short, or pixels of a kind nobody scans (floating point).
    """
    with reading(name):
        picture.load()
        picture = ImageOps.exif_transpose(picture)
        if picture.mode.startswith("I"):
            return _grey_as_rgb(np.asarray(picture))
        if picture.mode == "F":
            raise InputRefused(
                f"{name}: floating-point pixels; save it as 8-bit colour",
                zh=f"{name}：浮点像素图像，请另存为 8 位彩色图像。",
            )
        if picture.mode == "CMYK" or (picture.mode == "RGB" and "icc_profile" in picture.info):
            picture = _through_profile(picture)
        elif picture.has_transparency_data:
            picture = _on_white(picture.convert("RGBA"))
        elif picture.mode != "RGB":
            picture = picture.convert("RGB")
        return np.asarray(picture, dtype=np.uint8)


def _grey_as_rgb(grey: NDArray[np.generic]) -> RgbImage:
    wide = grey.astype(np.int64)
    byte = np.clip(wide >> 8 if wide.max(initial=0) > 255 else wide, 0, 255).astype(np.uint8)
    return np.repeat(byte[:, :, np.newaxis], 3, axis=2)


def _on_white(picture: Image.Image) -> Image.Image:
    paper = Image.new("RGB", picture.size, "white")
    paper.paste(picture, mask=picture.getchannel("A"))
    return paper


def _through_profile(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if isinstance(profile, bytes) and len(profile) <= MAX_ICC_BYTES:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            converted = None  # a damaged profile, or one of another colour space
        if converted is not None:
            return converted
    return picture.convert("RGB")
