"""Takes in a bid package: a folder, a zip file or a single PDF, within named limits.

A folder's files stay where they are; a zip's are unpacked into the scratch folder. What is no PDF stays
in the package, for inspection to refuse it file by file.
"""

import hashlib
import os
import re
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from stages.documents import BidPackage, SourceFile
from stages.errors import InputRefused

MAX_PACKAGE_FILES = 5_000
MAX_PACKAGE_ENTRIES = 20_000
"""Of a zip's directory, folders and skipped files included."""
MAX_PACKAGE_BYTES = 4 * 1024**3
MAX_FILE_BYTES = 1024**3
MAX_NAME_BYTES = 512
MAX_FOLDER_DEPTH = 16
MAX_RATIO = 200
"""Deflate reaches 1032:1 on zeros; a real PDF stays far below this."""
RATIO_FREE_BYTES = 10 * 1024 * 1024
"""Smaller entries may be compressed as well as they like."""

_CHUNK_BYTES = 1024 * 1024
_SKIPPED = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_FLAG_ENCRYPTED = 0x1 | 0x40
_FLAG_UTF8 = 0x800
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_BAD_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"^[A-Za-z]:")


def open_package(source: Path, scratch: Path) -> BidPackage:
    """Return the files of a bid package, hashed and sorted by name.

    Args:
        source: a folder (read recursively), a zip file, or one PDF, which makes a package of one.
        scratch: where a zip is unpacked, into a new folder `package`.

    Raises:
        InputRefused: absent, empty, neither of the three, encrypted, over a limit, or holding a name
            that leads out of it, exists twice (whatever the case of its letters), or is no file.
    """
    name = unicodedata.normalize("NFC", source.name)
    try:
        if source.is_dir():
            files = _read_folder(source, label=name)
        else:
            with source.open("rb") as opened:
                head = opened.read(1024)
            if head.startswith(_ZIP_MAGICS):
                files = _unpack(source, _new_folder(scratch), label=name)
                name = unicodedata.normalize("NFC", source.stem)
            elif b"%PDF-" in head:
                files = [_read_file(source, name=name)]
                name = unicodedata.normalize("NFC", source.stem)
            else:
                raise InputRefused(
                    f"{name}: not a folder, a zip or a PDF ({'empty file' if not head else 'unknown kind'}); "
                    "give the bid documents as one of these",
                    zh=f"{name}：不是文件夹、zip 或 PDF 文件，请以其中一种形式提交投标文件。",
                )
    except OSError as error:
        raise InputRefused(
            f"{name}: cannot be read ({error.strerror}); check the path and its permissions",
            zh=f"{name}：无法读取，请检查路径与权限。",
        ) from error
    if not files:
        raise InputRefused(
            f"{name}: the package holds no file; put the PDFs to be stamped into it",
            zh=f"{name}：投标文件包中没有文件，请放入需要盖章的 PDF。",
        )
    _check_no_duplicates(files, label=name)
    return BidPackage(name=name, files=tuple(sorted(files, key=lambda file: file.name)))


def _new_folder(scratch: Path) -> Path:
    folder = scratch / "package"
    shutil.rmtree(folder, ignore_errors=True)  # what a killed run left behind
    folder.mkdir(parents=True)
    return folder


def _is_skipped(name: str) -> bool:
    parts = name.split("/")
    return any(part.startswith(".") or part.lower() in _SKIPPED for part in parts)


def _read_folder(folder: Path, *, label: str) -> list[SourceFile]:
    root = folder.resolve()
    files: list[SourceFile] = []
    total_bytes = 0
    for path in _walk(root, label=label):
        files.append(_read_file(path, name=_inner_name(path.relative_to(root).as_posix(), label=label)))
        total_bytes += files[-1].size_bytes
        _check_totals(len(files), total_bytes, label=label)
    return files


def _walk(root: Path, *, label: str) -> Iterable[Path]:
    """Yield every regular file below root that is not skipped; linked folders are not entered."""
    for folder, folder_names, file_names in os.walk(root, followlinks=False):
        depth = len(Path(folder).relative_to(root).parts)
        if depth > MAX_FOLDER_DEPTH:
            raise _refused(
                label,
                f"folders nested more than {MAX_FOLDER_DEPTH} deep",
                f"文件夹嵌套超过 {MAX_FOLDER_DEPTH} 层",
            )
        folder_names[:] = sorted(name for name in folder_names if not _is_skipped(name))
        for name in sorted(file_names) + [n for n in folder_names if Path(folder, n).is_symlink()]:
            path = Path(folder, name)
            if _is_skipped(name):
                continue
            if not path.resolve().is_relative_to(root):
                raise _refused(label, f"{name!r} is a link that leads out of it", f"“{name}”是指向包外的链接")
            if path.is_dir():
                continue
            if not stat.S_ISREG(path.stat().st_mode):
                raise _refused(label, f"{name!r} is not a regular file", f"“{name}”不是普通文件")
            yield path


def _read_file(path: Path, *, name: str) -> SourceFile:
    digest, size_bytes = hashlib.sha256(), 0
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += len(chunk)
            _check_file_size(size_bytes, label=name)
    return SourceFile(path=path, name=name, size_bytes=size_bytes, sha256=digest.hexdigest())


