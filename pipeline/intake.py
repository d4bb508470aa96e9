"""What a package hands over to store and records: the objects kept of each file, and its job."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pipeline.packages import LookedAt
from pipeline.progress import Progress
from stages.documents import Finding, HowDerived, Origin, SourceFile
from storage.objects import ObjectStore
from storage.origins import OriginRecord
from storage.rows import NewJob

_FINDING = TypeAdapter(Finding)


def keep_files(store: ObjectStore, looked: Sequence[LookedAt], progress: Progress) -> None:
    """Put every file of a package into the store, and what came in where a PDF was made of it."""
    progress.begin("入库 / keeping originals", len(looked))
    for file in looked:
        store.put_file(file.source.path, digest=file.source.sha256)
        origin = file.source.origin
        if origin is not None and origin.path is not None:
            store.put_file(origin.path, digest=origin.sha256)
        progress.step(file.source.name)


def new_jobs(looked: Sequence[LookedAt]) -> list[NewJob]:
    """Return a job for each file of a package, in order."""
    return [
        NewJob(
            name=file.source.name,
            source_digest=file.source.sha256,
            source_size_bytes=file.source.size_bytes,
            origin=None if file.source.origin is None else _record(file.source.origin),
        )
        for file in looked
    ]


def with_origin(source: SourceFile, record: OriginRecord | None) -> SourceFile:
    """Return a file as the records know it: with what came in, which is not at hand itself."""
    if record is None:
        return source
    origin = Origin(
        path=None,
        name=record.name,
        size_bytes=record.size_bytes,
        sha256=record.digest,
        how=HowDerived(record.how),
        tool=record.tool,
        findings=tuple(_FINDING.validate_python(dict(finding)) for finding in record.findings),
    )
    return SourceFile(source.path, source.name, source.size_bytes, source.sha256, origin)


def source_suffix(record: OriginRecord) -> str:
    """Return how the file name of what came in ends, for a copy of it: `source.docx`."""
    suffix = Path(record.name).suffix.lower()
    return f"source{suffix}" if suffix.isascii() and suffix[1:].isalnum() else "source"


def origin_json(origin: Origin | OriginRecord | None) -> dict[str, Any] | None:
    """Return what came in, when a PDF was made of it."""
    if origin is None:
        return None
    return {
        "file": origin.name,
        "size_bytes": origin.size_bytes,
        "sha256": origin.sha256 if isinstance(origin, Origin) else origin.digest,
        "how": str(origin.how),
        "tool": origin.tool,
    }


def _record(origin: Origin) -> OriginRecord:
    """Return what came in as the records keep it."""
    return OriginRecord(
        name=origin.name,
        digest=origin.sha256,
        size_bytes=origin.size_bytes,
        how=origin.how.value,
        tool=origin.tool,
        findings=tuple(_FINDING.dump_python(finding, mode="json") for finding in origin.findings),
    )
