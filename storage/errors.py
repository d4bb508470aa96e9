"""What can go wrong with bytes and records that are kept."""


class StorageError(Exception):
    """Root of this room's errors: a fact in English, the same fact in Chinese in `zh`."""

    def __init__(self, message: str, *, zh: str = "") -> None:
        super().__init__(message)
        self.zh = zh


class Corrupt(StorageError):
    """Stored bytes, or the event chain, are not what was stored."""


class NotFound(StorageError):
    """Nothing is kept under that name."""


class Retained(StorageError):
    """A retention period or a legal hold forbids it."""


class StaleState(StorageError):
    """Another worker was first: the row is no longer in the state this step began from."""


class AlreadyBound(StorageError):
    """A record that may exist once exists already (a seal's certificate, a file's signature)."""


class StoreUnavailable(StorageError):
    """The object store or the database does not answer."""


class RecordRefused(StorageError):
    """A value that may not be kept: a naive time, no SHA-256, text over its limit, an impossible state."""


class SchemaTooNew(StorageError):
    """The records were made by a later version of this program."""


class RetentionNotKept(StorageError):
    """The object store lets retained objects be deleted or their retention be shortened."""
