"""Which refused jobs get another chance, and by which act."""

from collections.abc import Mapping

from pipeline.failures import ExitCode
from pipeline.jobs import Act
from storage.rows import JobRecord, OutputRecord
from storage.schema import JobState

_JUDGED = frozenset({ExitCode.UNTRUSTED.name, ExitCode.INDETERMINATE.name, ExitCode.UNEXPECTED.name})
"""Refused when its signatures were verified, for want of a root perhaps: they are verified again."""
_MENDABLE = _JUDGED | {ExitCode.SIGNING_REFUSED.name}
"""Refused before it was signed, by a bug, a key or earlier signatures: it may go through another time."""


def way_back(job: JobRecord, outputs: Mapping[JobState, OutputRecord]) -> Act | None:
    """Return how a refused job gets another chance; None when it gets none, or needs none."""
    if job.state is not JobState.REFUSED or job.error is None:
        return None
    if JobState.TIMESTAMPED in outputs:
        return Act.REVERIFY if job.error.code in _JUDGED else None
    if JobState.SIGNED in outputs:
        return None
    return Act.REOPEN if job.error.code in _MENDABLE else None