def _unpack(source: Path, folder: Path, *, label: str) -> list[SourceFile]:
    """Unpack into files named by number, so that no name of the zip's ever reaches the file system."""
    files: list[SourceFile] = []
    total_bytes = 0
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_PACKAGE_ENTRIES:
                raise _refused(
                    label,
                    f"{len(entries)} entries, the limit is {MAX_PACKAGE_ENTRIES}",
                    f"条目 {len(entries)} 个，超过上限 {MAX_PACKAGE_ENTRIES}",
                )
            named = [(_entry_name(entry, label=label), entry) for entry in entries]
            for name, entry in named:
                if entry.is_dir() or name.endswith("/") or _is_skipped(name):
                    continue
                _check_entry(entry, name, label=label)
                target = folder / f"{len(files):05d}.bin"
                files.append(_unpack_entry(archive, entry, target, name=name, label=label))
                total_bytes += files[-1].size_bytes
                _check_totals(len(files), total_bytes, label=label)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise InputRefused(
            f"{label}: the zip is damaged or cut short; pack and send it again",
            zh=f"{label}：zip 文件已损坏或不完整，请重新打包上传。",
        ) from error
    return files


def _entry_name(entry: zipfile.ZipInfo, *, label: str) -> str:
    """Return an entry's name as it was meant: UTF-8 when flagged (APPNOTE 6.3.9 §4.4.4 bit 11), else guessed.

    Chinese Windows writes GBK without saying so, other systems UTF-8 without saying so.
    """
    # orig_filename keeps what ZipInfo cuts off behind a NUL.
    name = entry.orig_filename
    if not entry.flag_bits & _FLAG_UTF8:
        raw = name.encode("cp437")
        for encoding in ("utf-8", "gbk", "cp437"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return _inner_name(name, label=label)


def _inner_name(name: str, *, label: str) -> str:
    """Return a name with forward slashes, NFC; refuse one that leads elsewhere or cannot be shown."""
    try:
        size_bytes = len(name.encode())
    except UnicodeEncodeError as error:
        raise _refused(label, f"a file name is no valid text: {name!r}", "有文件名不是有效文本") from error
    clean = unicodedata.normalize("NFC", name.replace("\\", "/"))
    parts = clean.removesuffix("/").split("/")
    if size_bytes > MAX_NAME_BYTES or len(parts) > MAX_FOLDER_DEPTH + 1:
        raise _refused(label, f"a file name is too long: {name[:40]!r}…", f"文件名过长：“{name[:40]}…”")
    if _BAD_CHARACTERS.search(clean):
        raise _refused(
            label, f"a file name holds control characters: {name!r}", f"文件名含有控制字符：{name!r}"
        )
    if clean.startswith("/") or _DRIVE.match(clean) or ".." in parts or "" in parts:
        raise _refused(
            label, f"the file name {name!r} leads out of the package", f"文件名“{name}”指向文件包之外"
        )
    return "/".join(part for part in parts if part != ".") + ("/" if clean.endswith("/") else "")


def _check_entry(entry: zipfile.ZipInfo, name: str, *, label: str) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise _refused(label, f"{name!r} is a link or device, not a file", f"“{name}”是链接或设备，不是文件")
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


def _unpack_entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, *, name: str, label: str
) -> SourceFile:
    """Write one entry, counting what comes out, not what the header promises."""
    digest, size_bytes = hashlib.sha256(), 0
    packed_bytes = min(entry.compress_size, Path(archive.filename or "").stat().st_size)
    allowed_bytes = max(RATIO_FREE_BYTES, MAX_RATIO * packed_bytes)
    with archive.open(entry) as packed, target.open("xb") as out:
        while chunk := packed.read(_CHUNK_BYTES):
            size_bytes += len(chunk)
            _check_file_size(size_bytes, label=f"{label}: {name}")
            if size_bytes > allowed_bytes:
                raise _refused(
                    label,
                    f"{name!r} unpacks to more than {MAX_RATIO} times its size (a zip bomb)",
                    f"“{name}”解压后超过压缩大小的 {MAX_RATIO} 倍（疑似压缩炸弹）",
                )
            digest.update(chunk)
            out.write(chunk)
    return SourceFile(path=target, name=name, size_bytes=size_bytes, sha256=digest.hexdigest())


def _check_file_size(size_bytes: int, *, label: str) -> None:
    if size_bytes > MAX_FILE_BYTES:
        raise InputRefused(
            f"{label}: more than {MAX_FILE_BYTES} bytes, the limit for one file; split it",
            zh=f"{label}：单个文件超过上限 {MAX_FILE_BYTES} 字节，请拆分。",
        )


def _check_totals(file_count: int, total_bytes: int, *, label: str) -> None:
    if file_count > MAX_PACKAGE_FILES:
        raise _refused(
            label, f"more than {MAX_PACKAGE_FILES} files", f"文件数超过上限 {MAX_PACKAGE_FILES} 个"
        )
    if total_bytes > MAX_PACKAGE_BYTES:
        raise _refused(
            label, f"more than {MAX_PACKAGE_BYTES} bytes in all", f"总大小超过上限 {MAX_PACKAGE_BYTES} 字节"
        )


def _check_no_duplicates(files: list[SourceFile], *, label: str) -> None:
    seen: dict[str, str] = {}
    for file in files:
        folded = unicodedata.normalize("NFC", file.name.casefold())
        if folded in seen:
            raise _refused(
                label,
                f"{seen[folded]!r} and {file.name!r} are one name to many systems; rename one",
                f"“{seen[folded]}”与“{file.name}”重名，请改名",
            )
        seen[folded] = file.name


def _refused(label: str, fact: str, fact_zh: str) -> InputRefused:
    return InputRefused(
        f"{label}: {fact}; nothing of the package was taken in, pack it again without that",
        zh=f"{label}：{fact_zh}；整个文件包未接收，请处理后重新提交。",
    )
