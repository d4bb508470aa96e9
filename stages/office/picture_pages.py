"""Lay scanned pictures on pages of their true size; what a JPEG holds goes into the PDF as it is."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Dictionary, Name
from PIL import Image, ImageSequence

from seal_imaging.units import PT_PER_INCH, pt_from_mm
from stages.errors import InputRefused
from stages.pdf.header import hide_library
from stages.pictures import check_pixels, decode_rgb, open_picture, reading

MAX_PICTURE_FRAMES = 500
BELIEVED_DPI = (145.0, 1250.0)
"""Screens write 72, 96, 120 or 144 into what they copy."""
MAX_DPI_SKEW = 1.02
A4_MM = (210.0, 297.0)

_FORMATS = frozenset({"JPEG", "PNG", "TIFF"})
_UPRIGHT = {1: 0, 3: 180, 6: 90, 8: 270}
"""EXIF orientation to /Rotate, clockwise; what is mirrored (2, 4, 5, 7) is decoded instead."""
_EXIF_ORIENTATION = 0x0112
_JPEG_SPACES = {"L": Name.DeviceGray, "RGB": Name.DeviceRGB}


@dataclass(frozen=True)
class _Sheet:
    """One picture, ready to be laid on a page.

    Attributes:
        rotate: /Rotate of its page.
        dpi: None when the file does not say, or says what cannot be.
    """

    data: bytes
    entries: dict[str, Any]
    width_px: int
    height_px: int
    rotate: int
    dpi: float | None


def pdf_of_picture(source: Path, target: Path, *, name: str) -> tuple[int, int]:
    """Write a PDF with a page for each picture of a JPEG, PNG or TIFF file.

    A picture that states its resolution gets a page of its true size, another one an A4 page.

    Returns:
        How many pages there are, and how many of them had no resolution to go by.

    Raises:
        InputRefused: damaged, too many pixels, or more than MAX_PICTURE_FRAMES pictures.
    """
    without_dpi = 0
    with pikepdf.new() as pdf:
        for sheet in _sheets(source, name=name):
            _add_page(pdf, sheet)
            without_dpi += sheet.dpi is None
        pages = len(pdf.pages)
        pdf.save(target, deterministic_id=True)
    hide_library(target)
    return pages, without_dpi


def _sheets(source: Path, *, name: str) -> Iterator[_Sheet]:
    with source.open("rb") as file:
        picture = open_picture(file, name=name, formats=_FORMATS)
        frames = getattr(picture, "n_frames", 1)
        if frames > MAX_PICTURE_FRAMES:
            raise InputRefused(
                f"{name}: {frames} pictures in one file, the limit is {MAX_PICTURE_FRAMES}; split it",
                zh=f"{name}：一个文件内有 {frames} 页图像，超过上限 {MAX_PICTURE_FRAMES}，请拆分",
            )
        if picture.format == "JPEG":
            yield _jpeg(source, picture, name=name)
            return
        with reading(name):
            for frame in ImageSequence.Iterator(picture):
                check_pixels(frame.size, name=name)
                yield _decoded(frame, name=name)


def _jpeg(source: Path, picture: Image.Image, *, name: str) -> _Sheet:
    orientation = int(picture.getexif().get(_EXIF_ORIENTATION, 1) or 1)
    if picture.mode not in _JPEG_SPACES or orientation not in _UPRIGHT:
        return _decoded(picture, name=name)
    with reading(name):
        picture.load()  # a JPEG that is cut short is refused now, not when somebody prints it
    entries = {
        "ColorSpace": _JPEG_SPACES[picture.mode],
        "BitsPerComponent": 8,
        "Filter": Name.DCTDecode,
    }
    size = picture.size
    return _Sheet(source.read_bytes(), entries, *size, _UPRIGHT[orientation], _believed_dpi(picture))


def _decoded(picture: Image.Image, *, name: str) -> _Sheet:
    dpi = _believed_dpi(picture)
    if picture.mode == "1":
        with reading(name):
            packed, size = picture.tobytes(), picture.size
        space, bits = Name.DeviceGray, 1
    else:
        pixels = decode_rgb(picture, name=name)
        size = (pixels.shape[1], pixels.shape[0])
        is_grey = picture.mode in ("L", "I;16", "I;16B", "I")
        packed = (pixels[:, :, 0] if is_grey else pixels).tobytes()
        space, bits = (Name.DeviceGray if is_grey else Name.DeviceRGB), 8
    entries = {"ColorSpace": space, "BitsPerComponent": bits, "Filter": Name.FlateDecode}
    return _Sheet(zlib.compress(packed, 6), entries, *size, 0, dpi)


def _believed_dpi(picture: Image.Image) -> float | None:
    stated = picture.info.get("dpi")
    try:
        across, down = (float(value) for value in stated) if stated is not None else (0.0, 0.0)
    except (TypeError, ValueError):
        return None
    low, high = min(across, down), max(across, down)
    if not BELIEVED_DPI[0] <= low <= high <= BELIEVED_DPI[1] or high > low * MAX_DPI_SKEW:
        return None
    return (low + high) / 2


def _add_page(pdf: pikepdf.Pdf, sheet: _Sheet) -> None:
    image = pdf.make_stream(
        sheet.data,
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=sheet.width_px,
        Height=sheet.height_px,
        **sheet.entries,
    )
    if sheet.dpi is not None:
        width, height = (side * PT_PER_INCH / sheet.dpi for side in (sheet.width_px, sheet.height_px))
        page_width, page_height = width, height
    else:
        short, long = (pt_from_mm(side) for side in A4_MM)
        is_wide = sheet.width_px > sheet.height_px
        page_width, page_height = (long, short) if is_wide else (short, long)
        scale = min(page_width / sheet.width_px, page_height / sheet.height_px)
        width, height = sheet.width_px * scale, sheet.height_px * scale
    x, y = (page_width - width) / 2, (page_height - height) / 2
    content = f"q {width:.4f} 0 0 {height:.4f} {x:.4f} {y:.4f} cm /Im0 Do Q"
    page = pdf.add_blank_page(page_size=(page_width, page_height))
    page.obj.Resources = Dictionary(XObject=Dictionary(Im0=image))
    page.obj.Contents = pdf.make_stream(content.encode())
    if sheet.rotate:
        page.obj.Rotate = sheet.rotate
