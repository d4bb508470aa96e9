"""The rows of the records as frozen values: what is handed in, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from storage.objects import Digest
from storage.origins import OriginRecord
from storage.schema import JobState

__all__ = [
    "ArchiveEntry",
    "ArchiveRecord",
    "CertificateRecord",
    "ClaimRecord",
    "EventRecord",
    "FoundArchive",
    "HoldRecord",
    "JobError",
    "JobRecord",
    "JobState",
    "Move",
    "NewClaim",
    "NewJob",
    "NewPackage",
    "NewSignature",
    "OriginRecord",
    "OutputRecord",
    "PackageRecord",
    "PresetRecord",
    "SealRecord",
    "StampingRecord",
    "VoidRecord",
]


@dataclass(frozen=True)
class CertificateRecord:
    """A certificate somebody signs with.

    Attributes:
        fingerprint: SHA-256 of its DER, lower-case hex.
    """

    fingerprint: Digest
    subject: str
    issuer: str
    not_before_at: datetime
    not_after_at: datetime


@dataclass(frozen=True)
class SealRecord:
    """A seal that may be stamped.

    Attributes:
        id: `<uuid>-openseal`.
        width_mm, height_mm: true size of the upright seal, at most 70.
        ink_box_mm: x, y, w, h of the ink on the 70 mm canvas.
        eseal_digest: of the electronic seal's DER, where one was made.
        micro_pattern: its image carries a pattern that a scan can be checked for.
        text_slots: where text is set when the seal is stamped, each as plain JSON.
        source_digest: of the image handed in, before a pattern was put in; None for a seal made when this
            was not yet kept.
    """

    id: str
    name: str
    kind: str
    owner: str
    owner_code: str
    shape: str
    width_mm: float
    height_mm: float
    ink_box_mm: tuple[float, float, float, float]
    image_digest: Digest
    eseal_digest: Digest | None
    standing: str
    status: str
    created_at: datetime
    valid_from_at: datetime
    valid_until_at: datetime
    micro_pattern: bool = False
    text_slots: tuple[Mapping[str, Any], ...] = ()
    source_digest: Digest | None = None


@dataclass(frozen=True)
class PresetRecord:
    """One version of a plan that is kept under a name.

    Attributes:
        plan_digest: of the plan's bytes; None: the preset was taken out of use.
        saved_by: who did it, in which role.
    """

    name: str
    version: int
    plan_digest: Digest | None
    saved_at: datetime
    saved_by: str


@dataclass(frozen=True)
class NewPackage:
    """A bid package to be worked on.

    Attributes:
        key: SHA-256 over all that decides the result (files, plan, seals, key); the same key is the
            same package, whoever hands it in again.
        key_uri: where the signing key is; never a PIN.
    """

    key: Digest
    name: str
    plan_digest: Digest
    project: str = ""
    bidder: str = ""
    document_type: str = ""
    key_uri: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PackageRecord:
    """A package as it was opened."""

    id: str
    key: Digest
    name: str
    plan_digest: Digest
    project: str
    bidder: str
    document_type: str
    key_uri: str
    settings: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class NewJob:
    """One document of a package; its place in the sequence is its ordinal.

    Attributes:
        name: its path inside the package.
        source_digest: of the PDF that is stamped.
        origin: what came in, when that PDF was made of it.
    """

    name: str
    source_digest: Digest
    source_size_bytes: int
    origin: OriginRecord | None = None


@dataclass(frozen=True)
class JobError:
    """Why a job was refused, or what it waits for.

    Attributes:
        code: a name of the failure table.
    """

    code: str
    message: str
    message_zh: str = ""


@dataclass(frozen=True)
class JobRecord:
    """Where a document is on its way.

    Attributes:
        attempts: how often the step it is before has failed or was put off since the last move forward.
        wait_until_at: the sweep does not ring before then.
    """

    id: str
    package_id: str
    name: str
    ordinal: int
    source_digest: Digest
    source_size_bytes: int
    state: JobState
    error: JobError | None
    attempts: int
    created_at: datetime
    updated_at: datetime
    wait_until_at: datetime | None


@dataclass(frozen=True)
class OutputRecord:
    """The object a job's step put when the job came into `state`."""

    job_id: str
    state: JobState
    digest: Digest
    size_bytes: int


