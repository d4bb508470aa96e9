"""What any object store must do: keep bytes under their SHA-256, written once, checked on every read."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

Digest = str
"""SHA-256 in lower-case hex."""

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class StoredObject:
    """An object that is safely kept: its bytes were on disk (or acknowledged) before this was returned."""

    digest: Digest
    size_bytes: int


class ObjectStore(Protocol):
    """Objects named by their SHA-256. Putting what is there already changes nothing and is no error.

    Every method raises StoreUnavailable when the store does not answer.
    """

    def put_file(self, path: Path, *, digest: Digest | None = None, consume: bool = False) -> StoredObject:
        """Keep a file's bytes.

        Args:
            digest: its SHA-256 where the caller has just computed it; it is checked, not believed.
            consume: the file is the store's afterwards (it may be moved instead of copied).

        Raises:
            Corrupt: the bytes do not have that digest.
        """
        ...

    def put_bytes(self, data: bytes) -> StoredObject:
        """Keep small bytes."""
        ...

    def read(self, digest: Digest) -> bytes:
        """Return a small object whole.

        Raises:
            NotFound: no such object.
            Corrupt: what is kept is not what was put.
        """
        ...

    def copy_to(self, digest: Digest, path: Path) -> None:
        """Write an object to a new file, streaming; on any error the file does not exist afterwards.

        Raises:
            NotFound: no such object.
            Corrupt: what is kept is not what was put.
        """
        ...

    def open(self, digest: Digest) -> BinaryIO:
        """Return a reader that raises Corrupt at the end of the stream if the bytes do not match.

        Raises:
            NotFound: no such object.
        """
        ...

    def has(self, digest: Digest) -> bool:
        """Return whether the object is kept (its bytes are not read)."""
        ...

    def retain(self, digest: Digest, until_at: datetime) -> None:
        """Forbid deletion until then. An existing later date stays.

        Raises:
            NotFound: no such object.
        """
        ...

    def retained_until(self, digest: Digest) -> datetime | None:
        """Return what the store itself says of an object's retention."""
        ...

    def delete(self, digest: Digest, *, now: datetime) -> None:
        """Remove an object whose retention has ended.

        Raises:
            Retained: its retention has not ended.
        """
        ...
