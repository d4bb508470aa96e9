"""The bytes to append to a PDF so that it says something new while its old bytes stay as they are.

An increment (ISO 32000-2 §7.5.6) is a few objects and a cross-reference section of the kind the file
already has. It is a pure function of the file and of what is put: no clock, no chance, no producer.
"""

import hashlib
import itertools
import shutil
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from stages.errors import InputRefused
from stages.pdf.base import BasePdf, open_base
from stages.pdf.syntax import ObjGen, array_with, dictionary_with, reference, value_token

__all__ = [
    "BasePdf",
    "Increment",
    "ObjGen",
    "RenderedIncrement",
    "append_increment",
    "array_with",
    "dictionary_with",
    "open_base",
    "reference",
    "value_token",
]

COPY_BYTES = 1 << 20
MAX_PACKED_OBJECTS = 100
"""In one object stream: a reader of one page unpacks them all."""
MAX_INCREMENT_BYTES = 256 << 20
"""Marks, validation data and signatures of 5,000 pages stay far below."""


@dataclass(frozen=True, eq=False)
class RenderedIncrement:
    """The bytes that follow the first `base_size_bytes` bytes of a file.

    Attributes:
        body_offsets: for each object, where its body begins (behind `12 0 obj` and its line end),
            counted from the start of the whole file.
    """

    data: bytes = field(repr=False)
    base_size_bytes: int
    body_offsets: dict[ObjGen, int]


