"""The records of documents that hold no longer: each voided once, by a signed record."""

import sqlalchemy as sa

from storage.engine import Database
from storage.errors import AlreadyBound, NotFound, RecordRefused
from storage.events import writing
from storage.rows import VoidRecord
from storage.schema import archives, voids

MAX_VOID_REASON_CHARS = 1_000


class VoidBook:
    """The part of the records that knows which archived documents were voided."""

    _database: Database

    def void_archive(self, void: VoidRecord) -> None:
        """Record that an archived document holds no longer, with its event.

        Raises:
            NotFound: nothing is archived of the job.
            AlreadyBound: it is voided already.
            RecordRefused: no reason, or one over MAX_VOID_REASON_CHARS; no SHA-256; a naive time.
        """
        if not 0 < len(void.reason.strip()) <= MAX_VOID_REASON_CHARS:
            raise RecordRefused(
                f"voiding needs a reason of 1-{MAX_VOID_REASON_CHARS} characters",
                zh=f"作废须说明理由（1-{MAX_VOID_REASON_CHARS} 字符）",
            )
        with writing(self._database) as transaction:
            connection = transaction.connection
            kept = connection.execute(sa.select(archives.c.job_id).where(archives.c.job_id == void.job_id))
            if kept.first() is None:
                raise NotFound(
                    f"nothing is archived of job {void.job_id}; there is nothing to void",
                    zh=f"作业 {void.job_id} 尚未归档，无可作废",
                )
            if connection.execute(sa.select(voids).where(voids.c.job_id == void.job_id)).first() is not None:
                raise already_void(void.job_id)
            connection.execute(sa.insert(voids), vars(void))
            detail = {
                "reason": void.reason,
                "record": void.record_digest,
                "signature": void.signature_digest,
            }
            transaction.append("voided", detail, actor=void.voided_by, at=void.voided_at, job_id=void.job_id)

    def void_of(self, job_id: str) -> VoidRecord | None:
        """Return how a document was voided; None when it was not."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(voids).where(voids.c.job_id == job_id)).first()
        return VoidRecord(**row._mapping) if row is not None else None


def already_void(job_id: str) -> AlreadyBound:
    """Return the error for a document that was voided before."""
    return AlreadyBound(
        f"{job_id} is void already; see `archive show`",
        zh=f"{job_id} 已作废，不能再次作废；详见 archive show",
    )
