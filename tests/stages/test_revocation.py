"""Signatures under authorities that publish revocations: what lists at hand prove, and what they do not."""

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from asn1crypto import crl
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from stages.authorities import TrustAnchors
from stages.pdf.validation_data import lists_of_document
from stages.verdict_types import Indication, Lamp, SignatureVerdict
from stages.verify import verify
from tests.simulators.issuers import URL, Issuer
from tests.simulators.signed_pdfs import NOW, Identity, LocalAuthority, Pki, blank_pdf, sign_pdf

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Flags = x509.ReasonFlags


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
def signed(tmp_path_factory: pytest.TempPathFactory, bidder: Identity, authority: LocalAuthority) -> Path:
    plain = blank_pdf(tmp_path_factory.mktemp("revocation") / "plain.pdf")
    return sign_pdf(plain, plain.with_name("signed.pdf"), Pki(), identity=bidder, timestamp=authority)


def judged(
    path: Path, issuer: Issuer, *lists: crl.CertificateList, after: timedelta = HOUR
) -> SignatureVerdict:
    trust = TrustAnchors(roots=(issuer.certificate,), crls=lists)
    (one,) = verify(path, trust, NOW + after).signatures
    return one


def codes(verdict: SignatureVerdict) -> set[str]:
    return {cause.code for cause in verdict.causes}


def made(issuer: Issuer, **changes: object) -> crl.CertificateList:
    return issuer.crl(**{"made_at": NOW - HOUR, **changes})  # type: ignore[arg-type]


def test_no_list_leaves_it_open_and_says_what_to_do(signed: Path, issuer: Issuer) -> None:
    one = judged(signed, issuer)
    assert (one.indication, one.sub_indication) == (Indication.INDETERMINATE, "TRY_LATER")
    assert (one.trust, one.time) == (Lamp.UNKNOWN, Lamp.UNKNOWN)
    advice = [cause for cause in one.causes if cause.code == "revocation-not-checked"]
    assert len(advice) == 2
    assert all("--crl" in cause.message and "--crl" in cause.message_zh for cause in advice)


def test_a_list_without_the_certificate_lets_it_pass(signed: Path, issuer: Issuer) -> None:
    one = judged(signed, issuer, made(issuer))
    assert one.indication is Indication.TOTAL_PASSED
    assert "revocation-not-published" not in codes(one)


def test_revoked_before_it_was_signed_fails(signed: Path, issuer: Issuer, bidder: Identity) -> None:
    one = judged(signed, issuer, made(issuer, revoked={bidder.certificate: (NOW - 2 * HOUR, None)}))
    assert (one.indication, one.sub_indication) == (Indication.TOTAL_FAILED, "REVOKED")
    assert (one.trust, one.time) == (Lamp.FAILED, Lamp.PASSED)


def test_revoked_after_a_proven_time_passes(signed: Path, issuer: Issuer, bidder: Identity) -> None:
    revoked = {bidder.certificate: (NOW + DAY, Flags.key_compromise)}
    one = judged(signed, issuer, made(issuer, revoked=revoked, made_at=NOW + 2 * DAY), after=3 * DAY)
    assert one.indication is Indication.TOTAL_PASSED


def test_revoked_without_a_proven_time_is_open(
    signed: Path, issuer: Issuer, bidder: Identity, tmp_path: Path
) -> None:
    path = sign_pdf(signed.with_name("plain.pdf"), tmp_path / "b.pdf", Pki(), identity=bidder)
    one = judged(path, issuer, made(issuer, revoked={bidder.certificate: (NOW - DAY, None)}))
    assert (one.indication, one.trust) == (Indication.INDETERMINATE, Lamp.UNKNOWN)
    assert "certificate-revoked" in codes(one)


def test_a_newer_list_counts_beside_an_older_one(signed: Path, issuer: Issuer, bidder: Identity) -> None:
    """Whoever holds a stolen key may bring along the list of the day before."""
    newer = made(issuer, revoked={bidder.certificate: (NOW - HOUR / 2, None)}, made_at=NOW)
    for lists in ((made(issuer), newer), (newer, made(issuer))):
        assert judged(signed, issuer, *lists).sub_indication == "REVOKED"


def test_on_hold_is_open(signed: Path, issuer: Issuer, bidder: Identity) -> None:
    revoked = {bidder.certificate: (NOW - DAY, Flags.certificate_hold)}
    one = judged(signed, issuer, made(issuer, revoked=revoked))
    assert (one.indication, one.sub_indication) == (Indication.INDETERMINATE, "TRY_LATER")
    assert "certificate-on-hold" in codes(one)


