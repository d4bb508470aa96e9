"""Completes a stamped file for looking at it: a mark that only the signature will show is put there."""

import pikepdf

from stages.documents import StampedDocument
from stages.pdf.base import open_base
from stages.pdf.increment import Increment, append_increment, array_with, dictionary_with, reference
from stages.pdf.structure import page_at
from stages.pdf.widget import place_widget


def preview(stamped: StampedDocument) -> None:
    """Append the signature's widget without a signature, in place, where it would show a seal of its own.

    The file is for looking at only: it is never signed and never kept.

    Raises:
        InputRefused: the file cannot be appended to.
    """
    mark = stamped.widget_mark
    if stamped.widget_face is None or mark is None:
        return
    with open_base(stamped.path) as base:
        increment = Increment(base)
        page = page_at(base.pdf, mark.page_index)
        place = place_widget(increment, page, mark, stamped.widget_face)
        widget = increment.add(
            b"<< /Type /Annot /Subtype /Stamp /F 4 /P %s %s >>" % (reference(page.objgen), place)
        )
        annotations = page.get("/Annots")
        present = annotations if isinstance(annotations, pikepdf.Array) else None
        longer = array_with(present, [reference(widget)])
        increment.put(page.objgen, dictionary_with(page, {"/Annots": longer}))
        rendered = increment.render()
    append_increment(stamped.path, stamped.path, rendered.data, base_size_bytes=rendered.base_size_bytes)
