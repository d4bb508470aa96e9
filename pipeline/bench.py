"""The workbench: the documents of one chunk, each as a file in a scratch folder that grows stage by stage."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pydantic import TypeAdapter

from pipeline.intake import with_origin
from pipeline.orders import SigningOrder, order_from_record
from stages.documents import InspectedDocument, PlannedDocument, SealFace, SourceFile
from stages.plan_rules import PlanRules, parse_plan
from storage.errors import Corrupt
from storage.objects import ObjectStore
from storage.origins import OriginRecord
from storage.records import Records
from storage.rows import ClaimRecord, JobRecord, OutputRecord, PackageRecord
from storage.schema import JobState

INSPECTED = TypeAdapter(InspectedDocument)
PLANNED = TypeAdapter(PlannedDocument)

_INCREMENTS = {
    JobState.STAMPED: (JobState.STAMPED,),
    JobState.SIGNED: (JobState.STAMPED, JobState.SIGNED),
    JobState.TIMESTAMPED: (JobState.STAMPED, JobState.TIMESTAMPED),
}


class Workshop:
    """What the documents of one package have in common while they are worked on.

    Args:
        folder: empty at first, deleted after the run.
    """

    def __init__(self, records: Records, store: ObjectStore, package: PackageRecord, folder: Path) -> None:
        self.records = records
        self.store = store
        self.package = package
        self.folder = folder

    @cached_property
    def order(self) -> SigningOrder:
        """What the package was submitted with."""
        return order_from_record(self.package.settings)

    @cached_property
    def rules(self) -> PlanRules:
        """The plan the package was submitted with."""
        rules = parse_plan(self.store.read(self.package.plan_digest))
        return rules if self.order.stamped_on is None else rules.dated(self.order.stamped_on)

    @cached_property
    def origins(self) -> Mapping[str, OriginRecord]:
        """What came in for the documents whose PDF was made of it, by job id."""
        return self.records.origins(self.package.id)

    @cached_property
    def faces(self) -> Mapping[str, SealFace]:
        """The package's seals with their pictures in the folder."""
        faces = {}
        for seal in self.order.seals:
            path = self.folder / f"{seal.image_sha256}.png"
            self.store.copy_to(seal.image_sha256, path)
            faces[seal.name] = seal.face(path)
        return faces


@dataclass
class Bench:
    """One document being worked on.

    What stages made is kept as increments; the file on the bench is the original and its increments
    in one piece, built once for a run and grown by each stage after it.

    Attributes:
        folder: empty at first, deleted after the run.
        reached: the state the bytes in `document` are in; None before they were built, or while they change.
        is_left: somebody else works on it, or it rests: this run is done with it.
    """

    shop: Workshop
    job: JobRecord
    folder: Path
    reached: JobState | None = None
    is_left: bool = False
    _outputs: dict[JobState, OutputRecord] | None = field(default=None, repr=False)
    _claim: ClaimRecord | None = field(default=None, repr=False)

    @property
    def document(self) -> Path:
        """The file as far as it has come."""
        return self.folder / "document.pdf"

    @property
    def outputs(self) -> dict[JobState, OutputRecord]:
        """The object each step has put."""
        if self._outputs is None:
            self._outputs = self.shop.records.outputs(self.job.id)
        return self._outputs

    def note(self, job: JobRecord, output: tuple[str, int] | None) -> None:
        """Take over what was just recorded of the job."""
        self.job = job
        if output is not None:
            self.outputs[job.state] = OutputRecord(job.id, job.state, *output)

    @property
    def claim(self) -> ClaimRecord:
        """The job's claim to its one signature.

        Raises:
            Corrupt: it has none, though it is past claiming.
        """
        if self._claim is None:
            self._claim = self.shop.records.claim_of(self.job.id)
        if self._claim is None:
            raise Corrupt(
                f"job {self.job.id} is {self.job.state} without a claim: "
                "the records were changed from outside; restore them from a backup",
                zh=f"作业 {self.job.id} 缺少签名登记，记录可能被外部改动",
            )
        return self._claim

    @claim.setter
    def claim(self, claim: ClaimRecord) -> None:
        self._claim = claim

    def source(self) -> SourceFile:
        """Return the original as a file on the bench."""
        path = self.folder / "original.pdf"
        if not path.exists():
            self.shop.store.copy_to(self.job.source_digest, path)
        source = SourceFile(
            path=path,
            name=self.job.name,
            size_bytes=self.job.source_size_bytes,
            sha256=self.job.source_digest,
        )
        return with_origin(source, self.shop.origins.get(self.job.id))

    def output(self, state: JobState) -> bytes:
        """Return the object a stage left; checked against its digest by the store."""
        return self.shop.store.read(self.outputs[state].digest)

    @cached_property
    def inspected(self) -> InspectedDocument:
        """What inspection found."""
        return INSPECTED.validate_json(self.output(JobState.INSPECTED))

    @cached_property
    def planned(self) -> PlannedDocument:
        """Every mark of the document."""
        return PLANNED.validate_json(self.output(JobState.PLANNED))

    def size_in(self, state: JobState) -> int:
        """Return how many bytes the document has in a state, in bytes."""
        increments = (self.outputs[made_in].size_bytes for made_in in _INCREMENTS[state])
        return self.job.source_size_bytes + sum(increments)

    def build(self, state: JobState) -> Path:
        """Return the document's bytes as they are in `state`, building them when they are not there."""
        if self.reached is not state:
            self.shop.store.copy_to(self.job.source_digest, self.fresh_document())
            with self.document.open("ab") as file:
                for made_in in _INCREMENTS[state]:
                    file.write(self.output(made_in))
            self.reached = state
        return self.document

    def fresh_document(self) -> Path:
        """Return the document's path with nothing at it."""
        self.document.unlink(missing_ok=True)
        return self.document

    def tail(self, start: int) -> bytes:
        """Return the document's bytes from `start` on: what a stage appended."""
        with self.document.open("rb") as file:
            file.seek(start)
            return file.read()
