"""The directory of a compound file (OLE2, [MS-CFB]): what .doc, .xls, .ppt, .wps, .et, .dps are made of."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
MAX_DIRECTORY_SECTORS = 512
MAX_FAT_SECTORS = 16_384
"""A file of 1 GiB in sectors of 512 bytes has so many."""
MAX_HEAD_BYTES = 4096

_ENTRY_BYTES = 128
_MINI_STREAM_BELOW_BYTES = 4096
_FATS_IN_HEADER = 109
_END = 0xFFFFFFFA
"""Sector numbers from here on are marks, not sectors ([MS-CFB] §2.1)."""


@dataclass(frozen=True)
class Compound:
    """What a compound file holds; names are in lower case, since they differ in nothing by it (§2.6.4).

    Attributes:
        names: of its streams and storages, wherever they are: those of embedded objects, too.
        root_names: of those that are the document's own.
        heads: the first bytes of the document's own larger streams, by name.
    """

    names: frozenset[str]
    root_names: frozenset[str]
    heads: dict[str, bytes]


@dataclass(frozen=True)
class _Entry:
    """A directory entry (§2.6.1); left, right and child are indices of others."""

    name: str
    kind: int
    left: int
    right: int
    child: int
    first: int
    size_bytes: int


def read_compound(path: Path) -> Compound | None:
    """Return what a compound file holds; None when it is none, or too damaged to tell."""
    try:
        with path.open("rb") as file:
            return _read(file)
    except (struct.error, IndexError, ValueError, OverflowError):
        return None


def _read(file: BinaryIO) -> Compound | None:
    header = file.read(512)
    if not header.startswith(MAGIC):
        return None
    (shift,) = struct.unpack_from("<H", header, 30)
    if shift not in (9, 12):  # §2.2: version 3 or 4
        return None
    size = 1 << shift
    entries = _entries(file, header, size)
    names = {entry.name for entry in entries if entry.kind}
    own = [entries[index] for index in _own(entries)]
    heads = {
        entry.name: _sector(file, entry.first, size)[:MAX_HEAD_BYTES]
        for entry in own
        if entry.kind == 2 and entry.size_bytes >= _MINI_STREAM_BELOW_BYTES and entry.first < _END
    }
    return Compound(frozenset(names), frozenset(entry.name for entry in own), heads)


def _entries(file: BinaryIO, header: bytes, size: int) -> list[_Entry]:
    (sector,) = struct.unpack_from("<I", header, 48)
    fats: list[int] | None = None
    entries: list[_Entry] = []
    for _ in range(MAX_DIRECTORY_SECTORS):
        if sector >= _END:
            break
        directory = _sector(file, sector, size)
        for start in range(0, len(directory) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
            entries.append(_entry(directory[start : start + _ENTRY_BYTES]))
        fats = fats or _fat_sectors(file, header, size)
        fat = _sector(file, fats[sector // (size // 4)], size)
        (sector,) = struct.unpack_from("<I", fat, sector % (size // 4) * 4)
    return entries


def _fat_sectors(file: BinaryIO, header: bytes, size: int) -> list[int]:
    """Return where the sector table is: 109 of its sectors are in the header, the rest in a chain (§2.5)."""
    numbers = list(struct.unpack_from(f"<{_FATS_IN_HEADER}I", header, 76))
    (sector,) = struct.unpack_from("<I", header, 68)
    while sector < _END and len(numbers) < MAX_FAT_SECTORS:
        *more, sector = struct.unpack(f"<{size // 4}I", _sector(file, sector, size))
        numbers += more
    return numbers


def _entry(data: bytes) -> _Entry:
    name_bytes, kind = struct.unpack_from("<HB", data, 64)
    left, right, child = struct.unpack_from("<III", data, 68)
    first, size_bytes = struct.unpack_from("<II", data, 116)
    name = data[: max(0, name_bytes - 2)].decode("utf-16-le", errors="replace").lower()
    if not 2 <= name_bytes <= 64:
        kind = 0
    return _Entry(name, kind, left, right, child, first, size_bytes)


def _own(entries: list[_Entry]) -> list[int]:
    """Return the indices of what lies in the root; of everything, where the root's tree is damaged."""
    found: dict[int, None] = {}
    left_to_see = [entries[0].child] if entries else []
    while left_to_see:
        index = left_to_see.pop()
        if index < len(entries) and entries[index].kind and index not in found:
            found[index] = None
            left_to_see += [entries[index].left, entries[index].right]
    return list(found) or [index for index, entry in enumerate(entries) if entry.kind]


def _sector(file: BinaryIO, number: int, size: int) -> bytes:
    if number >= _END:
        raise ValueError("a sector that is none")
    file.seek((number + 1) * size)
    return file.read(size)
