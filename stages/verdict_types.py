"""What verification answers: a lamp for each question, a verdict for each signature and for the file."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Lamp(StrEnum):
    """One answer of a verification."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Indication(StrEnum):
    """ETSI EN 319 102-1 §5.1.3 main status."""

    TOTAL_PASSED = "TOTAL-PASSED"
    INDETERMINATE = "INDETERMINATE"
    TOTAL_FAILED = "TOTAL-FAILED"


@dataclass(frozen=True)
class Cause:
    """Why a lamp is what it is.

    Attributes:
        code: stable, kebab-case, for programs.
    """

    code: str
    message: str
    message_zh: str


@dataclass(frozen=True)
class SignatureVerdict:
    """What an outsider can say of one signature.

    Attributes:
        sub_indication: ETSI EN 319 102-1 Table 6; empty when passed.
        integrity: the signed bytes are the bytes here, and nothing forbidden came after.
        identity: the signature was made with the key of the certificate inside it.
        trust: that certificate led to a trust anchor, and was valid, at signing time.
        time: a checked timestamp says when.
        signer: the certificate's common name.
        signed_at: what the signature claims; `timestamp` is what an authority vouches for.
        tryout: it was made under a try-out authority that nobody else trusts.
    """

    field_name: str
    indication: Indication
    sub_indication: str
    integrity: Lamp
    identity: Lamp
    trust: Lamp
    time: Lamp
    signer: str
    signed_at: datetime | None
    timestamp: datetime | None
    timestamp_authority: str
    tryout: bool
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True)
class DocumentVerdict:
    """The verdict on a file: the worst of its signatures', INDETERMINATE when it has none."""

    indication: Indication
    signatures: tuple[SignatureVerdict, ...]
    causes: tuple[Cause, ...] = ()
