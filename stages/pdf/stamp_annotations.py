"""Stamp annotations that carry marks where page content may no longer change, and a page's list of them."""

from collections.abc import Sequence

import pikepdf

from stages.documents import Mark, PageGeometry
from stages.pdf.drawing import Palette, marks_box, put_appearance
from stages.pdf.increment import Increment, ObjGen, array_with, dictionary_with, reference
from stages.pdf.syntax import numbers

PRINT, READ_ONLY, LOCKED, LOCKED_CONTENTS = 4, 64, 128, 512
"""Annotation flags (ISO 32000-2 Table 167)."""


def put_stamps(palette: Palette, page: pikepdf.Object, geometry: PageGeometry, marks: Sequence[Mark]) -> None:
    """Add a locked stamp annotation for each mark to a page (ISO 32000-2 §12.5.6.12)."""
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
    add_annotations(palette.increment, page, added)


def add_annotations(increment: Increment, page: pikepdf.Object, added: Sequence[ObjGen]) -> None:
    """Append annotations to a page's /Annots, rewriting the smallest object that holds it."""
    annotations = page.get("/Annots")
    present = annotations if isinstance(annotations, pikepdf.Array) else None
    longer = array_with(present, [reference(objgen) for objgen in added])
    if present is not None and present.is_indirect:
        increment.put(present.objgen, longer)
    else:
        increment.put(page.objgen, dictionary_with(page, {"/Annots": longer}))
