"""The increment a stamping appended, recognised in a file by its own bytes."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stages.errors import InputRefused
from stages.pdf.base import MAX_FILE_BYTES, MAX_TAIL_BYTES
from stages.pdf.increment import MAX_INCREMENT_BYTES, revision_id

MAX_XREF_BYTES = 64 << 20
"""Of one cross-reference section: three million entries."""
COPY_BYTES = 1 << 20

_END = re.compile(rb"startxref\n(\d{1,10})\n%%EOF\n\Z")
_TRAILER = re.compile(rb"/ID \[<([0-9a-f]*)> <([0-9a-f]{32})>\] /Prev (\d{1,10}) ")
_STREAM = re.compile(
    rb"\d+ 0 obj\n<< /Type /XRef /W \[1 (\d) 2\] /Index \[[\d ]+\] /Size \d+ (.*?)"
    rb"/Filter /FlateDecode /Length (\d{1,9}) >>\nstream\n",
    re.DOTALL,
)


@dataclass(frozen=True)
class OwnIncrement:
    """An increment that was appended here, and that nobody has touched since.

    Attributes:
        base_size_bytes: the file's size before it.
    """

    base_size_bytes: int


def find_own_increment(path: Path) -> OwnIncrement | None:
    """Return the last section of a file when a stamping here appended it; None when it did not.

    An increment carries its own digest: the second half of its /ID is made of the file before it, of
    where it lies and of every object it appends (`revision_id`). A byte of them changed, a section after
    it or a signature filled in make another digest. Of the bytes before it only size, /ID and startxref
    are proved.

    Raises:
        InputRefused: the file cannot be read, or is over MAX_FILE_BYTES.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise InputRefused(
                f"{path.name}: {size} bytes, more than the limit of {MAX_FILE_BYTES}",
                zh=f"{path.name}：文件过大（{size} 字节）",
            )
        with path.open("rb") as file:
            file.seek(max(0, size - MAX_TAIL_BYTES))
            end = _END.search(file.read())
            xref_offset = int(end.group(1)) if end else size
            if not 0 < xref_offset < size or size - xref_offset > MAX_XREF_BYTES:
                return None
            file.seek(xref_offset)
            section = file.read(size - xref_offset)
    except OSError as error:
        raise InputRefused(
            f"{path.name}: cannot be read ({error.strerror})", zh=f"{path.name}：无法读取"
        ) from error
    trailer = _TRAILER.search(section)
    lowest = _lowest_offset(section)
    if trailer is None or lowest is None or not 0 < lowest < xref_offset:
        return None
    if xref_offset - lowest > MAX_INCREMENT_BYTES:
        return None
    first, second = (bytes.fromhex(half.decode()) for half in trailer.group(1, 2))
    for base_size in (lowest, lowest - 1):  # a line end goes before the first object where there was none
        for first_id in {first, None} if first == second else {first}:
            appended = _pieces(path, base_size, xref_offset)
            if revision_id(first_id, base_size, int(trailer.group(3)), appended) == second:
                return OwnIncrement(base_size)
    return None


def _pieces(path: Path, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes from start to end: what an increment appends before its cross-reference."""
    with path.open("rb") as file:
        file.seek(start)
        left = end - start
        while left and (piece := file.read(min(left, COPY_BYTES))):
            yield piece
            left -= len(piece)


def _lowest_offset(section: bytes) -> int | None:
    """Return where the first object of a cross-reference section of ours begins; None for another's."""
    try:
        offsets = _table_offsets(section) if section.startswith(b"xref\n") else _stream_offsets(section)
    except (ValueError, zlib.error):
        return None
    return min(offsets, default=None)


def _table_offsets(section: bytes) -> list[int]:
    offsets: list[int] = []
    at = len(b"xref\n")
    while not section.startswith(b"trailer\n", at):
        line_end = section.index(b"\n", at)
        _, count = (int(number) for number in section[at:line_end].split())
        at = line_end + 1
        rows = section[at : at + 20 * count]
        if not count > 0 or len(rows) != 20 * count:
            raise ValueError("cut off")
        offsets += [int(rows[start : start + 10]) for start in range(0, len(rows), 20)]
        at += len(rows)
    return offsets


def _stream_offsets(section: bytes) -> list[int]:
    head = _STREAM.match(section)
    if head is None:
        raise ValueError("not as an increment of ours is written")
    width, length = int(head.group(1)), int(head.group(3))
    data = zlib.decompressobj().decompress(section[head.end() : head.end() + length], MAX_XREF_BYTES)
    row = 1 + width + 2
    return [
        int.from_bytes(data[at + 1 : at + 1 + width], "big")
        for at in range(0, len(data) - row + 1, row)
        if data[at] == 1
    ]
