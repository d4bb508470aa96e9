"""A digest of what decides the picture of a page: its content, resources, boxes, turn and annotations."""

import hashlib
from typing import Any

import pikepdf

from stages.errors import InputRefused
from stages.pdf.structure import inherited

MAX_DEPTH = 60
MAX_STREAM_BYTES = 512 << 20
_LOOKED_AT = ("/MediaBox", "/CropBox", "/Rotate", "/Resources")
_NOT_SEEN = frozenset(
    {"/Parent", "/P", "/Popup", "/StructParent", "/StructParents", "/Length", "/Dest", "/A", "/AA"}
)


class PageDigests:
    """Digests of the pages of one opened file; what pages share is read once."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._known: dict[tuple[int, int], bytes] = {}
        self._pdf = pdf

    def digest(self, page_index: int) -> str:
        """Return a page's digest, SHA-256 in lower-case hex.

        Two pages of one digest look the same. The same page saved by another program may have another.

        Raises:
            InputRefused: there is no such page, or it cannot be read.
        """
        try:
            page = self._pdf.pages[page_index].obj
            parts = [self._of(page.get(key), 0) for key in ("/Contents", "/UserUnit", "/Annots")]
            parts += [self._of(inherited(page, key), 0) for key in _LOOKED_AT]
            optional = self._pdf.Root.get("/OCProperties")
            parts.append(self._of(optional.get("/D"), 0) if isinstance(optional, pikepdf.Dictionary) else b"")
        except (pikepdf.PdfError, RuntimeError, IndexError, ValueError, TypeError) as error:
            raise InputRefused(
                f"page {page_index + 1} cannot be read; export the PDF again",
                zh=f"无法读取第 {page_index + 1} 页，请重新导出 PDF",
            ) from error
        return hashlib.sha256(b"".join(map(_sized, parts))).hexdigest()

    def _of(self, value: Any, depth: int) -> bytes:
        if not isinstance(value, pikepdf.Object):
            return repr(value).encode()
        if depth > MAX_DEPTH:
            return b"deep"
        if value.is_indirect:
            number = value.objgen
            if number not in self._known:
                self._known[number] = b"round"  # stands for itself where it is met within itself
                self._known[number] = hashlib.sha256(self._content(value, depth)).digest()
            return self._known[number]
        return self._content(value, depth)

    def _content(self, value: pikepdf.Object, depth: int) -> bytes:
        if isinstance(value, pikepdf.Stream):
            size = value.get("/Length", 0)
            if isinstance(size, int) and size > MAX_STREAM_BYTES:
                raise ValueError("a stream is over the limit")
            return self._entries(value, depth) + hashlib.sha256(value.read_raw_bytes()).digest()
        if isinstance(value, pikepdf.Dictionary):
            return self._entries(value, depth)
        if isinstance(value, pikepdf.Array):
            return b"[" + b"".join(_sized(self._of(item, depth + 1)) for item in value.as_list()) + b"]"
        return value.unparse()

    def _entries(self, value: pikepdf.Object, depth: int) -> bytes:
        return b"<" + b"".join(
            _sized(key.encode()) + _sized(self._of(value.get(key), depth + 1))
            for key in sorted(value.keys())
            if key not in _NOT_SEEN
        )


def _sized(part: bytes) -> bytes:
    return len(part).to_bytes(8, "big") + part
