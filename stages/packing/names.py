"""File names inside packages: read as they were meant, and refused when they lead elsewhere."""

import re
import unicodedata

from stages.packing.limits import MAX_FOLDER_DEPTH, MAX_NAME_BYTES, MAX_PART_BYTES, refused

_SKIPPED = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_BAD_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"^[A-Za-z]:")


def is_skipped(name: str) -> bool:
    """Return whether a name is of something that systems leave behind, or hidden."""
    parts = name.split("/")
    return any(part.startswith(".") or part.lower() in _SKIPPED for part in parts)


def decode_name(raw: bytes, *, is_from_unix: bool = False) -> str:
    """Return a name that an archive gives without its encoding.

    Chinese Windows writes GBK without saying so, other systems UTF-8 without saying so. Some GBK is UTF-8,
    too: 图片 would be ͼƬ. What has nothing but such two-byte letters in it is taken for GBK.

    Args:
        is_from_unix: the archive says that a system wrote it on which names are UTF-8.
    """
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        return _decoded(raw, "gbk") or raw.decode("cp437")
    is_doubtful = not is_from_unix and not name.isascii() and max(name) < "\u0800"
    return (_decoded(raw, "gbk") if is_doubtful else None) or name


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def inner_name(name: str, *, label: str) -> str:
    """Return a name with forward slashes, NFC.

    Raises:
        InputRefused: it leads out of the package, is too long or too deep, or cannot be shown.
    """
    try:
        size_bytes = len(name.encode())
    except UnicodeEncodeError as error:
        raise refused(label, f"a file name is no valid text: {name!r}", "有文件名不是有效文本") from error
    clean = unicodedata.normalize("NFC", name.replace("\\", "/"))
    parts = clean.removesuffix("/").split("/")
    if size_bytes > MAX_NAME_BYTES or len(parts) > MAX_FOLDER_DEPTH + 1:
        raise refused(label, f"a file name is too long: {name[:40]!r}…", f"文件名过长：“{name[:40]}…”")
    if any(len(part.encode()) > MAX_PART_BYTES for part in parts):
        raise refused(
            label,
            f"a file or folder name is longer than {MAX_PART_BYTES // 3} Chinese characters: {name[:40]!r}…",
            f"文件或文件夹名称超过 {MAX_PART_BYTES // 3} 个汉字：“{name[:40]}…”",
        )
    if _BAD_CHARACTERS.search(clean):
        raise refused(
            label, f"a file name holds control characters: {name!r}", f"文件名含有控制字符：{name!r}"
        )
    if clean.startswith("/") or _DRIVE.match(clean) or ".." in parts or "" in parts:
        raise refused(
            label, f"the file name {name!r} leads out of the package", f"文件名“{name}”指向文件包之外"
        )
    return "/".join(part for part in parts if part != ".") + ("/" if clean.endswith("/") else "")
