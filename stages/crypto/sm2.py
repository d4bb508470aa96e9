"""Checks SM2-with-SM3 signatures (GB/T 32918.2-2016, GM/T 0009-2012); it never touches a private key.

The curve arithmetic is gmssl's. What gmssl leaves out is done here: reading the encodings found in the
field, the range of r and s, and whether the public key lies on the curve. The key is never
handed to its constructor, which strips a leading "04" with `lstrip("04")` and mangles one key in seven.
"""

import hashlib

from asn1crypto import core, x509
from gmssl import sm2 as gmssl_sm2
from gmssl import sm3 as gmssl_sm3

from stages.errors import Indeterminate, Untrusted

SM2_CURVE_OID = "1.2.156.10197.1.301"
SM2_WITH_SM3_OID = "1.2.156.10197.1.501"
SM2_SIGNATURE_OIDS = frozenset({SM2_WITH_SM3_OID, "1.2.156.10197.1.301.1", SM2_CURVE_OID})
"""501 is what the standard says and what we would write; the other two are read because they are found."""

STANDARD_SIGNER_ID = b"1234567812345678"
"""GM/T 0009-2012 §10: the ID of a signer who has agreed on no other."""

MAX_SIGNATURE_BYTES = 160

_TABLE = gmssl_sm2.default_ecc_table
_P = int(_TABLE["p"], 16)
_A = int(_TABLE["a"], 16)
_B = int(_TABLE["b"], 16)
_N = int(_TABLE["n"], 16)
_COORDINATE_BYTES = 32


def sm3(data: bytes) -> bytes:
    """Return the SM3 digest (GB/T 32905-2016), by OpenSSL where it has SM3, else by gmssl (slow)."""
    if "sm3" in hashlib.algorithms_available:
        return hashlib.new("sm3", data).digest()
    return bytes.fromhex(gmssl_sm3.sm3_hash(list(data)))


def read_signature(signature: bytes) -> tuple[int, int]:
    """Return r and s of a signature as DER, as DER with padded INTEGERs, or as raw r‖s of 64 bytes.

    Raises:
        Untrusted: it is none of these, or r or s lies outside 1..n-1 (GB/T 32918.2 §7.1 a, b).
    """
    if len(signature) > MAX_SIGNATURE_BYTES:
        raise _not_a_signature(f"{len(signature)} bytes")
    if len(signature) == 2 * _COORDINATE_BYTES and not _is_sequence(signature):
        r = int.from_bytes(signature[:_COORDINATE_BYTES], "big")
        s = int.from_bytes(signature[_COORDINATE_BYTES:], "big")
    else:
        try:
            parts = _TwoIntegers.load(signature, strict=True)
            values = [int.from_bytes(part.contents, "big") for part in parts]
        except (ValueError, TypeError) as error:
            raise _not_a_signature("not a SEQUENCE of two INTEGERs") from error
        if len(values) != 2:
            raise _not_a_signature(f"a SEQUENCE of {len(values)}")
        r, s = values
    if not (0 < r < _N and 0 < s < _N):
        raise _not_a_signature("r or s is out of range")
    return r, s


def public_point(certificate: x509.Certificate) -> bytes:
    """Return X‖Y (64 bytes) of a certificate's SM2 public key, checked to lie on the curve.

    Raises:
        Indeterminate: the key is no SM2 key.
        Untrusted: the point does not lie on the curve (GB/T 32918.1 §6.2.1).
    """
    try:
        key = certificate.public_key
        curve = key["algorithm"]["parameters"].chosen.dotted if key.algorithm == "ec" else ""
        point = bytes(key["public_key"].native) if curve == SM2_CURVE_OID else b""
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Indeterminate(
            "the certificate's public key cannot be read; ask its issuer",
            zh="证书中的公钥无法读取，请联系证书颁发机构。",
        ) from error
    if len(point) != 1 + 2 * _COORDINATE_BYTES or point[0] != 4:
        raise Indeterminate(
            "the certificate holds no uncompressed SM2 key, so an SM2 signature cannot be checked with it",
            zh="证书中不是（未压缩的）SM2 公钥，无法验证 SM2 签名。",
        )
    check_on_curve(point[1:])
    return point[1:]


def check_on_curve(point: bytes) -> None:
    """Check that X‖Y (64 bytes) is a point of the SM2 curve.

    Raises:
        Untrusted: it is not.
    """
    x = int.from_bytes(point[:_COORDINATE_BYTES], "big")
    y = int.from_bytes(point[_COORDINATE_BYTES:], "big")
    on_curve = x < _P and y < _P and (y * y - x * x * x - _A * x - _B) % _P == 0
    if len(point) != 2 * _COORDINATE_BYTES or not on_curve:
        raise Untrusted(
            "the SM2 public key is not a point of the curve; the certificate was tampered with or is faulty",
            zh="SM2 公钥不在曲线上，证书被篡改或有误。",
        )


def check_signature(
    message: bytes, signature: bytes, point: bytes, *, signer_id: bytes = STANDARD_SIGNER_ID
) -> None:
    """Check an SM2-with-SM3 signature over a message (GB/T 32918.2-2016 §7).

    Args:
        point: X‖Y of the signer's public key, 64 bytes.

    Raises:
        Untrusted: the signature, or the key, does not match.
    """
    check_on_curve(point)
    r, s = read_signature(signature)
    head = (len(signer_id) * 8).to_bytes(2, "big") + signer_id
    curve = bytes.fromhex(_TABLE["a"] + _TABLE["b"] + _TABLE["g"])
    digest = sm3(sm3(head + curve + point) + message)
    verifier = gmssl_sm2.CryptSM2(private_key="", public_key="")
    verifier.public_key = point.hex()  # set past the constructor, which strips leading zeros and fours
    try:
        matches = bool(verifier.verify(f"{r:064x}{s:064x}", digest))
    except TypeError:  # gmssl's sign of the point at infinity, which no valid signature leads to
        matches = False
    if not matches:
        raise Untrusted(
            "the SM2 signature does not match the signed bytes; they were changed after signing",
            zh="SM2 签名与被签内容不符，内容在签名后被改动。",
        )


class _TwoIntegers(core.SequenceOf):  # type: ignore[misc]
    _child_spec = core.Integer


def _is_sequence(signature: bytes) -> bool:
    return signature[0] == 0x30 and signature[1] == len(signature) - 2 and signature[2] == 0x02


def _not_a_signature(what: str) -> Untrusted:
    return Untrusted(
        f"not an SM2 signature: {what}",
        zh="不是有效的 SM2 签名值。",
    )
