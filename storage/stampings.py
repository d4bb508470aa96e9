"""The records of files that were stamped without being signed, so that their marks can be taken back."""

from collections.abc import Sequence

import sqlalchemy as sa

from storage.engine import Database
from storage.events import writing
from storage.objects import Digest
from storage.rows import StampingRecord
from storage.schema import stampings


class StampingBook:
    """The part of the records that knows unsigned stampings."""

    _database: Database

    def add_stampings(self, records: Sequence[StampingRecord]) -> None:
        """Record stampings, an event for each; the same bytes stamped again are recorded once.

        Raises:
            RecordRefused: no SHA-256, a naive time.
        """
        with writing(self._database) as transaction:
            connection = transaction.connection
            for record in records:
                known = sa.select(stampings.c.stamped_digest).where(
                    stampings.c.stamped_digest == record.stamped_digest
                )
                if connection.execute(known).first() is None:
                    connection.execute(sa.insert(stampings), vars(record))
                detail = {
                    "file": record.name,
                    "original": record.original_digest,
                    "stamped": record.stamped_digest,
                    "signed": False,
                }
                transaction.append("stamped_unsigned", detail, actor=record.stamped_by, at=record.stamped_at)

    def stamping_of(self, stamped_digest: Digest) -> StampingRecord | None:
        """Return how a stamped file came about; None when it was not stamped here."""
        query = sa.select(stampings).where(stampings.c.stamped_digest == stamped_digest)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return StampingRecord(**row._mapping) if row is not None else None
