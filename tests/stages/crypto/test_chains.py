"""Chains: what leads to an anchor, and what only looks as if it did."""

import asyncio
from datetime import timedelta

import pytest
from asn1crypto import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from stages.crypto.chains import Purpose, check_chain, check_usage, common_name, publishes_revocation
from stages.crypto.checks import CheckFailed, CheckUnknown
from tests.simulators.issuers import Issuer
from tests.simulators.signed_pdfs import NOW, Pki

STAMPING = ExtendedKeyUsageOID.TIME_STAMPING


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki()


def chain_of(certificate: x509.Certificate, pki: Pki, **changes: object) -> tuple[x509.Certificate, ...]:
    arguments: dict[str, object] = {
        "roots": [pki.root],
        "intermediates": [],
        "at": NOW,
        "purpose": Purpose.DOCUMENT,
    }
    return check_chain(certificate, **{**arguments, **changes})  # type: ignore[arg-type]


def test_a_chain_begins_with_the_anchor(pki: Pki) -> None:
    certificate = pki.issue().certificate
    assert [one.dump() for one in chain_of(certificate, pki)] == [pki.root.dump(), certificate.dump()]


def test_it_is_built_inside_a_running_event_loop(pki: Pki) -> None:
    async def inside() -> int:
        return len(chain_of(pki.issue().certificate, pki))

    assert asyncio.run(inside()) == 2


def test_an_anchor_that_is_the_certificate_itself(pki: Pki) -> None:
    certificate = pki.issue().certificate
    chain = chain_of(certificate, pki, roots=[certificate])
    assert [one.dump() for one in chain] == [certificate.dump()]


@pytest.mark.parametrize("roots", ["none", "another"])
def test_no_anchor_is_no_chain(pki: Pki, roots: str) -> None:
    anchors = [] if roots == "none" else [Pki().root]
    with pytest.raises(CheckUnknown) as unknown:
        chain_of(pki.issue().certificate, pki, roots=anchors)
    assert (unknown.value.code, unknown.value.sub_indication) == ("no-chain", "NO_CERTIFICATE_CHAIN_FOUND")
    assert unknown.value.zh


def test_a_certificate_not_signed_by_the_authority_it_names_is_no_chain(pki: Pki) -> None:
    certificate = pki.issue().certificate
    forged = x509.Certificate.load(certificate.dump())
    forged["signature_value"] = bytes(certificate["signature_value"])[:-1] + b"\0"
    with pytest.raises(CheckUnknown):
        chain_of(x509.Certificate.load(forged.dump(force=True)), pki)


