"""The operators that draw marks in a page's user space, and the objects they draw with."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

import pikepdf

from stages.documents import Mark, PageGeometry, SealFace
from stages.pdf.geometry import (
    Box,
    Matrix,
    image_matrix,
    mark_space,
    moved,
    transformed,
    turned_box,
    user_box,
)
from stages.pdf.increment import Increment, ObjGen, reference
from stages.pdf.seal_image import SealXObject, seal_xobject
from stages.pdf.slot_text import text_operators
from stages.pdf.syntax import name_token, numbers

IMAGE, STATE = "/Im", "/GS"
"""What most programs call images and graphics states: a name of our own would mark every bid stamped here,
and files of competing bidders with a trace in common count as collusion."""
MULTIPLY = b"<< /Type /ExtGState /BM /Multiply /ca 1 /SMask /None >>"
"""Black text shows through the ink, as on paper; what the page's own content left set is undone."""


@dataclass
class Palette:
    """The seals that one increment draws with, each put into it once however many marks show it.

    Attributes:
        images: the image object of each seal, by the seal's name.
        state: the graphics state that lets black text show through.
    """

    increment: Increment
    faces: Mapping[str, SealFace]
    seals: dict[str, SealXObject] = field(default_factory=dict)
    images: dict[str, ObjGen] = field(default_factory=dict)
    state: ObjGen = (0, 0)


def put_palette(increment: Increment, faces: Mapping[str, SealFace], names: Iterable[str]) -> Palette:
    """Put the images of the named seals, and the graphics state, into an increment.

    Raises:
        InputRefused: a seal's picture is not usable (see seal_xobject).
    """
    palette = Palette(increment, faces)
    for name in dict.fromkeys(names):
        seal = palette.seals[name] = seal_xobject(faces[name])
        size = b"/Type /XObject /Subtype /Image /Width %d /Height %d" % (seal.width_px, seal.height_px)
        size += b" /BitsPerComponent 8 /Filter /FlateDecode"
        mask = increment.add_stream(size + b" /ColorSpace /DeviceGray", seal.alpha)
        image = size + b" /ColorSpace /DeviceRGB /SMask " + reference(mask)
        palette.images[name] = increment.add_stream(image, seal.rgb)
    palette.state = increment.add(MULTIPLY)
    return palette


def free_names(dictionary: pikepdf.Object | None, stem: str) -> Iterator[str]:
    """Yield the names `/Im0`, `/Im1`, … that a resource dictionary does not use yet."""
    return (f"{stem}{n}" for n in count() if dictionary is None or f"{stem}{n}" not in dictionary)


def marks_operators(
    palette: Palette, geometry: PageGeometry, marks: Sequence[Mark], names: Mapping[str, str]
) -> bytes:
    """Return operators that draw marks in a page's user space, then their texts.

    Args:
        names: what the resources call each seal, and, under "", the graphics state.
    """
    drawn = [_seal(palette, geometry, mark, names) for mark in marks]
    drawn += [_text(palette, geometry, mark, names) for mark in marks if mark.text]
    return b"".join(drawn)


def marks_box(geometry: PageGeometry, marks: Sequence[Mark]) -> Box:
    """Return x0, y0, x1, y1 in user space of the box around marks, turned as they are."""
    boxes = [user_box(geometry, turned_box(mark)) for mark in marks]
    low = [min(box[index] for box in boxes) for index in (0, 1)]
    high = [max(box[index] for box in boxes) for index in (2, 3)]
    return low[0], low[1], high[0], high[1]


def put_appearance(palette: Palette, geometry: PageGeometry, marks: Sequence[Mark], rect: bytes) -> ObjGen:
    """Put a form that shows marks in an annotation's /Rect, and return it.

    Its box is the very /Rect, so that what a reader does to fit the one into the other (ISO 32000-2
    §12.5.5, algorithm 8.1) is nothing, however the page is turned: user space is drawn in as on the page.
    """
    names = dict(zip(palette.images, free_names(None, IMAGE), strict=False))
    names[""] = next(free_names(None, STATE))
    shown = dict.fromkeys(mark.seal for mark in marks)
    images = b" ".join(name_token(names[seal]) + b" " + reference(palette.images[seal]) for seal in shown)
    head = b"/Type /XObject /Subtype /Form /BBox [%s] /Resources << /XObject << %s >>" % (rect, images)
    head += b" /ExtGState << %s %s >> >>" % (name_token(names[""]), reference(palette.state))
    return palette.increment.add_stream(head, marks_operators(palette, geometry, marks, names))


def _seal(palette: Palette, geometry: PageGeometry, mark: Mark, names: Mapping[str, str]) -> bytes:
    """Return the operators that draw one mark; a strip is the whole seal seen through its own box."""
    space = mark_space(geometry, mark)
    dx, dy, w, h = palette.seals[mark.seal].box_mm
    clip = b""
    x, y = mark.x_mm, mark.y_mm
    if mark.strip is not None:
        share = mark.strip.end - mark.strip.start
        if mark.strip.side in ("left", "right"):
            x -= mark.strip.start * mark.w_mm / share
        else:
            y -= mark.strip.start * mark.h_mm / share
        clip = _window(space, (mark.x_mm, mark.y_mm, mark.w_mm, mark.h_mm))
    return b"q %s gs %s%s cm %s Do Q\n" % (
        name_token(names[""]),
        clip,
        numbers(*image_matrix(space, (x + dx, y + dy, w, h))),
        name_token(names[mark.seal]),
    )


def _window(space: Matrix, box_mm: Box) -> bytes:
    """Return the operators that let only what lies in a box of a space be seen."""
    x, y, w, h = box_mm
    corners = [transformed(space, *corner) for corner in ((x, y), (x + w, y), (x + w, y + h), (x, y + h))]
    (ax, ay), (bx, by), (cx, cy), _ = corners
    if (ax == bx or ay == by) and (bx == cx or by == cy):
        return numbers(min(ax, cx), min(ay, cy), abs(cx - ax), abs(cy - ay)) + b" re W n "
    path = b" ".join(numbers(*corner) + (b" l" if index else b" m") for index, corner in enumerate(corners))
    return path + b" h W n "


def _text(palette: Palette, geometry: PageGeometry, mark: Mark, names: Mapping[str, str]) -> bytes:
    """Return the operators that draw the texts set in a mark, in the seal's own colour."""
    return b"q %s gs %s rg %s cm\n%sQ\n" % (
        name_token(names[""]),
        numbers(*(value / 255 for value in palette.seals[mark.seal].colour)),
        numbers(*moved(mark_space(geometry, mark), mark.x_mm, mark.y_mm)),
        text_operators(palette.faces[mark.seal], mark),
    )
