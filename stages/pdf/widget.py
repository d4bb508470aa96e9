"""The visible side of a signature: its widget's place on the page, and what it shows there."""

from collections.abc import Sequence

from stages.documents import Mark, PageGeometry, SealFace
from stages.pdf.drawing import marks_box, put_appearance, put_palette
from stages.pdf.increment import Increment, reference
from stages.pdf.syntax import numbers

INVISIBLE = b"/Rect [0 0 0 0]"
"""A widget without extent shows nothing; Hidden would hide it from PDF/A, too (ISO 19005-2 §6.3.2)."""


def place_widget(
    increment: Increment,
    geometry: PageGeometry,
    over: Mark | None,
    shown: Sequence[Mark],
    faces: Sequence[SealFace],
) -> bytes:
    """Put a widget's appearance and return the entries that place it: /Rect and /AP.

    Args:
        geometry: the page as the marks were planned on it.
        over: the mark that a widget lies over which shows nothing itself; None for an invisible widget.
        shown: marks of this page that the widget shows; its box is the box around them.
        faces: their seals.

    Raises:
        InputRefused: a seal's picture cannot be read.
    """
    marks = [*shown] or ([over] if over is not None else [])
    if not marks:
        return INVISIBLE
    rect = numbers(*marks_box(geometry, marks))
    return b"/Rect [%s] /AP %s" % (rect, put_widget_appearance(increment, geometry, shown, faces, rect))


def put_widget_appearance(
    increment: Increment,
    geometry: PageGeometry,
    shown: Sequence[Mark],
    faces: Sequence[SealFace],
    rect: bytes,
) -> bytes:
    """Put the appearance of a widget with this /Rect, empty when it shows no mark, and return the
    value of its /AP.
    """
    if not shown:
        head = b"/Type /XObject /Subtype /Form /BBox [%s] /Resources << >>" % rect
        return b"<< /N %s >>" % reference(increment.add_stream(head, b""))
    by_name = {face.name: face for face in faces}
    palette = put_palette(increment, by_name, [mark.seal for mark in shown])
    form = put_appearance(palette, geometry, shown, rect)
    return b"<< /N %s >>" % reference(form)
