"""The files of a zip."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.errors import InputRefused
from stages.packing.entries import Entry
from stages.packing.limits import check_entry_count, refused
from stages.packing.names import decode_name, inner_name, is_skipped

_CHUNK_BYTES = 1024 * 1024
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_FLAG_ENCRYPTED = 0x1 | 0x40
_FLAG_UTF8 = 0x800
_MADE_ON_UNIX = 3
_EXTRA_UNICODE_PATH = 0x7075
_LOCAL_HEADER = struct.Struct("<4s5HIIIHH")


def zip_entries(source: Path, *, label: str) -> Iterator[Entry]:
    """Yield the files of a zip, all names checked first.

    Raises:
        InputRefused: damaged, encrypted, compressed in a way nobody uses, too many entries, a name that
            leads out of it, or something that is no file.
    """
    with _faults(label), zipfile.ZipFile(source) as archive:
        entries = archive.infolist()
        check_entry_count(len(entries), label=label)
        for name, entry in [(_entry_name(entry, label=label), entry) for entry in entries]:
            if entry.is_dir() or name.endswith("/") or is_skipped(name):
                continue
            _check_entry(entry, name, label=label)
            packed_bytes = min(entry.compress_size, source.stat().st_size)
            yield Entry(name, _chunks(archive, entry, label=label), packed_bytes)


def _chunks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, *, label: str) -> Iterator[bytes]:
    with _faults(label):
        _trust_directory(archive, entry)
    with _faults(label), archive.open(entry) as packed:
        while chunk := packed.read(_CHUNK_BYTES):
            yield chunk


@contextmanager
def _faults(label: str) -> Iterator[None]:
    """Say in our words what zipfile raises for a damaged file."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise InputRefused(
            f"{label}: the zip is damaged or cut short; pack and send it again",
            zh=f"{label}：zip 文件已损坏或不完整，请重新打包上传。",
        ) from error


def _trust_directory(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Let an entry be opened though its own header calls it something else than the directory does.

    Packers that write the directory in UTF-8 and the headers in GBK are common, and everybody goes by the
    directory; zipfile alone would refuse them as damaged.
    """
    if archive.fp is None:
        raise ValueError("the zip is closed")
    archive.fp.seek(entry.header_offset)
    header = archive.fp.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size:
        raise zipfile.BadZipFile("truncated file header")
    _, _, flags, *_, name_bytes, _ = _LOCAL_HEADER.unpack(header)
    raw = archive.fp.read(name_bytes)
    entry.orig_filename = raw.decode("utf-8" if flags & _FLAG_UTF8 else "cp437")


def _entry_name(entry: zipfile.ZipInfo, *, label: str) -> str:
    """Return an entry's name: UTF-8 when flagged (APPNOTE 6.3.9 §4.4.4 bit 11), else said or guessed."""
    # orig_filename keeps what ZipInfo cuts off behind a NUL.
    name = entry.orig_filename
    if not entry.flag_bits & _FLAG_UTF8:
        raw = name.encode("cp437")
        name = _unicode_path(entry.extra, raw) or decode_name(
            raw, is_from_unix=entry.create_system == _MADE_ON_UNIX
        )
    return inner_name(name, label=label)


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """Return the name an entry says in UTF-8 besides, when it is that of the same bytes (APPNOTE §4.6.9)."""
    position = 0
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, position)
        field = extra[position + 4 : position + 4 + size]
        if kind == _EXTRA_UNICODE_PATH and len(field) > 5 and field[0] == 1:
            (checksum,) = struct.unpack_from("<I", field, 1)
            return field[5:].decode() if checksum == zlib.crc32(raw) else None
        position += 4 + size
    return None


def _check_entry(entry: zipfile.ZipInfo, name: str, *, label: str) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise refused(label, f"{name!r} is a link or device, not a file", f"“{name}”是链接或设备，不是文件")
    if entry.flag_bits & _FLAG_ENCRYPTED:
        raise InputRefused(
            f"{label}: {name!r} is encrypted; pack the files without a password",
            zh=f"{label}：“{name}”已加密，请取消密码后重新打包。",
        )
    if entry.compress_type not in _COMPRESSIONS:
        raise InputRefused(
            f"{label}: {name!r} is compressed by method {entry.compress_type}; pack it as an ordinary zip",
            zh=f"{label}：“{name}”的压缩方式（{entry.compress_type}）不受支持，请用普通 zip 方式打包。",
        )
