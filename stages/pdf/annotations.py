"""What lies over a PDF's pages: comments, marks for redaction, media, what is hidden or not printed."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pikepdf

from stages.documents import Finding
from stages.pdf.actions import Actions
from stages.pdf.attachments import Attachments
from stages.pdf.sayings import page_numbers, say
from stages.pdf.syntax import name_text

MAX_ANNOTATIONS = 50_000
"""Annotations looked at in a file."""

_HIDDEN, _PRINT, _NO_VIEW = 1 << 1, 1 << 2, 1 << 5
"""ISO 32000-2 Table 167."""
_COMMENTS = frozenset({"Text", "Highlight", "Underline", "Squiggly", "StrikeOut", "Caret"})
_MEDIA = frozenset({"RichMedia", "3D", "Movie", "Sound", "Screen"})
_NEVER_PRINTED = frozenset({"Link", "Popup", "Text", "FileAttachment", *_MEDIA})
_COUNTED = ("annotations-hidden", "annotations-not-printed", "comments", "redactions-not-applied")


@dataclass
class Annotations:
    """What the annotations of the pages looked at so far are."""

    actions: Actions
    attachments: Attachments
    pages: dict[str, list[int]] = field(default_factory=dict)
    left: int = field(default_factory=lambda: MAX_ANNOTATIONS)

    def look(self, page: pikepdf.Object, page_index: int) -> None:
        """Take in the annotations of one page."""
        annotations = page.get("/Annots")
        if not isinstance(annotations, pikepdf.Array):
            return
        for annotation in annotations:
            if self.left <= 0:
                return
            self.left -= 1
            if isinstance(annotation, pikepdf.Dictionary):
                self._look_at(annotation, page_index)

    def findings(self) -> Iterator[Finding]:
        """Yield what is to be said of the annotations taken in."""
        for code in _COUNTED:
            pages = self.pages.get(code)
            if pages:
                yield say(code, count=len(pages), pages=page_numbers(pages))

    def _look_at(self, annotation: pikepdf.Object, page_index: int) -> None:
        kind = name_text(annotation.get("/Subtype"))
        self.actions.look(annotation, page_index)
        if kind in _MEDIA:
            self.actions.note("multimedia", page_index)
        elif kind == "FileAttachment":
            self.attachments.add(annotation.get("/FS"))
        elif kind in _COMMENTS:
            self._count("comments", page_index)
        elif kind == "Redact":
            self._count("redactions-not-applied", page_index)
        if kind == "Popup" or _is_signature(annotation):
            return
        flags = annotation.get("/F", 0)
        flags = flags if isinstance(flags, int) else 0
        if flags & (_HIDDEN | _NO_VIEW):
            self._count("annotations-hidden", page_index)
        elif not flags & _PRINT and kind not in _NEVER_PRINTED:
            self._count("annotations-not-printed", page_index)

    def _count(self, code: str, page_index: int) -> None:
        self.pages.setdefault(code, []).append(page_index)


def _is_signature(annotation: pikepdf.Object) -> bool:
    kind = annotation.get("/FT")
    above = annotation.get("/Parent")
    if kind is None and isinstance(above, pikepdf.Dictionary):
        kind = above.get("/FT")
    return kind == pikepdf.Name.Sig
