"""Moving jobs from state to state, a chunk in one transaction: one event a move, one signature a file."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.engine import Database
from storage.errors import AlreadyBound, NotFound, RecordRefused, StaleState
from storage.events import Writing, writing
from storage.objects import Digest
from storage.rows import ClaimRecord, JobError, Move, NewClaim, NewSignature
from storage.schema import JobState, job_outputs, jobs, signature_claims

MAX_MOVES = 10_000
MAX_ERROR_CHARS = 4_000

_MOVE = (
    sa.update(jobs)
    .where(jobs.c.id == sa.bindparam("job"), jobs.c.state == sa.bindparam("expected"))
    .values(
        state=sa.bindparam("to"),
        error_code=sa.bindparam("code"),
        error_message=sa.bindparam("message"),
        error_message_zh=sa.bindparam("message_zh"),
        attempts=sa.case((sa.bindparam("put_off", type_=sa.Boolean), jobs.c.attempts + 1), else_=0),
        updated_at=sa.bindparam("moved_at"),
        wait_until_at=sa.bindparam("wait"),
    )
)


class StateBook:
    """The part of the records that moves jobs."""

    _database: Database

    def advance(self, moves: Sequence[Move]) -> None:
        """Move every job, with its output and its event: all of them, or none.

        A move with an error, or to the state it is in, counts as an attempt; any other resets the count.

        Raises:
            StaleState: a job is not in the state its move expects; nothing was changed.
            RecordRefused: a state that cannot be (signed without a signature, refused without a reason).
        """
        if len(moves) > MAX_MOVES:
            raise RecordRefused(
                f"{len(moves)} moves in one transaction, over {MAX_MOVES}; split the chunk",
                zh=f"一次事务含 {len(moves)} 个状态变更，超过 {MAX_MOVES}，请分批",
            )
        if not moves:
            return
        with writing(self._database) as transaction:
            for move in moves:
                move_job(transaction, move)
            self._put_outputs(
                transaction, [(m.job_id, m.to, *m.output) for m in moves if m.output is not None]
            )

    def claim_signature(
        self,
        job_id: str,
        *,
        expected: JobState = JobState.STAMPED,
        fingerprint: Digest,
        field_name: str,
        actor: str,
        at: datetime,
    ) -> ClaimRecord:
        """Claim one file before it is signed; see `claim_signatures`."""
        claim = NewClaim(job_id, fingerprint, field_name)
        return self.claim_signatures([claim], expected=expected, actor=actor, at=at)[0]

    def claim_signatures(
        self,
        claims: Sequence[NewClaim],
        *,
        expected: JobState = JobState.STAMPED,
        actor: str,
        at: datetime,
    ) -> list[ClaimRecord]:
        """Move files from `expected` to SIGNING, each with the one claim it may ever have.

        A file that is SIGNING already (its worker died) gives its claim back as it was made, so that
        the signature made again has the same bytes.

        Raises:
            StaleState: a job is in neither state; nothing was changed.
            AlreadyBound: the file is claimed for another certificate or field.
        """
        with writing(self._database) as transaction:
            return [_claim(transaction, claim, expected=expected, actor=actor, at=at) for claim in claims]

    def claim_of(self, job_id: str) -> ClaimRecord | None:
        """Return a job's signature claim, if it has one."""
        with self._database.reading() as connection:
            return _find_claim(connection, job_id)

    def record_signature(
        self,
        job_id: str,
        output: tuple[Digest, int],
        *,
        actor: str,
        at: datetime,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Record one signed file; see `record_signatures`."""
        self.record_signatures([NewSignature(job_id, *output, detail=detail or {})], actor=actor, at=at)

    def record_signatures(self, signatures: Sequence[NewSignature], *, actor: str, at: datetime) -> None:
        """Move claimed files from SIGNING to SIGNED, each with the digest of its signed form.

        Raises:
            AlreadyBound: another signed form of the file is recorded; drop this one.
            StaleState: a job is not SIGNING (its signature may be recorded already); nothing was changed.
        """
        with writing(self._database) as transaction:
            for signature in signatures:
                self._record_signature(transaction, signature, actor=actor, at=at)
            self._put_outputs(
                transaction, [(s.job_id, JobState.SIGNED, s.digest, s.size_bytes) for s in signatures]
            )

    def _record_signature(
        self, transaction: Writing, signature: NewSignature, *, actor: str, at: datetime
    ) -> None:
        claim = _find_claim(transaction.connection, signature.job_id)
        if claim is not None and claim.output_digest not in (None, signature.digest):
            raise AlreadyBound(
                f"job {signature.job_id}: another signed form of this file is recorded; drop this one",
                zh=f"作业 {signature.job_id}：该文件已登记另一份签名结果，请丢弃本次结果",
            )
        transaction.connection.execute(
            sa.update(signature_claims)
            .where(signature_claims.c.job_id == signature.job_id)
            .values(output_digest=signature.digest)
        )
        move_job(
            transaction,
            Move(
                job_id=signature.job_id,
                expected=JobState.SIGNING,
                to=JobState.SIGNED,
                output=(signature.digest, signature.size_bytes),
                act="signed",
                detail=signature.detail,
                actor=actor,
                at=at,
            ),
        )

    def _put_outputs(
        self, transaction: Writing, outputs: Sequence[tuple[str, JobState, Digest, int]]
    ) -> None:
        """Record outputs; a step that is done again after a way back replaces its own (not a signature)."""
        if not outputs:
            return
        insert = sqlite.insert if self._database.dialect == "sqlite" else postgresql.insert
        statement = insert(job_outputs)
        statement = statement.on_conflict_do_update(
            index_elements=["job_id", "state"],
            set_={"digest": statement.excluded.digest, "size_bytes": statement.excluded.size_bytes},
        )
        names = ("job_id", "state", "digest", "size_bytes")
        transaction.connection.execute(statement, [dict(zip(names, row, strict=True)) for row in outputs])


def move_job(transaction: Writing, move: Move) -> None:
    """Change one job's row and append its event, inside the caller's transaction.

    Raises:
        StaleState: the job is not in the state the move expects.
    """
    error = move.error or JobError("", "", "")
    moved = transaction.connection.execute(
        _MOVE,
        {
            "job": move.job_id,
            "expected": move.expected,
            "to": move.to,
            "code": error.code or None,
            "message": error.message[:MAX_ERROR_CHARS] if error.code else None,
            "message_zh": error.message_zh[:MAX_ERROR_CHARS] or None,
            "put_off": move.error is not None or move.to == move.expected,
            "moved_at": move.at,
            "wait": move.wait_until_at,
        },
    )
    if moved.rowcount != 1:
        raise _stale(transaction.connection, move.job_id, move.expected)
    detail: dict[str, Any] = {**move.detail, "from": move.expected.value, "to": move.to.value}
    if move.output is not None:
        detail["output"] = move.output[0]
    if move.error is not None:
        detail["error"] = move.error.code
    transaction.append(move.act, detail, actor=move.actor, at=move.at, job_id=move.job_id)


def check_state(connection: sa.Connection, job_id: str, expected: JobState) -> None:
    """Check that a job is in a state, inside the caller's transaction.

    Raises:
        StaleState: it is not.
    """
    found = connection.execute(sa.select(jobs.c.state).where(jobs.c.id == job_id)).scalar_one_or_none()
    if found is not expected:
        raise _stale(connection, job_id, expected)


def _stale(connection: sa.Connection, job_id: str, expected: JobState) -> StaleState:
    found = connection.execute(sa.select(jobs.c.state).where(jobs.c.id == job_id)).scalar_one_or_none()
    if found is None:
        return StaleState(
            f"job {job_id} is not recorded; nothing was changed", zh=f"没有作业 {job_id}；未作任何更改"
        )
    return StaleState(
        f"job {job_id} is {found.value}, not {expected.value}: another worker was first; drop this result",
        zh=f"作业 {job_id} 的状态是 {found.value} 而不是 {expected.value}：已被其他进程处理，请丢弃本次结果",
    )


def _find_claim(connection: sa.Connection, job_id: str) -> ClaimRecord | None:
    row = connection.execute(sa.select(signature_claims).where(signature_claims.c.job_id == job_id)).first()
    return ClaimRecord(**row._mapping) if row is not None else None


def _claim(
    transaction: Writing, claim: NewClaim, *, expected: JobState, actor: str, at: datetime
) -> ClaimRecord:
    connection = transaction.connection
    state = connection.execute(sa.select(jobs.c.state).where(jobs.c.id == claim.job_id)).scalar_one_or_none()
    if state is None:
        raise NotFound(f"no job {claim.job_id} is recorded", zh=f"没有作业 {claim.job_id}")
    if state not in (expected, JobState.SIGNING):
        raise _stale(connection, claim.job_id, expected)
    found = _find_claim(connection, claim.job_id)
    if found is None:
        found = ClaimRecord(claim.job_id, claim.fingerprint, claim.field_name, at, actor, None)
        connection.execute(sa.insert(signature_claims), vars(found))
    elif (found.certificate_fingerprint, found.field_name) != (claim.fingerprint, claim.field_name):
        raise AlreadyBound(
            f"job {claim.job_id} is claimed for another certificate or field; sign with that one",
            zh=f"作业 {claim.job_id} 已为另一证书或签名域登记，请使用原证书签名",
        )
    if state is not JobState.SIGNING:
        move_job(
            transaction,
            Move(
                job_id=claim.job_id,
                expected=expected,
                to=JobState.SIGNING,
                act="signature_claimed",
                detail={"certificate": claim.fingerprint, "field": claim.field_name},
                actor=actor,
                at=at,
            ),
        )
    return found
