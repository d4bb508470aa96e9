"""Every way in which a signed PDF can be wrong, and what the verdict says of it."""

import contextlib
import hashlib
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pikepdf
import pytest
from asn1crypto import cms
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from stages.authorities import TrustAnchors
from stages.errors import Indeterminate, InputRefused, Untrusted
from stages.verdict_types import DocumentVerdict, Indication, Lamp, SignatureVerdict
from stages.verify import check_verified, verdict_json, verify
from tests.simulators.signed_pdfs import NOW, Pki, blank_pdf, sign_pdf

P, F, U = Lamp.PASSED, Lamp.FAILED, Lamp.UNKNOWN


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blank_pdf(tmp_path_factory.mktemp("plain") / "plain.pdf")


@pytest.fixture(scope="module")
def signed(plain: Path, pki: Pki) -> Path:
    """Signed PAdES B-T by pyHanko."""
    return sign_pdf(plain, plain.with_name("signed.pdf"), pki, timestamp=pki.authority())


@pytest.fixture(scope="module")
def signed_twice(signed: Path, pki: Pki) -> Path:
    return sign_pdf(signed, signed.with_name("twice.pdf"), pki, field="Second", timestamp=pki.authority())


def only(verdict: DocumentVerdict) -> SignatureVerdict:
    (one,) = verdict.signatures
    return one


def lamps(verdict: SignatureVerdict) -> tuple[Lamp, Lamp, Lamp, Lamp]:
    return verdict.integrity, verdict.identity, verdict.trust, verdict.time


def codes(verdict: SignatureVerdict) -> set[str]:
    return {cause.code for cause in verdict.causes}


def contents_of(data: bytes) -> tuple[int, int]:
    """Where the last /Contents' hex digits begin and end."""
    match = list(re.finditer(rb"/Contents\s*<([0-9a-fA-F]+)>", data))[-1]
    return match.start(1), match.end(1)


def with_cms(path: Path, target: Path, cms_der: bytes) -> Path:
    """Replace the signature, in the room the old one had."""
    data = path.read_bytes()
    start, end = contents_of(data)
    hexed = cms_der.hex().encode()
    assert len(hexed) <= end - start
    target.write_bytes(data[:start] + hexed.ljust(end - start, b"0") + data[end:])
    return target


def cms_of(path: Path) -> cms.ContentInfo:
    data = path.read_bytes()
    start, end = contents_of(data)
    return cms.ContentInfo.load(bytes.fromhex(data[start:end].decode()))


def test_a_sound_signature_passes_all_four(signed: Path, pki: Pki) -> None:
    verdict = verify(signed, pki.trust, NOW)
    one = only(verdict)
    assert verdict.indication is one.indication is Indication.TOTAL_PASSED
    assert lamps(one) == (P, P, P, P)
    assert one.sub_indication == ""
    assert one.signer == "测试投标有限公司"
    assert (one.timestamp, one.timestamp_authority) == (NOW, "测试时间戳")
    assert one.signed_at is not None
    assert check_verified(verdict) is verdict


def test_a_try_out_signature_says_so(signed: Path, pki: Pki) -> None:
    one = only(verify(signed, pki.trust, NOW))
    assert one.tryout
    assert "由试用证书签发，不受他人信任" in {cause.message_zh for cause in one.causes}


def test_both_of_two_signatures_pass(signed_twice: Path, pki: Pki) -> None:
    verdict = verify(signed_twice, pki.trust, NOW)
    assert [one.field_name for one in verdict.signatures] == ["Signature1", "Second"]
    assert verdict.indication is Indication.TOTAL_PASSED


def test_the_old_adobe_encoding_passes_too(plain: Path, pki: Pki, tmp_path: Path) -> None:
    path = sign_pdf(plain, tmp_path / "adobe.pdf", pki, pades=False, timestamp=pki.authority())
    assert verify(path, pki.trust, NOW).indication is Indication.TOTAL_PASSED


