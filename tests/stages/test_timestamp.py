"""A timestamp goes into its room and nowhere else, once, and only when it answers what was asked."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pymupdf
import pytest

from pipeline.authorities import HttpTimestampAuthority
from pipeline.tryout.pki import TryoutPki
from pipeline.tryout.tsa import TsaServer
from stages.authorities import Signer
from stages.crypto.cms import TIMESTAMP_ROOM_BYTES, signature_value, timestamp_token, with_timestamp
from stages.crypto.tsp import build_request
from stages.documents import Mark, SignatureRequest, SignedDocument, StampedDocument
from stages.errors import Indeterminate, SigningRefused, TimestampUnavailable, Untrusted
from stages.sign import find_signature, sign
from stages.timestamp import timestamp
from tests.simulators import lying_tsa as lies
from tests.simulators.lying_tsa import Authority
from tests.simulators.outsiders import (
    contents_of,
    openssl_cms_verify,
    openssl_ts_verify,
    pdfsig,
    pyhanko,
    run,
    signed_bytes_of,
)

NOW = datetime.now(UTC).replace(microsecond=0)
NONCE = 0xFEDCBA9876543210


@pytest.fixture
def signed(tmp_path: Path, tryout_signer: Signer) -> SignedDocument:
    """A small PDF with a B-B signature."""
    path = tmp_path / "a.pdf"
    document = pymupdf.open()
    document.new_page().insert_text((72, 72), "bid")
    document.save(path, no_new_id=True)
    stamped = StampedDocument(path, path.stat().st_size, Mark(0, "公章", 20, 30, 42, 42, 0))
    return sign(stamped, tryout_signer, SignatureRequest("Signature1", NOW))


@pytest.fixture
def honest(tmp_path: Path) -> Authority:
    return Authority(tmp_path, NOW)


@pytest.mark.needs_openssl
@pytest.mark.needs_poppler
@pytest.mark.needs_qpdf
def test_others_believe_the_time_from_a_real_server(
    tmp_path: Path, signed: SignedDocument, tryout_pki: TryoutPki, tryout_tsa: TsaServer
) -> None:
    before = signed.path.read_bytes()
    with HttpTimestampAuthority(tryout_tsa.url) as authority:
        now = datetime.now(UTC)
        stamped = timestamp(signed, authority, [tryout_pki.root], nonce=NONCE, now=now)
    after = signed.path.read_bytes()
    assert abs(stamped.stamped_at - now) < timedelta(seconds=10)
    assert "not trusted" in stamped.authority
    # Only /Contents differs.
    assert after[: signed.contents_start] == before[: signed.contents_start]
    assert after[signed.contents_end :] == before[signed.contents_end :]
    cms = contents_of(signed)
    token = timestamp_token(cms)
    assert token is not None
    assert "OK" in openssl_ts_verify(tmp_path, token, signature_value(cms), tryout_pki.root)
    openssl_cms_verify(tmp_path, cms, signed_bytes_of(signed), tryout_pki.root)
    report = pdfsig(tmp_path, signed.path, tryout_pki.root)
    assert "Signature is Valid" in report
    assert "Certificate is Trusted" in report
    run("qpdf", "--check", signed.path)
    (status,) = pyhanko(signed.path, tryout_pki.root)
    assert status.bottom_line
    assert status.timestamp_validity is not None
    assert status.timestamp_validity.trusted
    assert status.timestamp_validity.timestamp == stamped.stamped_at


def test_a_second_delivery_asks_nobody_and_changes_nothing(signed: SignedDocument, honest: Authority) -> None:
    first = timestamp(signed, honest, [honest.root], nonce=NONCE, now=NOW)
    once = signed.path.read_bytes()

    class Silent:
        name = "silent"

        def ask(self, request: bytes) -> bytes:
            raise AssertionError("asked again")

    found = find_signature(signed.path, "Signature1", base_size_bytes=signed.base_size_bytes)
    later = NOW + timedelta(days=1)
    assert timestamp(found, Silent(), [honest.root], nonce=1, now=later) == first
    assert signed.path.read_bytes() == once


@pytest.mark.parametrize(
    "change",
    [
        {"lie": lies.other_imprint},
        {"lie": lies.other_nonce},
        {"spoil": lies.broken_signature},
        {"spoil": lies.without_token},
        {"critical": False},
        {"clock_error": timedelta(minutes=6)},
    ],
)
def test_a_lie_is_untrusted_and_changes_nothing(
    signed: SignedDocument, honest: Authority, change: dict[str, object]
) -> None:
    before = signed.path.read_bytes()
    liar = honest.but(**change)
    with pytest.raises(Untrusted):
        timestamp(signed, liar, [liar.root], nonce=NONCE, now=NOW)
    assert signed.path.read_bytes() == before


def test_a_silent_authority_leaves_the_file_waiting(signed: SignedDocument, honest: Authority) -> None:
    before = signed.path.read_bytes()
    with pytest.raises(TimestampUnavailable):
        timestamp(signed, honest.but(spoil=lambda response: b""), [honest.root], nonce=NONCE, now=NOW)
    assert signed.path.read_bytes() == before
    assert timestamp(signed, honest, [honest.root], nonce=NONCE, now=NOW).stamped_at == NOW


def test_a_token_too_large_for_its_room_is_refused_and_changes_nothing(
    signed: SignedDocument, honest: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signed.path.read_bytes()
    monkeypatch.setattr(
        "stages.timestamp.with_timestamp",
        lambda cms, token: with_timestamp(cms, b"\x30\x82\x30\x00" + bytes(0x3000)),
    )
    with pytest.raises(SigningRefused, match="kept free") as caught:
        timestamp(signed, honest, [honest.root], nonce=NONCE, now=NOW)
    assert "预留空间" in caught.value.zh
    assert signed.path.read_bytes() == before


def test_the_room_holds_a_token_with_a_chain(signed: SignedDocument, tryout_signer: Signer) -> None:
    room_bytes = (signed.contents_end - signed.contents_start - 2) // 2
    assert room_bytes - len(contents_of(signed)) >= TIMESTAMP_ROOM_BYTES


def test_a_timestamp_of_something_else_in_the_file_is_not_accepted(
    signed: SignedDocument, honest: Authority
) -> None:
    response = honest.ask(lies.other_imprint(_request()))
    token = lies.token_of(response)
    cms = with_timestamp(contents_of(signed), token)
    whole = bytearray(signed.path.read_bytes())
    whole[signed.contents_start + 1 : signed.contents_start + 1 + 2 * len(cms)] = cms.hex().encode()
    signed.path.write_bytes(whole)
    with pytest.raises(Untrusted, match="something else"):
        timestamp(signed, honest, [honest.root], nonce=NONCE, now=NOW)


@pytest.mark.parametrize("moved", [-1, 1, 10_000_000])
def test_a_place_where_no_signature_is_is_refused(
    signed: SignedDocument, honest: Authority, moved: int
) -> None:
    elsewhere = replace(
        signed, contents_start=signed.contents_start + moved, contents_end=signed.contents_end + moved
    )
    with pytest.raises(Indeterminate, match="no signature"):
        timestamp(elsewhere, honest, [honest.root], nonce=NONCE, now=NOW)


def test_contents_that_are_no_cms_are_refused(signed: SignedDocument, honest: Authority) -> None:
    whole = bytearray(signed.path.read_bytes())
    whole[signed.contents_start + 1 : signed.contents_start + 9] = b"00000000"
    signed.path.write_bytes(whole)
    with pytest.raises(Indeterminate):
        timestamp(signed, honest, [honest.root], nonce=NONCE, now=NOW)


def test_the_key_is_not_needed_and_the_signature_stays(signed: SignedDocument, honest: Authority) -> None:
    before = signature_value(contents_of(signed))
    timestamp(signed, honest, [honest.root], nonce=NONCE, now=NOW)
    assert signature_value(contents_of(signed)) == before


def _request() -> bytes:
    return build_request(hashlib.sha256(b"anything").digest(), NONCE)
