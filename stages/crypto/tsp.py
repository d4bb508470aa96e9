"""Asking a time-stamping authority (RFC 3161), and checking that its answer answers just that."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from asn1crypto import cms, core, tsp, x509

from stages.authorities import SeveralAuthorities, TimestampAuthority
from stages.crypto import der
from stages.crypto.algorithms import ASN1_ERRORS
from stages.crypto.chains import Purpose, check_chain
from stages.crypto.tokens import TimestampToken, check_token_signature, parse_token
from stages.errors import Indeterminate, TimestampUnavailable, Untrusted

MAX_RESPONSE_BYTES = 64 * 1024
MAX_CLOCK_SKEW = timedelta(minutes=5)
"""How far the authority's time may be from the moment we asked."""
MAX_NONCE_BITS = 128
MAX_STATUS_TEXT_CHARACTERS = 200
IMPRINT_BYTES = 32

_SHA256 = "2.16.840.1.101.3.4.2.1"
_GRANTED = frozenset({0, 1})
"""granted, grantedWithMods (RFC 3161 §2.4.2)."""
_TRUE = b"\x01\x01\xff"


@dataclass(frozen=True)
class GrantedToken:
    """A timestamp token that passed every check of `check_response`.

    Attributes:
        der: the ContentInfo, as the authority sent it.
        stamped_at: the instant it vouches for; aware.
        authority: the name in its certificate.
    """

    der: bytes = field(repr=False)
    stamped_at: datetime
    authority: str
    certificate: x509.Certificate = field(repr=False)


