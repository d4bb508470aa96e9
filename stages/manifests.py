"""The manifest of an archive package: every file with its digest, as canonical JSON."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from stages.errors import Untrusted

FORMAT = "sealine-archive-manifest-1"
MAX_MANIFEST_BYTES = 1 << 20
MAX_OBJECTS = 32

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Role = Literal["source", "original", "signed", "verdict"]
"""`source` is what came in, where the original PDF was made of it."""
REQUIRED_ROLES = frozenset({"original", "signed", "verdict"})
KNOWN_ROLES = REQUIRED_ROLES | {"source"}
UNSIGNED_ROLES = frozenset({"original"})
"""Of a document that is kept as it came in: there is no signature, so there is no verdict."""


@dataclass(frozen=True)
class ArchivedSource:
    """What came in, when the original PDF was made of it.

    Attributes:
        how: what was done to it: converted, repaired, decrypted.
        tool: what did it, with its version.
    """

    name: str
    sha256: str
    size_bytes: int
    how: str
    tool: str


@dataclass(frozen=True)
class ToArchive:
    """A verified document, or one that is kept without a signature, and what is known of it.

    Attributes:
        package: the bid package's name.
        signed_sha256, verdict_json: None, both, without a signature.
        verdict_json: the verdict on the signed file, as it is kept; its `signed.sha256` names that file.
        plan_sha256: of the stamp plan the marks came from; empty when there was none.
        certificate: SHA-256 fingerprint of the signer's certificate.
        stamped_at: what the signature's timestamp says.
    """

    name: str
    package: str
    project: str
    bidder: str
    document_type: str
    original_sha256: str
    original_size_bytes: int
    signed_sha256: str | None
    signed_size_bytes: int
    verdict_json: bytes | None = field(repr=False)
    plan_sha256: str = ""
    certificate: str = ""
    signed_at: datetime | None = None
    stamped_at: datetime | None = None
    source: ArchivedSource | None = None

    @property
    def is_unsigned(self) -> bool:
        """Whether the document is kept without a signature."""
        return self.signed_sha256 is None and self.verdict_json is None


class ManifestObject(BaseModel):
    """One file of the package."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    role: Role
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=0)]


class MadeOf(BaseModel):
    """How the original PDF was made of the source."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    how: str
    tool: str


class Manifest(BaseModel):
    """What a package says of itself; instants are ISO 8601 in UTC with Z."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: Literal["sealine-archive-manifest-1"]
    name: str
    package: str
    project: str
    bidder: str
    document_type: str
    plan_sha256: str
    certificate: str
    signed_at: str | None
    stamped_at: str | None
    archived_at: str
    objects: Annotated[list[ManifestObject], Field(max_length=MAX_OBJECTS)]
    made_of: MadeOf | None = None

    @property
    def is_unsigned(self) -> bool:
        """Whether it is of a document that is kept without a signature."""
        return {item.role for item in self.objects} - {"source"} == UNSIGNED_ROLES


def build_manifest(document: ToArchive, *, verdict_sha256: str | None, archived_at: datetime) -> bytes:
    """Return the canonical bytes of a document's manifest."""
    original = {
        "name": document.name,
        "role": "original",
        "sha256": document.original_sha256,
        "size_bytes": document.original_size_bytes,
    }
    signed = {
        "name": document.name,
        "role": "signed",
        "sha256": document.signed_sha256,
        "size_bytes": document.signed_size_bytes,
    }
    verdict = {
        "name": f"{document.name}.verdict.json",
        "role": "verdict",
        "sha256": verdict_sha256,
        "size_bytes": len(document.verdict_json or b""),
    }
    objects = [original] if document.is_unsigned else [original, signed, verdict]
    made_of = {}
    if document.source is not None:
        source = document.source
        made_of = {"made_of": {"how": source.how, "tool": source.tool}}
        objects.insert(
            0,
            {
                "name": source.name,
                "role": "source",
                "sha256": source.sha256,
                "size_bytes": source.size_bytes,
            },
        )
    return canonical_json(
        {
            "format": FORMAT,
            "name": document.name,
            "package": document.package,
            "project": document.project,
            "bidder": document.bidder,
            "document_type": document.document_type,
            "plan_sha256": document.plan_sha256,
            "certificate": document.certificate,
            "signed_at": instant_json(document.signed_at),
            "stamped_at": instant_json(document.stamped_at),
            "archived_at": instant_json(archived_at),
            "objects": objects,
            **made_of,
        }
    )


def parse_manifest(data: bytes) -> Manifest:
    """Return a manifest that is canonical and names each required file once, or the original alone.

    The source stands in it where it says what the original was made of, and only there.

    Raises:
        Untrusted: it is not.
    """
    if len(data) > MAX_MANIFEST_BYTES:
        raise _malformed(f"larger than {MAX_MANIFEST_BYTES} bytes", zh="过大")
    try:
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        raise _malformed("not in the format of this program", zh="格式不符") from error
    roles = [item.role for item in manifest.objects]
    source = set() if manifest.made_of is None else {"source"}
    if sorted(roles) not in (sorted(REQUIRED_ROLES | source), sorted(UNSIGNED_ROLES | source)):
        raise _malformed("a file is missing or named twice", zh="缺少文件或重复")
    if canonical_json(manifest.model_dump(exclude_unset=True)) != data:
        raise _malformed("not canonical JSON", zh="不是规范的 JSON")
    return manifest


def canonical_json(value: object) -> bytes:
    """Return JSON in one form only: sorted keys, UTF-8, no spaces."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


def instant_json(instant: datetime | None) -> str | None:
    """Return an aware instant as ISO 8601 in UTC with Z."""
    return None if instant is None else instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _malformed(what: str, *, zh: str) -> Untrusted:
    return Untrusted(
        f"the archive's manifest is {what}; take it from the archive again",
        zh=f"档案清单{zh}，请重新从档案中获取",
    )