def test_a_document_timestamp_is_judged_as_one(plain: Path, pki: Pki, tmp_path: Path) -> None:
    from pyhanko.sign.signers import PdfTimeStamper

    path = tmp_path / "dts.pdf"
    with plain.open("rb") as file:
        writer = IncrementalPdfFileWriter(file)
        path.write_bytes(PdfTimeStamper(pki.authority().stamper).timestamp_pdf(writer, "sha256").getvalue())
    one = only(verify(path, pki.trust, NOW))
    assert lamps(one) == (P, P, P, P)
    assert one.timestamp == NOW
    changed = path.read_bytes().replace(b"/MediaBox", b"/MediaBux", 1)
    path.write_bytes(changed)
    assert only(verify(path, pki.trust, NOW)).integrity is F


@pytest.mark.parametrize("place", [20, 300, -10])
def test_a_flipped_byte_of_the_content_fails_integrity(
    signed: Path, pki: Pki, tmp_path: Path, place: int
) -> None:
    data = bytearray(signed.read_bytes())
    place = place if place >= 0 else data.rindex(b"startxref") - 3
    data[place] ^= 1
    path = tmp_path / "flipped.pdf"
    path.write_bytes(data)
    one = only(verify(path, pki.trust, NOW))
    assert one.integrity is F
    assert (one.indication, one.sub_indication) == (Indication.TOTAL_FAILED, "HASH_FAILURE")
    assert one.identity is P


def test_no_flipped_byte_of_the_signature_passes(signed: Path, pki: Pki, tmp_path: Path) -> None:
    data = signed.read_bytes()
    start, end = contents_of(data)
    length = len(cms_of(signed).dump())
    path = tmp_path / "flipped.pdf"
    passed = []
    for offset in range(0, length, 7):
        raw = bytearray.fromhex(data[start:end].decode())
        raw[offset] ^= 0x01
        path.write_bytes(data[:start] + raw.hex().encode() + data[end:])
        verdict = verify(path, pki.trust, NOW)
        if verdict.indication is Indication.TOTAL_PASSED:
            passed.append(offset)
    # What may change is what nobody signs and nothing needs: an unused certificate, and the like.
    needless = _needless(cms_of(signed), pki)
    assert [offset for offset in passed if not any(low <= offset < high for low, high in needless)] == []


def _needless(signature: cms.ContentInfo, pki: Pki) -> list[tuple[int, int]]:
    """Where the root's copies lie in a signature, and the algorithm lists that no rule reads."""
    der, root = signature.dump(), pki.root.dump()
    ranges = [(match.start(), match.end()) for match in re.finditer(re.escape(root), der)]
    # The outermost length may take in some of the zeroes behind; NULL parameters say nothing.
    ranges.append((0, 4))
    ranges += [(match.start() + 1, match.end()) for match in re.finditer(rb"(?s)[\x01-\x0b]\x05\x00", der)]
    sets = [signature["content"]["digest_algorithms"].dump()]
    for value in _tokens(signature):
        sets.append(value["content"]["digest_algorithms"].dump())
        sets.append(value["content"]["version"].dump() + value["content"]["digest_algorithms"].dump())
    sets += [signature["content"]["version"].dump() + sets[0]]
    info = signature["content"]["signer_infos"][0]
    sets.append(info["version"].dump() + info["sid"].dump()[:2])
    for piece in sets:
        ranges += [(match.start(), match.end()) for match in re.finditer(re.escape(piece), der)]
    return ranges


def _tokens(signature: cms.ContentInfo) -> list[cms.ContentInfo]:
    info = signature["content"]["signer_infos"][0]
    return [value for attribute in info["unsigned_attrs"] for value in attribute["values"]]


def test_a_wrong_signature_value_fails_identity(signed: Path, pki: Pki, tmp_path: Path) -> None:
    signature = cms_of(signed)
    der, value = signature.dump(), signature["content"]["signer_infos"][0]["signature"].native
    broken = bytearray(value)
    broken[-1] ^= 1
    one = only(
        verify(with_cms(signed, tmp_path / "a.pdf", der.replace(value, bytes(broken))), pki.trust, NOW)
    )
    assert one.identity is F
    assert one.sub_indication == "SIG_CRYPTO_FAILURE"
    assert one.integrity is P


