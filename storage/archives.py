"""The records of what is archived: putting documents there, and looking one up."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from storage.engine import Database
from storage.errors import NotFound
from storage.events import writing
from storage.rows import ArchiveEntry, ArchiveRecord, Move
from storage.schema import JobState, archives
from storage.states import check_state, move_job


class ArchiveBook:
    """The part of the records that knows archived documents."""

    _database: Database

    def archive_jobs(
        self,
        entries: Sequence[ArchiveEntry],
        *,
        actor: str,
        at: datetime,
        expected: JobState = JobState.VERIFIED,
    ) -> None:
        """Move verified documents to ARCHIVED, each with its archive record and event: all, or none.

        A document without a signature moves from UNSIGNED to KEPT_UNSIGNED.

        Raises:
            StaleState: a job is not in the state expected; nothing was changed.
            RecordRefused: no SHA-256, a naive time.
        """
        if not entries:
            return
        rows = []
        for entry in entries:
            values = {name: value for name, value in vars(entry).items() if name != "detail"}
            rows.append({**values, "archived_at": at})
        with writing(self._database) as transaction:
            for entry in entries:
                check_state(transaction.connection, entry.job_id, _way(entry, expected)[0])
            transaction.connection.execute(sa.insert(archives), rows)
            for entry in entries:
                detail = {
                    **entry.detail,
                    "signed": entry.signed_digest,
                    "evidence": entry.evidence_digest,
                    "retain_until": entry.retain_until_at.isoformat(),
                }
                before, after = _way(entry, expected)
                act = "archived" if after is JobState.ARCHIVED else "kept_unsigned"
                move_job(transaction, Move(entry.job_id, before, after, act, actor, at, detail=detail))

    def archive_of(self, job_id: str) -> ArchiveRecord:
        """Return what is archived of a job.

        Raises:
            NotFound: nothing is.
        """
        with self._database.reading() as connection:
            row = connection.execute(sa.select(archives).where(archives.c.job_id == job_id)).first()
        if row is None:
            raise NotFound(
                f"nothing is archived of job {job_id}; see how far it is", zh=f"作业 {job_id} 尚未归档"
            )
        return ArchiveRecord(**row._mapping)


def _way(entry: ArchiveEntry, expected: JobState) -> tuple[JobState, JobState]:
    """Return the state a document is archived from, and the one it comes into."""
    if entry.signed_digest is None:
        return JobState.UNSIGNED, JobState.KEPT_UNSIGNED
    return expected, JobState.ARCHIVED
