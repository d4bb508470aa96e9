"""A CAdES-T signature that stands beside what it signs: made, timestamped, judged."""

import hashlib
from datetime import datetime
from functools import partial

from asn1crypto import x509

from stages.authorities import Signer, TimestampAuthority, TrustAnchors
from stages.crypto.chains import Purpose, check_chain, common_name, publishes_revocation
from stages.crypto.checks import CheckFailed
from stages.crypto.cms import make_detached, signature_value, timestamp_token, with_timestamp
from stages.crypto.lamps import Lamps
from stages.crypto.revocation import SigningInstant, check_not_revoked
from stages.crypto.signed_data import (
    CmsSignature,
    check_message_digest,
    check_no_content,
    check_padding,
    check_signature_value,
    check_signed_attributes,
    check_signing_certificate,
    parse_signed_data,
    signing_time,
)
from stages.crypto.tokens import TimestampToken, check_imprint, check_token_signature, check_token_trust
from stages.crypto.tokens import parse_token as parse_timestamp
from stages.crypto.tryout import is_tryout
from stages.crypto.tsp import request_token
from stages.errors import Indeterminate
from stages.verdict_types import Lamp, SignatureVerdict


def sign_detached(
    content: bytes,
    signer: Signer,
    authority: TimestampAuthority,
    trust: TrustAnchors,
    *,
    nonce: int,
    now: datetime,
) -> bytes:
    """Return a detached CMS over content, with its signature timestamp (ETSI EN 319 122-1, level B-T).

    Args:
        nonce: random, never used before.
        now: the signing time; aware.

    Raises:
        SigningRefused: the key refuses.
        TimestampUnavailable: the authority is silent, or refused.
        Untrusted: what it answered is no timestamp of this signature.
    """
    cms = make_detached(signer, hashlib.sha256(content).digest(), signed_at=now)
    imprint = hashlib.sha256(signature_value(cms)).digest()
    token = request_token(authority, imprint, nonce=nonce, trust=trust.time_roots, now=now)
    return with_timestamp(cms, token.der)


def judge_detached(content: bytes, cms: bytes, trust: TrustAnchors, now: datetime) -> SignatureVerdict:
    """Return what an outsider can say of a detached signature; a bad one is a verdict, not an error.

    Revocations are looked up in `trust.crls`; nobody is asked.
    """
    lamps = Lamps()
    # 1. It is one signature, with nothing behind it and nothing in it (RFC 5652 §5.2).
    parsed = lamps.run("identity", partial(check_padding, cms), partial(parse_signed_data, cms))
    if not isinstance(parsed, CmsSignature):
        return lamps.verdict("", signer="", signed_at=None, token=None, tryout=False)
    digest = hashlib.new(parsed.digest, content).digest()
    # 2. The bytes are those that were signed (RFC 5652 §11.2).
    lamps.run("integrity", partial(check_no_content, parsed), partial(check_message_digest, parsed, digest))
    # 3. The key of the certificate it names made it (RFC 5652 §5.6, RFC 5035 §4).
    lamps.run(
        "identity",
        partial(check_signed_attributes, parsed),
        partial(check_signing_certificate, parsed, required=True),
        partial(check_signature_value, parsed, content_digest=digest),
    )
    # 4. A timestamp says when (RFC 3161 Appendix A).
    token = _judge_time(lamps, cms, parsed, trust, now)
    is_proven = token is not None and lamps.lamp("time") is Lamp.PASSED
    at = token.stamped_at if token and is_proven else now
    # 5. The certificate led to an anchor then, and was not revoked (RFC 5280 §6).
    chain = lamps.run(
        "trust",
        partial(
            check_chain,
            parsed.certificate,
            roots=trust.roots,
            intermediates=(*trust.intermediates, *parsed.certificates),
            at=at,
            purpose=Purpose.DOCUMENT,
        ),
    )
    if chain is not None:
        instant = SigningInstant(at, is_proven, fresh_at=at)
        lamps.run("trust", partial(_check_revocation, chain, trust, instant, Purpose.DOCUMENT))
    certificates = [parsed.certificate, *([token.signature.certificate] if token else [])]
    return lamps.verdict(
        "",
        signer=common_name(parsed.certificate),
        signed_at=signing_time(parsed),
        token=token,
        tryout=any(map(is_tryout, certificates)),
    )


def _judge_time(
    lamps: Lamps, cms: bytes, parsed: CmsSignature, trust: TrustAnchors, now: datetime
) -> TimestampToken | None:
    token = lamps.run("time", partial(_token_of, cms))
    if token is None:
        return None
    chain = lamps.run(
        "time",
        partial(check_imprint, token, lambda name: hashlib.new(name, parsed.value).digest()),
        partial(check_token_signature, token),
        partial(
            check_token_trust,
            token,
            roots=trust.time_roots,
            intermediates=(*trust.intermediates, *parsed.certificates),
            now=now,
        ),
    )
    if isinstance(chain, tuple):
        instant = SigningInstant(token.stamped_at, is_proven=True, fresh_at=max(now, token.stamped_at))
        lamps.run("time", partial(_check_revocation, chain, trust, instant, Purpose.TIMESTAMP))
    return token


def _token_of(cms: bytes) -> TimestampToken:
    try:
        token = timestamp_token(cms)
    except Indeterminate as error:
        raise _no_timestamp() from error
    if token is None:
        raise _no_timestamp()
    return parse_timestamp(token)


def _no_timestamp() -> CheckFailed:
    return CheckFailed(
        "no-timestamp",
        "SIG_CONSTRAINTS_FAILURE",
        "the signature has no readable timestamp, which a signature of this kind must have",
        zh="签名没有可读的时间戳，此类签名必须带有时间戳",
    )


def _check_revocation(
    chain: tuple[x509.Certificate, ...], trust: TrustAnchors, instant: SigningInstant, purpose: Purpose
) -> None:
    check_not_revoked(chain, trust.crls if publishes_revocation(chain) else (), instant, purpose=purpose)
