"""Rar files with stored (not compressed) entries, written by hand: nothing free writes rars."""

import struct
import zlib
from collections.abc import Mapping

RAR5 = b"Rar!\x1a\x07\x01\x00"
RAR4 = b"Rar!\x1a\x07\x00"

_MAIN, _FILE, _ENCRYPTION, _END = 1, 2, 4, 5
SYMLINK, HARD_LINK, COPY = 1, 4, 5


def rar5_bytes(
    entries: Mapping[str, bytes],
    *,
    volume: bool = False,
    encrypted: bool = False,
    claimed_bytes: int | None = None,
    link_to: str | None = None,
    link_kind: int = SYMLINK,
) -> bytes:
    """Return a RAR 5 archive (RARLAB, "RAR 5.0 archive format").

    Args:
        volume: as the first of several.
        encrypted: with encrypted headers: nothing behind the encryption header makes sense.
        claimed_bytes: what every entry says it unpacks to, whatever it does.
        link_to: every entry is a link there, of link_kind.
    """
    archive = RAR5
    if encrypted:
        return archive + _header(_ENCRYPTION, 0, b"\0\0\x0f" + bytes(16)) + bytes(64)
    archive += _header(_MAIN, 0, _number(1 if volume else 0))
    for name, body in entries.items():
        encoded = name.encode()
        extra = b""
        if link_to is not None:
            target = link_to.encode()
            record = _number(5) + _number(link_kind) + _number(0) + _number(len(target)) + target
            extra = _number(len(record)) + record
        fields = (
            _number(4) + _number(len(body) if claimed_bytes is None else claimed_bytes) + _number(0o100644)
        )
        fields += struct.pack("<I", zlib.crc32(body)) + _number(0) + _number(1)
        fields += _number(len(encoded)) + encoded
        archive += _header(_FILE, 2, fields, data_bytes=len(body), extra=extra) + body
    return archive + _header(_END, 0, _number(0))


def rar4_bytes(entries: Mapping[bytes, bytes]) -> bytes:
    """Return an archive of RAR 2.9 to 4, its names in whatever code page their bytes are."""
    archive = RAR4 + _old_header(0x73, 0, bytes(6))
    for name, body in entries.items():
        fields = struct.pack(
            "<IIBIIBBHI", len(body), len(body), 2, zlib.crc32(body), 0, 29, 0x30, len(name), 0x20
        )
        archive += _old_header(0x74, 0x8000, fields + name) + body
    return archive + _old_header(0x7B, 0x4000, b"")


def _number(value: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first, all but the last with the high bit set."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _header(kind: int, flags: int, fields: bytes, *, data_bytes: int = 0, extra: bytes = b"") -> bytes:
    if extra:
        flags |= 1
    body = _number(kind) + _number(flags)
    body += (_number(len(extra)) if extra else b"") + (_number(data_bytes) if flags & 2 else b"")
    body += fields + extra
    sized = _number(len(body)) + body
    return struct.pack("<I", zlib.crc32(sized)) + sized


def _old_header(kind: int, flags: int, fields: bytes) -> bytes:
    body = struct.pack("<BHH", kind, flags, 7 + len(fields)) + fields
    return struct.pack("<H", zlib.crc32(body) & 0xFFFF) + body
