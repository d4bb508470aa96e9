"""Workers that answer the doorbells, in this process: for the length of a command, or until stopped."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import dramatiq

from pipeline.actors import Doorbells
from pipeline.archiver import TO_ARCHIVE
from pipeline.clock import Clock
from pipeline.errors import PipelineError, Unavailable
from pipeline.jobs import MOVING, STATE_LABELS
from pipeline.progress import Progress
from storage.errors import StoreUnavailable
from storage.records import Records
from storage.rows import JobRecord
from storage.schema import FINAL_STATES, JobState

log = logging.getLogger(__name__)

SWEEP_S = 5.0
QUIET_S = 30.0
POLL_S = 0.05
STALL_S = 600.0


@contextmanager
def working(broker: dramatiq.Broker, *, threads: int) -> Iterator[None]:
    """Answer doorbells in `threads` threads until the block ends; what is in hand is finished first."""
    worker = dramatiq.Worker(broker, worker_threads=threads, worker_timeout=100)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def sweep(records: Records, doorbells: Doorbells, clock: Clock, *, quiet_s: float = 0.0) -> int:
    """Ring for every job the broker may have forgotten, and for those whose wait is over; return how many.

    Args:
        quiet_s: leave out jobs something has happened to in the last seconds: they are being worked on.
    """
    now = clock()
    since = now - timedelta(seconds=quiet_s)
    waiting = (*MOVING, JobState.AWAITING_TIMESTAMP)
    jobs = records.jobs_to_ring(now, waiting, quiet_since_at=since)
    for package_id in _packages_of(records, jobs):
        doorbells.ring(records.jobs(package_id), jobs)
    verified = records.jobs_to_ring(now, TO_ARCHIVE, quiet_since_at=since)
    for package_id in _packages_of(records, verified):
        doorbells.package.send(package_id)
    return len(jobs) + len(verified)


def _packages_of(records: Records, job_ids: Sequence[str]) -> list[str]:
    return sorted({records.job(job_id).package_id for job_id in job_ids})


def sweep_until(
    stop: threading.Event, records: Records, doorbells: Doorbells, clock: Clock, every_s: float = SWEEP_S
) -> None:
    """Sweep again and again until told to stop; while records or broker are silent, try again later."""
    while not stop.wait(every_s):
        try:
            sweep(records, doorbells, clock, quiet_s=QUIET_S)
        except (StoreUnavailable, PipelineError) as error:
            log.warning("sweep: %s", error)


def wait_for_package(
    records: Records,
    package_id: str,
    *,
    since: datetime,
    progress: Progress,
    doorbells: Doorbells,
    quiet_s: float = QUIET_S,
    stall_s: float = STALL_S,
) -> None:
    """Return when nothing more happens to any document of a package by itself.

    Args:
        quiet_s: ring again for the package when nothing has moved for so long: a worker may have met
            a store that was silent for a moment.
        since: when it was rung for; a document that was waiting before that is not taken for one
            that has just been tried.

    Raises:
        Unavailable: no document has moved for stall_s seconds.
    """
    jobs = records.jobs(package_id)
    progress.begin("盖章·签名·时间戳·验签·归档 / stamping to archiving", len(jobs))
    resting: set[str] = set()
    last: list[JobState] = []
    moved_at = rung_at = time.monotonic()
    while True:
        jobs = records.jobs(package_id)
        for job in jobs:
            if job.id not in resting and _rests(job, since):
                resting.add(job.id)
                progress.step(f"{job.name} {STATE_LABELS[job.state]}")
        if len(resting) == len(jobs):
            return
        states = [job.state for job in jobs]
        if states != last:
            last, moved_at = states, time.monotonic()
        if time.monotonic() - max(moved_at, rung_at) > quiet_s:
            rung_at = time.monotonic()
            doorbells.ring(jobs, [job.id for job in jobs if job.id not in resting])
            doorbells.package.send(package_id)
        if time.monotonic() - moved_at > stall_s:
            raise Unavailable(
                f"package {package_id}: no document has moved for {stall_s:.0f} s; "
                "see the log of the workers, then give the same command again",
                zh=f"文件包 {package_id} 已有 {stall_s:.0f} 秒没有进展，请查看日志后重新执行同一命令",
            )
        time.sleep(POLL_S)


def _rests(job: JobRecord, since: datetime) -> bool:
    if job.state in FINAL_STATES:
        return True
    waits = job.state in (JobState.AWAITING_TIMESTAMP, *TO_ARCHIVE) and job.error is not None
    return waits and job.updated_at >= since
