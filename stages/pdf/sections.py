"""The chain of a PDF's cross-reference sections, read off the bytes: how often the file was appended to."""

import re
from dataclasses import dataclass
from pathlib import Path

MAX_SECTIONS = 4096
"""How many cross-reference sections a file may chain."""
MAX_TRAILER_BYTES = 64 * 1024
_HEAD_BYTES = 2048

_PREVIOUS = re.compile(rb"/Prev\s+(\d{1,19})")
_EMPTY_TABLE = re.compile(rb"\s*xref\s+0\s+0\s+trailer")


@dataclass(frozen=True)
class Chain:
    """What the chain says.

    Attributes:
        revisions: how often the file was appended to after it was first written; what only makes a file
            linear or hybrid (ISO 32000-2 §7.5.8.4, Annex F) is not counted.
        is_hybrid: a classic section of it has /XRefStm; a classic section may follow it.
    """

    revisions: int
    is_hybrid: bool


def read_chain(path: Path, startxref: int, size_bytes: int) -> Chain:
    """Follow the sections from the last one back; a chain that leads nowhere ends there."""
    seen: set[int] = set()
    sections = 0
    is_hybrid = False
    offset = startxref
    with path.open("rb") as file:
        is_linear = b"/Linearized" in file.read(1024)
        while 0 < offset < size_bytes and offset not in seen and len(seen) < MAX_SECTIONS:
            seen.add(offset)
            file.seek(offset)
            head = file.read(_HEAD_BYTES)
            if head.lstrip().startswith(b"xref"):
                trailer = _trailer_text(path, offset, size_bytes)
                hybrid = b"/XRefStm" in trailer
                is_hybrid = is_hybrid or hybrid
                # Word ends a file with an empty table that only points at the hybrid's stream.
                sections += not (hybrid and _EMPTY_TABLE.match(head))
            else:
                trailer = head.partition(b"stream")[0]
                sections += 1
            previous = _PREVIOUS.search(trailer)
            offset = int(previous.group(1)) if previous else 0
    return Chain(max(0, sections - 1 - is_linear), is_hybrid)


def _trailer_text(path: Path, offset: int, size_bytes: int) -> bytes:
    """Return the bytes from `trailer` to `startxref` of the classic section at offset."""
    found = b""
    with path.open("rb") as file:
        file.seek(offset)
        buffer = b""
        while file.tell() < size_bytes and len(found) < MAX_TRAILER_BYTES:
            chunk = file.read(MAX_TRAILER_BYTES)
            buffer = buffer[-16:] + chunk if not found else chunk
            if not found:
                start = buffer.find(b"trailer")
                if start < 0:
                    continue
                found = buffer[start:]
            else:
                found += chunk
            end = found.find(b"startxref")
            if end >= 0:
                return found[:end]
    return found
