"""Stamp annotations that carry marks where page content may no longer change, and a page's list of them."""

from collections import Counter
from collections.abc import Iterable, Sequence

import pikepdf

from stages.documents import Mark, PageGeometry
from stages.pdf.drawing import Palette, marks_box, put_appearance
from stages.pdf.increment import Increment, ObjGen, array_with, dictionary_with, reference
from stages.pdf.syntax import numbers

PRINT, READ_ONLY, LOCKED, LOCKED_CONTENTS = 4, 64, 128, 512
"""Annotation flags (ISO 32000-2 Table 167)."""


def shared_arrays(pages: Iterable[pikepdf.Object]) -> frozenset[ObjGen]:
    """Return the /Annots arrays that several pages have in common, as some programs write an empty one.

    One of theirs must not grow: what is added would lie on all of these pages.
    """
    arrays = (page.get("/Annots") for page in pages)
    counts = Counter(
        array.objgen for array in arrays if isinstance(array, pikepdf.Array) and array.is_indirect
    )
    return frozenset(objgen for objgen, count in counts.items() if count > 1)


def put_stamps(
    palette: Palette,
    page: pikepdf.Object,
    geometry: PageGeometry,
    marks: Sequence[Mark],
    shared: frozenset[ObjGen],
) -> None:
    """Add a locked stamp annotation for each mark to a page (ISO 32000-2 §12.5.6.12).

    Args:
        shared: arrays that must not grow (see shared_arrays).
    """
    flags = PRINT | READ_ONLY | LOCKED | LOCKED_CONTENTS
    added = []
    for mark in marks:
        rect = numbers(*marks_box(geometry, [mark]))
        appearance = put_appearance(palette, geometry, [mark], rect)
        body = b"<< /Type /Annot /Subtype /Stamp /Rect [%s] /F %d /P %s /AP << /N %s >> >>" % (
            rect,
            flags,
            reference(page.objgen),
            reference(appearance),
        )
        added.append(palette.increment.add(body))
    add_annotations(palette.increment, page, added, shared)


def add_annotations(
    increment: Increment, page: pikepdf.Object, added: Sequence[ObjGen], shared: frozenset[ObjGen]
) -> None:
    """Append annotations to a page's /Annots, rewriting the smallest object that holds it.

    Args:
        shared: arrays that must not grow (see shared_arrays).
    """
    annotations = page.get("/Annots")
    present = annotations if isinstance(annotations, pikepdf.Array) else None
    longer = array_with(present, [reference(objgen) for objgen in added])
    if present is not None and present.is_indirect and present.objgen not in shared:
        increment.put(present.objgen, longer)
    else:
        increment.put(page.objgen, dictionary_with(page, {"/Annots": longer}))
