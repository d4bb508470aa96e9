"""The verdict on every signature of a PDF, for whoever needs one: after signing, and years later."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path

from asn1crypto import crl, x509

from stages.authorities import TrustAnchors
from stages.crypto.algorithms import ASN1_ERRORS
from stages.crypto.chains import Purpose, check_chain, common_name, publishes_revocation
from stages.crypto.checks import CheckFailed, CheckUnknown
from stages.crypto.lamps import Lamps
from stages.crypto.revocation import SigningInstant, check_not_revoked
from stages.crypto.signed_data import (
    CmsSignature,
    attribute_values,
    check_message_digest,
    check_no_content,
    check_padding,
    check_signature_value,
    check_signed_attributes,
    check_signing_certificate,
    parse_signed_data,
    signing_time,
)
from stages.crypto.tokens import (
    MAX_CLOCK_SKEW,
    TimestampToken,
    check_imprint,
    check_token_signature,
    check_token_trust,
    parse_token,
)
from stages.crypto.tryout import is_tryout
from stages.pdf.revisions import check_later_revisions
from stages.pdf.signature_fields import (
    SignatureField,
    check_byte_range,
    digest_signed_bytes,
    read_signature_fields,
)
from stages.pdf.validation_data import lists_of_document, lists_of_signature
from stages.verdict_types import Cause, DocumentVerdict, Indication, Lamp, SignatureVerdict

DETACHED = frozenset({"adbe.pkcs7.detached", "ETSI.CAdES.detached"})
PADES = "ETSI.CAdES.detached"
DOCUMENT_TIMESTAMP = "ETSI.RFC3161"
SIGNATURE_TIMESTAMP_OID = "1.2.840.113549.1.9.16.2.14"
MAX_TOKENS = 16


def judge_pdf(path: Path, trust: TrustAnchors, now: datetime) -> DocumentVerdict:
    """Return what an outsider can say of each signature of a PDF; a bad one is a verdict, not an error.

    Whatever was checked and is wrong makes TOTAL-FAILED, whatever could not be checked INDETERMINATE.
    ETSI EN 319 102-1 is milder in two places, where we fail closed: it passes over a broken timestamp, and
    keeps violated constraints (a wrong key usage) INDETERMINATE. The sub-indication is its own in each case.
    Revocations are looked up in `trust.crls` and in what the file brings along; nobody is asked.

    Raises:
        InputRefused: no readable PDF, encrypted, or over a limit.
    """
    fields = read_signature_fields(path)
    if not fields:
        cause = Cause("no-signature", "the file has no signature", "文件中没有签名")
        return DocumentVerdict(Indication.INDETERMINATE, (), (cause,))
    size_bytes = path.stat().st_size
    # Anybody gets a document timestamp: it answers for nothing that was put in before it.
    last_end = max(
        (one.end for one in fields if one.sub_filter != DOCUMENT_TIMESTAMP),
        default=max(one.end for one in fields),
    )
    verdicts = []
    revocations = _Revocations(path, trust.crls)
    for signature in fields:
        subject = _Subject(
            path, signature, revocations, signature.end == size_bytes, signature.end >= last_end
        )
        judge = _judge_document_timestamp if signature.sub_filter == DOCUMENT_TIMESTAMP else _judge_signature
        verdicts.append(judge(subject, trust, now))
    worst = max((verdict.indication for verdict in verdicts), key=_BADNESS.index)
    return DocumentVerdict(worst, tuple(verdicts))


_BADNESS = (Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED)


@dataclass(frozen=True)
class _Subject:
    path: Path
    signature: SignatureField
    revocations: "_Revocations"
    is_whole: bool
    is_last: bool

    def digest(self, name: str) -> bytes:
        return digest_signed_bytes(self.path, self.signature, name)


@dataclass(frozen=True)
class _Revocations:
    """Revocation lists: those the verifier has, and those the file brings, read when first wanted."""

    path: Path
    given: tuple[crl.CertificateList, ...]

    @cached_property
    def lists(self) -> tuple[crl.CertificateList, ...]:
        return (*self.given, *lists_of_document(self.path))

    def check(
        self,
        lamps: Lamps,
        chain: tuple[x509.Certificate, ...],
        signature: CmsSignature,
        instant: SigningInstant,
        purpose: Purpose,
    ) -> None:
        lists: tuple[crl.CertificateList, ...] = self.given
        if publishes_revocation(chain):
            lists = (*self.lists, *lists_of_signature(signature))
        if not check_not_revoked(chain, lists, instant, purpose=purpose):
            lamps.note(
                "revocation-not-published",
                "revocation was not checked: these authorities publish none",
                "未检查吊销状态：签发机构未提供吊销信息",
            )


def _judge_signature(subject: _Subject, trust: TrustAnchors, now: datetime) -> SignatureVerdict:
    lamps = Lamps()
    # 1. The byte range covers all but the signature itself (ISO 32000-2 §12.8.1).
    lamps.run("integrity", partial(check_byte_range, subject.path, subject.signature))
    is_range_sound = lamps.lamp("integrity") is Lamp.PASSED
    # 2. The signature is one this program can read (ISO 32000-2 Table 260, RFC 5652).
    cms = lamps.run(
        "identity",
        partial(_check_sub_filter, subject.signature.sub_filter),
        partial(check_padding, subject.signature.contents),
        partial(parse_signed_data, subject.signature.contents),
    )
    claimed_at = subject.signature.claimed_at
    if not isinstance(cms, CmsSignature):
        if is_range_sound:
            lamps.lamps["integrity"] = Lamp.UNKNOWN
        return lamps.verdict(
            subject.signature.field_name, signer="", signed_at=claimed_at, token=None, tryout=False
        )
    digest = b""
    if is_range_sound:
        # 3. The signed bytes are the bytes here (RFC 5652 §11.2).
        digest = subject.digest(cms.digest)
        lamps.run(
            "integrity",
            partial(check_no_content, cms),
            partial(_check_digest, cms, digest),
            # 4. Nothing forbidden came after (ISO 32000-2 §12.8.2.2).
            partial(_check_appended, lamps, subject),
        )
    # 5. The signature was made with the key of the certificate it names (RFC 5652 §5.6, RFC 5035 §4).
    if cms.signed_attributes is not None or digest:
        lamps.run("identity", partial(_check_identity, subject, cms, digest))
    else:
        lamps.lamps["identity"] = Lamp.UNKNOWN
    if cms.signed_attributes is None and lamps.lamp("identity") is not Lamp.PASSED:
        _forget_integrity(lamps)  # there is no digest inside to hold the bytes against, only the signature
    # 6. A timestamp says when: it covers this signature's value, and its authority is trusted (RFC 3161).
    token = _judge_time(lamps, subject, cms, trust, now)
    is_proven = token is not None and lamps.lamp("time") is Lamp.PASSED
    at = token.stamped_at if token and is_proven else now
    # 7. The certificate chained to an anchor then (RFC 5280 §6).
    chain = lamps.run(
        "trust",
        partial(
            check_chain,
            cms.certificate,
            roots=trust.roots,
            intermediates=(*trust.intermediates, *cms.certificates),
            at=at,
            purpose=Purpose.DOCUMENT,
        ),
    )
    if chain is not None:
        # 8. It was not revoked by then (RFC 5280 §6.3): nobody is asked from here, only lists at hand count.
        instant = SigningInstant(at, is_proven, fresh_at=at)
        lamps.run("trust", partial(subject.revocations.check, lamps, chain, cms, instant, Purpose.DOCUMENT))
    signed_at = claimed_at or signing_time(cms)
    if token and signed_at and signed_at > token.stamped_at + MAX_CLOCK_SKEW:
        lamps.note(
            "claimed-later-than-timestamp",
            "the signature claims a later time than its timestamp; only the timestamp counts",
            "签名自称的时间晚于时间戳，以时间戳为准",
        )
    tryout = _note_tryout(lamps, (cms.certificate, *(chain or ())), token)
    return lamps.verdict(
        subject.signature.field_name,
        signer=common_name(cms.certificate),
        signed_at=signed_at,
        token=token,
        tryout=tryout,
    )


def _judge_document_timestamp(subject: _Subject, trust: TrustAnchors, now: datetime) -> SignatureVerdict:
    """Judge a DocTimeStamp (ISO 32000-2 §12.8.5): the signature is itself a timestamp token."""
    lamps = Lamps()
    lamps.run("integrity", partial(check_byte_range, subject.path, subject.signature))
    is_range_sound = lamps.lamp("integrity") is Lamp.PASSED
    token = lamps.run(
        "identity",
        partial(check_padding, subject.signature.contents),
        partial(parse_token, subject.signature.contents),
    )
    if not isinstance(token, TimestampToken):
        if is_range_sound:
            lamps.lamps["integrity"] = Lamp.UNKNOWN
        return lamps.verdict(
            subject.signature.field_name, signer="", signed_at=None, token=None, tryout=False
        )
    if is_range_sound:
        lamps.run(
            "integrity",
            partial(check_imprint, token, subject.digest),
            partial(_check_appended, lamps, subject),
        )
    lamps.run("identity", partial(check_token_signature, token))
    trusted = partial(
        check_token_trust,
        token,
        roots=trust.time_roots,
        intermediates=trust.intermediates,
        now=now,
    )
    chain = lamps.run("trust", trusted)
    if chain is not None:
        lamps.run("trust", partial(_check_stamper, lamps, subject, chain, token, now))
    both = {lamps.lamp("identity"), lamps.lamp("trust")}
    lamps.lamps["time"] = next(one for one in (Lamp.FAILED, Lamp.UNKNOWN, Lamp.PASSED) if one in both)
    tryout = _note_tryout(lamps, (), token)
    return lamps.verdict(
        subject.signature.field_name, signer=token.authority, signed_at=None, token=token, tryout=tryout
    )


def _judge_time(
    lamps: Lamps, subject: _Subject, cms: CmsSignature, trust: TrustAnchors, now: datetime
) -> TimestampToken | None:
    """Light the time lamp; return the earliest token that could be read, whether or not it holds."""
    tokens = lamps.run("time", partial(_tokens, cms))
    for token in tokens or ():
        if lamps.lamp("time") is not Lamp.PASSED:
            break
        chain = lamps.run(
            "time",
            partial(check_imprint, token, lambda name: hashlib.new(name, cms.value).digest()),
            partial(check_token_signature, token),
            partial(
                check_token_trust,
                token,
                roots=trust.time_roots,
                intermediates=(*trust.intermediates, *cms.certificates),
                now=now,
            ),
        )
        if isinstance(chain, tuple):
            lamps.run("time", partial(_check_stamper, lamps, subject, chain, token, now))
    return min(tokens, key=lambda token: token.stamped_at) if tokens else None


def _check_stamper(
    lamps: Lamps, subject: _Subject, chain: tuple[x509.Certificate, ...], token: TimestampToken, now: datetime
) -> None:
    """Check that a token's authority is not revoked; only the token itself says when it was made."""
    instant = SigningInstant(token.stamped_at, is_proven=True, fresh_at=max(now, token.stamped_at))
    subject.revocations.check(lamps, chain, token.signature, instant, Purpose.TIMESTAMP)


