"""Archiving a package: one evidence timestamp over all its verified documents, one record of each."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.clock import Clock
from pipeline.failures import refusals
from pipeline.jobs import MOVING, Act
from pipeline.moves import make_move
from pipeline.steps import NONCE_BITS
from stages.archive import ToArchive, archive, check_archivable
from stages.authorities import TimestampAuthority, TrustAnchors
from stages.documents import ArchivePackage
from stages.errors import TimestampUnavailable, Untrusted
from stages.manifests import ArchivedSource
from stages.policy import retain_until
from storage.errors import StaleState
from storage.objects import ObjectStore
from storage.origins import OriginRecord
from storage.records import Records
from storage.rows import ArchiveEntry, JobRecord, PackageRecord
from storage.schema import JobState

MAX_BATCH = 1000
"""Documents under one evidence timestamp."""
TO_ARCHIVE = (JobState.VERIFIED, JobState.UNSIGNED)


class Archiver:
    """Archives a package's verified documents, and those kept unsigned, once none of them is still moving."""

    def __init__(
        self,
        *,
        records: Records,
        store: ObjectStore,
        authority: TimestampAuthority,
        trust: TrustAnchors,
        clock: Clock,
        name: str,
        retry_s: float,
    ) -> None:
        self.records = records
        self.store = store
        self.authority = authority
        self.trust = trust
        self.clock = clock
        self.name = name
        self.retry_s = retry_s

    def archive(self, package_id: str, *, only: str | None = None) -> int:
        """Archive what is verified, and return how many documents that was; 0 while any is moving.

        A document that cannot be archived waits with the reason, and the others are archived without it.

        Args:
            only: the one job to archive; None: all of the package.

        Raises:
            StoreUnavailable: the store or the records are silent; ring again later.
        """
        jobs = self.records.jobs(package_id)
        if any(job.state in MOVING for job in jobs):
            return 0
        verified = [job for job in jobs if job.state in TO_ARCHIVE and only in (None, job.id)]
        package = self.records.package(package_id)
        now = self.clock()
        ready = self._ready(verified[:MAX_BATCH], package, now)
        if not ready:
            return 0
        documents = [document for _, document in ready]
        try:
            archived = archive(
                documents,
                self.authority,
                self.trust.time_roots,
                nonce=secrets.randbits(NONCE_BITS),
                now=now,
            )
        except (TimestampUnavailable, Untrusted) as error:
            self._wait([job for job, _ in ready], Act.AWAIT_TIMESTAMP, error, now)
            return 0
        entries = [
            self._keep(job, document, kept, package, now)
            for (job, document), kept in zip(ready, archived, strict=True)
        ]
        try:
            self.records.archive_jobs(entries, actor=self.name, at=now)
        except StaleState:
            return 0
        return len(entries)

    def verified(self, package_id: str) -> list[str]:
        """Return the documents of a package that are still to be archived, by id."""
        return [job.id for job in self.records.jobs(package_id) if job.state in TO_ARCHIVE]

    def put_off(self, job_id: str, error: Exception) -> None:
        """Record why a document cannot be archived now; it is tried again later."""
        job = self.records.job(job_id)
        if job.state in TO_ARCHIVE:
            self._wait([job], Act.AWAIT_ARCHIVING, error, self.clock())

    def _ready(
        self, jobs: Sequence[JobRecord], package: PackageRecord, now: datetime
    ) -> list[tuple[JobRecord, ToArchive]]:
        """Return what can be archived; the others wait, each with its own reason."""
        ready = []
        origins = self.records.origins(package.id)
        for job in jobs:
            try:
                document = self._to_archive(job, package, _source(origins.get(job.id)))
                ready.append((job, check_archivable(document)))
            except refusals() as error:
                self._wait([job], Act.AWAIT_ARCHIVING, error, now)
        return ready

    def _to_archive(self, job: JobRecord, package: PackageRecord, source: ArchivedSource | None) -> ToArchive:
        document = ToArchive(
            name=job.name,
            package=package.name,
            project=package.project,
            bidder=package.bidder,
            document_type=package.document_type,
            original_sha256=job.source_digest,
            original_size_bytes=job.source_size_bytes,
            signed_sha256=None,
            signed_size_bytes=0,
            verdict_json=None,
            plan_sha256=package.plan_digest,
            source=source,
        )
        if job.state is JobState.UNSIGNED:
            return document
        outputs = self.records.outputs(job.id)
        verdict_json = self.store.read(outputs[JobState.VERIFIED].digest)
        verdict = json.loads(verdict_json)
        claim = self.records.claim_of(job.id)
        return replace(
            document,
            signed_sha256=verdict["signed"]["sha256"],
            signed_size_bytes=verdict["signed"]["size_bytes"],
            verdict_json=verdict_json,
            certificate=claim.certificate_fingerprint if claim else "",
            signed_at=claim.claimed_at if claim else None,
            stamped_at=_last_timestamp(verdict),
        )

    def _keep(
        self,
        job: JobRecord,
        document: ToArchive,
        kept: ArchivePackage,
        package: PackageRecord,
        now: datetime,
    ) -> ArchiveEntry:
        manifest = self.store.put_bytes(kept.manifest)
        evidence = self.store.put_bytes(kept.evidence)
        until_at = retain_until(package.document_type, now)
        digests = (
            kept.original_sha256,
            kept.signed_sha256,
            kept.verdict_sha256,
            manifest.digest,
            evidence.digest,
            package.plan_digest,
            document.source.sha256 if document.source else None,
        )
        for digest in digests:
            if digest is not None:
                self.store.retain(digest, until_at)
        signatures = json.loads(document.verdict_json)["signatures"] if document.verdict_json else []
        return ArchiveEntry(
            job_id=job.id,
            original_digest=kept.original_sha256,
            signed_digest=kept.signed_sha256,
            verdict_digest=kept.verdict_sha256,
            manifest_digest=manifest.digest,
            evidence_digest=evidence.digest,
            retain_until_at=until_at,
            signer=str(signatures[-1]["signer"]) if signatures else "",
            stamped_at=document.stamped_at,
        )

    def _wait(self, jobs: Sequence[JobRecord], act: Act, error: Exception, now: datetime) -> None:
        wait_until_at = now + timedelta(seconds=self.retry_s)
        moves = [
            make_move(
                job.id, job.state, act, actor=self.name, at=now, error=error, wait_until_at=wait_until_at
            )
            for job in jobs
        ]
        try:
            self.records.advance(moves)
        except StaleState:
            return


def _source(origin: OriginRecord | None) -> ArchivedSource | None:
    if origin is None:
        return None
    return ArchivedSource(origin.name, origin.digest, origin.size_bytes, origin.how, origin.tool)


def _last_timestamp(verdict: dict[str, list[dict[str, str]]]) -> datetime | None:
    stamped = verdict["signatures"][-1]["timestamp"]
    return datetime.fromisoformat(stamped) if stamped else None