def test_a_broken_timestamp_fails_time(signed: Path, pki: Pki, tmp_path: Path) -> None:
    signature = cms_of(signed)
    token = _tokens(signature)[0]
    value = token["content"]["signer_infos"][0]["signature"].native
    broken = bytes([value[0] ^ 1]) + value[1:]
    path = with_cms(signed, tmp_path / "a.pdf", signature.dump().replace(value, broken))
    one = only(verify(path, pki.trust, NOW))
    assert lamps(one) == (P, P, P, F)
    assert one.indication is Indication.TOTAL_FAILED


def test_a_timestamp_of_another_signature_fails_time(
    signed: Path, plain: Path, pki: Pki, tmp_path: Path
) -> None:
    other = sign_pdf(plain, tmp_path / "other.pdf", pki, timestamp=pki.authority())
    theirs, ours = _tokens(cms_of(other))[0].dump(), _tokens(cms_of(signed))[0].dump()
    signature = cms_of(signed)
    info = signature["content"]["signer_infos"][0]
    info["unsigned_attrs"] = cms.CMSAttributes(
        [{"type": "signature_time_stamp_token", "values": [cms.ContentInfo.load(theirs)]}]
    )
    assert theirs != ours
    one = only(verify(with_cms(signed, tmp_path / "a.pdf", signature.dump()), pki.trust, NOW))
    assert lamps(one) == (P, P, P, F)
    assert "timestamp-mismatch" in codes(one)


def test_no_timestamp_is_indeterminate(plain: Path, pki: Pki, tmp_path: Path) -> None:
    verdict = verify(sign_pdf(plain, tmp_path / "b.pdf", pki), pki.trust, NOW)
    one = only(verdict)
    assert lamps(one) == (P, P, P, U)
    assert (one.indication, one.sub_indication) == (Indication.INDETERMINATE, "NO_POE")
    assert "no-timestamp" in codes(one)
    with pytest.raises(Indeterminate, match="no timestamp"):
        check_verified(verdict)


def test_a_changed_page_in_an_appended_revision_fails_integrity(
    signed: Path, pki: Pki, tmp_path: Path
) -> None:
    path = tmp_path / "shadow.pdf"
    with signed.open("rb") as file:
        writer = IncrementalPdfFileWriter(file)
        page = writer.root["/Pages"]["/Kids"][0].get_object()
        page["/Contents"] = writer.add_object(_stream(b"BT /F0 20 Tf 72 500 Td (999) Tj ET"))
        writer.mark_update(writer.root["/Pages"]["/Kids"].raw_get(0).reference)
        with path.open("wb") as output:
            writer.write(output)
    assert path.read_bytes().startswith(signed.read_bytes())
    verdict = verify(path, pki.trust, NOW)
    assert only(verdict).integrity is F
    assert only(verdict).identity is P
    with pytest.raises(Untrusted, match="changed after it was signed"):
        check_verified(verdict)


def test_a_changed_page_between_two_signatures_fails_the_first(
    signed: Path, pki: Pki, tmp_path: Path
) -> None:
    between = tmp_path / "between.pdf"
    with signed.open("rb") as file:
        writer = IncrementalPdfFileWriter(file)
        page = writer.root["/Pages"]["/Kids"][0].get_object()
        page["/Rotate"] = core_number(90)
        writer.mark_update(writer.root["/Pages"]["/Kids"].raw_get(0).reference)
        with between.open("wb") as output:
            writer.write(output)
    path = sign_pdf(between, tmp_path / "two.pdf", pki, field="Second", timestamp=pki.authority())
    first, second = verify(path, pki.trust, NOW).signatures
    assert (first.integrity, second.integrity) == (F, P)


def test_a_second_signature_that_the_certification_allows_passes(
    plain: Path, pki: Pki, tmp_path: Path
) -> None:
    certified = sign_pdf(plain, tmp_path / "c.pdf", pki, certify=True, timestamp=pki.authority())
    assert verify(certified, pki.trust, NOW).indication is Indication.TOTAL_PASSED
    again = sign_pdf(certified, tmp_path / "again.pdf", pki, field="Second", timestamp=pki.authority())
    assert verify(again, pki.trust, NOW).indication is Indication.TOTAL_PASSED


