"""The visible side of a signature: its widget's place on the page, and what it shows there."""

import pikepdf

from seal_imaging.units import pt_from_mm
from stages.documents import Mark, PageGeometry, SealFace
from stages.pdf.geometry import page_geometry, user_box
from stages.pdf.increment import Increment, ObjGen, reference
from stages.pdf.seal_image import seal_xobject
from stages.pdf.slot_text import text_operators
from stages.pdf.syntax import numbers

INVISIBLE = b"/Rect [0 0 0 0]"
"""A widget without extent shows nothing; Hidden would hide it from PDF/A, too (ISO 19005-2 §6.3.2)."""

_UPRIGHT = {0: b"1 0 0 1 0 0", 90: b"0 1 -1 0 0 0", 180: b"-1 0 0 -1 0 0", 270: b"0 -1 1 0 0 0"}
"""For each /Rotate, the turn that undoes it."""


def place_widget(
    increment: Increment,
    page: pikepdf.Object,
    mark: Mark | None,
    face: SealFace | None,
    geometry: PageGeometry | None = None,
) -> bytes:
    """Put a widget's appearance and return the entries that place it: /Rect and /AP.

    Args:
        mark: where, not a strip; None for an invisible widget.
        face: the seal to show there; None for an empty appearance over a mark already on the page.
        geometry: the page as the mark was planned on it; None for the page as it is.

    Raises:
        InputRefused: the page's boxes make no sense, or the seal image cannot be read.
    """
    if mark is None:
        return INVISIBLE
    geometry = geometry or page_geometry(page)
    appearance = _put_appearance(increment, mark, face, geometry.rotate)
    rect = numbers(*user_box(geometry, (mark.x_mm, mark.y_mm, mark.w_mm, mark.h_mm)))
    return b"/Rect [%s] /AP << /N %s >>" % (rect, reference(appearance))


def _put_appearance(increment: Increment, mark: Mark, face: SealFace | None, rotate: int) -> ObjGen:
    """Put a form as large as the mark, turned so that it stands upright on a turned page.

    A reader fits the turned box into /Rect (ISO 32000-2 §12.5.5, algorithm 8.1), so only the
    direction of the matrix matters.
    """
    box = numbers(pt_from_mm(mark.w_mm), pt_from_mm(mark.h_mm))
    head = b"/Type /XObject /Subtype /Form /BBox [0 0 %s] /Matrix [%s]" % (box, _UPRIGHT[rotate])
    if face is None:
        return increment.add_stream(head + b" /Resources << >>", b"")
    seal = seal_xobject(face)
    picture = (
        b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /Filter /FlateDecode"
        % (
            seal.width_px,
            seal.height_px,
        )
    )
    mask = increment.add_stream(picture + b" /ColorSpace /DeviceGray", seal.alpha)
    image = increment.add_stream(picture + b" /ColorSpace /DeviceRGB /SMask " + reference(mask), seal.rgb)
    # Multiply lets the print below show through the ink, as on paper.
    resources = (
        b" /Resources << /XObject << /Seal %s >>"
        b" /ExtGState << /Ink << /Type /ExtGState /BM /Multiply >> >> >>" % reference(image)
    )
    dx_mm, dy_mm, w_mm, h_mm = seal.box_mm
    place = numbers(
        *(pt_from_mm(length_mm) for length_mm in (w_mm, 0, 0, h_mm, dx_mm, mark.h_mm - dy_mm - h_mm))
    )
    drawn = b"q /Ink gs %s cm /Seal Do Q" % place
    if mark.text:
        down = numbers(pt_from_mm(1), 0, 0, -pt_from_mm(1), 0, pt_from_mm(mark.h_mm))
        colour = numbers(*(value / 255 for value in seal.colour))
        drawn += b"\nq /Ink gs %s rg %s cm\n%sQ" % (colour, down, text_operators(face, mark))
    return increment.add_stream(head + resources, drawn)