def test_a_list_that_had_run_out_tells_nothing(signed: Path, issuer: Issuer) -> None:
    one = judged(signed, issuer, made(issuer, made_at=NOW - 9 * DAY))
    assert (one.indication, one.sub_indication) == (Indication.INDETERMINATE, "TRY_LATER")
    assert "revocation-list-stale" in codes(one)


def test_a_list_made_after_the_certificate_expired_tells_nothing(
    issuer: Issuer, authority: LocalAuthority, signed: Path, tmp_path: Path
) -> None:
    brief = issuer.issue(lifetime=DAY)
    path = sign_pdf(
        signed.with_name("plain.pdf"), tmp_path / "b.pdf", Pki(), identity=brief, timestamp=authority
    )
    assert judged(path, issuer, made(issuer)).indication is Indication.TOTAL_PASSED
    one = judged(path, issuer, made(issuer, made_at=NOW + 9 * DAY), after=10 * DAY)
    assert one.trust is Lamp.UNKNOWN


POINT = {
    "full_name": [x509.UniformResourceIdentifier(URL)],
    "relative_name": None,
    "only_contains_user_certs": False,
    "only_contains_ca_certs": False,
    "only_some_reasons": None,
    "indirect_crl": False,
    "only_contains_attribute_certs": False,
}


@pytest.mark.parametrize(
    "changes",
    [
        {"only_contains_ca_certs": True},
        {"indirect_crl": True},
        {"only_some_reasons": frozenset({Flags.key_compromise})},
        {"full_name": [x509.UniformResourceIdentifier("http://crl.invalid/other.crl")]},
    ],
)
def test_a_list_of_other_certificates_tells_nothing(
    signed: Path, issuer: Issuer, changes: dict[str, object]
) -> None:
    right = x509.IssuingDistributionPoint(**POINT)  # type: ignore[arg-type]
    assert (
        judged(signed, issuer, made(issuer, extensions=[(right, True)])).indication is Indication.TOTAL_PASSED
    )
    other = x509.IssuingDistributionPoint(**{**POINT, **changes})  # type: ignore[arg-type]
    one = judged(signed, issuer, made(issuer, extensions=[(other, True)]))
    assert (one.indication, one.sub_indication) == (Indication.INDETERMINATE, "TRY_LATER")


@pytest.mark.parametrize("extension", [x509.DeltaCRLIndicator(1), "unknown"])
def test_a_list_that_is_not_whole_or_not_understood_tells_nothing(
    signed: Path, issuer: Issuer, extension: object
) -> None:
    if extension == "unknown":
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    one = judged(signed, issuer, made(issuer, extensions=[(extension, True)]))
    assert one.indication is Indication.INDETERMINATE


def test_a_list_signed_by_somebody_else_tells_nothing(signed: Path, issuer: Issuer, bidder: Identity) -> None:
    """Neither to the good nor to the bad: anybody may write an authority's name into a list."""
    forged = ec.generate_private_key(ec.SECP256R1())
    assert judged(signed, issuer, made(issuer, signed_by=forged)).indication is Indication.INDETERMINATE
    evil = made(issuer, signed_by=forged, revoked={bidder.certificate: (NOW - DAY, None)})
    assert judged(signed, issuer, made(issuer), evil).indication is Indication.TOTAL_PASSED
    assert judged(signed, issuer, made(Issuer("another"))).indication is Indication.INDETERMINATE


def test_an_issuer_that_may_not_sign_lists_is_not_believed(tmp_path: Path) -> None:
    silent = Issuer(signs_lists=False)
    path = sign_pdf(
        blank_pdf(tmp_path / "a.pdf"),
        tmp_path / "b.pdf",
        Pki(),
        identity=silent.issue(),
        timestamp=silent.authority(),
    )
    assert judged(path, silent, made(silent)).indication is Indication.INDETERMINATE


def test_a_revoked_intermediate_fails_what_it_issued(tmp_path: Path) -> None:
    root = Issuer("root")
    between = Issuer("between", above=root)
    path = sign_pdf(
        blank_pdf(tmp_path / "a.pdf"),
        tmp_path / "b.pdf",
        Pki(),
        identity=between.issue(),
        timestamp=root.authority(),
    )
    trust = TrustAnchors((root.certificate,), intermediates=(between.certificate,))

    def look(*lists: crl.CertificateList) -> SignatureVerdict:
        return verify(path, replace(trust, crls=lists), NOW + HOUR).signatures[0]

    assert look(made(root), made(between)).indication is Indication.TOTAL_PASSED
    assert look(made(between)).indication is Indication.INDETERMINATE
    assert look(made(root)).trust is Lamp.UNKNOWN
    revoked = made(root, revoked={between.certificate: (NOW - 2 * HOUR, Flags.ca_compromise)})
    assert look(revoked, made(between)).sub_indication == "REVOKED"


