"""Object numbers that a file points at and has no object for: nothing new may be given one of them."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pikepdf

MAX_AWAITED = 100_000
WINDOW_BYTES = 1 << 20
HEAD_BYTES = 4096
"""How far before its /Type an object stream may begin."""

_DIGITS = 10
_REFERENCE, _PACKED = b" 0 R", b"/ObjStm"
_NUMBER = re.compile(rb"(\d{1,10})\Z")
_OBJECT = re.compile(rb"(\d{1,10})\s+0\s+obj\b")


def awaited_numbers(pdf: pikepdf.Pdf, path: Path, *, first: int) -> frozenset[int]:
    """Return the numbers from `first` on that something in the file refers to (generation 0).

    Such a reference is null (ISO 32000-2 §7.3.10), until an object gets its number: then a page shows what
    it never showed, and whoever signed it before is contradicted. qpdf forgets them when it reads, so
    the bytes are searched; a number too many does no harm, it is only left out.
    """
    found: set[int] = set()
    for window in _windows(path):
        for part in (window, *_packed(pdf, window)):
            found.update(number for number in _numbers(part) if number >= first)
            if len(found) > MAX_AWAITED:
                return frozenset(sorted(found)[:MAX_AWAITED])
    return frozenset(found)


def _windows(path: Path) -> Iterator[bytes]:
    """Yield a file in pieces; each begins with the end of the one before, so that nothing is cut in two."""
    end = b""
    with path.open("rb", buffering=0) as file:
        while piece := file.read(WINDOW_BYTES):
            window = end + piece
            yield window
            end = window[-HEAD_BYTES:]


def _numbers(data: bytes) -> Iterator[int]:
    at = data.find(_REFERENCE)
    while at >= 0:
        number = _NUMBER.search(data[max(0, at - _DIGITS) : at])
        if number is not None:
            yield int(number.group(1))
        at = data.find(_REFERENCE, at + len(_REFERENCE))


def _packed(pdf: pikepdf.Pdf, data: bytes) -> Iterator[bytes]:
    """Yield what the object streams that begin here unpack to."""
    at = data.find(_PACKED)
    while at >= 0:
        heads = _OBJECT.findall(data[max(0, at - HEAD_BYTES) : at])
        stream = pdf.get_object(int(heads[-1]), 0) if heads else None
        if isinstance(stream, pikepdf.Stream) and stream.get("/Type") == pikepdf.Name.ObjStm:
            with contextlib.suppress(pikepdf.PdfError):  # whoever needs what is in it will say so
                yield bytes(stream.read_bytes())
        at = data.find(_PACKED, at + len(_PACKED))