def test_a_leaf_cannot_issue(pki: Pki) -> None:
    """The classic: a bidder's certificate used as an authority."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.x509 import load_der_x509_certificate

    from pipeline.tryout.certificates import issue, tryout_name

    bidder = pki.issue()
    key = ec.generate_private_key(ec.SECP256R1())
    parent = load_der_x509_certificate(bidder.certificate.dump())
    child = issue(tryout_name("x", "x"), key, issuer=(bidder.key, parent), now=NOW)
    certificate = x509.Certificate.load(child.public_bytes(serialization.Encoding.DER))
    with pytest.raises(CheckFailed) as failed:
        chain_of(certificate, pki, intermediates=[bidder.certificate])
    assert failed.value.code == "chain-wrong"


@pytest.mark.parametrize(
    ("days", "error", "sub_indication"),
    [(-40, CheckFailed, "NOT_YET_VALID"), (4000, CheckUnknown, "OUT_OF_BOUNDS_NO_POE")],
)
def test_out_of_its_validity(pki: Pki, days: int, error: type[Exception], sub_indication: str) -> None:
    with pytest.raises(error) as raised:
        chain_of(pki.issue().certificate, pki, at=NOW + timedelta(days=days))
    assert raised.value.sub_indication == sub_indication  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("usages", "critical", "purpose", "is_right"),
    [
        ((), False, Purpose.DOCUMENT, True),
        ((ExtendedKeyUsageOID.EMAIL_PROTECTION,), False, Purpose.DOCUMENT, True),
        ((ExtendedKeyUsageOID.SERVER_AUTH,), False, Purpose.DOCUMENT, False),
        ((STAMPING,), True, Purpose.DOCUMENT, False),
        ((STAMPING,), True, Purpose.TIMESTAMP, True),
        ((STAMPING,), False, Purpose.TIMESTAMP, False),
        ((STAMPING, ExtendedKeyUsageOID.EMAIL_PROTECTION), True, Purpose.TIMESTAMP, False),
        ((), False, Purpose.TIMESTAMP, False),
    ],
)
def test_what_a_certificate_is_for(
    pki: Pki, usages: tuple[object, ...], critical: bool, purpose: Purpose, is_right: bool
) -> None:
    certificate = pki.issue(usages=usages, critical=critical).certificate  # type: ignore[arg-type]
    if is_right:
        check_usage(certificate, purpose=purpose)
        return
    with pytest.raises(CheckFailed) as failed:
        check_usage(certificate, purpose=purpose)
    assert failed.value.sub_indication == "CHAIN_CONSTRAINTS_FAILURE"


def test_an_issuing_certificate_does_not_sign_documents(pki: Pki) -> None:
    with pytest.raises(CheckFailed):
        check_usage(pki.root, purpose=Purpose.DOCUMENT)


def test_an_unknown_algorithm_is_named_and_not_called_wrong(pki: Pki) -> None:
    certificate = x509.Certificate.load(pki.issue().certificate.dump())
    for place in ("signature_algorithm",):
        certificate[place] = {"algorithm": "1.2.156.10197.1.501"}
    with pytest.raises(CheckUnknown, match=r"1\.2\.156\.10197\.1\.501"):
        chain_of(x509.Certificate.load(certificate.dump(force=True)), pki)


def test_try_out_certificates_publish_no_revocation(pki: Pki) -> None:
    assert not publishes_revocation((pki.root, pki.issue().certificate))


def test_a_name_is_cut_and_made_printable(pki: Pki) -> None:
    assert common_name(pki.issue("某公司").certificate) == "某公司"
    assert "\n" not in common_name(pki.issue("a\nb").certificate)


@pytest.mark.parametrize(
    ("usages", "is_right"),
    [
        ((), True),
        ((ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.SERVER_AUTH), True),
        ((ExtendedKeyUsageOID.SERVER_AUTH,), False),
        ((STAMPING,), False),
    ],
)
def test_an_intermediate_for_web_servers_issues_no_signers(
    usages: tuple[object, ...], is_right: bool
) -> None:
    """Anybody may run such an intermediate under a public root, and put any name into its certificates."""
    root = Issuer("root")
    between = Issuer("between", above=root, usages=usages)  # type: ignore[arg-type]
    certificate = between.issue(usages=(ExtendedKeyUsageOID.EMAIL_PROTECTION,)).certificate
    arguments = {"roots": [root.certificate], "intermediates": [between.certificate]}
    if is_right:
        assert len(chain_of(certificate, Pki(), **arguments)) == 3
        return
    with pytest.raises(CheckFailed) as failed:
        chain_of(certificate, Pki(), **arguments)
    assert failed.value.sub_indication == "CHAIN_CONSTRAINTS_FAILURE"


@pytest.mark.parametrize("place", ["signer", "between", "root"])
def test_a_short_curve_proves_nothing(place: str) -> None:
    weak = ec.generate_private_key(ec.SECP192R1())
    root = Issuer("root", key=weak if place == "root" else None)
    between = Issuer("between", above=root, key=weak if place == "between" else None)
    certificate = between.issue(key=weak if place == "signer" else None).certificate
    with pytest.raises(CheckUnknown) as unknown:
        chain_of(certificate, Pki(), roots=[root.certificate], intermediates=[between.certificate])
    assert unknown.value.code == "weak-algorithm"


def test_an_authority_of_the_same_name_with_another_kind_of_key_does_no_harm() -> None:
    """Anybody may write any issuer's name and any algorithm into a certificate."""
    one, other = Issuer("同名 CA"), Issuer("同名 CA", key=rsa.generate_private_key(65537, 2048))
    for trusted, stranger in ((one, other), (other, one)):
        certificate = stranger.issue().certificate
        with pytest.raises(CheckUnknown):
            chain_of(certificate, Pki(), roots=[trusted.certificate])
        for roots in ([trusted, stranger], [stranger, trusted]):
            assert len(chain_of(certificate, Pki(), roots=[root.certificate for root in roots])) == 2
