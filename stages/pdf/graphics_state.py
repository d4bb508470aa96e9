"""What a page's content leaves open, so that what is drawn after it starts clean."""

import re
import zlib
from contextlib import suppress
from dataclasses import dataclass

import pikepdf

MAX_CONTENT_BYTES = 64 << 20
"""Decoded content looked at on a page; the rest is taken as balanced."""
MAX_OPAQUE_BYTES = 4 << 20
"""Encoded size up to which content in other filters than Flate is decoded."""
DAMAGED_STEP_BYTES = 4096
MAX_DEPTH = 512
"""Unclosed saves that are closed; readers give up at 28 to a few hundred."""

_OPERATORS = (b"q", b"Q", b"BT", b"ET", b"BMC", b"BDC", b"EMC")
# Every alternative begins with a letter of its own: so the search runs from one to the next in C.
_TOKENS = re.compile(
    rb"\((?:[^()\\]|\\.|\((?:[^()\\]|\\.|\([^()]*\))*\))*\)"  # strings, brackets in them up to three deep
    rb"|\("  # one that is deeper, or does not end
    rb"|<[0-9A-Fa-f\s]*>"
    rb"|<[0-9A-Fa-f\s]*$"
    rb"|%[^\r\n]*"
    rb"|BI\b(?<![^\s>\])]..).*?\sID\s.*?\sEI(?=\s|$)"
    rb"|BI\b(?<![^\s>\])]..)(?=.*?\sID\s)"
    + b"".join(
        rb"|%s(?<![^\s>\])}]%s)(?=[\s\[(</%%]|$)" % (operator, b"." * len(operator))
        for operator in _OPERATORS
    ),
    re.DOTALL,
)
_BRACKETS = re.compile(rb"\\.|[()]", re.DOTALL)
_NESTED = re.compile(_TOKENS.pattern + rb"|\[|\]|<<|>>", re.DOTALL)
_CLOSES = {b"[": b"]", b"<<": b">>"}


@dataclass(frozen=True)
class Balance:
    """What to write around a page's content.

    Attributes:
        before: `q` to write before it: one, and one for each `Q` too many in it.
        after: `Q` to write after it, so that the page's first state is back.
        unfinished: what ends the string, inline image, arrays and dictionaries in which the content
            breaks off.
        in_text: it ends inside a text object.
        marked: marked-content sequences it leaves open.
        is_damaged: it cannot be decoded to its end: readers show a part, and may stop there.
    """

    before: int = 1
    after: int = 1
    unfinished: bytes = b""
    in_text: bool = False
    marked: int = 0
    is_damaged: bool = False

    @property
    def opening(self) -> bytes:
        """Return the content that stands before."""
        return b"q " * self.before + b"\n"

    @property
    def closing(self) -> bytes:
        """Return the content that stands after; without it, ours would be taken for a part of theirs."""
        ended = self.unfinished + b"\n" if self.unfinished else b""
        ended += b"ET\n" if self.in_text else b""
        return b"\n" + ended + b"EMC " * self.marked + b"Q " * self.after + b"\n"


def content_balance(contents: list[pikepdf.Object]) -> Balance:
    """Return what must stand around content streams that are read as one (ISO 32000-2 §7.8.2)."""
    # Zero is white space here (ISO 32000-2 Table 1), but not to a regular expression.
    decoded = [_decoded(stream) for stream in contents]
    data = b"\n".join(part for part, _ in decoded).replace(b"\0", b" ")
    depth = lowest = marked = position = 0
    in_text, unfinished = False, b""
    while not unfinished and (match := _TOKENS.search(data, position)) is not None:
        position, token = match.end(), match[0]
        if token == b"q":
            depth += 1
        elif token == b"Q":
            depth -= 1
            lowest = min(lowest, depth)
        elif token in (b"BT", b"ET"):
            in_text = token == b"BT"
        elif token in (b"BMC", b"BDC"):
            marked += 1
        elif token == b"EMC":
            marked = max(0, marked - 1)
        elif token == b"(":
            position, unfinished = _string_end(data, position)
        elif token == b"BI":
            unfinished = b"\nEI"
        elif token[:1] == b"<" and token[-1:] != b">":
            unfinished = b">"
    if unfinished or _may_be_nested(data):
        unfinished += _nesting_end(data)
    before = 1 + min(-lowest, MAX_DEPTH)
    after = max(1, min(before + depth, MAX_DEPTH))
    is_damaged = any(is_cut for _, is_cut in decoded)
    return Balance(before, after, unfinished, in_text, min(marked, MAX_DEPTH), is_damaged)


