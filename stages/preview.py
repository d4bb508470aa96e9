"""Completes a stamped file for looking at it: marks that only the signature will show are put there."""

from stages.documents import StampedDocument
from stages.pdf.base import open_base
from stages.pdf.drawing import put_palette
from stages.pdf.geometry import page_geometry
from stages.pdf.increment import Increment, append_increment
from stages.pdf.stamp_annotations import put_stamps, shared_arrays
from stages.pdf.structure import page_at, walk_pages


def preview(stamped: StampedDocument) -> None:
    """Append what the signature's widget will show, without a signature, in place.

    The file is for looking at only: it is never signed and never kept.

    Raises:
        InputRefused: the file cannot be appended to.
    """
    marks = stamped.widget_marks
    if not marks:
        return
    with open_base(stamped.path) as base:
        increment = Increment(base)
        page = page_at(base.pdf, marks[0].page_index)
        faces = {face.name: face for face in stamped.widget_faces}
        palette = put_palette(increment, faces, [mark.seal for mark in marks])
        put_stamps(
            palette,
            page,
            stamped.widget_page or page_geometry(page),
            marks,
            shared_arrays(walk_pages(base.pdf)),
        )
        rendered = increment.render()
    append_increment(stamped.path, stamped.path, rendered.data, base_size_bytes=rendered.base_size_bytes)