@dataclass(frozen=True)
class Move:
    """One job's change of state, with its output and its event.

    Attributes:
        expected, to: may be the same, for a step that is put off (`error`, `wait_until_at`).
        output: digest and size in bytes of the object that was put before this.
        detail: goes into the event as JSON; no secrets, no document text.
    """

    job_id: str
    expected: JobState
    to: JobState
    act: str
    actor: str
    at: datetime
    output: tuple[Digest, int] | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    error: JobError | None = None
    wait_until_at: datetime | None = None


@dataclass(frozen=True)
class NewClaim:
    """A file that is about to be signed, once."""

    job_id: str
    fingerprint: Digest
    field_name: str


@dataclass(frozen=True)
class ClaimRecord:
    """The one signature a job may get.

    Attributes:
        claimed_at: also what the signature says in /M, so that a second run makes the same bytes.
        output_digest: of the signed file; None until it is recorded, never changed afterwards.
    """

    job_id: str
    certificate_fingerprint: Digest
    field_name: str
    claimed_at: datetime
    claimed_by: str
    output_digest: Digest | None


@dataclass(frozen=True)
class NewSignature:
    """A signed file that was put as an object."""

    job_id: str
    digest: Digest
    size_bytes: int
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ArchiveEntry:
    """What is to be kept of one document.

    Attributes:
        signed_digest, verdict_digest: None of a document that is kept without a signature.
        stamped_at: what the time-stamping authority vouches for.
        signer: the common name in the signer's certificate; empty without a signature.
    """

    job_id: str
    original_digest: Digest
    signed_digest: Digest | None
    verdict_digest: Digest | None
    manifest_digest: Digest
    evidence_digest: Digest
    retain_until_at: datetime
    signer: str
    stamped_at: datetime | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ArchiveRecord:
    """What is kept of one document.

    Attributes:
        signed_digest, verdict_digest: None of a document that is kept without a signature.
    """

    job_id: str
    original_digest: Digest
    signed_digest: Digest | None
    verdict_digest: Digest | None
    manifest_digest: Digest
    evidence_digest: Digest
    retain_until_at: datetime
    archived_at: datetime
    stamped_at: datetime | None
    signer: str


@dataclass(frozen=True)
class VoidRecord:
    """An archived document that holds no longer; its bytes stay as they are.

    Attributes:
        record_digest: of the void record's JSON.
        signature_digest: of the CMS over it, with its timestamp.
    """

    job_id: str
    reason: str
    voided_at: datetime
    voided_by: str
    record_digest: Digest
    signature_digest: Digest


@dataclass(frozen=True)
class StampingRecord:
    """A file that was stamped and not signed: what it was before.

    Attributes:
        name: the file's, as it was handed in.
    """

    stamped_digest: Digest
    original_digest: Digest
    original_size_bytes: int
    name: str
    stamped_at: datetime
    stamped_by: str


@dataclass(frozen=True)
class FoundArchive:
    """A hit of a search in the archive.

    Attributes:
        void: set when the document was voided.
        origin: what came in, when the original PDF was made of it.
    """

    archive: ArchiveRecord
    job_name: str
    package_id: str
    package_name: str
    project: str
    bidder: str
    document_type: str
    void: VoidRecord | None = None
    origin: OriginRecord | None = None


@dataclass(frozen=True)
class HoldRecord:
    """A legal hold; in force until it is lifted."""

    id: int
    job_id: str
    reason: str
    placed_at: datetime
    placed_by: str
    lifted_at: datetime | None


@dataclass(frozen=True)
class EventRecord:
    """One entry of the event log.

    Attributes:
        detail: canonical JSON, as it is hashed.
    """

    seq: int
    job_id: str | None
    at: datetime
    actor: str
    act: str
    detail: str
    prev_digest: Digest
    digest: Digest
