"""SM2-with-SM3 verification against the standard's own example, other encodings, and gmssl's known faults."""

import hashlib
from collections.abc import Callable

import pytest
from asn1crypto import algos, core, keys
from asn1crypto import x509 as asn1_x509
from gmssl import sm2 as gmssl_sm2
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.crypto import sm2
from stages.errors import Indeterminate, Untrusted
from tests.stages.makers import UnsafeMaker
from tests.stages.test_make import MADE_AT, YEAR

# GM/T 0003.5-2012 annex A.2: ID 1234567812345678, message "message digest".
MESSAGE = b"message digest"
POINT = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
N = int(gmssl_sm2.default_ecc_table["n"], 16)
PRIVATE_KEY_04 = 11
"""Its public key begins with 04, which gmssl strips off."""


def raw(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def der(r: int, s: int) -> bytes:
    return bytes(algos.DSASignature({"r": r, "s": s}).dump())


def der_with_padded_integers(r: int, s: int) -> bytes:
    body = b"".join(b"\x02\x21\x00" + value.to_bytes(32, "big") for value in (r, s))
    return b"\x30" + bytes([len(body)]) + body


def der_without_sign_octets(r: int, s: int) -> bytes:
    body = b"".join(b"\x02\x20" + value.to_bytes(32, "big") for value in (r, s))
    return b"\x30" + bytes([len(body)]) + body


def point_of(private_key: int) -> bytes:
    table = gmssl_sm2.default_ecc_table
    return bytes.fromhex(gmssl_sm2.CryptSM2("", "")._kg(private_key, table["g"]))


def unsafe_sign(private_key: int, message: bytes, nonce: int) -> bytes:
    signer = gmssl_sm2.CryptSM2(f"{private_key:064x}", "")
    signer.public_key = point_of(private_key).hex()
    return bytes.fromhex(signer.sign_with_sm3(message, f"{nonce:064x}"))


def certificate_with(point: bytes, *, curve: str = sm2.SM2_CURVE_OID) -> asn1_x509.Certificate:
    certificate = UnsafeMaker("ecdsa", MADE_AT - YEAR, MADE_AT + YEAR).certificate.copy()
    certificate["tbs_certificate"]["subject_public_key_info"] = keys.PublicKeyInfo(
        {
            "algorithm": {"algorithm": "ec", "parameters": keys.ECDomainParameters("named", curve)},
            "public_key": keys.ECPointBitString(b"\x04" + point),
        }
    )
    return asn1_x509.Certificate.load(certificate.dump(force=True))


def test_sm3_gives_the_standards_example() -> None:
    expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm2.sm3(b"abc").hex() == expected


def test_sm3_is_the_same_without_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    with_openssl = sm2.sm3(MESSAGE)
    monkeypatch.setattr(hashlib, "algorithms_available", set())
    assert sm2.sm3(MESSAGE) == with_openssl


@pytest.mark.parametrize("encode", [raw, der, der_with_padded_integers, der_without_sign_octets])
def test_the_standards_example_verifies_in_every_encoding_found(encode: Callable[[int, int], bytes]) -> None:
    sm2.check_signature(MESSAGE, encode(R, S), POINT)


@pytest.mark.parametrize(
    ("message", "r", "s"),
    [(b"message digesT", R, S), (MESSAGE, R ^ 1, S), (MESSAGE, R, S ^ 1), (MESSAGE, S, R)],
)
def test_a_changed_message_or_signature_is_untrusted(message: bytes, r: int, s: int) -> None:
    with pytest.raises(Untrusted) as caught:
        sm2.check_signature(message, der(r, s), POINT)
    assert caught.value.zh


def test_another_signers_id_gives_another_answer() -> None:
    with pytest.raises(Untrusted):
        sm2.check_signature(MESSAGE, der(R, S), POINT, signer_id=b"")


@pytest.mark.parametrize(("r", "s"), [(0, S), (R, 0), (N, S), (R, N), (R, S + N), (R + N, S), (0, 0)])
def test_r_and_s_out_of_range_are_untrusted(r: int, s: int) -> None:
    with pytest.raises(Untrusted, match="out of range"):
        sm2.check_signature(MESSAGE, der(r, s), POINT)


@pytest.mark.parametrize(
    "signature",
    [b"", b"\x30", b"\x30\x00", b"\x30\x03\x02\x01\x01", raw(R, S)[:-1], der(R, S) + b"\0", b"0" * 500],
)
def test_what_is_no_signature_is_untrusted(signature: bytes) -> None:
    with pytest.raises(Untrusted, match="not an SM2 signature"):
        sm2.read_signature(signature)


def test_a_point_off_the_curve_is_untrusted() -> None:
    off = POINT[:-1] + bytes([POINT[-1] ^ 1])
    with pytest.raises(Untrusted, match="not a point"):
        sm2.check_signature(MESSAGE, der(R, S), off)
    with pytest.raises(Untrusted, match="not a point"):
        sm2.public_point(certificate_with(off))
    with pytest.raises(Untrusted, match="not a point"):
        sm2.check_on_curve(POINT[:-1])


def test_a_key_that_begins_with_zero_and_four_verifies() -> None:
    point = point_of(PRIVATE_KEY_04)
    assert point.hex().startswith("04")
    sm2.check_signature(MESSAGE, unsafe_sign(PRIVATE_KEY_04, MESSAGE, 0xABCDEF), point)


def test_the_key_is_read_from_a_certificate() -> None:
    assert sm2.public_point(certificate_with(POINT)) == POINT


def test_a_certificate_without_an_sm2_key_is_indeterminate() -> None:
    for kind in ("rsa", "ecdsa"):
        with pytest.raises(Indeterminate, match="no uncompressed SM2 key"):
            sm2.public_point(UnsafeMaker(kind, MADE_AT - YEAR, MADE_AT + YEAR).certificate)


def test_a_certificate_whose_key_cannot_be_read_is_indeterminate() -> None:
    certificate = UnsafeMaker("ecdsa", MADE_AT - YEAR, MADE_AT + YEAR).certificate.copy()
    info = certificate["tbs_certificate"]["subject_public_key_info"]
    info["algorithm"] = {"algorithm": "ec", "parameters": keys.ECDomainParameters("implicit_ca", core.Null())}
    with pytest.raises(Indeterminate):
        sm2.public_point(asn1_x509.Certificate.load(certificate.dump(force=True)))


@settings(max_examples=6, deadline=None)
@given(private_key=st.integers(1, N - 2), nonce=st.integers(1, N - 1), message=st.binary(max_size=200))
def test_what_gmssl_signs_verifies_and_a_flipped_bit_does_not(
    private_key: int, nonce: int, message: bytes
) -> None:
    signature = unsafe_sign(private_key, message, nonce)
    sm2.check_signature(message, signature, point_of(private_key))
    broken = bytearray(signature)
    broken[10] ^= 4
    with pytest.raises(Untrusted):
        sm2.check_signature(message, bytes(broken), point_of(private_key))