def _tokens(cms: CmsSignature) -> tuple[TimestampToken, ...]:
    try:
        values = attribute_values(cms.info["unsigned_attrs"], SIGNATURE_TIMESTAMP_OID)
        ders = [value.dump() for value in values[: MAX_TOKENS + 1]]
    except ASN1_ERRORS as error:
        raise CheckFailed(
            "timestamp-format",
            "FORMAT_FAILURE",
            "the signature's timestamp attribute cannot be read",
            zh="签名的时间戳属性无法读取",
        ) from error
    if not ders or len(ders) > MAX_TOKENS:
        raise CheckUnknown(
            "no-timestamp" if not ders else "too-many-timestamps",
            "NO_POE",
            "no timestamp: nothing proves when this was signed" if not ders else "too many timestamps",
            zh="没有时间戳，无法证明签署时间" if not ders else "时间戳过多",
        )
    return tuple(parse_token(der) for der in ders)


def _check_sub_filter(name: str) -> None:
    if name not in DETACHED:
        raise CheckUnknown(
            "unknown-subfilter",
            "GENERIC",
            f"signature encoding {name[:64] or '(none)'} is not known to this program, and was not checked",
            zh=f"本程序不支持签名格式 {name[:64] or '（无）'}，未作检查",
        )


def _check_digest(cms: CmsSignature, digest: bytes) -> None:
    if cms.signed_attributes is not None:
        check_message_digest(cms, digest)


