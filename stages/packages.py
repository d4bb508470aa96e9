"""Takes in a bid package: a folder, a zip, a rar or a single document, within named limits.

A folder's files stay where they are; an archive's are unpacked into the scratch folder, and so are those of
archives inside it. What is no PDF stays in the package, to be converted or refused file by file.
"""

import hashlib
import os
import shutil
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from stages.documents import BidPackage, SourceFile
from stages.errors import InputRefused
from stages.file_kinds import OFFICE, PICTURES, FileKind, kind_of
from stages.packing.entries import Entry
from stages.packing.limits import (
    MAX_ARCHIVE_DEPTH,
    MAX_FOLDER_DEPTH,
    Tally,
    check_file_size,
    check_ratio,
    refused,
)
from stages.packing.names import inner_name, is_skipped
from stages.packing.rars import rar_entries
from stages.packing.zips import zip_entries
from stages.refused_kinds import advice, is_broken_office

_CHUNK_BYTES = 1024 * 1024
_ALONE = OFFICE | PICTURES | {FileKind.PDF}
"""What makes a package of one."""
_NESTED = {".zip": FileKind.ZIP, ".rar": FileKind.RAR}
"""Archives inside a package that are unpacked: platforms' own containers are zips too, by other names."""


def open_package(source: Path, scratch: Path) -> BidPackage:
    """Return the files of a bid package, hashed and sorted by name.

    Args:
        source: a folder (read recursively), a zip or rar, or one document, which makes a package of one.
        scratch: where archives are unpacked, into a new folder `package`.

    Raises:
        InputRefused: absent, empty, of no known kind, encrypted, over a limit, or holding a name that
            leads out of it, exists twice (whatever the case of its letters), or is no file.
    """
    name = unicodedata.normalize("NFC", source.name)
    folder = scratch / "package"
    shutil.rmtree(folder, ignore_errors=True)  # what a killed run left behind
    tally = Tally(name)
    try:
        if source.is_dir():
            files = list(_read_folder(source, tally, label=name))
            depth = 0
        else:
            kind = kind_of(source).kind
            if is_broken_office(name, kind):
                raise _not_a_package(name, kind, is_empty=False)
            if kind in (FileKind.ZIP, FileKind.RAR):
                files = list(_unpacked(source, kind, folder / "0", tally, label=name))
            elif kind in _ALONE:
                files = [_read_file(source, name=name)]
            else:
                raise _not_a_package(name, kind, is_empty=source.stat().st_size == 0)
            name = unicodedata.normalize("NFC", source.stem)
            depth = 1
        files = list(_with_nested(files, folder, depth, tally))
    except OSError as error:
        raise InputRefused(
            f"{name}: cannot be read ({error.strerror}); check the path and its permissions",
            zh=f"{name}：无法读取，请检查路径与权限。",
        ) from error
    if not files:
        raise InputRefused(
            f"{name}: the package holds no file; put the documents to be stamped into it",
            zh=f"{name}：投标文件包中没有文件，请放入需要盖章的文件。",
        )
    _check_no_duplicates(files, label=name)
    return BidPackage(name=name, files=tuple(sorted(files, key=lambda file: file.name)))


def _not_a_package(name: str, kind: FileKind, *, is_empty: bool) -> InputRefused:
    known = advice(name, kind)
    if known is not None:
        return InputRefused(f"{name}: {known[0]}", zh=f"{name}：{known[1]}")
    found, found_zh = ("empty file", "空文件") if is_empty else ("unknown kind", "无法识别")
    return InputRefused(
        f"{name}: not a folder, a zip, a rar or a document ({found}); give the bid documents as one of these",
        zh=f"{name}：不是文件夹、zip、rar 或文档（{found_zh}），请以其中一种形式提交投标文件。",
    )


def _read_folder(folder: Path, tally: Tally, *, label: str) -> Iterator[SourceFile]:
    root = folder.resolve()
    for path in _walk(root, label=label):
        file = _read_file(path, name=inner_name(path.relative_to(root).as_posix(), label=label))
        tally.add(file.size_bytes)
        yield file


