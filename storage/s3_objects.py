"""Objects in an S3 bucket, under object lock where the bucket has it."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.error import S3Error
from minio.retention import Retention

from storage.checked import (
    CheckedReader,
    check_digest,
    check_put,
    check_read_size,
    checked_reader,
    hash_stream,
    mismatch,
    not_found,
)
from storage.errors import Corrupt, RecordRefused, Retained, StorageError
from storage.objects import Digest, StoredObject
from storage.s3_client import ABSENT, NO_LOCK, REFUSED, answers, s3_client

PART_BYTES = 16 << 20
MAX_RETENTION_NOTE_BYTES = 64
_RETAINED = ".retained"


class S3Store:
    """An object store in a bucket (see `ObjectStore`). May be used by many threads and hosts at once.

    In a bucket with object lock, retention is the server's (COMPLIANCE: nobody can shorten it). In any
    other it is a note beside the object that this program respects. `If-None-Match` is not relied on
    (Ceph RGW 16 overwrites in spite of it): what is read is checked, and a retained version stays.
    """

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        *,
        secure: bool = True,
        prefix: str = "",
        region: str = "us-east-1",
    ) -> None:
        """Use a bucket; nothing is asked of the server yet.

        Args:
            endpoint: host, or host:port.
            secure: over TLS. Servers that insist on Content-MD5 for retention need it.
            prefix: put before every object's name; ends in "/" where it is a folder.
        """
        self._client: Minio = s3_client(endpoint, access_key, secret_key, secure=secure, region=region)
        self._bucket = bucket
        self._prefix = prefix
        self._locks: bool | None = None

    def put_file(self, path: Path, *, digest: Digest | None = None, consume: bool = False) -> StoredObject:
        """Keep a file's bytes (see `ObjectStore.put_file`).

        Raises:
            StorageError: the file cannot be read.
        """
        try:
            with path.open("rb") as source:
                found, size_bytes = hash_stream(source)
                check_put(digest, found)
                source.seek(0)
                self._put(source, found, size_bytes)
            if consume:
                path.unlink()
        except OSError as error:
            raise StorageError(
                f"the file to be kept cannot be read ({error.strerror}); make it again",
                zh=f"待保存的文件无法读取（{error.strerror}），请重新生成",
            ) from error
        return StoredObject(found, size_bytes)

    def put_bytes(self, data: bytes) -> StoredObject:
        """Keep small bytes (see `ObjectStore.put_bytes`)."""
        source = io.BytesIO(data)
        digest, size_bytes = hash_stream(source)
        source.seek(0)
        self._put(source, digest, size_bytes)
        return StoredObject(digest, size_bytes)

    def read(self, digest: Digest) -> bytes:
        """Return a small object whole (see `ObjectStore.read`).

        Raises:
            StorageError: it has more than MAX_READ_BYTES.
        """
        size_bytes = self._size(digest)
        if size_bytes is None:
            raise not_found(digest)
        check_read_size(digest, size_bytes)
        with answers(), self.open(digest) as source:
            return source.read()

    def copy_to(self, digest: Digest, path: Path) -> None:
        """Write an object to a file, streaming (see `ObjectStore.copy_to`), replacing one that is there."""
        with answers(), self.open(digest) as source:
            path.unlink(missing_ok=True)
            try:
                with path.open("xb") as target:
                    hash_stream(source, target)
            except BaseException:
                path.unlink(missing_ok=True)
                raise

    def open(self, digest: Digest) -> BinaryIO:
        """Return a checking reader (see `ObjectStore.open`)."""
        check_digest(digest)
        with answers():
            try:
                response = self._client.get_object(self._bucket, self._key(digest))
            except S3Error as error:
                if error.code in ABSENT:
                    raise not_found(digest) from error
                raise
        return checked_reader(response, digest, on_close=response.release_conn)

    def has(self, digest: Digest) -> bool:
        """Return whether the object is kept."""
        return self._size(digest) is not None

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
        if not self.has(digest):
            raise not_found(digest)
        until_at = until_at.astimezone(UTC)
        if until_at.microsecond:  # servers keep milliseconds or seconds: never earlier than asked
            until_at = until_at.replace(microsecond=0) + timedelta(seconds=1)
        kept = self.retained_until(digest)
        if kept is not None and kept >= until_at:
            return
        with answers():
            if self.has_object_lock():
                config = Retention(COMPLIANCE, until_at)
                self._client.set_object_retention(self._bucket, self._key(digest), config)
            else:
                note = until_at.isoformat().encode()
                key = self._key(digest) + _RETAINED
                self._client.put_object(self._bucket, key, io.BytesIO(note), len(note))

    def retained_until(self, digest: Digest) -> datetime | None:
        """Return until when an object is retained, in UTC.

        Raises:
            Corrupt: the note beside the object cannot be read; it then stays retained.
        """
        check_digest(digest)
        with answers():
            return self._lock_until(digest) if self.has_object_lock() else self._note_until(digest)

    def delete(self, digest: Digest, *, now: datetime) -> None:
        """Remove every version of an object whose retention has ended; an absent one is no error.

        Raises:
            Retained: its retention has not ended, by `now` or by the server's own clock.
        """
        until_at = self.retained_until(digest)
        if until_at is not None and now < until_at:
            raise Retained(
                f"object {digest[:16]}… is retained until {until_at:%Y-%m-%d %H:%M} UTC; wait until then",
                zh=f"对象 {digest[:16]}… 保管至 {until_at:%Y-%m-%d %H:%M}（UTC），到期前不得删除",
            )
        key = self._key(digest)
        with answers():
            found = list(self._client.list_objects(self._bucket, prefix=key, include_version=True))
            for version in sorted(
                found, key=lambda version: version.object_name != key
            ):  # the note goes last
                try:
                    self._client.remove_object(
                        self._bucket, version.object_name, version_id=version.version_id
                    )
                except S3Error as error:
                    if error.code in REFUSED:
                        raise Retained(
                            f"the store refuses to delete object {digest[:16]}… ({error.code}); it is locked",
                            zh=f"存储拒绝删除对象 {digest[:16]}…（{error.code}），该对象已锁定",
                        ) from error
                    raise

    def has_object_lock(self) -> bool:
        """Return whether the server itself keeps retention in this bucket (asked once)."""
        if self._locks is None:
            with answers():
                try:
                    self._client.get_object_lock_config(self._bucket)
                    self._locks = True
                except S3Error as error:
                    if error.code not in NO_LOCK:
                        raise
                    self._locks = False
        return self._locks

    def wormcheck(self, *, now: datetime) -> None:
        """Check that the server keeps what it was told to keep; see `storage.wormcheck`."""
        from storage.wormcheck import check_worm

        check_worm(self._client, self._bucket, self._prefix, now=now)

    def _key(self, digest: Digest) -> str:
        return f"{self._prefix}{digest[:2]}/{digest[2:4]}/{digest}"

    def _size(self, digest: Digest) -> int | None:
        check_digest(digest)
        with answers():
            try:
                return int(self._client.stat_object(self._bucket, self._key(digest)).size or 0)
            except S3Error as error:
                if error.code in ABSENT:
                    return None
                raise

    def _put(self, source: BinaryIO, digest: Digest, size_bytes: int) -> None:
        kept_bytes = self._size(digest)
        if kept_bytes is not None:
            if kept_bytes != size_bytes:
                raise mismatch(digest)
            return
        key = self._key(digest)
        # Hashed once more on its way: the file may change between the first look and the last part.
        passing = CheckedReader(source, digest, size_bytes=size_bytes)
        with answers():
            self._client.put_object(self._bucket, key, passing, size_bytes, part_size=PART_BYTES)

    def _lock_until(self, digest: Digest) -> datetime | None:
        try:
            config = self._client.get_object_retention(self._bucket, self._key(digest))
        except S3Error as error:
            if error.code in ABSENT or error.code in NO_LOCK:
                return None
            raise
        if config is None:
            return None
        until_at: datetime = config.retain_until_date
        return until_at.astimezone(UTC)

    def _note_until(self, digest: Digest) -> datetime | None:
        try:
            response = self._client.get_object(self._bucket, self._key(digest) + _RETAINED)
        except S3Error as error:
            if error.code in ABSENT:
                return None
            raise
        try:
            until_at = datetime.fromisoformat(response.read(MAX_RETENTION_NOTE_BYTES).decode())
        except ValueError as error:
            raise _bad_note(digest) from error
        finally:
            response.close()
            response.release_conn()
        if until_at.tzinfo is None:
            raise _bad_note(digest)
        return until_at


def _bad_note(digest: Digest) -> Corrupt:
    return Corrupt(
        f"the retention note of object {digest[:16]}… cannot be read; it stays retained: restore the note",
        zh=f"对象 {digest[:16]}… 的保管期限记录无法读取，对象保持保管状态，请恢复该记录",
    )
