"""How a file of a package came out, and its bytes in hand where there is something to take home."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import WrongState
from pipeline.exports import export_object
from pipeline.failures import ExitCode, error_json
from storage.objects import ObjectStore
from storage.records import Records
from storage.rows import JobRecord, OriginRecord, VoidRecord
from storage.schema import JobState


@dataclass(frozen=True)
class FileResult:
    """How one file of a package came out.

    Attributes:
        output: the signed file, or the original of one kept unsigned, once it was exported.
        signatures: how many signatures we made in it.
        error: exit code, name and messages, or None.
        void: set when it was archived and holds no longer.
        made_of: what came in, when the PDF that was stamped was made of it.
    """

    file: str
    state: JobState
    output: Path | None
    signatures: int
    seconds: float
    error: Mapping[str, object] | None
    void: VoidRecord | None = None
    made_of: OriginRecord | None = None


def result_of(
    records: Records, store: ObjectStore, job: JobRecord, made_of: OriginRecord | None, out: Path | None
) -> FileResult:
    """Return how a file came out, exported to `out` when it is archived and not void.

    Raises:
        UsageRefused: the folder cannot be made or written to.
        NotFound, Corrupt: the store does not have it, or not as it was put.
    """
    output = None
    void = None
    if job.state in (JobState.ARCHIVED, JobState.KEPT_UNSIGNED):
        void = records.void_of(job.id)
        if out is not None and void is None:
            kept = records.archive_of(job.id)
            digest = kept.signed_digest or kept.original_digest
            output = export_object(store, digest, out / job.name)
    error = error_json(_is_void(job, void)) if void is not None else None
    if job.error is not None:
        error = {
            "code": int(ExitCode[job.error.code]),
            "name": job.error.code,
            "message": job.error.message,
            "message_zh": job.error.message_zh,
        }
    return FileResult(
        file=job.name,
        state=job.state,
        output=output,
        signatures=1 if JobState.SIGNED in records.outputs(job.id) else 0,
        seconds=round((job.updated_at - job.created_at).total_seconds(), 3),
        error=error,
        void=void,
        made_of=made_of,
    )


def _is_void(job: JobRecord, void: VoidRecord) -> WrongState:
    return WrongState(
        f"{job.name} is void since {void.voided_at:%Y-%m-%d %H:%M} UTC ({void.reason}); "
        "to sign it after all, submit it with a plan that differs",
        zh=f"{job.name} 已于 {void.voided_at:%Y-%m-%d %H:%M} UTC 作废（{void.reason}）；"
        "如仍要签章，请修改方案后重新提交",
    )
