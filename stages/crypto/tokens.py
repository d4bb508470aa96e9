"""A timestamp token (RFC 3161) judged by someone who did not ask for it."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from asn1crypto import tsp, x509

from stages.crypto.algorithms import ASN1_ERRORS, WEAK_DIGESTS, digest_name
from stages.crypto.chains import Purpose, check_chain, common_name
from stages.crypto.checks import CheckFailed, CheckUnknown
from stages.crypto.signed_data import (
    CmsSignature,
    check_message_digest,
    check_signature_value,
    check_signed_attributes,
    check_signing_certificate,
    parse_signed_data,
)

TST_INFO = "1.2.840.113549.1.9.16.1.4"
MAX_CLOCK_SKEW = timedelta(minutes=5)
"""How far the verifier's clock may be behind the authority's."""


@dataclass(frozen=True, eq=False)
class TimestampToken:
    """A token taken apart; nothing in it is checked yet.

    Attributes:
        imprint_digest: hashlib's name of the digest the token covers.
        stamped_at: genTime; aware.
    """

    signature: CmsSignature = field(repr=False)
    imprint_digest: str
    imprint: bytes = field(repr=False)
    stamped_at: datetime

    @property
    def authority(self) -> str:
        return common_name(self.signature.certificate)


def parse_token(der: bytes) -> TimestampToken:
    """Take a token apart.

    Raises:
        CheckFailed: it is no token.
        CheckUnknown: an algorithm or type not known here.
    """
    signature = parse_signed_data(der)
    if signature.content_type != TST_INFO or signature.content is None:
        raise _not_a_token()
    try:
        info = tsp.TSTInfo.load(signature.content, strict=True)
        imprint = info["message_imprint"]
        stamped_at = info["gen_time"].native
        digest = imprint["hash_algorithm"]["algorithm"].dotted
        hashed = imprint["hashed_message"].native
    except ASN1_ERRORS as error:
        raise _not_a_token() from error
    if not isinstance(stamped_at, datetime) or stamped_at.tzinfo is None:
        raise _not_a_token()
    return TimestampToken(signature, digest_name(digest), hashed, stamped_at)


def check_imprint(token: TimestampToken, digest_of: Callable[[str], bytes]) -> None:
    """Check that the token covers what it is said to cover (RFC 3161 §2.4.2, messageImprint).

    Args:
        digest_of: gives the digest of the covered bytes, by hashlib's name.

    Raises:
        CheckFailed: it covers something else.
        CheckUnknown: its digest is too weak to tell.
    """
    if digest_of(token.imprint_digest) != token.imprint:
        raise CheckFailed(
            "timestamp-mismatch",
            "HASH_FAILURE",
            "the timestamp was made for something else: its message imprint does not match",
            zh="时间戳不是为本内容签发的：摘要不一致",
        )
    if token.imprint_digest in WEAK_DIGESTS:
        raise CheckUnknown(
            "weak-algorithm",
            "CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
            f"the timestamp covers a {token.imprint_digest} digest, too weak today",
            zh=f"时间戳所用摘要 {token.imprint_digest} 强度不足",
        )


def check_token_signature(token: TimestampToken) -> None:
    """Check that the authority whose certificate is inside made this token (RFC 3161 §2.4.2; RFC 5816).

    Raises:
        CheckFailed: it did not, or the token was changed.
        CheckUnknown: an algorithm not known here, or too weak.
    """
    signature = token.signature
    digest = hashlib.new(signature.digest, signature.content or b"").digest()
    check_signed_attributes(signature)
    check_message_digest(signature, digest)
    check_signing_certificate(signature, required=True)
    check_signature_value(signature, content_digest=digest)


def check_token_trust(
    token: TimestampToken,
    *,
    roots: Sequence[x509.Certificate],
    intermediates: Sequence[x509.Certificate],
    now: datetime,
) -> tuple[x509.Certificate, ...]:
    """Return the authority's chain, anchor first, valid both when it stamped and now.

    Raises:
        CheckFailed: the certificate is not for time stamping, began later, or a link is wrong.
        CheckUnknown: no chain, expired by now, stamped after `now`, or unknown algorithms.
    """
    if token.stamped_at > now + MAX_CLOCK_SKEW:
        raise CheckUnknown(
            "timestamp-in-future",
            "TIMESTAMP_ORDER_FAILURE",
            f"the timestamp is of {token.stamped_at:%Y-%m-%d %H:%M} UTC, later than now; check this clock",
            zh=f"时间戳时间 {token.stamped_at:%Y-%m-%d %H:%M} UTC 晚于当前时间，请检查本机时钟",
        )
    helpers = (*intermediates, *token.signature.certificates)
    chain: tuple[x509.Certificate, ...] = ()
    for at in sorted({token.stamped_at, max(now, token.stamped_at)}):
        chain = check_chain(
            token.signature.certificate, roots=roots, intermediates=helpers, at=at, purpose=Purpose.TIMESTAMP
        )
    return chain


def check_token(
    der: bytes,
    digest_of: Callable[[str], bytes],
    *,
    roots: Sequence[x509.Certificate],
    intermediates: Sequence[x509.Certificate] = (),
    now: datetime,
) -> TimestampToken:
    """Return a token after every check of it: imprint, signature, trust.

    Raises:
        CheckFailed: one of them is wrong.
        CheckUnknown: one of them could not be made.
    """
    token = parse_token(der)
    check_imprint(token, digest_of)
    check_token_signature(token)
    check_token_trust(token, roots=roots, intermediates=intermediates, now=now)
    return token


def _not_a_token() -> CheckFailed:
    return CheckFailed(
        "timestamp-format",
        "FORMAT_FAILURE",
        "the timestamp is not a readable token (RFC 3161 §2.4.2)",
        zh="时间戳不是可读的 RFC 3161 时间戳令牌",
    )
