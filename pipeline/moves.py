"""A job's change of state as it is recorded: where it leads, what came of it, or why it stops."""

from collections.abc import Mapping
from datetime import datetime

from pipeline.failures import failure_of, message_zh
from pipeline.jobs import Act, next_state
from storage.objects import StoredObject
from storage.rows import JobError, Move
from storage.schema import JobState


def make_move(
    job_id: str,
    state: JobState,
    act: Act,
    *,
    actor: str,
    at: datetime,
    output: StoredObject | None = None,
    detail: Mapping[str, object] | None = None,
    error: Exception | None = None,
    wait_until_at: datetime | None = None,
) -> Move:
    """Return the move that an act makes of a job, with its output or the error that is its reason.

    Raises:
        WrongState: the act is not allowed in that state.
    """
    job_error = None
    if error is not None:
        job_error = JobError(failure_of(error).exit_code.name, str(error), message_zh(error))
    return Move(
        job_id=job_id,
        expected=state,
        to=next_state(state, act),
        output=(output.digest, output.size_bytes) if output else None,
        act=act,
        detail=dict(detail or {}),
        actor=actor,
        at=at,
        error=job_error,
        wait_until_at=wait_until_at,
    )
