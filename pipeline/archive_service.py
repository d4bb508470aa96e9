"""What an archivist may ask: find a document, take its evidence out, prove it again."""

import tempfile
from pathlib import Path
from typing import Any

from pipeline.clock import Clock
from pipeline.exports import export_object
from pipeline.folders import make_folder
from pipeline.permissions import Actor, Permission, check_may
from stages.archive import verify_archive
from stages.authorities import TrustAnchors
from storage.errors import Corrupt, NotFound
from storage.objects import ObjectStore
from storage.records import Records
from storage.rows import ArchiveRecord, FoundArchive


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
        record = self._record(archive_id)
        hits = self._records.find_archives(sha256=record.manifest_digest)
        return next(_found_json(hit) for hit in hits if hit.archive.job_id == record.job_id)

    def get(self, archive_id: str, out: Path, *, actor: Actor) -> dict[str, str]:
        """Write everything that is kept of a document to a folder, and return the paths by role.

        Raises:
            NotFound: nothing is archived under that id.
            Corrupt: what is kept is not what was archived.
        """
        by = check_may(actor, Permission.READ_ARCHIVE)
        record = self._record(archive_id)
        self._check_kept(record)
        make_folder(out)
        stem = Path(self._records.job(record.job_id).name).stem
        paths: dict[str, str] = {}
        for role, (digest, suffix) in _objects(record).items():
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
        record = self._record(archive_id)
        self._check_kept(record)
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._scratch, prefix="verify-") as folder:
            paths = {}
            for role, (digest, suffix) in _objects(record).items():
                paths[role] = Path(folder) / suffix
                self._store.copy_to(digest, paths[role])
            verdict = verify_archive(
                paths["manifest"].read_bytes(),
                paths["evidence"].read_bytes(),
                {"original": paths["original"], "signed": paths["signed"], "verdict": paths["verdict"]},
                self._trust,
                self._clock(),
            )
        return {"id": record.job_id, **verdict, "events": self._records.verify_events()}

    def _check_kept(self, record: ArchiveRecord) -> None:
        """Check that the store still has every object of an archived document.

        Raises:
            Corrupt: one is gone, though the records say it is kept.
        """
        for role, (digest, _) in _objects(record).items():
            if not self._store.has(digest):
                raise Corrupt(
                    f"{record.job_id}: the archived {role} ({digest[:16]}…) is gone from the object store; "
                    "restore it from a backup",
                    zh=f"{record.job_id}：对象存储中缺少已归档的 {role}（{digest[:16]}…），请从备份恢复",
                )

    def _record(self, archive_id: str) -> ArchiveRecord:
        """Return an archive record by its id, or by a file name that no other archived document has."""
        try:
            return self._records.archive_of(archive_id)
        except NotFound:
            hits = self._records.find_archives(file=archive_id, limit=2)
            if not hits:
                raise
        if len(hits) > 1:
            raise NotFound(
                f"several archived documents are named {archive_id}; find them, and give the id of one",
                zh=f"名为“{archive_id}”的档案有多份，请先检索，再用编号指定其中一份",
            )
        return hits[0].archive


def _objects(record: ArchiveRecord) -> dict[str, tuple[str, str]]:
    """Return digest and file suffix of each kept object by its role."""
    return {
        "original": (record.original_digest, "original.pdf"),
        "signed": (record.signed_digest, "signed.pdf"),
        "verdict": (record.verdict_digest, "verdict.json"),
        "manifest": (record.manifest_digest, "manifest.json"),
        "evidence": (record.evidence_digest, "evidence.ers"),
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
        "signed_sha256": hit.archive.signed_digest,
        "evidence_sha256": hit.archive.evidence_digest,
    }
