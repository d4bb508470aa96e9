"""The visible side of a signature: its widget's place on the page, and what it shows there."""

import zlib
from functools import lru_cache
from pathlib import Path

import pikepdf
from PIL import Image, UnidentifiedImageError

from seal_imaging.units import CANVAS_MM, SEAL_PX_PER_MM, pt_from_mm
from stages.documents import Mark, SealFace
from stages.errors import InputRefused
from stages.pdf.geometry import page_geometry, user_box
from stages.pdf.increment import Increment, ObjGen, reference
from stages.pdf.syntax import numbers

MAX_SEAL_FILE_BYTES = 32 << 20
SEAL_SIDE_PX = round(CANVAS_MM * SEAL_PX_PER_MM)

INVISIBLE = b"/Rect [0 0 0 0]"
"""A widget without extent shows nothing; Hidden would hide it from PDF/A, too (ISO 19005-2 §6.3.2)."""


def place_widget(
    increment: Increment, page: pikepdf.Object, mark: Mark | None, face: SealFace | None
) -> bytes:
    """Put a widget's appearance and return the entries that place it: /Rect and /AP.

    Args:
        mark: where; None for an invisible widget.
        face: the seal to show there; None for an empty appearance over a mark already on the page.

    Raises:
        InputRefused: the page's boxes make no sense, or the seal image cannot be read.
    """
    if mark is None:
        return INVISIBLE
    geometry = page_geometry(page)
    appearance = _put_appearance(increment, mark, face, geometry.rotate)
    rect = numbers(*user_box(geometry, (mark.x_mm, mark.y_mm, mark.w_mm, mark.h_mm)))
    return b"/Rect [%s] /AP << /N %s >>" % (rect, reference(appearance))


def _put_appearance(increment: Increment, mark: Mark, face: SealFace | None, rotate: int) -> ObjGen:
    """Put a form as large as the mark, turned so that it stands upright on a turned page.

    A reader fits the turned box into /Rect (ISO 32000-2 §12.5.5, algorithm 8.1), so only the
    direction of the matrix matters.
    """
    width_pt, height_pt = pt_from_mm(mark.w_mm), pt_from_mm(mark.h_mm)
    turn = {0: b"1 0 0 1 0 0", 90: b"0 1 -1 0 0 0", 180: b"-1 0 0 -1 0 0", 270: b"0 -1 1 0 0 0"}[rotate]
    entries = b"/Type /XObject /Subtype /Form /BBox [0 0 %s] /Matrix [%s]" % (
        numbers(width_pt, height_pt),
        turn,
    )
    if face is None:
        return increment.add_stream(entries + b" /Resources << >>", b"")
    image = _put_seal(increment, face, mark)
    # Multiply lets the print below show through the ink, as on paper.
    resources = (
        b" /Resources << /XObject << /Seal %s >>"
        b" /ExtGState << /Ink << /Type /ExtGState /BM /Multiply >> >> >>" % reference(image)
    )
    content = b"q /Ink gs %s 0 0 %s 0 0 cm /Seal Do Q" % (numbers(width_pt), numbers(height_pt))
    return increment.add_stream(entries + resources, content)


def _put_seal(increment: Increment, face: SealFace, mark: Mark) -> ObjGen:
    part = (0.0, 0.0, 1.0, 1.0)
    if mark.strip is not None:
        along = (mark.strip.start, mark.strip.end)
        sideways = mark.strip.side in ("left", "right")
        part = (along[0], 0.0, along[1], 1.0) if sideways else (0.0, along[0], 1.0, along[1])
    width_px, height_px, colour, alpha = _planes(face.image_path, face.image_sha256, face.ink_box_mm, part)
    head = b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /Filter /FlateDecode" % (
        width_px,
        height_px,
    )
    mask = increment.add_stream(head + b" /ColorSpace /DeviceGray", alpha)
    return increment.add_stream(head + b" /ColorSpace /DeviceRGB /SMask " + reference(mask), colour)


@lru_cache(maxsize=8)
def _planes(
    path: Path,
    _sha256: str,
    ink_box_mm: tuple[float, float, float, float],
    part: tuple[float, float, float, float],
) -> tuple[int, int, bytes, bytes]:
    """Return width, height, deflated RGB and deflated alpha of the ink on a seal image's canvas.

    Args:
        _sha256: of the file, so that a changed image is read again.
        part: left, top, right, bottom of what is wanted, 0..1 of the ink box.
    """
    x, y, w, h = (length_mm * SEAL_PX_PER_MM for length_mm in ink_box_mm)
    box = (
        round(x + part[0] * w),
        round(y + part[1] * h),
        max(round(x + part[2] * w), round(x + part[0] * w) + 1),
        max(round(y + part[3] * h), round(y + part[1] * h) + 1),
    )
    try:
        if path.stat().st_size > MAX_SEAL_FILE_BYTES:
            raise _unreadable(path)
        with Image.open(path, formats=("PNG",)) as picture:
            if picture.size != (SEAL_SIDE_PX, SEAL_SIDE_PX):
                raise _unreadable(path)
            ink = picture.convert("RGBA").crop(box)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError) as error:
        raise _unreadable(path) from error
    alpha = ink.getchannel("A")
    # What is not seen becomes one colour: the picture shrinks to a tenth.
    seen = alpha.point(lambda value: 255 if value else 0)
    flat = Image.composite(ink.convert("RGB"), Image.new("RGB", ink.size, (255, 255, 255)), seen)
    return ink.width, ink.height, zlib.compress(flat.tobytes(), 9), zlib.compress(alpha.tobytes(), 9)


def _unreadable(path: Path) -> InputRefused:
    return InputRefused(
        f"{path.name}: not a seal image of {SEAL_SIDE_PX} × {SEAL_SIDE_PX} px; make the seal again",
        zh=f"{path.name}：不是 {SEAL_SIDE_PX} × {SEAL_SIDE_PX} 像素的印章图像，请重新制作",
    )
