"""The files of a rar: its directory read by rarfile, its bytes unpacked in one pass by unar.

Of what Debian has, unar alone reads both RAR 5 and the older kinds, solid ones too; bsdtar 3.6.2 lost bytes
of a large stored file. It writes all files to its standard output one behind the other, so no name of the
rar's ever reaches the file system, and what belongs to which file is told by the sizes in the directory and
proved by the checksums.
"""

import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import rarfile

from stages.errors import InputRefused
from stages.outside import Limits, is_installed, started
from stages.packing.entries import Entry
from stages.packing.limits import MAX_FILE_BYTES, check_entry_count, check_file_size, check_ratio, refused
from stages.packing.names import decode_name, inner_name, is_skipped

PROGRAM = "unar"
LIMITS = Limits(timeout_s=300.0, cpu_s=300, memory_bytes=3 * 1024**3, file_bytes=MAX_FILE_BYTES)

_CHUNK_BYTES = 1024 * 1024
_RAR5_MAGIC = b"Rar!\x1a\x07\x01\x00"
_OLD_NAME_IS_UNICODE = 0x200
_OLD_MAIN_IS_VOLUME = 0x01
_RAR5_MAIN_HEADER = 1
_RAR5_HAS_EXTRA = 0x01
_RAR5_IS_VOLUME = 0x01


def rar_entries(source: Path, scratch: Path, *, label: str) -> Iterator[Entry]:
    """Yield the files of a rar, its whole directory checked first.

    Args:
        scratch: where the program works, in a folder of its own.

    Raises:
        InputRefused: damaged, encrypted, one of several volumes, too large or too well compressed, a name
            that leads out of it, a link, or no program here that unpacks it.
    """
    with source.open("rb") as opened:
        head = opened.read(64)
    is_new = head.startswith(_RAR5_MAGIC)
    if _is_volume(head, is_new=is_new):
        raise InputRefused(
            f"{label}: one of several volumes of a rar; pack it as one file",
            zh=f"{label}：分卷压缩的 rar，请打成一个文件。",
        )
    directory = _directory(source, label=label)
    if not is_installed(PROGRAM):
        raise InputRefused(
            f"{label}: no {PROGRAM} here to unpack a rar; install it, or pack a zip",
            zh=f"{label}：本机缺少解压 rar 的程序 {PROGRAM}，请安装，或改用 zip。",
        )
    folder = scratch / "rar"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    packed = folder / "packed.rar"
    # Alone in its folder: unar takes what lies beside a rar under a like name for further volumes of it.
    packed.symlink_to(source.resolve())
    command = [PROGRAM, "-quiet", "-output-directory", "-", str(packed)]
    with started(command, folder=folder, limits=LIMITS, environment={"LC_ALL": "C.UTF-8"}) as running:
        for info, name in directory:
            chunks = _checked_chunks(running.output, info, label=label)
            if is_skipped(name):
                for _ in chunks:
                    continue
            else:
                yield Entry(name, chunks, None)


def _is_volume(head: bytes, *, is_new: bool) -> bool:
    """Return whether the archive's main header says that there are more files to it."""
    if not is_new:
        return bool(int.from_bytes(head[10:12], "little") & _OLD_MAIN_IS_VOLUME)
    position, numbers = 12, []  # behind the magic and the header's checksum: size, kind, flags, …
    for _ in range(5):
        number, position = _variable(head, position)
        numbers.append(number)
    _, kind, flags, *rest = numbers
    archive_flags = rest[1] if flags & _RAR5_HAS_EXTRA else rest[0]
    return kind == _RAR5_MAIN_HEADER and bool(archive_flags & _RAR5_IS_VOLUME)


def _variable(data: bytes, position: int) -> tuple[int, int]:
    """Return a RAR 5 number of seven bits a byte, and where the next one begins."""
    number = shift = 0
    while position < len(data):
        byte = data[position]
        number |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            break
    return number, position


def _directory(source: Path, *, label: str) -> list[tuple[rarfile.RarInfo, str]]:
    """Return every file of a rar with its name, all of them checked."""
    count = 0

    def counted(_: object) -> None:
        nonlocal count
        count += 1
        check_entry_count(count, label=label)

    # rarfile would unpack a comment with a program of its own choice, without limits.
    rarfile.RAR_MAX_COMMENT = -1
    try:
        with rarfile.RarFile(source, info_callback=counted, errors="strict", part_only=True) as archive:
            if archive.needs_password():
                raise InputRefused(
                    f"{label}: the rar is encrypted; pack the files without a password",
                    zh=f"{label}：rar 已加密，请取消密码后重新打包。",
                )
            infos = archive.infolist()
    except (rarfile.Error, OSError, ValueError, LookupError, OverflowError) as error:
        raise _damaged(label) from error
    named = [(info, _entry_name(info, label=label)) for info in infos]
    files = [(info, name) for info, name in named if not info.is_dir()]
    for info, name in files:
        if not info.is_file() or info.file_redir is not None:
            raise refused(
                label, f"{name!r} is a link or device, not a file", f"“{name}”是链接或设备，不是文件"
            )
        check_file_size(info.file_size, label=f"{label}: {name}")
    check_ratio(sum(info.file_size for info, _ in files), source.stat().st_size, "rar", label=label)
    return files


def _entry_name(info: rarfile.RarInfo, *, label: str) -> str:
    """Return an entry's name: RAR 5 and newer RAR 4 say it in Unicode, else it is guessed."""
    name = info.filename
    if isinstance(info, rarfile.Rar3Info) and not info.flags & _OLD_NAME_IS_UNICODE:
        name = decode_name(info.orig_filename)
    return inner_name(name, label=label)


def _checked_chunks(output: IO[bytes], info: rarfile.RarInfo, *, label: str) -> Iterator[bytes]:
    """Yield the next file's bytes, and raise at their end when they are not what the directory promised."""
    checksum, is_right = _checksum(info)
    left = info.file_size
    while left:
        chunk = output.read(min(left, _CHUNK_BYTES))
        if not chunk:
            raise _damaged(label)
        left -= len(chunk)
        checksum(chunk)
        yield chunk
    if not is_right():
        raise _damaged(label)


def _checksum(info: rarfile.RarInfo) -> tuple[Callable[[bytes], object], Callable[[], bool]]:
    """Return what takes a file's bytes, and what says in the end whether they were the right ones."""
    if info.blake2sp_hash is not None:
        running = rarfile.Blake2SP()
        return running.update, lambda: bool(running.digest() == info.blake2sp_hash)
    crc = 0

    def add(chunk: bytes) -> None:
        nonlocal crc
        crc = zlib.crc32(chunk, crc)

    return add, lambda: info.CRC is not None and crc == info.CRC & 0xFFFFFFFF


def _damaged(label: str) -> InputRefused:
    return InputRefused(
        f"{label}: the rar is damaged, cut short or of an unknown kind; pack it as a zip, or send it again",
        zh=f"{label}：rar 文件已损坏、不完整或版本无法识别，请改用 zip 打包，或重新上传。",
    )
