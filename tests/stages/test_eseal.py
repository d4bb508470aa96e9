"""Electronic seals read and checked: our own, altered ones, and those of other makers."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from asn1crypto import core, parser
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from stages.crypto import eseal
from stages.crypto import eseal_asn1 as asn1
from stages.crypto.eseal import ParsedSeal, check_seal, parse_seal
from stages.errors import Indeterminate, InputRefused, Untrusted
from tests.stages.makers import UnsafeMaker
from tests.stages.test_make import MADE_AT, YEAR
from tests.stages.test_sm2 import certificate_with, point_of, unsafe_sign

SM2_KEY = 0x1234567890ABCDEF


def png(width: int = 10, height: int = 10) -> bytes:
    data = io.BytesIO()
    Image.fromarray(np.full((height, width, 4), 200, dtype=np.uint8)).save(data, "PNG")
    return data.getvalue()


def info_fields(version: int = 4) -> dict[str, object]:
    return {
        "header": {"ID": "ES", "version": version, "Vid": "another maker"},
        "esID": "42",
        "property": {
            "type": 1,
            "name": "测试公司",
            "certListType": 1,
            "certList": asn1.Certificates([b"\x30\x00"]),
            "createDate": MADE_AT.replace(microsecond=0),
            "validStart": MADE_AT.replace(microsecond=0),
            "validEnd": (MADE_AT + YEAR).replace(microsecond=0),
        },
        "picture": {"type": "png", "data": png(), "width": 42, "height": 42},
    }


def rsa_maker() -> UnsafeMaker:
    return UnsafeMaker("rsa", MADE_AT - YEAR, MADE_AT + YEAR)


def seal_over(
    info_der: bytes,
    *,
    certificate: bytes | None = None,
    algorithm: str = eseal.SHA256_RSA_OID,
    sign: Callable[[bytes], bytes] | None = None,
    tail: bytes = b"",
) -> bytes:
    """SESeal put together by hand around SES_SealInfo bytes that are left as they are."""
    maker = rsa_maker()
    body = (
        info_der
        + core.OctetString(certificate or maker.certificate.dump()).dump()
        + core.ObjectIdentifier(algorithm).dump()
        + core.OctetBitString((sign or maker.sign)(info_der)).dump()
        + tail
    )
    return bytes(parser.emit(0, 1, 16, body))


def seal(**changes: object) -> bytes:
    fields = info_fields()
    fields.update(changes)
    return seal_over(asn1.SealInfo(fields).dump())


@pytest.fixture(scope="module")
def good() -> bytes:
    return seal()


def test_a_seals_fields_are_shown_as_they_stand(good: bytes) -> None:
    parsed = check_seal(parse_seal(good)).seal
    assert (parsed.version, parsed.vendor_id, parsed.seal_id) == (4, "another maker", "42")
    assert (parsed.name, parsed.type_code, parsed.picture_type) == ("测试公司", 1, "png")
    assert parsed.certificates == (b"\x30\x00",)
    assert parsed.created_at == MADE_AT.replace(microsecond=0)
    assert parsed.extensions == ()


def test_a_seal_signed_with_sm2_verifies() -> None:
    certificate = certificate_with(point_of(SM2_KEY)).dump()
    data = seal_over(
        asn1.SealInfo(info_fields()).dump(),
        certificate=certificate,
        algorithm="1.2.156.10197.1.501",
        sign=lambda message: unsafe_sign(SM2_KEY, message, 0x77777),
    )
    assert check_seal(parse_seal(data)).seal.signature_oid == "1.2.156.10197.1.501"
    altered = data.replace("测试公司".encode(), "测试公同".encode())
    with pytest.raises(Untrusted):
        check_seal(parse_seal(altered))


def test_extensions_that_encode_critical_false_are_verified_over_their_own_bytes() -> None:
    explicit_false = bytes.fromhex("0603550403") + b"\x01\x01\x00" + b"\x04\x01\x07"
    extension = parser.emit(0, 1, 16, explicit_false)
    extensions = parser.emit(0, 1, 16, extension)
    fields = asn1.SealInfo(info_fields()).dump()
    plain = parser.parse(fields)[4]
    for stored in (extensions, parser.emit(2, 1, 0, extensions)):  # untagged, and in [0]
        parsed = check_seal(parse_seal(seal_over(parser.emit(0, 1, 16, plain + stored)))).seal
        (only,) = parsed.extensions
        assert (only.oid, only.critical, only.value) == ("2.5.4.3", False, b"\x07")


def test_a_seal_bound_by_digests_shows_them() -> None:
    fields = info_fields()
    fields["property"] = {
        **fields["property"],  # type: ignore[dict-item]
        "certListType": 2,
        "certList": asn1.CertificateDigests([{"type": "SM3", "value": b"d" * 32}]),
    }
    parsed = check_seal(parse_seal(seal(**fields))).seal
    assert parsed.certificates == ()
    assert parsed.certificate_digests == (("SM3", b"d" * 32),)


@pytest.mark.parametrize("explicit", [True, False])
def test_a_version_5_seals_timestamp_is_read_however_it_is_tagged(explicit: bool) -> None:
    bits = core.OctetBitString(b"token").dump()
    tail = parser.emit(2, 1, 0, bits) if explicit else parser.emit(2, 0, 0, b"\0token")
    parsed = check_seal(parse_seal(seal_over(asn1.SealInfo(info_fields(5)).dump(), tail=tail))).seal
    assert (parsed.version, parsed.timestamp) == (5, b"token")


def test_a_version_1_seal_is_signed_over_info_certificate_and_algorithm() -> None:
    maker = rsa_maker()
    fields = info_fields(1)
    fields["property"] = {k: v for k, v in fields["property"].items() if k != "certListType"}  # type: ignore[attr-defined]
    covered = (
        asn1.SealInfoV1(fields).dump()
        + core.OctetString(maker.certificate.dump()).dump()
        + core.ObjectIdentifier(eseal.SHA256_RSA_OID).dump()
    )
    info, rest = asn1.SealInfoV1(fields).dump(), covered[len(asn1.SealInfoV1(fields).dump()) :]
    signature = maker.sign(parser.emit(0, 1, 16, covered))
    sign_info = parser.emit(0, 1, 16, rest + core.OctetBitString(signature).dump())
    data = parser.emit(0, 1, 16, info + sign_info)
    parsed = check_seal(parse_seal(data)).seal
    assert (parsed.version, parsed.name) == (1, "测试公司")
    with pytest.raises(Untrusted):
        check_seal(parse_seal(data.replace("测试公司".encode(), "测试公同".encode())))


def test_a_changed_seal_is_untrusted(good: bytes) -> None:
    altered = good.replace("测试公司".encode(), "测试公同".encode())
    assert altered != good
    with pytest.raises(Untrusted) as caught:
        check_seal(parse_seal(altered))
    assert caught.value.zh


@settings(max_examples=40, deadline=None)
@given(position=st.integers(0), bit=st.integers(0, 7))
def test_no_flipped_bit_leaves_a_seal_that_verifies_and_says_something_else(position: int, bit: int) -> None:
    data = bytearray(_GOOD)
    data[position % len(data)] ^= 1 << bit
    try:
        verified = check_seal(parse_seal(bytes(data)))
    except (InputRefused, Untrusted, Indeterminate):
        return
    # Only the maker's certificate lies outside the signature (its key is what verified).
    assert verified.seal.signed_bytes == parse_seal(_GOOD).signed_bytes


_GOOD = seal()


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=6),
    keep=st.integers(0, 3000),
)
def test_damaged_bytes_are_parsed_or_refused_and_nothing_else(
    changes: list[tuple[int, int]], keep: int
) -> None:
    data = bytearray(_GOOD[:keep])
    for position, value in changes:
        if data:
            data[position % len(data)] = value
    try:
        parsed = parse_seal(bytes(data))
        check_seal(parsed)
    except (InputRefused, Untrusted, Indeterminate):
        return
    assert isinstance(parsed, ParsedSeal)


@pytest.mark.parametrize(
    "data", [b"", b"\x30", b"\x30\x00", b"hello", b"\x30\x80\x00\x00", b"\x30\x82" + b"\xff" * 9]
)
def test_what_is_no_seal_is_refused(data: bytes) -> None:
    with pytest.raises(InputRefused) as caught:
        parse_seal(data)
    assert caught.value.zh


def test_bytes_behind_a_seal_are_refused(good: bytes) -> None:
    with pytest.raises(InputRefused):
        parse_seal(good + b"\0")


@pytest.mark.parametrize(
    "changes",
    [
        {"header": {"ID": "XX", "version": 4, "Vid": "v"}},
        {"header": {"ID": "ES", "version": 1, "Vid": "v"}},
        {"picture": {"type": "PNG", "data": b"no picture", "width": 42, "height": 42}},
        {"picture": {"type": "PNG", "data": b"", "width": 42, "height": 42}},
        {"picture": {"type": "ofd", "data": b"PK", "width": 0, "height": 42}},
        {"picture": {"type": "ofd", "data": b"PK", "width": 42, "height": 100_000}},
    ],
    ids=["wrong-id", "old-version", "no-png", "empty-png", "no-width", "too-high"],
)
def test_a_seal_with_impossible_fields_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InputRefused):
        parse_seal(seal(**changes))


def test_a_vector_picture_is_not_opened() -> None:
    parsed = parse_seal(seal(picture={"type": "OFD", "data": b"PK\3\4", "width": 42, "height": 42}))
    assert parsed.picture == b"PK\3\4"


def test_seals_over_the_limits_are_refused(good: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, value in (
        ("MAX_SEAL_PICTURE_PIXELS", 99),
        ("MAX_SEAL_CERTIFICATES", 0),
        ("MAX_SEAL_BYTES", len(good) - 1),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(eseal, limit, value)
            with pytest.raises(InputRefused):
                parse_seal(good)
    assert parse_seal(good)


def test_an_unknown_algorithm_is_indeterminate() -> None:
    data = seal_over(asn1.SealInfo(info_fields()).dump(), algorithm="1.2.840.113549.1.1.4")
    with pytest.raises(Indeterminate, match=r"1\.2\.840\.113549\.1\.1\.4"):
        check_seal(parse_seal(data))


def test_an_algorithm_that_does_not_fit_the_key_is_untrusted() -> None:
    data = seal_over(asn1.SealInfo(info_fields()).dump(), algorithm=eseal.SHA256_ECDSA_OID)
    with pytest.raises(Untrusted, match="does not fit the key"):
        check_seal(parse_seal(data))


def test_an_unreadable_makers_certificate_is_indeterminate() -> None:
    data = seal_over(asn1.SealInfo(info_fields()).dump(), certificate=b"\x30\x03\x02\x01\x01")
    with pytest.raises(Indeterminate):
        check_seal(parse_seal(data))


def test_a_makers_key_that_is_no_key_is_indeterminate() -> None:
    certificate = rsa_maker().certificate.dump()
    rsa_oid = bytes.fromhex("06092a864886f70d010101")  # rsaEncryption, once in the certificate: the key's
    assert certificate.count(rsa_oid) == 1
    unknown = certificate.replace(rsa_oid, bytes.fromhex("06092a864886f70d01017f"))
    with pytest.raises(Indeterminate):
        check_seal(parse_seal(seal_over(asn1.SealInfo(info_fields()).dump(), certificate=unknown)))


@pytest.mark.needs_shared
@pytest.mark.parametrize("version", [1, 4, 5])
def test_another_implementations_seals_verify_and_altered_ones_do_not(shared: Path, version: int) -> None:
    data = (shared / "eseals" / f"UserV{version}.esl").read_bytes()
    parsed = check_seal(parse_seal(data)).seal
    assert (parsed.version, parsed.width_mm, parsed.height_mm) == (version, 40, 40)
    assert "印章" in parsed.name
    altered = data.replace("印章".encode(), "印草".encode())
    with pytest.raises(Untrusted):
        check_seal(parse_seal(altered))


@pytest.mark.needs_shared
def test_a_document_signature_is_no_seal(shared: Path) -> None:
    with pytest.raises(InputRefused):
        parse_seal((shared / "eseals" / "SignedValueV4.dat").read_bytes())
