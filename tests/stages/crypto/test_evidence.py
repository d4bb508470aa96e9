"""Evidence records hold against every change, and other programs read them."""

import hashlib
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import cms, pem, tsp, x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from stages.crypto.evidence import EvidenceRecord, build_evidence, evidence_token, verify_evidence
from stages.crypto.hash_tree import HashTree, build_tree
from stages.crypto.tsp import build_request, check_response
from stages.errors import Indeterminate, StagesError, Untrusted
from tests.simulators.signed_pdfs import NOW, LocalAuthority, Pki


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki()


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def groups_of(count: int) -> list[list[bytes]]:
    return [[sha(f"{number}/{part}".encode()) for part in range(4)] for number in range(count)]


def token_over(tree: HashTree, authority: LocalAuthority, pki: Pki, at: datetime = NOW) -> bytes:
    response = authority.ask(build_request(tree.root, 7))
    return check_response(response, imprint=tree.root, nonce=7, trust=[pki.root], asked_at=at).der


def records_of(groups: list[list[bytes]], pki: Pki) -> list[bytes]:
    tree = build_tree(groups)
    token = token_over(tree, pki.authority(), pki)
    return [build_evidence(reduced, token) for reduced in tree.reduced]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 1000])
def test_every_document_of_a_batch_is_proven(pki: Pki, count: int) -> None:
    groups = groups_of(count)
    records = records_of(groups, pki)
    for index in {0, count // 2, count - 1}:
        assert verify_evidence(records[index], groups[index], [pki.root], NOW) == NOW


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_a_flipped_bit_of_any_file_is_caught(pki: Pki, count: int) -> None:
    groups = groups_of(count)
    records = records_of(groups, pki)
    for record, group in zip(records, groups, strict=True):
        for place in range(4):
            changed = list(group)
            changed[place] = bytes([changed[place][0] ^ 1]) + changed[place][1:]
            with pytest.raises(Untrusted) as wrong:
                verify_evidence(record, changed, [pki.root], NOW)
            assert wrong.value.zh


def test_a_missing_or_an_added_file_is_caught(pki: Pki) -> None:
    groups = groups_of(3)
    record = records_of(groups, pki)[1]
    for wrong in (groups[1][:3], [*groups[1], sha(b"more")], groups[0]):
        with pytest.raises(Untrusted):
            verify_evidence(record, wrong, [pki.root], NOW)


def test_no_flipped_bit_of_the_record_proves_another_time(pki: Pki) -> None:
    """A flipped bit is refused, or is one of the token that nobody signs, and proves the same."""
    groups = groups_of(3)
    record = records_of(groups, pki)[1]
    token = record.index(evidence_token(record))
    passed = []
    for place in (*range(token), *range(token, len(record), 3)):
        changed = bytearray(record)
        changed[place] ^= 1 << (place % 8)
        try:
            assert verify_evidence(bytes(changed), groups[1], [pki.root], NOW) == NOW
        except StagesError:
            continue
        passed.append(place)
    parsed = cms.ContentInfo.load(record[token:])["content"]
    signed = record.index(parsed["encap_content_info"].dump())
    signer = record.index(parsed["signer_infos"].dump())
    root = record.index(pki.root.dump())
    algorithms = [
        parsed["signer_infos"][0][name].dump() for name in ("digest_algorithm", "signature_algorithm")
    ]
    ends = [record.index(algorithm, signer) + len(algorithm) for algorithm in algorithms]
    unsigned = [
        range(token, signed),  # versions and the list of digest algorithms
        range(root, root + len(pki.root.dump())),  # a copy: it is not what the root is believed for
        range(signer, signer + 11),  # the version of the SignerInfo
        *(range(end - 2, end) for end in ends),  # NULL parameters
    ]
    assert [place for place in passed if not any(place in part for part in unsigned)] == []


def test_a_stranger_s_authority_is_not_believed(pki: Pki) -> None:
    groups = groups_of(2)
    with pytest.raises(Indeterminate):
        verify_evidence(records_of(groups, pki)[0], groups[0], [Pki().root], NOW)


def test_a_certificate_not_for_time_stamping_is_not_believed(pki: Pki) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    imposter = pki.issue("不是时间戳", usages=(ExtendedKeyUsageOID.EMAIL_PROTECTION,), key=key)
    groups = groups_of(2)
    tree = build_tree(groups)
    response = pki.authority(identity=imposter).ask(build_request(tree.root, 7))
    token = tsp.TimeStampResp.load(response)["time_stamp_token"].dump()
    with pytest.raises(Untrusted, match="not for time stamping"):
        verify_evidence(build_evidence(tree.reduced[0], token), groups[0], [pki.root], NOW)


def test_an_authority_expired_by_now_leaves_it_open(pki: Pki) -> None:
    groups = groups_of(2)
    record = records_of(groups, pki)[0]
    with pytest.raises(Indeterminate):
        verify_evidence(record, groups[0], [pki.root], NOW + timedelta(days=5000))


def test_a_token_over_another_root_is_caught(pki: Pki) -> None:
    groups = groups_of(3)
    other = token_over(build_tree(groups_of(4)), pki.authority(), pki)
    record = build_evidence(build_tree(groups).reduced[0], other)
    with pytest.raises(Untrusted):
        verify_evidence(record, groups[0], [pki.root], NOW)


@pytest.mark.parametrize("junk", [b"", b"\x30\x00", b"junk", b"\x30\x82\xff\xff", bytes(2 << 20)])
def test_what_is_no_record_is_untrusted(pki: Pki, junk: bytes) -> None:
    with pytest.raises(Untrusted) as wrong:
        verify_evidence(junk, [sha(b"x")], [pki.root], NOW)
    assert wrong.value.zh


def test_a_renewed_record_is_left_open(pki: Pki) -> None:
    groups = groups_of(2)
    record = EvidenceRecord.load(records_of(groups, pki)[0])
    stamp = record["archive_time_stamp_sequence"][0][0]
    renewed = EvidenceRecord(
        {
            "version": 1,
            "digest_algorithms": record["digest_algorithms"],
            "archive_time_stamp_sequence": [[stamp, stamp]],
        }
    ).dump()
    with pytest.raises(Indeterminate, match="renewed"):
        verify_evidence(renewed, groups[0], [pki.root], NOW)


@pytest.mark.needs_openssl
def test_openssl_reads_the_record_and_believes_its_token(pki: Pki, tmp_path: Path) -> None:
    groups = groups_of(3)
    record = records_of(groups, pki)[2]
    (tmp_path / "a.ers").write_bytes(record)
    parsed = subprocess.run(
        ["openssl", "asn1parse", "-inform", "DER", "-in", tmp_path / "a.ers"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert ":id-smime-ct-TSTInfo" in parsed
    (tmp_path / "ca.pem").write_bytes(pem.armor("CERTIFICATE", pki.root.dump()))
    (tmp_path / "a.tst").write_bytes(evidence_token(record))
    base: list[str | Path] = [
        "openssl",
        "ts",
        "-verify",
        "-in",
        tmp_path / "a.tst",
        "-token_in",
        "-CAfile",
        tmp_path / "ca.pem",
    ]
    at: list[str | Path] = ["-attime", str(int(NOW.timestamp()))]
    good = subprocess.run([*base, *at, "-digest", build_tree(groups).root.hex()], capture_output=True)
    assert b"Verification: OK" in good.stdout + good.stderr
    bad = subprocess.run([*base, *at, "-digest", sha(b"else").hex()], capture_output=True)
    assert bad.returncode != 0


def test_a_record_of_the_first_format_stays_readable() -> None:
    """The bytes are kept, not made: what was archived once must be provable for ever."""
    golden = Path(__file__).parents[2] / "golden"
    _, _, der = pem.unarmor((golden / "evidence-1-root.pem").read_bytes())
    record, root = (golden / "evidence-1.ers").read_bytes(), x509.Certificate.load(der)
    group = groups_of(5)[1]
    assert verify_evidence(record, group, [root], NOW) == NOW
    tree = build_tree(groups_of(5))
    assert build_evidence(tree.reduced[1], evidence_token(record)) == record
    with pytest.raises(Untrusted):
        verify_evidence(record, groups_of(5)[2], [root], NOW)