class _Response(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    """TimeStampResp. asn1crypto's own wants a token even where one was refused."""

    _fields = [  # noqa: RUF012  # read by asn1crypto's metaclass
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", cms.ContentInfo, {"optional": True}),
    ]


def build_request(imprint: bytes, nonce: int) -> bytes:
    """Return a DER TimeStampReq that asks for the certificate, too (RFC 3161 §2.4.1).

    Args:
        imprint: a SHA-256 digest.
        nonce: 0 to 2^MAX_NONCE_BITS - 1, never used before.

    Raises:
        ValueError: imprint or nonce are of another size, which is a mistake of the caller.
    """
    if len(imprint) != IMPRINT_BYTES or not 0 <= nonce < 1 << MAX_NONCE_BITS:
        raise ValueError(f"imprint of {len(imprint)} bytes, nonce of {nonce.bit_length()} bits")
    algorithm = der.sequence(der.oid(_SHA256), der.NULL)
    return der.sequence(
        der.integer(1),
        der.sequence(algorithm, der.octet_string(imprint)),
        der.integer(nonce),
        _TRUE,
    )


def request_token(
    authority: TimestampAuthority,
    imprint: bytes,
    *,
    nonce: int,
    trust: Sequence[x509.Certificate],
    now: datetime,
    policy: str | None = None,
) -> GrantedToken:
    """Ask for the time of a SHA-256 digest and return the token that passed every check.

    Where several authorities stand in for one another, one that answers something wrong is passed over.

    Args:
        nonce, trust, policy: as for build_request and check_response.
        now: aware.

    Raises:
        TimestampUnavailable: silent, or no token was granted.
        Untrusted: what was answered is no timestamp of this digest.
    """
    request = build_request(imprint, nonce)
    accept = partial(check_response, imprint=imprint, nonce=nonce, trust=trust, asked_at=now, policy=policy)
    if isinstance(authority, SeveralAuthorities):
        return authority.first_accepted(request, accept)
    return accept(authority.ask(request))


def check_response(
    response: bytes,
    *,
    imprint: bytes,
    nonce: int,
    trust: Sequence[x509.Certificate],
    asked_at: datetime,
    policy: str | None = None,
) -> GrantedToken:
    """Return the token in a TimeStampResp after every check RFC 3161 §2.4.2 wants of who asked.

    Args:
        imprint, nonce: what was asked with.
        trust: root certificates of time-stamping authorities.
        asked_at: when; aware.
        policy: dotted identifier that must be the token's; None takes any.

    Raises:
        TimestampUnavailable: it is no TimeStampResp, or says that no token was granted.
        Untrusted: a token is there, and a check of it failed or could not be made.
    """
    parsed = _parse_response(response)
    # 1. status: granted, with or without modifications.
    check_status(parsed)
    token_der = _token_of(parsed)
    try:
        token = parse_token(token_der)
        info = tsp.TSTInfo.load(token.signature.content)
        # 2. version 1.
        check_version(info)
        # 3. messageImprint: the algorithm and the digest we sent.
        check_message_imprint(token, imprint)
        # 4. nonce: ours.
        check_nonce(info, nonce)
        # 5. policy: the one we wanted.
        check_policy(info, policy)
        # 6. contentType, messageDigest, ESSCertID(v2) and the signature itself (RFC 5652 §5.6, RFC 5816).
        check_token_signature(token)
        # 7. extended key usage timeStamping, critical and alone (§2.3); a chain to a root, at genTime.
        check_chain(
            token.signature.certificate,
            roots=trust,
            intermediates=token.signature.certificates,
            at=token.stamped_at,
            purpose=Purpose.TIMESTAMP,
        )
        # 8. genTime: close to when we asked.
        check_time(token, asked_at)
    except Indeterminate as error:
        # Whoever asks may refuse: what cannot be checked is not put into a signature.
        raise Untrusted(f"timestamp refused: {error}", zh=f"拒绝该时间戳：{error.zh}") from error
    except ASN1_ERRORS as error:
        raise _wrong("the token cannot be read", "时间戳令牌无法解读") from error
    return GrantedToken(token_der, token.stamped_at, token.authority, token.signature.certificate)


def token_time(token: bytes) -> datetime:
    """Return the instant a DER token claims, unchecked; aware.

    Raises:
        Untrusted: it is no token.
        Indeterminate: it uses an algorithm not known here.
    """
    return parse_token(token).stamped_at


def check_status(response: _Response) -> None:
    """Check that a token was granted.

    Raises:
        TimestampUnavailable: it was not; the authority's reason is in the message.
    """
    try:
        status = response["status"]
        code = int(status["status"])
        if code in _GRANTED:
            return
        reason = _reason_of(status)
    except ASN1_ERRORS as error:
        raise _undecodable() from error
    raise TimestampUnavailable(
        f"the time-stamping authority refused: status {code}{reason}; try again later or ask another",
        zh=f"时间戳服务机构拒绝签发：状态 {code}{reason}，请稍后重试或换用其他机构",
    )


def check_version(info: tsp.TSTInfo) -> None:
    """Check that the token is of version 1.

    Raises:
        Untrusted: it is not.
    """
    if int(info["version"]) != 1:
        raise _wrong(f"its version is {int(info['version'])}, not 1", "版本不是 1")


def check_message_imprint(token: TimestampToken, imprint: bytes) -> None:
    """Check that the token covers our SHA-256 digest.

    Raises:
        Untrusted: another algorithm or another digest.
    """
    if token.imprint_digest != "sha256" or not hmac.compare_digest(token.imprint, imprint):
        raise _wrong("its message imprint is not what was asked for", "摘要与请求不一致")


def check_nonce(info: tsp.TSTInfo, nonce: int) -> None:
    """Check that the token was made for this request.

    Raises:
        Untrusted: the nonce is missing or another.
    """
    if info["nonce"].native != nonce:
        raise _wrong("its nonce is not the request's, so it may be an old answer", "随机数与请求不一致")


def check_policy(info: tsp.TSTInfo, policy: str | None) -> None:
    """Check that the token was made under a policy; None takes any.

    Raises:
        Untrusted: another policy.
    """
    if policy is not None and info["policy"].dotted != policy:
        raise _wrong(f"its policy is {info['policy'].dotted}, not {policy}", "时间戳策略与要求不一致")


def check_time(token: TimestampToken, asked_at: datetime) -> None:
    """Check that the token's time is within MAX_CLOCK_SKEW of when it was asked for.

    Raises:
        Untrusted: it is not; one of the two clocks is wrong.
    """
    if abs(token.stamped_at - asked_at) > MAX_CLOCK_SKEW:
        minutes, time = MAX_CLOCK_SKEW.seconds // 60, f"{token.stamped_at:%Y-%m-%d %H:%M:%S} UTC"
        raise _wrong(
            f"its time {time} is more than {minutes} minutes from this machine's; check the clocks",
            f"时间 {time} 与本机相差超过 {minutes} 分钟，请检查时钟",
        )


def _parse_response(response: bytes) -> _Response:
    if len(response) > MAX_RESPONSE_BYTES:
        raise TimestampUnavailable(
            f"the time-stamping authority's answer is larger than {MAX_RESPONSE_BYTES} bytes; ask another",
            zh=f"时间戳服务机构的应答超过 {MAX_RESPONSE_BYTES} 字节，请换用其他机构",
        )
    try:
        parsed: _Response = _Response.load(response, strict=True)
        int(parsed["status"]["status"])
    except ASN1_ERRORS as error:
        raise _undecodable() from error
    return parsed


def _token_of(response: _Response) -> bytes:
    try:
        token = response["time_stamp_token"]
        if not isinstance(token, core.Void):
            return bytes(token.dump())
    except ASN1_ERRORS as error:
        raise _undecodable() from error
    raise _wrong("it was granted, but there is no token", "应答称已签发，却没有令牌")


def _reason_of(status: tsp.PKIStatusInfo) -> str:
    """Return what the authority says of its refusal, cut short and printable."""
    words: list[str] = []
    if not isinstance(status["fail_info"], core.Void):
        words += sorted(status["fail_info"].native)
    if not isinstance(status["status_string"], core.Void):
        words += [str(text.native) for text in status["status_string"]]
    text = "".join(character for character in ", ".join(words) if character.isprintable())
    return f" ({text[:MAX_STATUS_TEXT_CHARACTERS]})" if text else ""


def _undecodable() -> TimestampUnavailable:
    return TimestampUnavailable(
        "the time-stamping authority did not answer with a TimeStampResp; check its address",
        zh="时间戳服务机构的应答不是时间戳响应，请检查其地址",
    )


def _wrong(what: str, zh: str) -> Untrusted:
    return Untrusted(
        f"timestamp refused: {what}; ask another authority", zh=f"拒绝该时间戳：{zh}，请换用其他机构"
    )
