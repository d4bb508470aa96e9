"""Objects in a folder: `aa/bb/<SHA-256>`, written once, read-only, with their retention beside them."""

import contextlib
import errno
import fcntl
import io
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from storage.checked import (
    check_digest,
    check_put,
    check_read_size,
    checked_reader,
    hash_stream,
    mismatch,
    not_found,
)
from storage.errors import Corrupt, RecordRefused, Retained, StoreUnavailable
from storage.objects import Digest, StoredObject

_INCOMING = "incoming"
_LOCK = ".lock"
_RETAINED = ".retained"
MAX_RETENTION_NOTE_BYTES = 64


class FolderStore:
    """An object store in a folder (see `ObjectStore`). Many processes may use one folder at once.

    An object is complete or absent: it is written under `incoming/`, fsynced, renamed, and then its
    folder is fsynced. The folder keeps retention against this program, not against its owner.
    """

    def __init__(self, root: Path) -> None:
        """Use the folder `root`, making it where it is missing.

        Raises:
            StoreUnavailable: the folder cannot be made.
        """
        self._root = root
        self._incoming = root / _INCOMING
        with _answers():
            self._incoming.mkdir(parents=True, exist_ok=True)

    def put_file(self, path: Path, *, digest: Digest | None = None, consume: bool = False) -> StoredObject:
        """Keep a file's bytes (see `ObjectStore.put_file`)."""
        if consume:
            with _answers(), path.open("rb") as source:
                found, size_bytes = hash_stream(source)
                os.fsync(source.fileno())
            check_put(digest, found)
            with _answers():
                try:
                    self._keep(path, found, size_bytes)
                    return StoredObject(found, size_bytes)
                except OSError as error:
                    if error.errno != errno.EXDEV:  # on another file system: copy it, below
                        raise
        with _answers(), path.open("rb") as source:
            stored = self._put_stream(source, digest)
            if consume:
                path.unlink()
            return stored

    def put_bytes(self, data: bytes) -> StoredObject:
        """Keep small bytes (see `ObjectStore.put_bytes`)."""
        with _answers():
            return self._put_stream(io.BytesIO(data), None)

    def read(self, digest: Digest) -> bytes:
        """Return a small object whole (see `ObjectStore.read`).

        Raises:
            StorageError: it has more than MAX_READ_BYTES.
        """
        with _answers(), self._opened(digest) as source:
            check_read_size(digest, os.fstat(source.fileno()).st_size)
            data = io.BytesIO()
            found, _ = hash_stream(source, data)
        if found != digest:
            raise mismatch(digest, found)
        return data.getvalue()

    def copy_to(self, digest: Digest, path: Path) -> None:
        """Write an object to a file, streaming (see `ObjectStore.copy_to`), replacing one that is there."""
        with _answers(), self._opened(digest) as source:
            path.unlink(missing_ok=True)
            try:
                with path.open("xb") as target:
                    found, _ = hash_stream(source, target)
                if found != digest:
                    raise mismatch(digest, found)
            except BaseException:
                path.unlink(missing_ok=True)
                raise

    def open(self, digest: Digest) -> BinaryIO:
        """Return a checking reader (see `ObjectStore.open`)."""
        with _answers():
            return checked_reader(self._opened(digest), digest)

    def has(self, digest: Digest) -> bool:
        """Return whether the object is kept."""
        check_digest(digest)
        with _answers():
            return self._path(digest).is_file()

    def retain(self, digest: Digest, until_at: datetime) -> None:
        """Forbid deletion until then; an existing later date stays.

        Raises:
            NotFound: no such object.
            RecordRefused: a time without a time zone.
        """
        if until_at.tzinfo is None:
            raise RecordRefused(
                "a retention date has no time zone; pass an aware instant", zh="保管期限缺少时区"
            )
        with _answers(), self._locked(fcntl.LOCK_EX):
            if not self.has(digest):
                raise not_found(digest)
            kept = self.retained_until(digest)
            if kept is not None and kept >= until_at:
                return
            note = self._path(digest).with_suffix(_RETAINED)
            temporary = self._incoming / uuid.uuid4().hex
            with temporary.open("xb") as target:
                target.write(until_at.astimezone(UTC).isoformat().encode())
                target.flush()
                os.fsync(target.fileno())
            temporary.rename(note)
            _sync_folder(note.parent)

    def retained_until(self, digest: Digest) -> datetime | None:
        """Return until when an object is retained.

        Raises:
            Corrupt: the note beside the object cannot be read; it then stays retained.
        """
        check_digest(digest)
        note = self._path(digest).with_suffix(_RETAINED)
        try:
            with _answers():
                if not note.exists():
                    return None
                with note.open("rb") as source:
                    until_at = datetime.fromisoformat(source.read(MAX_RETENTION_NOTE_BYTES).decode())
        except ValueError as error:
            raise _bad_note(digest) from error
        if until_at.tzinfo is None:
            raise _bad_note(digest)
        return until_at

    def delete(self, digest: Digest, *, now: datetime) -> None:
        """Remove an object whose retention has ended; one that is not there is no error.

        Raises:
            Retained: its retention has not ended.
        """
        with _answers(), self._locked(fcntl.LOCK_EX):
            until_at = self.retained_until(digest)
            if until_at is not None and now < until_at:
                raise Retained(
                    f"object {digest[:16]}… is retained until {until_at:%Y-%m-%d %H:%M} UTC; wait until then",
                    zh=f"对象 {digest[:16]}… 保管至 {until_at:%Y-%m-%d %H:%M}（UTC），到期前不得删除",
                )
            path = self._path(digest)
            path.unlink(missing_ok=True)
            path.with_suffix(_RETAINED).unlink(missing_ok=True)
            if path.parent.is_dir():
                _sync_folder(path.parent)

    def _path(self, digest: Digest) -> Path:
        return self._root / digest[:2] / digest[2:4] / digest

    def _opened(self, digest: Digest) -> BinaryIO:
        check_digest(digest)
        try:
            return self._path(digest).open("rb")
        except FileNotFoundError as error:
            raise not_found(digest) from error

    def _put_stream(self, source: BinaryIO, digest: Digest | None) -> StoredObject:
        temporary = self._incoming / uuid.uuid4().hex
        try:
            with temporary.open("xb") as target:
                found, size_bytes = hash_stream(source, target)
                check_put(digest, found)
                target.flush()
                os.fsync(target.fileno())
            self._keep(temporary, found, size_bytes)
        finally:
            temporary.unlink(missing_ok=True)
        return StoredObject(found, size_bytes)

    def _keep(self, source: Path, digest: Digest, size_bytes: int) -> None:
        """Move a file whose bytes are on disk to its place, and put the move itself on disk."""
        path = self._path(digest)
        with self._locked(fcntl.LOCK_SH):  # nobody deletes between the look and the answer
            try:
                kept_bytes = path.stat().st_size
            except FileNotFoundError:
                self._make_folder(path.parent)
                source.chmod(0o444)
                source.rename(path)
                _sync_folder(path.parent)
                return
        if kept_bytes != size_bytes:
            raise mismatch(digest)
        source.unlink()

    def _make_folder(self, folder: Path) -> None:
        for level in (folder.parent, folder):
            if not level.is_dir():
                level.mkdir(exist_ok=True)
                _sync_folder(level.parent)

    @contextlib.contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        descriptor = os.open(self._root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _answers() -> Iterator[None]:
    """Say the operating system's errors in this room's words."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise StoreUnavailable(
            f"the object folder does not answer ({why}); check the path, the disk and its free room",
            zh=f"对象文件夹无响应（{why}），请检查路径、磁盘及剩余空间",
        ) from error


def _bad_note(digest: Digest) -> Corrupt:
    return Corrupt(
        f"the retention note of object {digest[:16]}… cannot be read; it stays retained: restore the note",
        zh=f"对象 {digest[:16]}… 的保管期限记录无法读取，对象保持保管状态，请恢复该记录",
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
