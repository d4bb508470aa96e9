"""Bytes hashed while they pass: checking digests, copying, and a reader that refuses a wrong end."""

import hashlib
import io
from collections.abc import Callable
from typing import Any, BinaryIO

from storage.errors import Corrupt, NotFound, StorageError
from storage.objects import CHUNK_BYTES, Digest

MAX_READ_BYTES = 256 << 20
"""What `read` returns whole, at most; larger objects are streamed with `copy_to` or `open`."""

_HEX = frozenset("0123456789abcdef")


def check_digest(digest: Digest) -> None:
    """Check that a name is a SHA-256 in lower-case hex (and so no path).

    Raises:
        NotFound: it is not, so nothing can be kept under it.
    """
    if len(digest) != 64 or not _HEX.issuperset(digest):
        raise NotFound(
            "an object's name is 64 lower-case hex digits; this is none, so nothing is kept under it",
            zh="对象名应为 64 位小写十六进制摘要；该名称不是，故无此对象",
        )


def check_read_size(digest: Digest, size_bytes: int) -> None:
    """Check that an object may be read whole.

    Raises:
        StorageError: it has more than MAX_READ_BYTES.
    """
    if size_bytes > MAX_READ_BYTES:
        raise StorageError(
            f"object {digest[:16]}… has {size_bytes} bytes, over {MAX_READ_BYTES}; stream it with copy_to",
            zh=f"对象 {digest[:16]}… 有 {size_bytes} 字节，超过整体读取上限，请改用流式读取",
        )


def not_found(digest: Digest) -> NotFound:
    """Return the error for an object that is not there."""
    return NotFound(
        f"object {digest[:16]}… is not kept here; check the home folder or the bucket",
        zh=f"未找到对象 {digest[:16]}…，请检查主目录或存储桶",
    )


def mismatch(digest: Digest, found: Digest | None = None) -> Corrupt:
    """Return the error for bytes that do not have the digest they should."""
    what = f" but {found[:16]}…" if found else ""
    return Corrupt(
        f"the bytes of object {digest[:16]}… do not have that SHA-256{what}; restore it from a backup",
        zh=f"对象 {digest[:16]}… 的内容与其摘要不符，请从备份恢复",
    )


def check_put(expected: Digest | None, found: Digest) -> None:
    """Check that a file to be kept is the file the caller hashed.

    Raises:
        Corrupt: it is not.
    """
    if expected is not None and expected != found:
        raise Corrupt(
            f"the file to be kept has SHA-256 {found[:16]}…, not {expected[:16]}…; it changed: make it again",
            zh=f"待保存文件的摘要为 {found[:16]}… 而非 {expected[:16]}…，文件已变化，请重新生成",
        )


def hash_stream(source: BinaryIO, sink: BinaryIO | None = None) -> tuple[Digest, int]:
    """Read to the end, writing on to `sink`; return SHA-256 and size in bytes."""
    hashed = hashlib.sha256()
    size_bytes = 0
    while chunk := source.read(CHUNK_BYTES):
        hashed.update(chunk)
        size_bytes += len(chunk)
        if sink is not None:
            sink.write(chunk)
    return hashed.hexdigest(), size_bytes


class CheckedReader(io.RawIOBase):
    """A forward-only reader that raises Corrupt at the end if the bytes were not those of `digest`.

    Args:
        size_bytes: where it is known, a wrong end is found even by a reader that does not read beyond it.
        on_close: called after the source is closed.
    """

    def __init__(
        self,
        source: BinaryIO,
        digest: Digest,
        *,
        size_bytes: int | None = None,
        on_close: Callable[[], object] | None = None,
    ) -> None:
        self._source = source
        self._digest = digest
        self._size_bytes = size_bytes
        self._read_bytes = 0
        self._hashed = hashlib.sha256()
        self._on_close = on_close

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer.

        Raises:
            Corrupt: at the end, when the digest does not match.
        """
        view = memoryview(buffer).cast("B")
        chunk = self._source.read(len(view))
        if not chunk and len(view):
            self.check()
            return 0
        self._hashed.update(chunk)
        self._read_bytes += len(chunk)
        view[: len(chunk)] = chunk
        if self._read_bytes == self._size_bytes:
            self.check()
        return len(chunk)

    def check(self) -> None:
        """Check what has been read so far as if it were all.

        Raises:
            Corrupt: it is not the object.
        """
        if self._hashed.hexdigest() != self._digest:
            raise mismatch(self._digest, self._hashed.hexdigest())

    def close(self) -> None:
        if not self.closed:
            self._source.close()
            if self._on_close is not None:
                self._on_close()
        super().close()


def checked_reader(
    source: BinaryIO, digest: Digest, *, on_close: Callable[[], object] | None = None
) -> BinaryIO:
    """Return a buffered CheckedReader."""
    return io.BufferedReader(CheckedReader(source, digest, on_close=on_close), CHUNK_BYTES)