def _walk(root: Path, *, label: str) -> Iterable[Path]:
    """Yield every regular file below root that is not skipped; linked folders are not entered."""
    for folder, folder_names, file_names in os.walk(root, followlinks=False):
        depth = len(Path(folder).relative_to(root).parts)
        if depth > MAX_FOLDER_DEPTH:
            raise refused(
                label,
                f"folders nested more than {MAX_FOLDER_DEPTH} deep",
                f"文件夹嵌套超过 {MAX_FOLDER_DEPTH} 层",
            )
        folder_names[:] = sorted(name for name in folder_names if not is_skipped(name))
        for name in sorted(file_names) + [n for n in folder_names if Path(folder, n).is_symlink()]:
            path = Path(folder, name)
            if is_skipped(name):
                continue
            if not path.resolve().is_relative_to(root):
                raise refused(label, f"{name!r} is a link that leads out of it", f"“{name}”是指向包外的链接")
            if path.is_dir():
                continue
            if not stat.S_ISREG(path.stat().st_mode):
                raise refused(label, f"{name!r} is not a regular file", f"“{name}”不是普通文件")
            yield path


def _read_file(path: Path, *, name: str) -> SourceFile:
    digest, size_bytes = hashlib.sha256(), 0
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += len(chunk)
            check_file_size(size_bytes, label=name)
    return SourceFile(path=path, name=name, size_bytes=size_bytes, sha256=digest.hexdigest())


def _with_nested(files: Iterable[SourceFile], folder: Path, depth: int, tally: Tally) -> Iterator[SourceFile]:
    """Yield files, those of archives among them in the archive's place, under its name less the suffix."""
    for number, file in enumerate(files, start=1):
        kind = _NESTED.get(PurePosixPath(file.name).suffix.lower())
        if kind is None or depth >= MAX_ARCHIVE_DEPTH or kind_of(file.path).kind is not kind:
            yield file
            continue
        inside = folder / f"{depth}-{number:05d}"
        stem = str(PurePosixPath(file.name).with_suffix(""))
        found = [
            replace(inner, name=inner_name(f"{stem}/{inner.name}", label=file.name))
            for inner in _unpacked(file.path, kind, inside, tally, label=file.name)
        ]
        yield from _with_nested(found, inside, depth + 1, tally)


def _unpacked(
    source: Path, kind: FileKind, folder: Path, tally: Tally, *, label: str
) -> Iterator[SourceFile]:
    """Unpack into files named by number, so that no name of the archive's ever reaches the file system."""
    folder.mkdir(parents=True)
    if kind is FileKind.RAR:
        entries = rar_entries(source, folder, label=label)
    else:
        entries = zip_entries(source, label=label)
    for number, entry in enumerate(entries):
        file = _unpack_entry(entry, folder / f"{number:05d}.bin", label=label)
        tally.add(file.size_bytes)
        yield file


def _unpack_entry(entry: Entry, target: Path, *, label: str) -> SourceFile:
    """Write one entry, counting what comes out, not what the header promises."""
    digest, size_bytes = hashlib.sha256(), 0
    with target.open("xb") as out:
        for chunk in entry.chunks:
            size_bytes += len(chunk)
            check_file_size(size_bytes, label=f"{label}: {entry.name}")
            if entry.packed_bytes is not None:
                check_ratio(size_bytes, entry.packed_bytes, entry.name, label=label)
            digest.update(chunk)
            out.write(chunk)
    return SourceFile(path=target, name=entry.name, size_bytes=size_bytes, sha256=digest.hexdigest())


def _check_no_duplicates(files: list[SourceFile], *, label: str) -> None:
    seen: dict[str, str] = {}
    for file in files:
        folded = unicodedata.normalize("NFC", file.name.casefold())
        if folded in seen:
            raise refused(
                label,
                f"{seen[folded]!r} and {file.name!r} are one name to many systems; rename one",
                f"“{seen[folded]}”与“{file.name}”重名，请改名",
            )
        seen[folded] = file.name
