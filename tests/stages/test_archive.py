"""Archive packages: nothing unverified gets in, and nothing changed comes out unnoticed."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from pipeline.keys import open_signer
from pipeline.tryout.pki import TryoutPki
from pipeline.tryout.tsa import POLICY, answer
from stages.archive import ToArchive, archive, verify_archive
from stages.authorities import TrustAnchors
from stages.documents import ArchivePackage, SignatureRequest, StampedDocument
from stages.errors import Indeterminate, InputRefused, PlanRefused, TimestampUnavailable, Untrusted
from stages.manifests import ArchivedSource, canonical_json, parse_manifest
from stages.policy import BID_DOCUMENT, POLICIES, policy_for, retain_until
from stages.sign import sign
from stages.timestamp import timestamp
from stages.verdict_types import Lamp
from stages.verify import verdict_json, verify
from tests.simulators.signed_pdfs import NOW, Pki, blank_pdf, sign_pdf


@dataclass(frozen=True)
class Kept:
    """A document as an archive holds it."""

    document: ToArchive
    package: ArchivePackage
    objects: dict[str, Path]


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def to_archive(original: Path, signed: Path, trust: TrustAnchors, now: datetime = NOW) -> ToArchive:
    verdict = verdict_json(Path("投标函.pdf"), verify(signed, trust, now))
    signed_bytes, original_bytes = signed.read_bytes(), original.read_bytes()
    verdict["signed"] = {"sha256": sha(signed_bytes), "size_bytes": len(signed_bytes)}
    return ToArchive(
        name="投标函.pdf",
        package="一标段",
        project="某项目",
        bidder="测试投标有限公司",
        document_type=BID_DOCUMENT,
        original_sha256=sha(original_bytes),
        original_size_bytes=len(original_bytes),
        signed_sha256=sha(signed_bytes),
        signed_size_bytes=len(signed_bytes),
        verdict_json=canonical_json(verdict),
        plan_sha256=sha(b"plan"),
        certificate=sha(b"certificate"),
        signed_at=NOW,
        stamped_at=NOW,
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> list[Kept]:
    """Three documents under one timestamp."""
    folder = tmp_path_factory.mktemp("archive")
    originals = [blank_pdf(folder / f"{number}.pdf", pages=number + 1) for number in range(3)]
    signed = [
        sign_pdf(one, one.with_suffix(".signed.pdf"), pki, timestamp=pki.authority()) for one in originals
    ]
    documents = [to_archive(a, b, pki.trust) for a, b in zip(originals, signed, strict=True)]
    authority = pki.authority()
    packages = archive(documents, authority, [pki.root], nonce=11, now=NOW)
    assert authority.asked == 1
    result = []
    for number, (document, package) in enumerate(zip(documents, packages, strict=True)):
        verdict = folder / f"{number}.json"
        verdict.write_bytes(document.verdict_json)
        objects = {"original": originals[number], "signed": signed[number], "verdict": verdict}
        result.append(Kept(document, package, objects))
    return result


def test_every_document_of_a_batch_is_proven_again(kept: list[Kept], pki: Pki) -> None:
    for one in kept:
        package = one.package
        found = verify_archive(package.manifest, package.evidence, one.objects, pki.trust, NOW)
        assert (found["indication"], found["evidence"], found["objects"]) == (
            "TOTAL-PASSED",
            "passed",
            "passed",
        )
        assert found["signatures"]["indication"] == "TOTAL-PASSED"
        assert found["stamped_at"] == "2026-03-02T08:30:00Z"
        assert json.loads(json.dumps(found)) == found


def test_the_manifest_is_canonical_and_names_every_file(kept: list[Kept]) -> None:
    one = kept[0]
    manifest = parse_manifest(one.package.manifest)
    assert {item.role: item.sha256 for item in manifest.objects} == {
        role: sha(path.read_bytes()) for role, path in one.objects.items()
    }
    assert canonical_json(json.loads(one.package.manifest)) == one.package.manifest
    assert (manifest.project, manifest.bidder, manifest.archived_at) == (
        "某项目",
        "测试投标有限公司",
        "2026-03-02T08:30:00Z",
    )


def test_the_same_documents_and_nonce_give_the_same_manifest(kept: list[Kept], pki: Pki) -> None:
    (again,) = archive([kept[0].document], pki.authority(), [pki.root], nonce=11, now=NOW)
    assert again.manifest == kept[0].package.manifest


@pytest.mark.parametrize("role", ["original", "signed", "verdict"])
def test_a_flipped_bit_of_any_file_is_found(kept: list[Kept], pki: Pki, tmp_path: Path, role: str) -> None:
    one = kept[1]
    data = bytearray(one.objects[role].read_bytes())
    data[len(data) // 3] ^= 4
    (tmp_path / "changed").write_bytes(data)
    objects = {**one.objects, role: tmp_path / "changed"}
    found = verify_archive(one.package.manifest, one.package.evidence, objects, pki.trust, NOW)
    assert (found["indication"], found["evidence"], found["objects"]) == (
        "TOTAL-FAILED",
        "failed",
        "failed",
    )
    assert all(cause["message_zh"] for cause in found["causes"])


@pytest.mark.parametrize("role", ["original", "signed", "verdict"])
def test_a_missing_file_is_found(kept: list[Kept], pki: Pki, tmp_path: Path, role: str) -> None:
    one = kept[1]
    for objects in (
        {key: path for key, path in one.objects.items() if key != role},
        {**one.objects, role: tmp_path / "nowhere"},
    ):
        found = verify_archive(one.package.manifest, one.package.evidence, objects, pki.trust, NOW)
        assert (found["indication"], found["objects"]) == ("TOTAL-FAILED", "failed")


def test_a_changed_manifest_is_found(kept: list[Kept], pki: Pki) -> None:
    one = kept[2]
    lied = one.package.manifest.replace("某项目".encode(), "别项目".encode())
    found = verify_archive(lied, one.package.evidence, one.objects, pki.trust, NOW)
    assert (found["indication"], found["evidence"], found["objects"]) == ("TOTAL-FAILED", "failed", "passed")
    spaced = json.dumps(json.loads(one.package.manifest)).encode()
    assert verify_archive(spaced, one.package.evidence, one.objects, pki.trust, NOW)["objects"] == "failed"


def test_the_evidence_of_another_document_is_found(kept: list[Kept], pki: Pki) -> None:
    one, other = kept[0], kept[1]
    found = verify_archive(one.package.manifest, other.package.evidence, one.objects, pki.trust, NOW)
    assert (found["indication"], found["evidence"]) == ("TOTAL-FAILED", "failed")


def test_a_stranger_s_anchor_leaves_it_open(kept: list[Kept]) -> None:
    one = kept[0]
    found = verify_archive(one.package.manifest, one.package.evidence, one.objects, Pki().trust, NOW)
    assert (found["indication"], found["evidence"], found["objects"]) == (
        "INDETERMINATE",
        "unknown",
        "passed",
    )


def test_evidence_proves_a_signature_whose_timestamp_authority_has_expired(tmp_path: Path, pki: Pki) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    brief = pki.issue(
        "短期时间戳",
        usages=(ExtendedKeyUsageOID.TIME_STAMPING,),
        critical=True,
        lifetime=timedelta(days=10),
        key=key,
    )
    original = blank_pdf(tmp_path / "a.pdf")
    signed = sign_pdf(original, tmp_path / "s.pdf", pki, timestamp=pki.authority(identity=brief))
    document = to_archive(original, signed, pki.trust)
    (package,) = archive([document], pki.authority(), [pki.root], nonce=1, now=NOW)
    (tmp_path / "v.json").write_bytes(document.verdict_json)
    objects = {"original": original, "signed": signed, "verdict": tmp_path / "v.json"}
    later = NOW + timedelta(days=60)
    assert verify(signed, pki.trust, later).indication == "INDETERMINATE"
    found = verify_archive(package.manifest, package.evidence, objects, pki.trust, later)
    assert found["indication"] == "TOTAL-PASSED"


def test_nothing_unverified_is_archived(kept: list[Kept], pki: Pki, tmp_path: Path) -> None:
    document = kept[0].document
    verdict = json.loads(document.verdict_json)
    authority = pki.authority()
    refused: list[tuple[dict[str, object], type[Exception]]] = [
        ({**verdict, "indication": "TOTAL-FAILED"}, Untrusted),
        ({**verdict, "indication": "INDETERMINATE"}, Indeterminate),
        ({**verdict, "indication": "total-passed"}, Indeterminate),
        ({**verdict, "signatures": []}, Indeterminate),
        ({key: value for key, value in verdict.items() if key != "indication"}, Indeterminate),
        ({**verdict, "signed": {"sha256": sha(b"another")}}, Untrusted),
        ({key: value for key, value in verdict.items() if key != "signed"}, Indeterminate),
    ]
    for wrong, error in refused:
        bad = replace(document, verdict_json=canonical_json(wrong))
        with pytest.raises(error) as raised:
            archive([kept[1].document, bad], authority, [pki.root], nonce=1, now=NOW)
        assert "投标函.pdf" in str(raised.value)
    for junk in (b"", b"[]", b"{", b"\xff", b" " * (5 << 20)):
        with pytest.raises(InputRefused):
            archive([replace(document, verdict_json=junk)], authority, [pki.root], nonce=1, now=NOW)
    assert authority.asked == 0


def test_no_documents_are_no_archive(pki: Pki) -> None:
    with pytest.raises(InputRefused):
        archive([], pki.authority(), [pki.root], nonce=1, now=NOW)


def test_an_unknown_type_of_document_is_refused(kept: list[Kept], pki: Pki) -> None:
    with pytest.raises(PlanRefused, match="投标文件"):
        archive([replace(kept[0].document, document_type="菜单")], pki.authority(), [], nonce=1, now=NOW)


def test_a_stranger_s_timestamp_is_not_put_into_an_archive(kept: list[Kept], pki: Pki) -> None:
    with pytest.raises(Untrusted):
        archive([kept[0].document], Pki().authority(), [pki.root], nonce=1, now=NOW)


def test_a_silent_authority_archives_nothing(kept: list[Kept], pki: Pki) -> None:
    class Silent:
        name = "silent"

        def ask(self, request: bytes) -> bytes:
            raise TimestampUnavailable("nobody there", zh="无应答")

    with pytest.raises(TimestampUnavailable):
        archive([kept[0].document], Silent(), [pki.root], nonce=1, now=NOW)


def test_the_matrix_of_document_types() -> None:
    bid, contract, entry = policy_for("投标文件"), policy_for("合同"), policy_for("投标报名")
    assert (bid.must_sign, bid.must_timestamp, bid.must_archive, bid.retention_years) == (
        True,
        True,
        True,
        15,
    )
    assert (contract.must_sign, contract.must_timestamp, contract.must_archive) == (True, False, True)
    assert (entry.must_sign, entry.must_timestamp, entry.must_archive) == (False, True, False)
    assert all((policy.retention_years >= 15) == policy.must_archive for policy in POLICIES.values())
    with pytest.raises(PlanRefused) as refused:
        policy_for("菜单")
    assert "投标文件" in refused.value.zh


def test_fifteen_years_end_on_the_same_day() -> None:
    assert retain_until("投标文件", NOW) == NOW.replace(year=2041)
    leap = datetime(2028, 2, 29, tzinfo=UTC)
    assert retain_until("投标文件", leap) == datetime(2043, 3, 1, tzinfo=UTC)
    with pytest.raises(PlanRefused):
        retain_until("投标报名", NOW)


@pytest.mark.parametrize("junk", [b"", b"[]", b"{}", b"\xff", b"x" * (2 << 20)])
def test_what_is_no_manifest_is_untrusted(junk: bytes) -> None:
    with pytest.raises(Untrusted) as wrong:
        parse_manifest(junk)
    assert wrong.value.zh


def test_a_manifest_naming_a_file_twice_is_untrusted(kept: list[Kept]) -> None:
    value = json.loads(kept[0].package.manifest)
    value["objects"][1] = value["objects"][0]
    with pytest.raises(Untrusted):
        parse_manifest(canonical_json(value))


def test_what_our_own_line_signs_is_verified_and_archived(tryout_pki: TryoutPki, tmp_path: Path) -> None:
    """Sign, timestamp, verify and archive with the try-out authority, from one blank page to evidence."""
    now = datetime.now(UTC).replace(microsecond=0)
    original = blank_pdf(tmp_path / "a.pdf")
    work = tmp_path / "work.pdf"
    work.write_bytes(original.read_bytes())
    size_bytes = original.stat().st_size
    signer = open_signer(tryout_pki.signer_uri, pin=tryout_pki.pin("signer"))
    tsa = open_signer(tryout_pki.tsa_uri, pin=tryout_pki.pin("tsa"))

    class Local:
        name = "try-out"

        def ask(self, request: bytes) -> bytes:
            return answer(request, signer=tsa, policy=POLICY, serial=5, now=now)

    trust = TrustAnchors(roots=(tryout_pki.root,))
    request = SignatureRequest(field_name="Sealine1", signed_at=now)
    signed = sign(StampedDocument(work, size_bytes, widget_mark=None), signer, request)
    missing = verify(work, trust, now).signatures[0]
    assert (missing.integrity, missing.identity, missing.trust, missing.time) == (
        Lamp.PASSED,
        Lamp.PASSED,
        Lamp.PASSED,
        Lamp.UNKNOWN,
    )
    timestamp(signed, Local(), [tryout_pki.root], nonce=3, now=now)
    verdict = verify(work, trust, now)
    assert verdict.indication == "TOTAL-PASSED"
    assert verdict.signatures[0].tryout
    assert work.read_bytes().startswith(original.read_bytes())
    document = to_archive(original, work, trust, now)
    (package,) = archive([document], Local(), [tryout_pki.root], nonce=4, now=now)
    (tmp_path / "v.json").write_bytes(document.verdict_json)
    objects = {"original": original, "signed": work, "verdict": tmp_path / "v.json"}
    assert (
        verify_archive(package.manifest, package.evidence, objects, trust, now)["indication"]
        == "TOTAL-PASSED"
    )


def test_what_the_original_was_made_of_is_proved_with_it(kept: list[Kept], pki: Pki, tmp_path: Path) -> None:
    source = tmp_path / "投标函.docx"
    source.write_bytes(b"PK what came in")
    made_of = ArchivedSource("投标函.docx", sha(source.read_bytes()), 15, "converted", "LibreOffice 7.4")
    document = replace(kept[0].document, source=made_of)
    (package,) = archive([document], pki.authority(), [pki.root], nonce=12, now=NOW)
    manifest = parse_manifest(package.manifest)
    assert manifest.made_of is not None
    assert [item.role for item in manifest.objects] == ["source", "original", "signed", "verdict"]
    objects = {**kept[0].objects, "source": source}
    proved = verify_archive(package.manifest, package.evidence, objects, pki.trust, NOW)
    assert proved["indication"] == "TOTAL-PASSED"
    missing = verify_archive(package.manifest, package.evidence, kept[0].objects, pki.trust, NOW)
    assert missing["indication"] == "TOTAL-FAILED"
    source.write_bytes(b"PK another file")
    changed = verify_archive(package.manifest, package.evidence, objects, pki.trust, NOW)
    assert (changed["indication"], changed["evidence"]) == ("TOTAL-FAILED", "failed")


def test_a_source_stands_in_a_manifest_only_with_how_it_was_used(kept: list[Kept]) -> None:
    manifest = json.loads(kept[0].package.manifest)
    source = {"name": "a.docx", "role": "source", "sha256": "0" * 64, "size_bytes": 1}
    how = {"made_of": {"how": "converted", "tool": "x"}}
    with_source = {**manifest, "objects": [source, *manifest["objects"]]}
    assert parse_manifest(canonical_json({**with_source, **how})).made_of is not None
    for wrong in (with_source, {**manifest, **how}):
        with pytest.raises(Untrusted, match="missing or named twice"):
            parse_manifest(canonical_json(wrong))
