"""The doorbells: each carries one id, and whoever answers reads the records for the rest."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import dramatiq

from pipeline.archiver import Archiver
from pipeline.chunks import doorbells_for
from pipeline.failures import failure_of
from pipeline.runner import Runner
from storage.rows import JobRecord

log = logging.getLogger(__name__)

QUEUE = "sealine"


@dataclass(frozen=True)
class Doorbells:
    """The actors of one broker."""

    chunk: "dramatiq.Actor[[str], None]"
    package: "dramatiq.Actor[[str], None]"

    def ring(self, jobs: Sequence[JobRecord], wanted: Iterable[str]) -> None:
        """Ask for documents to be taken as far as they go: one ring for each chunk that holds a wanted one.

        Args:
            jobs: all jobs of the package.
        """
        for job_id in doorbells_for(jobs, wanted):
            self.chunk.send(job_id)


def declare_actors(broker: dramatiq.Broker, runner: Runner, archiver: Archiver) -> Doorbells:
    """Declare the actors on a broker; the same ones serve the embedded form and `sealine worker`.

    When a chunk fails for a reason no room declares, its documents are tried one by one: those that fail
    again are refused with exit code 1, their tracebacks logged, and the others go on. So it is with
    archiving, except that a verified document is not refused: it waits with the reason. What fails because
    something outside is silent keeps its state, and the sweep rings again.
    """

    def advance_chunk(job_id: str) -> None:
        try:
            package_id = runner.run(job_id)
        except Exception as error:
            if failure_of(error).retry:
                log.warning("job %s: %s; it waits", job_id, error)
                return
            log.exception("chunk of job %s: unexpected failure; trying each document alone", job_id)
            for each_id in runner.movable(job_id):
                advance_alone(each_id)
            package_id = runner.records.job(job_id).package_id
        archive_package.send(package_id)

    def advance_alone(job_id: str) -> None:
        try:
            runner.run_alone(job_id)
        except Exception as error:
            if failure_of(error).retry:
                log.warning("job %s: %s; it waits", job_id, error)
                return
            log.exception("job %s: unexpected failure", job_id)
            runner.refuse(job_id, error)

    def archive_verified(package_id: str) -> None:
        try:
            archiver.archive(package_id)
        except Exception as error:
            if failure_of(error).retry:
                log.warning("package %s: %s; it waits", package_id, error)
                return
            log.exception("package %s: could not be archived; trying each document alone", package_id)
            for job_id in archiver.verified(package_id):
                archive_alone(package_id, job_id)

    def archive_alone(package_id: str, job_id: str) -> None:
        try:
            archiver.archive(package_id, only=job_id)
        except Exception as error:
            if failure_of(error).retry:
                log.warning("job %s: %s; it waits", job_id, error)
                return
            log.exception("job %s: could not be archived", job_id)
            archiver.put_off(job_id, error)

    chunk = dramatiq.actor(
        advance_chunk, broker=broker, queue_name=QUEUE, actor_name="advance_chunk", max_retries=0
    )
    archive_package = dramatiq.actor(
        archive_verified, broker=broker, queue_name=QUEUE, actor_name="archive_package", max_retries=0
    )
    return Doorbells(chunk, archive_package)
