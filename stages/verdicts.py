"""What follows from a verdict: it is let pass or not, and is written as JSON."""

from datetime import UTC, datetime
from pathlib import Path

from stages.errors import Indeterminate, Untrusted
from stages.verdict_types import Cause, DocumentVerdict, Indication, SignatureVerdict

NOTES = frozenset({"tryout", "tryout-timestamp", "revocation-not-published"})
"""Causes that are said of a signature and hold nothing up."""


def check_verified(verdict: DocumentVerdict, *, name: str = "") -> DocumentVerdict:
    """Return a verdict that is TOTAL-PASSED.

    Args:
        name: of the file, for the message.

    Raises:
        Untrusted: something was checked, and is wrong.
        Indeterminate: something could not be checked, or there is no signature.
    """
    if verdict.indication is Indication.TOTAL_PASSED and verdict.signatures:
        return verdict
    open_ones = [one for one in verdict.signatures if one.indication is not Indication.TOTAL_PASSED]
    causes = [*verdict.causes, *(cause for one in open_ones for cause in one.causes)]
    reasons = [cause for cause in causes if cause.code not in NOTES]
    message = "; ".join(dict.fromkeys(cause.message for cause in reasons)) or "nothing was checked"
    zh = "；".join(dict.fromkeys(cause.message_zh for cause in reasons)) or "未作任何检查"
    fields = ", ".join(one.field_name for one in open_ones) or "no signature"
    where = f"{name}: {fields}: " if name else f"{fields}: "
    error = Untrusted if verdict.indication is Indication.TOTAL_FAILED else Indeterminate
    raise error(f"{where}{verdict.indication}: {message}", zh=f"{where}{verdict.indication}：{zh}")


def verdict_json(path: Path, verdict: DocumentVerdict) -> dict[str, object]:
    """Return a verdict as JSON values; instants are ISO 8601 in UTC with Z. The keys stay."""
    return {
        "file": str(path),
        "indication": str(verdict.indication),
        "sub_indication": next((one.sub_indication for one in verdict.signatures if one.sub_indication), ""),
        "signatures": [signature_json(one) for one in verdict.signatures],
        "causes": [cause_json(cause) for cause in verdict.causes],
    }


def signature_json(verdict: SignatureVerdict) -> dict[str, object]:
    """Return the verdict on one signature as JSON values."""
    return {
        "field": verdict.field_name,
        "indication": str(verdict.indication),
        "sub_indication": verdict.sub_indication,
        "integrity": str(verdict.integrity),
        "identity": str(verdict.identity),
        "trust": str(verdict.trust),
        "time": str(verdict.time),
        "signer": verdict.signer,
        "signed_at": _instant_json(verdict.signed_at),
        "timestamp": _instant_json(verdict.timestamp),
        "timestamp_authority": verdict.timestamp_authority,
        "tryout": verdict.tryout,
        "causes": [cause_json(cause) for cause in verdict.causes],
    }


def cause_json(cause: Cause) -> dict[str, str]:
    """Return one cause as JSON values."""
    return {"code": cause.code, "message": cause.message, "message_zh": cause.message_zh}


def _instant_json(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
