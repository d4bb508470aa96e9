"""What a package may hold, and the errors that say it holds more."""

from stages.errors import InputRefused

MAX_PACKAGE_FILES = 5_000
MAX_PACKAGE_ENTRIES = 20_000
"""Of an archive's directory, folders and skipped files included."""
MAX_PACKAGE_BYTES = 4 * 1024**3
MAX_FILE_BYTES = 1024**3
MAX_NAME_BYTES = 1024
"""Of a path in the package: Windows has 260 characters, a Chinese one takes three bytes."""
MAX_PART_BYTES = 240
"""Of a file's or folder's own name: file systems have 255, and what we export may add to it."""
MAX_FOLDER_DEPTH = 16
MAX_ARCHIVE_DEPTH = 2
"""A package that is an archive may hold archives, and those no more."""
MAX_RATIO = 200
"""Deflate reaches 1032:1 on zeros; a real PDF stays far below this."""
RATIO_FREE_BYTES = 10 * 1024 * 1024
"""What is smaller may be compressed as well as it likes."""


class Tally:
    """Counts the files of one package and their bytes, nested archives included."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._files = 0
        self._bytes = 0

    def add(self, size_bytes: int) -> None:
        """Count one file.

        Raises:
            InputRefused: the package holds more than MAX_PACKAGE_FILES or MAX_PACKAGE_BYTES.
        """
        self._files += 1
        self._bytes += size_bytes
        if self._files > MAX_PACKAGE_FILES:
            raise refused(
                self._label, f"more than {MAX_PACKAGE_FILES} files", f"文件数超过上限 {MAX_PACKAGE_FILES} 个"
            )
        if self._bytes > MAX_PACKAGE_BYTES:
            raise refused(
                self._label,
                f"more than {MAX_PACKAGE_BYTES} bytes in all",
                f"总大小超过上限 {MAX_PACKAGE_BYTES} 字节",
            )


def check_entry_count(count: int, *, label: str) -> None:
    """Check how many entries an archive lists.

    Raises:
        InputRefused: more than MAX_PACKAGE_ENTRIES.
    """
    if count > MAX_PACKAGE_ENTRIES:
        raise refused(
            label,
            f"{count} entries, the limit is {MAX_PACKAGE_ENTRIES}",
            f"条目 {count} 个，超过上限 {MAX_PACKAGE_ENTRIES}",
        )


def check_file_size(size_bytes: int, *, label: str) -> None:
    """Check the size of one file.

    Raises:
        InputRefused: more than MAX_FILE_BYTES.
    """
    if size_bytes > MAX_FILE_BYTES:
        raise InputRefused(
            f"{label}: more than {MAX_FILE_BYTES} bytes, the limit for one file; split it",
            zh=f"{label}：单个文件超过上限 {MAX_FILE_BYTES} 字节，请拆分。",
        )


def check_ratio(unpacked_bytes: int, packed_bytes: int, name: str, *, label: str) -> None:
    """Check how far something was compressed.

    Raises:
        InputRefused: it unpacks to more than MAX_RATIO times its size.
    """
    if unpacked_bytes > max(RATIO_FREE_BYTES, MAX_RATIO * packed_bytes):
        raise refused(
            label,
            f"{name!r} unpacks to more than {MAX_RATIO} times its size (a zip bomb)",
            f"“{name}”解压后超过压缩大小的 {MAX_RATIO} 倍（疑似压缩炸弹）",
        )


def refused(label: str, fact: str, fact_zh: str) -> InputRefused:
    """Return the error that refuses a whole package."""
    return InputRefused(
        f"{label}: {fact}; nothing of the package was taken in, pack it again without that",
        zh=f"{label}：{fact_zh}；整个文件包未接收，请处理后重新提交。",
    )