def test_bytes_behind_the_end_fail_integrity(signed: Path, pki: Pki, tmp_path: Path) -> None:
    path = tmp_path / "longer.pdf"
    path.write_bytes(signed.read_bytes() + b"1 0 obj\n<</Evil true>>\nendobj\n")
    assert only(verify(path, pki.trust, NOW)).integrity is F
    path.write_bytes(signed.read_bytes() + b"\n")
    assert only(verify(path, pki.trust, NOW)).integrity is P


def test_a_truncated_file_does_not_pass(signed: Path, pki: Pki, tmp_path: Path) -> None:
    data = signed.read_bytes()
    path = tmp_path / "cut.pdf"
    for keep in (len(data) - 1, len(data) - 60, len(data) // 2):
        path.write_bytes(data[:keep])
        with contextlib.suppress(InputRefused):
            assert verify(path, pki.trust, NOW).indication is not Indication.TOTAL_PASSED


def test_a_file_with_its_signature_removed_is_indeterminate(signed: Path, pki: Pki, tmp_path: Path) -> None:
    path = tmp_path / "removed.pdf"
    with pikepdf.open(signed) as pdf:
        del pdf.Root.AcroForm
        pdf.save(path)
    verdict = verify(path, pki.trust, NOW)
    assert (verdict.indication, verdict.signatures) == (Indication.INDETERMINATE, ())
    assert [cause.code for cause in verdict.causes] == ["no-signature"]
    with pytest.raises(Indeterminate):
        check_verified(verdict)


def test_a_gap_wider_than_the_signature_fails_integrity(signed: Path, pki: Pki, tmp_path: Path) -> None:
    """The attacker hides bytes in the gap, and shifts the range's second piece behind them."""
    data = signed.read_bytes()
    start, end = contents_of(data)
    hidden = b"/Evil (x)"
    match = next(re.finditer(rb"/ByteRange\s*\[[^\]]*\]", data))
    numbers = [int(number) for number in re.findall(rb"\d+", match.group())]
    moved = f"/ByteRange [{numbers[0]} {numbers[1]} {numbers[2] + len(hidden)} {numbers[3]}]".encode()
    changed = data[: end + 1] + hidden + data[end + 1 :]
    changed = changed.replace(match.group(), moved.ljust(len(match.group())), 1)
    path = tmp_path / "gap.pdf"
    path.write_bytes(changed)
    one = only(verify(path, pki.trust, NOW))
    assert one.integrity is F
    assert "byte-range" in codes(one)
    assert start < end


@pytest.mark.parametrize(
    "numbers", ["", "0 100", "0 100 200", "1 100 200 300", "0 100 50 300", "0 1 2 3 4 5"]
)
def test_a_strange_byte_range_fails_integrity(signed: Path, pki: Pki, tmp_path: Path, numbers: str) -> None:
    data = signed.read_bytes()
    match = next(re.finditer(rb"/ByteRange\s*\[[^\]]*\]", data))
    strange = f"/ByteRange [{numbers}]".encode().ljust(len(match.group()))
    path = tmp_path / "range.pdf"
    path.write_bytes(data.replace(match.group(), strange, 1))
    assert only(verify(path, pki.trust, NOW)).integrity is F


def test_bytes_hidden_behind_the_signature_fail_identity(signed: Path, pki: Pki, tmp_path: Path) -> None:
    path = with_cms(signed, tmp_path / "a.pdf", cms_of(signed).dump() + b"\0\0evil")
    assert only(verify(path, pki.trust, NOW)).identity is F


def test_a_stranger_s_authority_is_no_chain(signed: Path) -> None:
    verdict = verify(signed, Pki().trust, NOW)
    one = only(verdict)
    assert lamps(one) == (P, P, U, U)
    assert (one.indication, one.sub_indication) == (Indication.INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND")
    with pytest.raises(Indeterminate):
        check_verified(verdict)


def test_no_anchors_trust_nobody(signed: Path) -> None:
    assert only(verify(signed, TrustAnchors(roots=()), NOW)).trust is U


def test_timestamp_roots_are_apart(signed: Path, pki: Pki) -> None:
    other = Pki().root
    one = only(verify(signed, TrustAnchors(roots=(pki.root,), timestamp_roots=(other,)), NOW))
    assert (one.trust, one.time) == (P, U)


def test_a_certificate_expired_at_signing_is_indeterminate(plain: Path, pki: Pki, tmp_path: Path) -> None:
    expired = pki.issue(begins=NOW - timedelta(days=400), lifetime=timedelta(days=30))
    path = sign_pdf(plain, tmp_path / "e.pdf", pki, identity=expired, timestamp=pki.authority())
    one = only(verify(path, pki.trust, NOW))
    assert one.trust is U
    assert (one.indication, one.sub_indication) == (Indication.INDETERMINATE, "OUT_OF_BOUNDS_NO_POE")


def test_a_certificate_that_expired_after_the_timestamp_still_passes(
    plain: Path, pki: Pki, tmp_path: Path
) -> None:
    brief = pki.issue(lifetime=timedelta(days=1))
    path = sign_pdf(plain, tmp_path / "brief.pdf", pki, identity=brief, timestamp=pki.authority())
    assert verify(path, pki.trust, NOW + timedelta(days=30)).indication is Indication.TOTAL_PASSED


def test_a_timestamp_before_the_certificate_began_fails_trust(plain: Path, pki: Pki, tmp_path: Path) -> None:
    later = pki.issue(begins=NOW + timedelta(days=20))
    path = sign_pdf(plain, tmp_path / "l.pdf", pki, identity=later, timestamp=pki.authority())
    one = only(verify(path, pki.trust, NOW + timedelta(days=30)))
    assert (one.trust, one.sub_indication) == (F, "NOT_YET_VALID")


def test_a_certificate_for_something_else_fails_trust(plain: Path, pki: Pki, tmp_path: Path) -> None:
    server = pki.issue("www.example.cn", usages=(ExtendedKeyUsageOID.SERVER_AUTH,))
    path = sign_pdf(plain, tmp_path / "s.pdf", pki, identity=server, timestamp=pki.authority())
    one = only(verify(path, pki.trust, NOW))
    assert (one.trust, one.sub_indication) == (F, "CHAIN_CONSTRAINTS_FAILURE")


def test_a_timestamp_from_the_future_is_not_believed(signed: Path, pki: Pki) -> None:
    one = only(verify(signed, pki.trust, NOW - timedelta(hours=1)))
    assert one.time is U
    assert "timestamp-in-future" in codes(one)


def test_an_unknown_encoding_is_neither_valid_nor_broken(signed: Path, pki: Pki, tmp_path: Path) -> None:
    data = signed.read_bytes().replace(b"/ETSI.CAdES.detached", b"/GM.sm2seal         ")
    path = tmp_path / "gm.pdf"
    path.write_bytes(data)
    one = only(verify(path, pki.trust, NOW))
    assert lamps(one) == (U, U, U, U)
    assert one.indication is Indication.INDETERMINATE
    assert any("GM.sm2seal" in cause.message for cause in one.causes)


def test_an_sm2_signature_is_unknown_but_its_digest_is_checked(
    signed: Path, pki: Pki, tmp_path: Path
) -> None:
    """The CMS says SM2 with SM3; the ByteRange's SM3 is right, the signature cannot be checked here."""
    data = signed.read_bytes()
    match = next(re.finditer(rb"/ByteRange\s*\[[^\]]*\]", data))
    first, length, second, rest = (int(number) for number in re.findall(rb"\d+", match.group()))
    covered = data[first : first + length] + data[second : second + rest]
    digest = hashlib.new("sm3", covered).digest()
    signature = cms_of(signed)
    info = signature["content"]["signer_infos"][0]
    info["digest_algorithm"] = {"algorithm": "1.2.156.10197.1.401"}
    info["signature_algorithm"] = cms.SignedDigestAlgorithm({"algorithm": "1.2.156.10197.1.501"})
    info["signed_attrs"] = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["data"]},
            {"type": "message_digest", "values": [digest]},
            *(a for a in info["signed_attrs"] if a["type"].native == "signing_certificate_v2"),
        ]
    )
    path = with_cms(signed, tmp_path / "sm2.pdf", signature.dump(force=True))
    one = only(verify(path, pki.trust, NOW))
    assert (one.integrity, one.identity) == (P, U)
    assert any("1.2.156.10197.1.501" in cause.message for cause in one.causes)


