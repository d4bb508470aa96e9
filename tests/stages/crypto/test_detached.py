"""A signature beside what it signs: made, and judged by somebody who was not there."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from asn1crypto import cms as asn1_cms
from asn1crypto import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from stages.authorities import TrustAnchors
from stages.crypto.cms import make_detached, make_signed_content, timestamp_token, with_timestamp
from stages.crypto.detached import judge_detached, sign_detached
from stages.verdict_types import Indication
from tests.simulators.issuers import Issuer
from tests.simulators.signed_pdfs import NOW, Identity, LocalAuthority

CONTENT = '{"reason":"报价有误"}'.encode()
HOUR = timedelta(hours=1)


@dataclass
class KeySigner:
    """Signs with the key of an identity."""

    identity: Identity
    chain: Sequence[x509.Certificate] = field(default=())
    signature_algorithm: str = "sha256_ecdsa"

    @property
    def certificate(self) -> x509.Certificate:
        return self.identity.certificate

    def sign(self, data: bytes) -> bytes:
        key = self.identity.key
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key.sign(data, ec.ECDSA(hashes.SHA256()))


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(scope="module")
def bidder(issuer: Issuer) -> Identity:
    return issuer.issue()


@pytest.fixture(scope="module")
def authority(issuer: Issuer) -> LocalAuthority:
    return issuer.authority()


@pytest.fixture(scope="module")
def trust(issuer: Issuer) -> TrustAnchors:
    lists = (issuer.crl(made_at=NOW + HOUR),)
    return TrustAnchors(roots=(issuer.certificate,), crls=lists)


@pytest.fixture(scope="module")
def signature(bidder: Identity, authority: LocalAuthority, trust: TrustAnchors) -> bytes:
    return sign_detached(CONTENT, KeySigner(bidder), authority, trust, nonce=7, now=NOW)


def codes(content: bytes, cms: bytes, trust: TrustAnchors) -> tuple[Indication, set[str]]:
    verdict = judge_detached(content, cms, trust, NOW + 2 * HOUR)
    return verdict.indication, {cause.code for cause in verdict.causes}


def test_a_sound_one_passes_and_of_other_bytes_it_does_not(signature: bytes, trust: TrustAnchors) -> None:
    assert codes(CONTENT, signature, trust) == (Indication.TOTAL_PASSED, set())
    assert codes(CONTENT + b" ", signature, trust)[0] is Indication.TOTAL_FAILED


def test_the_timestamp_of_another_signature_proves_nothing(
    signature: bytes, bidder: Identity, trust: TrustAnchors
) -> None:
    token = timestamp_token(signature)
    assert token is not None
    other = make_detached(KeySigner(bidder), hashlib.sha256(b"other").digest(), signed_at=NOW)
    assert codes(b"other", with_timestamp(other, token), trust)[0] is not Indication.TOTAL_PASSED


def test_one_that_carries_its_content_is_not_detached(
    authority: LocalAuthority, bidder: Identity, trust: TrustAnchors
) -> None:
    made = make_signed_content(
        KeySigner(bidder), "1.2.840.113549.1.7.1", CONTENT, signed_at=NOW, with_certificates=True
    )
    indication, found = codes(CONTENT, made, trust)
    assert indication is Indication.TOTAL_FAILED
    assert "format" in found


def test_another_certificate_of_the_same_key_is_not_the_one_that_signed(
    signature: bytes, issuer: Issuer, bidder: Identity, trust: TrustAnchors
) -> None:
    other = issuer.issue("另一公司", key=bidder.key).certificate
    info = asn1_cms.ContentInfo.load(signature)
    signed = info["content"]
    signed["certificates"] = [asn1_cms.CertificateChoices(name="certificate", value=other)]
    name = asn1_cms.IssuerAndSerialNumber({"issuer": other.issuer, "serial_number": other.serial_number})
    signed["signer_infos"][0]["sid"] = asn1_cms.SignerIdentifier("issuer_and_serial_number", name)
    indication, found = codes(CONTENT, info.dump(force=True), trust)
    assert indication is Indication.TOTAL_FAILED, found


@pytest.mark.parametrize("whose", ["signer", "authority"])
def test_a_certificate_that_was_revoked_before_is_seen(
    signature: bytes,
    issuer: Issuer,
    bidder: Identity,
    authority: LocalAuthority,
    trust: TrustAnchors,
    whose: str,
) -> None:
    certificate = bidder.certificate if whose == "signer" else authority.stamper.tsa_cert
    revoked = issuer.crl({certificate: (NOW - HOUR, None)}, made_at=NOW + HOUR)
    indication, found = codes(CONTENT, signature, replace(trust, crls=(revoked,)))
    assert indication is not Indication.TOTAL_PASSED
    assert found
