"""What an archivist may ask: find a document, take its evidence out, prove it again."""

import tempfile
from pathlib import Path
from typing import Any

from pipeline.archive_names import archived_as
from pipeline.clock import Clock
from pipeline.documents_json import void_json
from pipeline.exports import export_object
from pipeline.folders import make_folder
from pipeline.intake import origin_json, source_suffix
from pipeline.orders import order_from_record
from pipeline.permissions import Actor, Permission, check_may
from pipeline.withdrawals import voided_digest
from stages.archive import verify_archive
from stages.authorities import TrustAnchors
from stages.manifests import KNOWN_ROLES
from stages.void import verify_void, void_verdict_json
from storage.errors import Corrupt
from storage.objects import ObjectStore
from storage.origins import OriginRecord
from storage.records import Records
from storage.rows import ArchiveRecord, FoundArchive, VoidRecord


class Archive:
    """The archivist's service."""

    def __init__(
        self, *, records: Records, store: ObjectStore, trust: TrustAnchors, scratch: Path, clock: Clock
    ) -> None:
        self._records = records
        self._store = store
        self._trust = trust
        self._scratch = scratch
        self._clock = clock

    def find(
        self,
        text: str = "",
        *,
        actor: Actor,
        project: str = "",
        bidder: str = "",
        sha256: str = "",
        limit: int = 50,
    ) -> list[dict[str, Any]]:
        """Return archived documents, newest first, as plain JSON."""
        check_may(actor, Permission.READ_ARCHIVE)
        found = self._records.find_archives(
            text, project=project or None, bidder=bidder or None, sha256=sha256 or None, limit=limit
        )
        return [_found_json(hit) for hit in found]

    def show(self, archive_id: str, *, actor: Actor) -> dict[str, Any]:
        """Return one archived document, as find does.

        Raises:
            NotFound: nothing is archived under that id.
        """
        check_may(actor, Permission.READ_ARCHIVE)
        record = archived_as(self._records, archive_id)
        hits = self._records.find_archives(sha256=record.manifest_digest)
        return next(_found_json(hit) for hit in hits if hit.archive.job_id == record.job_id)

    def get(self, archive_id: str, out: Path, *, actor: Actor) -> dict[str, str]:
        """Write everything that is kept of a document to a folder, and return the paths by role.

        Raises:
            NotFound: nothing is archived under that id.
            Corrupt: what is kept is not what was archived.
        """
        by = check_may(actor, Permission.READ_ARCHIVE)
        record = archived_as(self._records, archive_id)
        self._check_kept(record)
        make_folder(out)
        stem = Path(self._records.job(record.job_id).name).stem
        paths: dict[str, str] = {}
        for role, (digest, suffix) in (
            self._objects(record) | _void_objects(self._records.void_of(record.job_id))
        ).items():
            path = out / f"{stem}.{suffix}"
            paths[role] = str(export_object(self._store, digest, path))
        self._records.append_event("retrieve", {}, actor=by, at=self._clock(), job_id=record.job_id)
        return paths

    def verify(self, archive_id: str, *, actor: Actor) -> dict[str, Any]:
        """Prove an archived document again: its objects, its evidence, its signatures, the event log.

        Raises:
            NotFound: nothing is archived under that id.
            Corrupt: the event log's chain is broken, or an object was lost.
        """
        check_may(actor, Permission.READ_ARCHIVE)
        record = archived_as(self._records, archive_id)
        self._check_kept(record)
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._scratch, prefix="verify-") as folder:
            paths = {}
            for role, (digest, suffix) in self._objects(record).items():
                paths[role] = Path(folder) / suffix
                self._store.copy_to(digest, paths[role])
            verdict = verify_archive(
                paths["manifest"].read_bytes(),
                paths["evidence"].read_bytes(),
                {role: paths[role] for role in KNOWN_ROLES if role in paths},
                self._trust,
                self._clock(),
            )
        void = self._records.void_of(record.job_id)
        return {
            "id": record.job_id,
            **verdict,
            "events": self._records.verify_events(),
            "void": self._proved_void(record, void) if void else None,
        }

    def _proved_void(self, record: ArchiveRecord, void: VoidRecord) -> dict[str, Any]:
        """Return when, why and by whom a document was voided, and whether the void record proves it."""
        package = self._records.package(self._records.job(record.job_id).package_id)
        verdict = verify_void(
            self._store.read(void.record_digest),
            self._store.read(void.signature_digest),
            self._trust,
            self._clock(),
            archive_id=record.job_id,
            sha256=voided_digest(record),
            certificate=order_from_record(package.settings).certificate,
        )
        return {**(void_json(void) or {}), **void_verdict_json(verdict)}

    def _check_kept(self, record: ArchiveRecord) -> None:
        """Check that the store still has every object of an archived document.

        Raises:
            Corrupt: one is gone, though the records say it is kept.
        """
        for role, (digest, _) in (
            self._objects(record) | _void_objects(self._records.void_of(record.job_id))
        ).items():
            if not self._store.has(digest):
                raise Corrupt(
                    f"{record.job_id}: the archived {role} ({digest[:16]}…) is gone from the object store; "
                    "restore it from a backup",
                    zh=f"{record.job_id}：对象存储中缺少已归档的 {role}（{digest[:16]}…），请从备份恢复",
                )

    def _objects(self, record: ArchiveRecord) -> dict[str, tuple[str, str]]:
        return _objects(record, self._records.origin(record.job_id))


def _objects(record: ArchiveRecord, origin: OriginRecord | None) -> dict[str, tuple[str, str]]:
    """Return digest and file suffix of each kept object by its role."""
    kept = {
        "source": (origin.digest, source_suffix(origin)) if origin is not None else (None, ""),
        "original": (record.original_digest, "original.pdf"),
        "signed": (record.signed_digest, "signed.pdf"),
        "verdict": (record.verdict_digest, "verdict.json"),
        "manifest": (record.manifest_digest, "manifest.json"),
        "evidence": (record.evidence_digest, "evidence.ers"),
    }
    return {role: (digest, suffix) for role, (digest, suffix) in kept.items() if digest is not None}


def _void_objects(void: VoidRecord | None) -> dict[str, tuple[str, str]]:
    """Return the same of what a document was voided with; nothing when it was not."""
    if void is None:
        return {}
    return {
        "void": (void.record_digest, "void.json"),
        "void_signature": (void.signature_digest, "void.p7s"),
    }


def _found_json(hit: FoundArchive) -> dict[str, Any]:
    return {
        "id": hit.archive.job_id,
        "file": hit.job_name,
        "package": hit.package_name,
        "package_id": hit.package_id,
        "project": hit.project,
        "bidder": hit.bidder,
        "document_type": hit.document_type,
        "signer": hit.archive.signer,
        "archived_at": hit.archive.archived_at.isoformat(),
        "stamped_at": hit.archive.stamped_at.isoformat() if hit.archive.stamped_at else None,
        "retain_until": hit.archive.retain_until_at.isoformat(),
        "original_sha256": hit.archive.original_digest,
        "derived_from": origin_json(hit.origin),
        "signed_sha256": hit.archive.signed_digest,
        "evidence_sha256": hit.archive.evidence_digest,
        "kept": [*_objects(hit.archive, hit.origin), *_void_objects(hit.void)],
        "void": void_json(hit.void),
    }