def test_a_chinese_file_name_and_verdict_become_json(signed: Path, pki: Pki) -> None:
    verdict = verify(signed, pki.trust, NOW)
    shown = verdict_json(Path("投标文件.pdf"), verdict)
    assert json.loads(json.dumps(shown)) == shown
    signatures = shown["signatures"]
    assert isinstance(signatures, list)
    (one,) = signatures
    assert shown["file"] == "投标文件.pdf"
    assert one["timestamp"] == "2026-03-02T08:30:00Z"
    assert set(one) >= {"integrity", "identity", "trust", "time", "signer", "signed_at", "causes", "tryout"}


def test_a_passed_verdict_without_signatures_is_not_let_pass() -> None:
    empty = DocumentVerdict(Indication.TOTAL_PASSED, ())
    with pytest.raises(Indeterminate):
        check_verified(empty)


@pytest.mark.parametrize("content", [b"", b"not a pdf", b"%PDF-1.7\n%%EOF", b"PK\x03\x04" * 50])
def test_what_is_no_pdf_is_refused(tmp_path: Path, pki: Pki, content: bytes) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(content)
    with pytest.raises(InputRefused) as refused:
        verify(path, pki.trust, NOW)
    assert refused.value.zh
    with pytest.raises(InputRefused):
        verify(tmp_path / "missing.pdf", pki.trust, NOW)


