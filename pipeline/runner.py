"""Steps in their order: read the rows, run the stages, put the objects, record a chunk in one transaction.

Nothing here may happen twice: a document that another worker has moved meanwhile is left to that worker,
and a step done again after a crash makes the same bytes and is recorded once.
"""

import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from itertools import repeat
from pathlib import Path

from pipeline.bench import Bench, Workshop
from pipeline.chunks import chunk_of
from pipeline.failures import refusals
from pipeline.jobs import Act
from pipeline.steps import Outcome, Steps
from storage.errors import AlreadyBound, StaleState
from storage.objects import ObjectStore
from storage.records import Records
from storage.rows import JobRecord, Move, NewClaim, NewSignature
from storage.schema import JobState

log = logging.getLogger(__name__)

_AFTER: Mapping[type[Outcome], JobState] = {NewClaim: JobState.SIGNING, NewSignature: JobState.SIGNED}
_ORDER = tuple(JobState)
_ASKING = frozenset({JobState.SIGNED, JobState.AWAITING_TIMESTAMP})

MAX_IN_FLIGHT = 32
"""Timestamps asked for at once by one worker thread."""


class Runner:
    """Moves documents along the bid line."""

    def __init__(self, *, records: Records, store: ObjectStore, steps: Steps, scratch: Path) -> None:
        self.records = records
        self.store = store
        self.steps = steps
        self.scratch = scratch

    def run(self, job_id: str) -> str:
        """Take a document and the others of its chunk as far as they go now, and return their package's id.

        Raises:
            NotFound: no such job.
            StoreUnavailable: the store or the records are silent; ring again later.
        """
        package_id, movable = self._movable(job_id)
        if movable:
            self._run_chunk(package_id, movable)
        return package_id

    def run_alone(self, job_id: str) -> None:
        """Take one document as far as it goes now, whatever its chunk.

        Raises:
            NotFound: no such job.
            StoreUnavailable: the store or the records are silent; ring again later.
        """
        package_id, movable = self._movable(job_id)
        alone = [job for job in movable if job.id == job_id]
        if alone:
            self._run_chunk(package_id, alone)

    def movable(self, job_id: str) -> list[str]:
        """Return the documents of a chunk that a step leads on from, by id."""
        return [job.id for job in self._movable(job_id)[1]]

    def refuse(self, job_id: str, error: Exception) -> None:
        """Record that one document cannot go on because of an error that no step declares."""
        job = self.records.job(job_id)
        if self.steps.step_from(job.state) is not None:
            with suppress(StaleState):
                self.records.advance([self.steps.move(job.id, job.state, Act.REFUSE, error=error)])

    def _movable(self, job_id: str) -> tuple[str, list[JobRecord]]:
        package_id = self.records.job(job_id).package_id
        chunk = chunk_of(self.records.jobs(package_id), job_id)
        return package_id, [job for job in chunk if self.steps.step_from(job.state) is not None]

    def _run_chunk(self, package_id: str, jobs: Sequence[JobRecord]) -> None:
        self.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.scratch, prefix="chunk-") as folder:
            shop = Workshop(self.records, self.store, self.records.package(package_id), Path(folder))
            benches = []
            for number, job in enumerate(jobs):
                place = Path(folder) / str(number)
                place.mkdir()
                benches.append(Bench(shop, job, place))
            while group := self._next_group(benches):
                self._step_all(group)

    def _next_group(self, benches: Sequence[Bench]) -> list[Bench]:
        """Return the documents that are furthest behind, all in one state; none when all rest."""
        going = [bench for bench in benches if not bench.is_left and self.steps.step_from(bench.job.state)]
        if not going:
            return []
        behind = min(_ORDER.index(bench.job.state) for bench in going)
        return [bench for bench in going if bench.job.state is _ORDER[behind]]

    def _step_all(self, group: Sequence[Bench]) -> None:
        step = self.steps.step_from(group[0].job.state)
        if step is None:
            return
        if group[0].job.state in _ASKING and len(group) > 1:
            # Each document spends its time waiting for the authority; many may be asked for at once.
            with ThreadPoolExecutor(min(len(group), MAX_IN_FLIGHT)) as pool:
                made = list(pool.map(self._outcome, repeat(step), group))
        else:
            made = [self._outcome(step, bench) for bench in group]
        outcomes = list(zip(group, made, strict=True))
        for kind in (Move, NewClaim, NewSignature):
            self._record([pair for pair in outcomes if isinstance(pair[1], kind)])

    def _outcome(self, step: Callable[[Bench], Outcome], bench: Bench) -> Outcome:
        try:
            return step(bench)
        except refusals() as error:
            return self.steps.move(bench.job.id, bench.job.state, Act.REFUSE, error=error)

    def _record(self, pairs: Sequence[tuple[Bench, Outcome]]) -> None:
        """Record outcomes of one kind in one transaction; one by one when somebody was first with any."""
        if not pairs:
            return
        try:
            self._commit(pairs)
        except (StaleState, AlreadyBound):
            if len(pairs) == 1:
                log.info("job %s: another worker was first", pairs[0][0].job.id)
                pairs[0][0].is_left = True
                return
            for pair in pairs:
                self._record([pair])

    def _commit(self, pairs: Sequence[tuple[Bench, Outcome]]) -> None:
        moves = [outcome for _, outcome in pairs if isinstance(outcome, Move)]
        claims = [outcome for _, outcome in pairs if isinstance(outcome, NewClaim)]
        signatures = [outcome for _, outcome in pairs if isinstance(outcome, NewSignature)]
        name, now = self.steps.name, self.steps.clock()
        self.records.advance(moves)
        if claims:
            claimed = self.records.claim_signatures(claims, actor=name, at=now)
            for (bench, _), claim in zip(pairs, claimed, strict=True):
                bench.claim = claim
        if signatures:
            self.records.record_signatures(signatures, actor=name, at=now)
        for bench, outcome in pairs:
            _take_over(bench, outcome)


def _take_over(bench: Bench, outcome: Outcome) -> None:
    """Bring the bench up to what was just recorded."""
    if isinstance(outcome, Move):
        state, output = outcome.to, outcome.output
        bench.is_left = state is JobState.AWAITING_TIMESTAMP
    else:
        state = _AFTER[type(outcome)]
        output = (outcome.digest, outcome.size_bytes) if isinstance(outcome, NewSignature) else None
    bench.note(replace(bench.job, state=state), output)