def _check_appended(lamps: Lamps, subject: _Subject) -> None:
    if subject.is_whole:
        return
    if check_later_revisions(subject.path, subject.signature, is_last=subject.is_last):
        lamps.note(
            "stamped-later",
            "stamps were put on pages after this signature; a later signature answers for them and for "
            "what they cover",
            "此签名之后，页面上另加了图章批注；图章及其遮盖的内容由后面的签名负责，请核对",
        )


def _check_identity(subject: _Subject, cms: CmsSignature, digest: bytes) -> None:
    if cms.signed_attributes is not None:
        check_signed_attributes(cms)
        check_signing_certificate(cms, required=subject.signature.sub_filter == PADES)
    check_signature_value(cms, content_digest=digest)


def _forget_integrity(lamps: Lamps) -> None:
    if lamps.lamp("integrity") is Lamp.PASSED:
        lamps.lamps["integrity"] = Lamp.UNKNOWN


def _note_tryout(
    lamps: Lamps, certificates: tuple[x509.Certificate, ...], token: TimestampToken | None
) -> bool:
    is_signer = any(map(_is_tryout, certificates))
    is_stamped = token is not None and _is_tryout(token.signature.certificate)
    if is_signer:
        lamps.note(
            "tryout", "made under a try-out authority that nobody else trusts", "由试用证书签发，不受他人信任"
        )
    if is_stamped:
        lamps.note(
            "tryout-timestamp",
            "the timestamp is from a try-out authority that nobody else trusts",
            "时间戳由试用机构签发，不受他人信任",
        )
    return is_signer or is_stamped


def _is_tryout(certificate: x509.Certificate) -> bool:
    try:
        return is_tryout(certificate)
    except ASN1_ERRORS:
        return False
