"""The records: seals, packages, jobs, signatures, archives, holds and the event log of one installation."""

from storage.archives import ArchiveBook
from storage.engine import Database, open_database
from storage.events import EventLog
from storage.origins import OriginBook
from storage.packages import PackageBook
from storage.presets import PresetBook
from storage.retention import HoldBook
from storage.seals import SealBook
from storage.search import ArchiveSearch
from storage.stampings import StampingBook
from storage.states import StateBook
from storage.upgrade import upgrade_records
from storage.voids import VoidBook


class Records(
    SealBook,
    PackageBook,
    OriginBook,
    PresetBook,
    StateBook,
    ArchiveBook,
    ArchiveSearch,
    HoldBook,
    VoidBook,
    StampingBook,
    EventLog,
):
    """Everything that is known of objects, jobs, seals and seal uses.

    Each call is one transaction; one that changes something appends its events in the same
    transaction. Any call may raise StoreUnavailable when the database does not answer.
    May be used by many threads; a process that forks opens its own afterwards.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def close(self) -> None:
        """Close the connections."""
        self._database.close()


def open_records(url: str) -> Records:
    """Open the records at `sqlite:///path` or `postgresql://…`, with their schema brought up to date.

    Raises:
        StorageError: an address of another kind.
        StoreUnavailable: the database does not answer.
        SchemaTooNew: they were made by a later version of this program.
        Corrupt: the file is no database.
    """
    database = open_database(url)
    try:
        upgrade_records(database)
    except BaseException:
        database.close()
        raise
    return Records(database)
