"""The record that an archived document holds no longer: signed with its key, timestamped, about it alone."""

import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from stages.authorities import Signer, TimestampAuthority, TrustAnchors, fingerprint_of
from stages.crypto.checks import CheckFailed, CheckUnknown
from stages.crypto.detached import judge_detached, sign_detached
from stages.crypto.signed_data import parse_signed_data
from stages.errors import InputRefused, Untrusted
from stages.manifests import Sha256, canonical_json, instant_json
from stages.verdict_types import Cause, Indication, SignatureVerdict
from stages.verdicts import cause_json, signature_json

__all__ = [
    "VoidVerdict",
    "VoidedDocument",
    "Voiding",
    "build_void_record",
    "parse_void_record",
    "sign_void_record",
    "verify_void",
    "void_verdict_json",
]

FORMAT = "sealine-void-1"
MAX_VOID_BYTES = 64 * 1024
MAX_REASON_CHARACTERS = 1_000
"""As many as the records keep."""

_Text = Annotated[str, StringConstraints(max_length=4_000)]


class VoidedDocument(BaseModel):
    """Which document holds no longer.

    Attributes:
        sha256: of the signed file; of the original, where the document was kept unsigned.
        signature_field: the field of our signature; empty where there is none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: _Text
    sha256: Sha256
    signature_field: _Text
    certificate: _Text


class Voiding(BaseModel):
    """What a void record says; instants are ISO 8601 in UTC with Z.

    Attributes:
        by: who voided it, and in which role.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: Literal["sealine-void-1"]
    document: VoidedDocument
    archive_id: _Text
    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON_CHARACTERS)]
    by: _Text
    at: _Text


@dataclass(frozen=True)
class VoidVerdict:
    """What can be said of a void record: its signature, and whether it is about this document."""

    indication: Indication
    signature: SignatureVerdict
    causes: tuple[Cause, ...] = ()


def build_void_record(
    document: VoidedDocument, *, archive_id: str, reason: str, by: str, at: datetime
) -> bytes:
    """Return the canonical bytes of a void record.

    Args:
        at: aware.

    Raises:
        InputRefused: no reason, or a text over its limit.
    """
    values = {
        "format": FORMAT,
        "document": document.model_dump(),
        "archive_id": archive_id,
        "reason": reason.strip(),
        "by": by,
        "at": instant_json(at),
    }
    try:
        Voiding.model_validate(values)
    except ValidationError as error:
        raise InputRefused(
            f"voiding needs a reason of 1 to {MAX_REASON_CHARACTERS} characters; give one",
            zh=f"作废须说明理由（1-{MAX_REASON_CHARACTERS} 字符），请填写",
        ) from error
    return canonical_json(values)


def parse_void_record(data: bytes) -> Voiding:
    """Return what a void record says.

    Raises:
        Untrusted: it is none, or is not canonical.
    """
    try:
        record = Voiding.model_validate_json(data[: MAX_VOID_BYTES + 1])
        is_canonical = canonical_json(json.loads(data)) == data
    except (ValidationError, ValueError, RecursionError) as error:
        raise _unreadable() from error
    if not is_canonical or len(data) > MAX_VOID_BYTES:
        raise _unreadable()
    return record


def sign_void_record(
    record: bytes,
    signer: Signer,
    authority: TimestampAuthority,
    trust: TrustAnchors,
    *,
    nonce: int,
    now: datetime,
) -> bytes:
    """Return a detached CMS over a void record, with its timestamp: what makes it count.

    Raises:
        SigningRefused: the key refuses.
        TimestampUnavailable: the authority is silent, or refused.
        Untrusted: what it answered is no timestamp of this signature.
    """
    return sign_detached(record, signer, authority, trust, nonce=nonce, now=now)


def verify_void(
    record: bytes,
    cms: bytes,
    trust: TrustAnchors,
    now: datetime,
    *,
    archive_id: str,
    sha256: str,
    certificate: str,
) -> VoidVerdict:
    """Prove a void record: its signature, its timestamp, its signer, and that it names this document.

    Whatever is wrong is in the verdict, not raised.

    Args:
        archive_id, sha256: the document's id in the archive, and the digest of its signed file (of its
            original, where it was kept unsigned).
        certificate: fingerprint of the certificate that the document's package was signed with: nobody
            else voids it, however trusted.
    """
    signature = judge_detached(record, cms, trust, now)
    indication = signature.indication
    causes: list[Cause] = []
    try:
        voiding = parse_void_record(record)
        if voiding.archive_id != archive_id or not hmac.compare_digest(voiding.document.sha256, sha256):
            raise Untrusted("the void record is about another document", zh="作废记录所指不是本文件")
        named = _signer_of(cms), voiding.document.certificate
        if not all(one is not None and hmac.compare_digest(one, certificate) for one in named):
            raise Untrusted(
                "the void record was signed with another key than the document",
                zh="作废记录不是用签署文件的密钥签署的",
            )
    except Untrusted as error:
        indication = Indication.TOTAL_FAILED
        causes.append(Cause("void-record", str(error), error.zh))
    return VoidVerdict(indication, signature, tuple(causes))


def _signer_of(cms: bytes) -> str | None:
    """Return the fingerprint of the certificate that a CMS names as its signer's; None when unreadable."""
    try:
        return fingerprint_of(parse_signed_data(cms).certificate)
    except (CheckFailed, CheckUnknown):
        return None


def void_verdict_json(verdict: VoidVerdict) -> dict[str, object]:
    """Return a verdict on a void record as JSON values."""
    return {
        "indication": str(verdict.indication),
        "signature": signature_json(verdict.signature),
        "causes": [cause_json(cause) for cause in verdict.causes],
    }


def _unreadable() -> Untrusted:
    return Untrusted(
        "the void record is not in the format of this program; restore it from a backup",
        zh="作废记录格式不符，请从备份恢复",
    )
