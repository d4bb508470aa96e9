"""The workbench of one document: its job row, and its bytes as a file in a scratch folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from pipeline.orders import SigningOrder, order_from_record
from stages.documents import InspectedDocument, Mark, PlannedDocument, SealFace, SourceFile
from storage.objects import ObjectStore
from storage.records import Records
from storage.rows import JobRecord, PackageRecord
from storage.schema import JobState

INSPECTED = TypeAdapter(InspectedDocument)
PLANNED = TypeAdapter(PlannedDocument)
MARKS = TypeAdapter(tuple[Mark, ...])

_INCREMENTS = {
    JobState.STAMPED: (JobState.STAMPED,),
    JobState.SIGNED: (JobState.STAMPED, JobState.SIGNED),
    JobState.TIMESTAMPED: (JobState.STAMPED, JobState.TIMESTAMPED),
}


@dataclass
class Bench:
    """One document being worked on.

    What stages made is kept as increments; the file on the bench is the original and its increments
    in one piece, built once for a run and grown by each stage after it.

    Attributes:
        folder: empty at first, deleted after the run.
        reached: the state the bytes in `document` are in; None before they were built.
    """

    records: Records
    store: ObjectStore
    job: JobRecord
    package: PackageRecord
    folder: Path
    reached: JobState | None = field(default=None)

    @property
    def document(self) -> Path:
        """The file as far as it has come."""
        return self.folder / "document.pdf"

    @property
    def order(self) -> SigningOrder:
        """What the package was submitted with."""
        return order_from_record(self.package.settings)

    def refresh(self) -> None:
        """Read the job row again."""
        self.job = self.records.job(self.job.id)

    def source(self) -> SourceFile:
        """Return the original as a file on the bench."""
        path = self.folder / "original.pdf"
        if not path.exists():
            self.store.copy_to(self.job.source_digest, path)
        return SourceFile(
            path=path,
            name=self.job.name,
            size_bytes=self.job.source_size_bytes,
            sha256=self.job.source_digest,
        )

    def faces(self) -> Mapping[str, SealFace]:
        """Return the package's seals with their pictures on the bench."""
        faces = {}
        for seal in self.order.seals:
            path = self.folder / f"{seal.image_sha256}.png"
            if not path.exists():
                self.store.copy_to(seal.image_sha256, path)
            faces[seal.name] = seal.face(path)
        return faces

    def output(self, state: JobState) -> bytes:
        """Return the object a stage left; checked against its digest by the store."""
        return self.store.read(self.records.outputs(self.job.id)[state].digest)

    def inspected(self) -> InspectedDocument:
        """Return what inspection found."""
        return INSPECTED.validate_json(self.output(JobState.INSPECTED))

    def planned(self) -> PlannedDocument:
        """Return every mark of the document."""
        return PLANNED.validate_json(self.output(JobState.PLANNED))

    def build(self, state: JobState) -> Path:
        """Return the document's bytes as they are in `state`, building them when they are not there."""
        if self.reached is not state:
            self.store.copy_to(self.job.source_digest, self._fresh())
            with self.document.open("ab") as file:
                for made_in in _INCREMENTS[state]:
                    file.write(self.output(made_in))
            self.reached = state
        return self.document

    def _fresh(self) -> Path:
        self.document.unlink(missing_ok=True)
        return self.document

    def tail(self, start: int) -> bytes:
        """Return the document's bytes from `start` on: what a stage appended."""
        with self.document.open("rb") as file:
            file.seek(start)
            return file.read()
