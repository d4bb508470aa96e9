"""How many `q` and `Q` a page's content leaves open, so that what is drawn after it starts clean."""

import re
import zlib
from dataclasses import dataclass

import pikepdf

MAX_CONTENT_BYTES = 64 << 20
"""Decoded content looked at on a page; the rest is taken as balanced."""
MAX_OPAQUE_BYTES = 4 << 20
"""Encoded size up to which content in other filters than Flate is decoded."""
MAX_DEPTH = 512
"""Unclosed saves that are closed; readers give up at 28 to a few hundred."""

_TOKENS = re.compile(
    rb"\((?:[^()\\]|\\.|\((?:[^()\\]|\\.|\([^()]*\))*\))*\)"  # strings, brackets in them up to three deep
    rb"|<[0-9A-Fa-f\s]*>"
    rb"|%[^\r\n]*"
    rb"|(?<![^\s>\])])BI\b.*?\sID\s.*?\sEI(?=\s|$)"
    rb"|(?<![^\s>\])}])([qQ])(?=[\s\[(</%]|$)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Balance:
    """What to write around a page's content.

    Attributes:
        before: `q` to write before it: one, and one for each `Q` too many in it.
        after: `Q` to write after it, so that the page's first state is back.
    """

    before: int = 1
    after: int = 1

    @property
    def opening(self) -> bytes:
        """Return the content that stands before."""
        return b"q " * self.before + b"\n"

    @property
    def closing(self) -> bytes:
        """Return the content that stands after."""
        return b"\n" + b"Q " * self.after + b"\n"


def content_balance(contents: list[pikepdf.Object]) -> Balance:
    """Return what must stand around content streams that are read as one (ISO 32000-2 §7.8.2)."""
    data = b"\n".join(_decoded(stream) for stream in contents)
    if b"q" not in data and b"Q" not in data:
        return Balance()
    depth = lowest = 0
    for match in _TOKENS.finditer(data):
        operator = match.group(1)
        if operator == b"q":
            depth += 1
        elif operator == b"Q":
            depth -= 1
            lowest = min(lowest, depth)
    before = 1 + min(-lowest, MAX_DEPTH)
    return Balance(before, max(1, min(before + depth, MAX_DEPTH)))


def _decoded(stream: pikepdf.Object) -> bytes:
    """Return a content stream's bytes; empty when it cannot or should not be decoded."""
    try:
        raw = bytes(stream.read_raw_bytes())
        filters = stream.get("/Filter")
        if filters is None:
            return raw[:MAX_CONTENT_BYTES]
        if isinstance(filters, pikepdf.Array) and len(filters) == 1:
            filters = filters[0]
        if filters == pikepdf.Name.FlateDecode and "/DecodeParms" not in stream:
            return zlib.decompressobj().decompress(raw, MAX_CONTENT_BYTES)
        return bytes(stream.read_bytes()) if len(raw) <= MAX_OPAQUE_BYTES else b""
    except (pikepdf.PdfError, pikepdf.DataDecodingError, zlib.error, RuntimeError):
        return b""
