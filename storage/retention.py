"""Legal holds, and whether an archived document may be disposed of."""

from datetime import datetime

import sqlalchemy as sa

from storage.engine import Database
from storage.errors import NotFound, RecordRefused, Retained, StaleState
from storage.events import writing
from storage.rows import HoldRecord
from storage.schema import archives, jobs, legal_holds

MAX_REASON_CHARS = 1_000


class HoldBook:
    """The part of the records that knows legal holds and retention."""

    _database: Database

    def place_hold(self, job_id: str, reason: str, *, actor: str, at: datetime) -> HoldRecord:
        """Forbid disposal of a job's documents until the hold is lifted.

        Raises:
            NotFound: no such job.
            RecordRefused: no reason, or one over MAX_REASON_CHARS.
        """
        if not 0 < len(reason.strip()) <= MAX_REASON_CHARS:
            raise RecordRefused(
                f"a legal hold needs a reason of 1-{MAX_REASON_CHARS} characters",
                zh=f"冻结须说明理由（1-{MAX_REASON_CHARS} 字符）",
            )
        with writing(self._database) as transaction:
            connection = transaction.connection
            if connection.execute(sa.select(jobs.c.id).where(jobs.c.id == job_id)).first() is None:
                raise NotFound(f"no job {job_id} is recorded; nothing to hold", zh=f"没有作业 {job_id}")
            values = {"job_id": job_id, "reason": reason, "placed_at": at, "placed_by": actor}
            hold_id = connection.execute(
                sa.insert(legal_holds).values(values).returning(legal_holds.c.id)
            ).scalar_one()
            transaction.append(
                "hold_placed", {"hold": hold_id, "reason": reason}, actor=actor, at=at, job_id=job_id
            )
        return HoldRecord(hold_id, job_id, reason, at, actor, None)

    def lift_hold(self, hold_id: int, *, actor: str, at: datetime) -> None:
        """Lift a hold.

        Raises:
            NotFound: no such hold.
            StaleState: it is lifted already.
        """
        with writing(self._database) as transaction:
            connection = transaction.connection
            row = connection.execute(sa.select(legal_holds).where(legal_holds.c.id == hold_id)).first()
            if row is None:
                raise NotFound(f"no legal hold {hold_id} is recorded", zh=f"没有冻结记录 {hold_id}")
            if row.lifted_at is not None:
                raise StaleState(f"legal hold {hold_id} is lifted already", zh=f"冻结 {hold_id} 已解除")
            connection.execute(sa.update(legal_holds).where(legal_holds.c.id == hold_id).values(lifted_at=at))
            transaction.append("hold_lifted", {"hold": hold_id}, actor=actor, at=at, job_id=row.job_id)

    def holds(self, job_id: str) -> list[HoldRecord]:
        """Return every hold a job has or had, oldest first."""
        query = sa.select(legal_holds).where(legal_holds.c.job_id == job_id).order_by(legal_holds.c.id)
        with self._database.reading() as connection:
            return [HoldRecord(**row._mapping) for row in connection.execute(query)]

    def check_disposal(self, job_id: str, *, now: datetime) -> None:
        """Raise unless a document's retention has ended and no hold is in force.

        Raises:
            Retained: until when, or that a hold is in force.
            NotFound: nothing is archived of the job.
        """
        with self._database.reading() as connection:
            until_at = connection.execute(
                sa.select(archives.c.retain_until_at).where(archives.c.job_id == job_id)
            ).scalar_one_or_none()
            held = connection.execute(
                sa.select(legal_holds.c.id).where(
                    legal_holds.c.job_id == job_id, legal_holds.c.lifted_at.is_(None)
                )
            ).first()
        if until_at is None:
            raise NotFound(
                f"nothing is archived of job {job_id}; there is nothing to dispose of",
                zh=f"作业 {job_id} 尚未归档",
            )
        if held is not None:
            raise Retained(
                f"job {job_id} is under legal hold {held.id}; it must be lifted first",
                zh=f"作业 {job_id} 处于冻结 {held.id} 之下，须先解除",
            )
        if now < until_at:
            raise Retained(
                f"job {job_id} is retained until {until_at:%Y-%m-%d}; wait until then",
                zh=f"作业 {job_id} 保管至 {until_at:%Y-%m-%d}，到期前不得销毁",
            )

    def may_dispose(self, job_id: str, now: datetime) -> bool:
        """Return whether a document may be disposed of now.

        Raises:
            NotFound: nothing is archived of the job.
        """
        try:
            self.check_disposal(job_id, now=now)
        except Retained:
            return False
        return True
