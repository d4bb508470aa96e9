"""The directory of a compound file (OLE2, [MS-CFB]): what .doc, .xls, .ppt, .wps, .et, .dps are made of."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
MAX_DIRECTORY_SECTORS = 512
MAX_HEAD_BYTES = 4096

_ENTRY_BYTES = 128
_MINI_STREAM_BELOW_BYTES = 4096
_END = 0xFFFFFFFA
"""Sector numbers from here on are marks, not sectors ([MS-CFB] §2.1)."""


@dataclass(frozen=True)
class Compound:
    """What a compound file holds.

    Attributes:
        names: of its streams and storages, wherever they are.
        heads: the first bytes of its larger streams, by name.
    """

    names: frozenset[str]
    heads: dict[str, bytes]


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
    (sector,) = struct.unpack_from("<I", header, 48)
    fat_sectors = struct.unpack_from("<109I", header, 76)
    names: set[str] = set()
    heads: dict[str, bytes] = {}
    for _ in range(MAX_DIRECTORY_SECTORS):
        if sector >= _END:
            break
        directory = _sector(file, sector, size)
        for start in range(0, len(directory) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
            _note_entry(file, directory[start : start + _ENTRY_BYTES], size, names, heads)
        fat = _sector(file, fat_sectors[sector // (size // 4)], size)
        (sector,) = struct.unpack_from("<I", fat, sector % (size // 4) * 4)
    return Compound(frozenset(names), heads)


def _note_entry(file: BinaryIO, entry: bytes, size: int, names: set[str], heads: dict[str, bytes]) -> None:
    """Take over one directory entry (§2.6.1)."""
    (name_bytes,) = struct.unpack_from("<H", entry, 64)
    if entry[66] == 0 or not 2 <= name_bytes <= 64:
        return
    name = entry[: name_bytes - 2].decode("utf-16-le", errors="replace")
    names.add(name)
    first, stream_bytes = struct.unpack_from("<II", entry, 116)
    if entry[66] == 2 and stream_bytes >= _MINI_STREAM_BELOW_BYTES and first < _END:
        heads[name] = _sector(file, first, size)[:MAX_HEAD_BYTES]


def _sector(file: BinaryIO, number: int, size: int) -> bytes:
    if number >= _END:
        raise ValueError("a sector that is none")
    file.seek((number + 1) * size)
    return file.read(size)