def test_an_encrypted_pdf_is_refused(plain: Path, tmp_path: Path, pki: Pki) -> None:
    path = tmp_path / "locked.pdf"
    with pikepdf.open(plain) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(owner="a", user="b"))
    with pytest.raises(InputRefused, match="encrypted"):
        verify(path, pki.trust, NOW)


def test_the_verdict_changes_nothing_in_the_file(signed: Path, pki: Pki) -> None:
    before = signed.read_bytes()
    verify(signed, replace(pki.trust), NOW)
    assert signed.read_bytes() == before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.floats(0, 1, exclude_max=True),
    cut=st.integers(0, 30),
    put=st.binary(max_size=30),
    twice=st.booleans(),
)
def test_whatever_is_done_to_a_file_is_a_verdict_and_passes_only_if_nothing_signed_changed(
    signed: Path, signed_twice: Path, pki: Pki, place: float, cut: int, put: bytes, twice: bool
) -> None:
    source = signed_twice if twice else signed
    data = source.read_bytes()
    at = int(place * len(data))
    changed = data[:at] + put + data[at + cut :]
    path = source.with_name("mutant.pdf")
    path.write_bytes(changed)
    try:
        verdict = verify(path, pki.trust, NOW)
    except InputRefused:
        return
    if verdict.indication is Indication.TOTAL_PASSED and changed.strip() != data.strip():
        start, end = contents_of(data)
        assert (changed[:start], changed[end:]) == (data[:start], data[end:])


@pytest.mark.needs_shared
def test_real_hybrid_files_are_signed_and_verified(shared: Path, pki: Pki, tmp_path: Path) -> None:
    for source in sorted((shared / "bids").glob("*.pdf")):
        assert verify(source, pki.trust, NOW).signatures == ()
        one = sign_pdf(source, tmp_path / source.name, pki, timestamp=pki.authority())
        assert lamps(only(verify(one, pki.trust, NOW))) == (P, P, P, P)
    two = sign_pdf(one, tmp_path / "two.pdf", pki, field="B", timestamp=pki.authority())
    verdict = verify(two, pki.trust, NOW)
    assert [lamps(signature) for signature in verdict.signatures] == [(P, P, P, P)] * 2


@pytest.mark.needs_shared
def test_no_file_of_the_corpus_crashes_it(shared: Path, pki: Pki) -> None:
    for path in sorted((shared / "corpus").glob("*.pdf")):
        try:
            verdict = verify(path, pki.trust, NOW)
        except InputRefused:
            continue
        assert verdict.indication is not Indication.TOTAL_PASSED


def core_number(value: int) -> object:
    from pyhanko.pdf_utils.generic import NumberObject

    return NumberObject(value)


def _stream(data: bytes) -> object:
    from pyhanko.pdf_utils.generic import StreamObject

    return StreamObject(stream_data=data)