def _string_end(data: bytes, position: int) -> tuple[int, bytes]:
    """Return where a string ends that began before a position, and what must be written to end it."""
    depth = 1
    for match in _BRACKETS.finditer(data, position):
        depth += {b"(": 1, b")": -1}.get(match[0], 0)
        if depth == 0:
            return match.end(), b""
    return len(data), b")" * min(depth, MAX_DEPTH)


def _may_be_nested(data: bytes) -> bool:
    """Tell at little cost whether content may end inside an array or a dictionary."""
    if any(data.count(opens) != data.count(closes) for opens, closes in _CLOSES.items()):
        return True
    last = data.rstrip()[-1:]
    return bool(last) and not (last.isalpha() or last in b"*'\"")  # no operator


def _nesting_end(data: bytes) -> bytes:
    """Return what closes the arrays and dictionaries that content breaks off in.

    Readers take all that follows an open array for its elements.
    """
    nesting: list[bytes] = []
    position = 0
    while (match := _NESTED.search(data, position)) is not None:
        position, token = match.end(), match[0]
        if token in _CLOSES:
            nesting.append(_CLOSES[token])
        elif nesting and token == nesting[-1]:
            nesting.pop()
        elif token == b"(":
            position, _ = _string_end(data, position)
        elif token == b"BI":
            break
    return b"".join(b" " + closes for closes in reversed(nesting[-MAX_DEPTH:]))


def _decoded(stream: pikepdf.Object) -> tuple[bytes, bool]:
    """Return what can be had of a content stream's bytes, and whether the rest is damaged.

    What should not be decoded, for its size, is empty and counts as sound.
    """
    try:
        raw = bytes(stream.read_raw_bytes())
        filters = stream.get("/Filter")
        if filters is None:
            return raw[:MAX_CONTENT_BYTES], False
        if isinstance(filters, pikepdf.Array) and len(filters) == 1:
            filters = filters[0]
        if filters == pikepdf.Name.FlateDecode and "/DecodeParms" not in stream:
            return _inflated(raw)
        return (bytes(stream.read_bytes()), False) if len(raw) <= MAX_OPAQUE_BYTES else (b"", False)
    except (pikepdf.PdfError, pikepdf.DataDecodingError, RuntimeError, UnicodeError):
        return b"", True


def _inflated(raw: bytes) -> tuple[bytes, bool]:
    """Return what can be had of deflated bytes: readers, too, show a damaged stream up to the damage."""
    try:
        return zlib.decompressobj().decompress(raw, MAX_CONTENT_BYTES), False
    except zlib.error as error:
        # With only the checksum at the end wrong, all of it is there.
        return _until_damage(raw)[:MAX_CONTENT_BYTES], "incorrect data check" not in str(error)


def _until_damage(raw: bytes) -> bytes:
    inflater, out = zlib.decompressobj(), bytearray()
    for start in range(0, len(raw), DAMAGED_STEP_BYTES):
        step = raw[start : start + DAMAGED_STEP_BYTES]
        before = inflater.copy()
        try:
            out += inflater.decompress(step)
        except zlib.error:
            with suppress(zlib.error):  # what the step gave before the damage is lost with the error
                for value in step:
                    out += before.decompress(bytes((value,)))
            break
        if len(out) > MAX_CONTENT_BYTES:
            break
    return bytes(out)
