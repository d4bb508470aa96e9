"""The trusted time of a signature, put into the room the signature kept for it."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from asn1crypto import x509

from stages.authorities import TimestampAuthority
from stages.crypto.cms import MAX_CMS_BYTES, signature_value, timestamp_token, trim, with_timestamp
from stages.crypto.tokens import check_imprint, check_token_signature, parse_token
from stages.crypto.tsp import request_token
from stages.documents import SignedDocument, TimestampedDocument
from stages.errors import Indeterminate, SigningRefused


def timestamp(
    signed: SignedDocument,
    authority: TimestampAuthority,
    trust: Sequence[x509.Certificate],
    *,
    nonce: int,
    now: datetime,
) -> TimestampedDocument:
    """Ask for the time of a signature, check the answer, and write it into the file in place.

    Nothing outside of `/Contents` changes, and the key is not needed: the token goes into the
    unsigned attributes (RFC 3161 Appendix A; ETSI EN 319 142-1 §5.3). A file that has its timestamp
    is returned as it is; nobody is asked.

    Args:
        trust: root certificates of time-stamping authorities.
        nonce: random, never used before.
        now: aware; the authority's time must be close to it.

    Raises:
        TimestampUnavailable: the authority is silent, or refused.
        Untrusted: what it answered, or what the file holds already, is no timestamp of this signature.
        SigningRefused: its token does not fit into the room kept for it.
        Indeterminate: there is no readable signature where `signed` says.
    """
    padded = _read_contents(signed)
    cms = trim(padded)
    value = signature_value(cms)
    imprint = hashlib.sha256(value).digest()
    present = timestamp_token(cms)
    if present is not None:
        token = parse_token(present)
        check_imprint(token, lambda digest: hashlib.new(digest, value).digest())
        check_token_signature(token)
        return _timestamped(signed, token.stamped_at, token.authority)
    granted = request_token(authority, imprint, nonce=nonce, trust=trust, now=now)
    stamped = with_timestamp(cms, granted.der)
    if len(stamped) > len(padded):
        raise SigningRefused(
            f"{signed.path.name}: the timestamp of {len(granted.der)} bytes needs"
            f" {len(stamped) - len(padded)} bytes more than were kept free; use another authority",
            zh=f"{signed.path.name}：时间戳有 {len(granted.der)} 字节，预留空间还差"
            f" {len(stamped) - len(padded)} 字节，请换用其他时间戳机构",
        )
    _write_contents(signed, stamped, len(padded))
    return _timestamped(signed, granted.stamped_at, granted.authority)


def _read_contents(signed: SignedDocument) -> bytes:
    """Return what `/Contents` holds, padding included."""
    size_bytes = signed.contents_end - signed.contents_start
    if not 2 <= size_bytes <= 2 * MAX_CMS_BYTES + 2 or size_bytes % 2:
        raise _unreadable(signed)
    with signed.path.open("rb") as file:
        file.seek(signed.contents_start)
        text = file.read(size_bytes)
    if len(text) != size_bytes or text[:1] != b"<" or text[-1:] != b">":
        raise _unreadable(signed)
    try:
        return bytes.fromhex(text[1:-1].decode("ascii"))
    except ValueError as error:
        raise _unreadable(signed) from error


def _write_contents(signed: SignedDocument, cms: bytes, room_bytes: int) -> None:
    """Write the whole hexadecimal string at once."""
    text = cms.ljust(room_bytes, b"\x00").hex().encode("ascii")
    with signed.path.open("r+b") as file:
        file.seek(signed.contents_start + 1)
        file.write(text)


def _timestamped(signed: SignedDocument, stamped_at: datetime, authority: str) -> TimestampedDocument:
    return TimestampedDocument(
        path=signed.path,
        base_size_bytes=signed.base_size_bytes,
        field_name=signed.field_name,
        stamped_at=stamped_at,
        authority=authority,
    )


def _unreadable(signed: SignedDocument) -> Indeterminate:
    return Indeterminate(
        f"{signed.path.name}: no signature at byte {signed.contents_start}; look for it again in this file",
        zh=f"{signed.path.name}：在字节 {signed.contents_start} 处没有签名，请在该文件中重新查找",
    )