class Increment:
    """Objects on their way into a file's next revision.

    Args:
        packs: put what is no stream into object streams (ISO 32000-2 §7.5.7) when the file's own
            cross-reference is a stream, so that pages written again take few bytes.
    """

    def __init__(self, base: BasePdf, *, packs: bool = False) -> None:
        self._base = base
        self._next_number = base.next_number
        self._bodies: dict[ObjGen, bytes] = {}
        self._streams: set[ObjGen] = set()
        self._packs = packs and base.xref_is_stream

    def new_object_number(self) -> int:
        """Return a number that no object of the file has, nor waits for; its generation is 0."""
        number = self._free_number()
        self._next_number += 1
        return number

    def _free_number(self) -> int:
        while self._next_number in self._base.awaited:
            self._next_number += 1
        return self._next_number

    def put(self, objgen: ObjGen, body: bytes) -> None:
        """Set an object's text, without `obj` and `endobj`. Putting it again replaces it."""
        self._bodies[objgen] = body
        self._streams.discard(objgen)

    def put_stream(self, objgen: ObjGen, dictionary: bytes, data: bytes) -> None:
        """Set a stream object.

        Args:
            dictionary: the entries between << and >>, without /Length.
            data: already encoded as the entries say.
        """
        head = b"<< %s /Length %d >>\nstream\n" % (dictionary, len(data))
        self.put(objgen, head + data + b"\nendstream")
        self._streams.add(objgen)

    def add(self, body: bytes) -> ObjGen:
        """Put a new object and return its number and generation."""
        objgen = (self.new_object_number(), 0)
        self.put(objgen, body)
        return objgen

    def add_stream(self, dictionary: bytes, data: bytes) -> ObjGen:
        """Put a new stream (see put_stream) and return its number and generation."""
        objgen = (self.new_object_number(), 0)
        self.put_stream(objgen, dictionary, data)
        return objgen

    def render(self) -> RenderedIncrement:
        """Return the bytes to append.

        Raises:
            InputRefused: the increment is over MAX_INCREMENT_BYTES, or the file turned out damaged.
        """
        base = self._base
        base.check_unrepaired()
        packed = self._pack() if self._packs else {}
        out = bytearray(b"" if base.ends_with_newline else b"\n")
        object_offsets: dict[ObjGen, int] = {}
        body_offsets: dict[ObjGen, int] = {}
        for objgen, body in sorted(self._bodies.items()):
            if objgen in packed:
                continue
            object_offsets[objgen] = base.size_bytes + len(out)
            out += b"%d %d obj\n" % objgen
            body_offsets[objgen] = base.size_bytes + len(out)
            out += body
            out += b"\nendobj\n"
            if len(out) > MAX_INCREMENT_BYTES:
                raise InputRefused(
                    f"{base.name}: the update is over {MAX_INCREMENT_BYTES} bytes; split the file",
                    zh=f"{base.name}：追加内容超过 {MAX_INCREMENT_BYTES} 字节，请拆分文件",
                )
        entries = self._trailer_entries(bytes(out))
        xref_offset = base.size_bytes + len(out)
        if base.xref_is_stream:
            out += self._xref_stream(object_offsets, packed, entries, xref_offset)
        else:
            out += _xref_table(object_offsets)
            out += b"trailer\n<< /Size %d %s >>\n" % (self._next_number, entries)
        out += b"startxref\n%d\n%%%%EOF\n" % xref_offset
        return RenderedIncrement(bytes(out), base.size_bytes, body_offsets)

    def _pack(self) -> dict[ObjGen, tuple[int, int]]:
        """Put what is no stream into object streams; return where each object is: stream and index."""
        packable = [
            objgen for objgen in sorted(self._bodies) if objgen not in self._streams and not objgen[1]
        ]
        where: dict[ObjGen, tuple[int, int]] = {}
        for start in range(0, len(packable), MAX_PACKED_OBJECTS):
            chunk = packable[start : start + MAX_PACKED_OBJECTS]
            bodies = [self._bodies[objgen] for objgen in chunk]
            offsets = itertools.accumulate((len(body) + 1 for body in bodies[:-1]), initial=0)
            index = b" ".join(b"%d %d" % (objgen[0], at) for objgen, at in zip(chunk, offsets, strict=True))
            head = b"/Type /ObjStm /N %d /First %d /Filter /FlateDecode" % (len(chunk), len(index) + 1)
            number, _ = self.add_stream(head, zlib.compress(index + b"\n" + b"\n".join(bodies), 9))
            where.update({objgen: (number, order) for order, objgen in enumerate(chunk)})
        return where

    def _trailer_entries(self, appended: bytes) -> bytes:
        """Return /Root, /Info, /ID and /Prev; the second half of /ID follows from what is appended."""
        base = self._base
        second = revision_id(base.first_id, base.size_bytes, base.startxref, [appended])
        info = b"/Info %s " % reference(base.info) if base.info else b""
        first = second if base.first_id is None else base.first_id
        ids = b"<%s> <%s>" % (first.hex().encode(), second.hex().encode())
        return b"/Root %s %s/ID [%s] /Prev %d" % (reference(base.root), info, ids, base.startxref)

    def _xref_stream(
        self,
        offsets: dict[ObjGen, int],
        packed: dict[ObjGen, tuple[int, int]],
        entries: bytes,
        xref_offset: int,
    ) -> bytes:
        """Return a cross-reference stream that also lists itself (ISO 32000-2 §7.5.8)."""
        own = self._free_number()
        plain = {objgen: (1, offset, objgen[1]) for objgen, offset in offsets.items()}
        inside = {objgen: (2, *place) for objgen, place in packed.items()}
        rows = sorted({**plain, **inside, (own, 0): (1, xref_offset, 0)}.items())
        width = max(4, (xref_offset.bit_length() + 7) // 8)
        data = zlib.compress(
            b"".join(
                bytes([kind]) + second.to_bytes(width, "big") + third.to_bytes(2, "big")
                for _, (kind, second, third) in rows
            )
        )
        index = b" ".join(b"%d %d" % (start, count) for start, count in _runs([row[0][0] for row in rows]))
        return (
            b"%d 0 obj\n<< /Type /XRef /W [1 %d 2] /Index [%s] /Size %d %s "
            b"/Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream\nendobj\n"
        ) % (own, width, index, own + 1, entries, len(data), data)


def revision_id(
    first_id: bytes | None, base_size_bytes: int, startxref: int, appended: Iterable[bytes]
) -> bytes:
    """Return the second half of an increment's /ID: a digest of what it follows and what it appends.

    Args:
        first_id: the permanent half; None for a file that had no /ID.
        startxref: of the last cross-reference section before the increment.
        appended: in pieces, from the end of the base to the increment's cross-reference section.
    """
    revision = hashlib.sha256(first_id or b"")
    revision.update(b"%d %d " % (base_size_bytes, startxref))
    for piece in appended:
        revision.update(piece)
    return revision.digest()[:16]


def _runs(object_numbers: list[int]) -> list[tuple[int, int]]:
    """Return (first, count) for each run of consecutive numbers; the input is sorted."""
    runs: list[tuple[int, int]] = []
    for number in object_numbers:
        if runs and number == sum(runs[-1]):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((number, 1))
    return runs


def _xref_table(offsets: dict[ObjGen, int]) -> bytes:
    """Return a classic cross-reference section (ISO 32000-2 §7.5.4), each entry 20 bytes."""
    rows = sorted(offsets.items())
    out = bytearray(b"xref\n")
    position = 0
    for start, count in _runs([objgen[0] for objgen, _ in rows]):
        out += b"%d %d\n" % (start, count)
        for (_, generation), offset in rows[position : position + count]:
            out += b"%010d %05d n \n" % (offset, generation)
        position += count
    return bytes(out)


def append_increment(
    base_path: Path,
    out_path: Path,
    data: bytes | bytearray | memoryview,
    *,
    base_size_bytes: int | None = None,
) -> None:
    """Write base_path's bytes, then data, to out_path; with both the same, only append.

    Args:
        base_size_bytes: what the increment was rendered for; the base must have just this size.

    Raises:
        InputRefused: the base has changed its size since the increment was rendered.
    """
    size = base_path.stat().st_size
    if base_size_bytes is not None and size != base_size_bytes:
        raise InputRefused(
            f"{base_path.name}: {size} bytes, {base_size_bytes} before; start over with the original",
            zh=f"{base_path.name}：文件在处理中被改动（{base_size_bytes} → {size} 字节），请从原件重新开始",
        )
    if out_path.exists() and out_path.samefile(base_path):
        with out_path.open("ab") as out:
            out.write(data)
        return
    with base_path.open("rb") as source, out_path.open("wb") as out:
        shutil.copyfileobj(source, out, COPY_BYTES)
        out.write(data)
