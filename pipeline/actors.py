"""The doorbells: each carries one id, and whoever answers reads the records for the rest."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import dramatiq

from pipeline.archiver import Archiver
from pipeline.failures import failure_of
from pipeline.runner import Runner
from storage.schema import JobState

log = logging.getLogger(__name__)

QUEUE = "sealine"


@dataclass(frozen=True)
class Doorbells:
    """The actors of one broker."""

    document: "dramatiq.Actor[[str], None]"
    package: "dramatiq.Actor[[str], None]"

    def ring(self, job_ids: Sequence[str]) -> None:
        """Ask for each document to be taken as far as it goes."""
        for job_id in job_ids:
            self.document.send(job_id)


def declare_actors(broker: dramatiq.Broker, runner: Runner, archiver: Archiver) -> Doorbells:
    """Declare the actors on a broker; the same ones serve the embedded form and `sealine worker`.

    A job that fails for a reason no room declares is refused with exit code 1 and its traceback is logged;
    one that fails because something outside is silent keeps its state, and the sweep rings again.
    """

    def advance_document(job_id: str) -> None:
        try:
            state = runner.run(job_id)
        except Exception as error:
            if failure_of(error).retry:
                log.warning("job %s: %s; it waits", job_id, error)
                return
            log.exception("job %s: unexpected failure", job_id)
            runner.refuse(job_id, error)
            state = JobState.REFUSED
        if state in (JobState.VERIFIED, JobState.REFUSED, JobState.AWAITING_TIMESTAMP):
            archive_package.send(runner.records.job(job_id).package_id)

    def archive_verified(package_id: str) -> None:
        try:
            archiver.archive(package_id)
        except Exception as error:
            if not failure_of(error).retry:
                log.exception("package %s: could not be archived", package_id)
            else:
                log.warning("package %s: %s; it waits", package_id, error)

    document = dramatiq.actor(
        advance_document, broker=broker, queue_name=QUEUE, actor_name="advance_document", max_retries=0
    )
    archive_package = dramatiq.actor(
        archive_verified, broker=broker, queue_name=QUEUE, actor_name="archive_package", max_retries=0
    )
    return Doorbells(document, archive_package)