@pytest.mark.parametrize(
    ("when", "reason", "indication"),
    [
        (-2 * HOUR, Flags.superseded, Indication.TOTAL_FAILED),
        (HOUR / 2, Flags.superseded, Indication.TOTAL_PASSED),
        (HOUR / 2, Flags.key_compromise, Indication.INDETERMINATE),
        (HOUR / 2, None, Indication.INDETERMINATE),
    ],
)
def test_a_revoked_time_stamping_authority(
    signed: Path,
    issuer: Issuer,
    authority: LocalAuthority,
    when: timedelta,
    reason: x509.ReasonFlags | None,
    indication: Indication,
) -> None:
    """RFC 3161 §4.1: without a harmless reason no token of the authority counts any more."""
    stamper = authority.stamper.tsa_cert
    one = judged(signed, issuer, made(issuer, revoked={stamper: (NOW + when, reason)}, made_at=NOW + HOUR))
    assert one.indication is indication


def _with_store(source: Path, target: Path, ders: Sequence[bytes], *, deflate: bool) -> Path:
    writer = IncrementalPdfFileWriter(io.BytesIO(source.read_bytes()))
    streams = []
    for der in ders:
        stream = generic.StreamObject(stream_data=der)
        if deflate:
            stream.compress()
        streams.append(writer.add_object(stream))
    store = generic.DictionaryObject({generic.pdf_name("/CRLs"): generic.ArrayObject(streams)})
    writer.root[generic.pdf_name("/DSS")] = writer.add_object(store)
    writer.update_root()
    output = io.BytesIO()
    writer.write(output)
    target.write_bytes(output.getvalue())
    return target


@pytest.mark.parametrize("deflate", [False, True])
def test_lists_in_the_file_count(
    signed: Path, issuer: Issuer, bidder: Identity, tmp_path: Path, deflate: bool
) -> None:
    junk = b"\x30\x80junk"
    path = _with_store(signed, tmp_path / "a.pdf", [junk, made(issuer).dump()], deflate=deflate)
    assert judged(path, issuer).indication is Indication.TOTAL_PASSED
    revoked = made(issuer, revoked={bidder.certificate: (NOW - DAY, None)})
    assert judged(path, issuer, revoked).sub_indication == "REVOKED"


def test_a_bomb_in_the_file_is_not_unpacked(
    signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _with_store(signed, tmp_path / "a.pdf", [b"\0" * 100_000], deflate=True)
    monkeypatch.setattr("stages.pdf.validation_data.MAX_LIST_BYTES", 1000)
    assert lists_of_document(path) == ()


def test_lists_inside_the_signature_count(
    signed: Path, issuer: Issuer, bidder: Identity, authority: LocalAuthority, tmp_path: Path
) -> None:
    """adbe-revocationInfoArchival, as Acrobat and pyHanko write it."""
    from pyhanko.sign import signers
    from pyhanko_certvalidator import ValidationContext

    signer = signers.SimpleSigner(
        signing_cert=bidder.certificate, signing_key=bidder.private_key, cert_registry=None
    )
    context = ValidationContext(
        trust_roots=[issuer.certificate], crls=[made(issuer)], moment=NOW, revocation_mode="require"
    )
    metadata = signers.PdfSignatureMetadata(
        field_name="S", md_algorithm="sha256", embed_validation_info=True, validation_context=context
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(signed.with_name("plain.pdf").read_bytes()))
    path = tmp_path / "adobe.pdf"
    path.write_bytes(
        signers.sign_pdf(writer, metadata, signer=signer, timestamper=authority.stamper).getvalue()
    )
    one = judged(path, issuer)
    assert (one.integrity, one.identity, one.trust) == (Lamp.PASSED,) * 3


def test_a_list_of_an_impossible_version_tells_nothing(signed: Path, issuer: Issuer) -> None:
    der = made(issuer).dump()
    assert der.count(b"\x02\x01\x01") >= 1
    odd = crl.CertificateList.load(der.replace(b"\x02\x01\x01", b"\x02\x01\x05", 1))
    assert judged(signed, issuer, odd).indication is Indication.INDETERMINATE
