"""Reads electronic seals (GB/T 38540-2020, GM/T 0031) of any maker, and checks what the maker signed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asn1crypto import core, parser, x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from stages.crypto import eseal_asn1 as asn1
from stages.crypto import sm2
from stages.errors import Indeterminate, InputRefused, Untrusted
from stages.pictures import open_picture_bytes

MAX_SEAL_BYTES = 8 * 1024 * 1024
MAX_SEAL_PICTURE_PIXELS = 36_000_000
MAX_SEAL_PICTURE_MM = 1_000
MAX_SEAL_CERTIFICATES = 64
MAX_SEAL_EXTENSIONS = 64

SHA256_RSA_OID = "1.2.840.113549.1.1.11"
SHA256_ECDSA_OID = "1.2.840.10045.4.3.2"

_FIRST_V4 = 4
_FIRST_V5 = 5
_RASTER_TYPES = {"PNG": "PNG", "JPG": "JPEG", "JPEG": "JPEG", "GIF": "GIF", "BMP": "BMP"}
_PARSE_FAULTS = (ValueError, TypeError, LookupError, OverflowError, RecursionError)
"""What asn1crypto raises on bytes that are not what the schema says."""


@dataclass(frozen=True)
class SealExtension:
    """One ExtData of a seal, as it stands."""

    oid: str
    critical: bool
    value: bytes = field(repr=False)


@dataclass(frozen=True)
class ParsedSeal:
    """An electronic seal's fields as they stand; nothing of it has been checked.

    Attributes:
        version: 1 to 3 (GM/T 0031-2014), 4 (GB/T 38540-2020) or 5 (GM/T 0031-2025).
        type_code: the maker's number for the kind of seal; makers differ.
        certificates: DER of the signers' certificates the seal is bound to.
        certificate_digests: algorithm name and digest, when it is bound by digest instead.
        picture_type: as written: PNG, jpg, ofd …
        width_mm, height_mm: of the picture, not of the ink.
        signed_bytes: what the maker's signature covers, cut from the original bytes.
        timestamp: the maker's time-stamp token (V5), empty when there is none.
    """

    version: int
    vendor_id: str
    seal_id: str
    type_code: int
    name: str
    certificates: tuple[bytes, ...] = field(repr=False)
    certificate_digests: tuple[tuple[str, bytes], ...] = field(repr=False)
    created_at: datetime
    valid_from: datetime
    valid_until: datetime
    picture_type: str
    picture: bytes = field(repr=False)
    width_mm: int
    height_mm: int
    extensions: tuple[SealExtension, ...]
    maker_certificate: bytes = field(repr=False)
    signature_oid: str
    signature: bytes = field(repr=False)
    signed_bytes: bytes = field(repr=False)
    timestamp: bytes = field(repr=False, default=b"")


@dataclass(frozen=True)
class VerifiedSeal:
    """A seal whose maker's signature covers the fields shown. Whether the maker is trusted, and whether
    the seal was valid at some instant, are other questions."""

    seal: ParsedSeal
    maker: x509.Certificate = field(repr=False)


def parse_seal(data: bytes) -> ParsedSeal:
    """Read an electronic seal's fields.

    Raises:
        InputRefused: no electronic seal, damaged, or over a limit of this module.
    """
    if len(data) > MAX_SEAL_BYTES:
        raise _refused(
            f"{len(data)} bytes, the limit is {MAX_SEAL_BYTES}", f"文件 {len(data)} 字节，超过上限"
        )
    try:
        parts = _elements(data, strict=True)
        if len(parts) == 2:
            parsed = _parse_v1(data, parts)
        elif len(parts) in (4, 5):
            parsed = _parse_v4(data, parts)
        else:
            raise ValueError(f"{len(parts)} elements")
    except _PARSE_FAULTS as error:
        raise _refused(
            f"not an electronic seal of GB/T 38540 or GM/T 0031 ({type(error).__name__})",
            "不是符合 GB/T 38540 或 GM/T 0031 的电子印章数据",
        ) from error
    _check_picture(parsed)
    return parsed


def check_seal(parsed: ParsedSeal) -> VerifiedSeal:
    """Check that the maker's certificate's key signed the seal's fields.

    1. The maker's certificate can be read.
    2. Its key made `signature` over `signed_bytes` (V4, V5: SES_SealInfo, GB/T 38540-2020 §6;
       V1: SES_SealInfo, certificate and algorithm).

    Raises:
        Untrusted: the signature does not match.
        Indeterminate: the certificate cannot be read, or the algorithm is not one we know.
    """
    try:
        maker = x509.Certificate.load(parsed.maker_certificate, strict=True)
        key_der = maker.public_key.dump()
    except _PARSE_FAULTS as error:
        raise Indeterminate(
            "the seal maker's certificate cannot be read; ask the maker for a good copy of the seal",
            zh="制章者证书无法读取，请向制章单位索取完好的电子印章。",
        ) from error
    if parsed.signature_oid in sm2.SM2_SIGNATURE_OIDS:
        sm2.check_signature(parsed.signed_bytes, parsed.signature, sm2.public_point(maker))
    elif parsed.signature_oid in (SHA256_RSA_OID, SHA256_ECDSA_OID):
        _check_sha256(parsed, key_der)
    else:
        raise Indeterminate(
            f"the seal is signed with algorithm {parsed.signature_oid}, which is not supported",
            zh=f"电子印章使用的签名算法 {parsed.signature_oid} 暂不支持，无法验证。",
        )
    return VerifiedSeal(seal=parsed, maker=maker)


def _check_sha256(parsed: ParsedSeal, key_der: bytes) -> None:
    try:
        key = load_der_public_key(key_der)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Indeterminate(
            "the public key in the seal maker's certificate cannot be read; ask the maker",
            zh="制章者证书中的公钥无法读取，请联系制章单位。",
        ) from error
    try:
        if parsed.signature_oid == SHA256_RSA_OID and isinstance(key, rsa.RSAPublicKey):
            key.verify(parsed.signature, parsed.signed_bytes, padding.PKCS1v15(), hashes.SHA256())
        elif parsed.signature_oid == SHA256_ECDSA_OID and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(parsed.signature, parsed.signed_bytes, ec.ECDSA(hashes.SHA256()))
        else:
            raise Untrusted(
                "the seal's signature algorithm does not fit the key in its maker's certificate",
                zh="电子印章的签名算法与制章者证书的密钥类型不符。",
            )
    except InvalidSignature as error:
        raise Untrusted(
            "the seal maker's signature does not match the seal; the seal was changed after it was made",
            zh="制章者签名与印章数据不符，电子印章在制作后被改动。",
        ) from error


def _elements(data: bytes, *, strict: bool = False) -> list[bytes]:
    """Return the original bytes of a SEQUENCE's elements."""
    class_, method, tag, _, contents, _ = parser.parse(data, strict=strict)
    if (class_, method, tag) != (0, 1, core.Sequence.tag):
        raise ValueError("no SEQUENCE")
    elements: list[bytes] = []
    while contents:
        header, body, trailer = parser.parse(contents)[3:]
        elements.append(header + body + trailer)
        contents = contents[len(elements[-1]) :]
    return elements


def _parse_v4(data: bytes, parts: list[bytes]) -> ParsedSeal:
    seal = asn1.Seal.load(data, strict=True)
    info = _load_info(parts[0])
    properties = info["property"]
    by_certificate = properties["certListType"].native == asn1.CERTIFICATES
    bound_to = _limited(properties["certList"], MAX_SEAL_CERTIFICATES)
    if not by_certificate and properties["certListType"].native != asn1.CERTIFICATE_DIGESTS:
        raise ValueError("certListType is neither 1 nor 2")
    version = int(info["header"]["version"].native)
    if version < _FIRST_V4:
        raise ValueError("an old version number on a new structure")
    return ParsedSeal(
        **_fields(info),
        certificates=tuple(item.native for item in bound_to) if by_certificate else (),
        certificate_digests=()
        if by_certificate
        else tuple((item["type"].native, item["value"].native) for item in bound_to),
        extensions=_extensions(info["extDatas"]),
        maker_certificate=seal["cert"].native,
        signature_oid=seal["signAlgID"].dotted,
        signature=seal["signedValue"].native,
        signed_bytes=parts[0],
        timestamp=_timestamp(parts[4]) if len(parts) > _FIRST_V4 else b"",
    )


def _load_info(der: bytes) -> core.Sequence:
    """Load SES_SealInfo; its extensions stand untagged (the standard) or inside [0] (some vendors)."""
    last = _elements(der)[-1]
    tagged = last[0] == 0xA0
    return (asn1.SealInfoTagged if tagged else asn1.SealInfo).load(der, strict=True)


def _timestamp(element: bytes) -> bytes:
    """Return the token in `timeStamp [0] BIT STRING`, tagged explicitly or implicitly: both are found."""
    class_, method, tag, _, contents, _ = parser.parse(element, strict=True)
    if (class_, tag) != (2, 0):
        raise ValueError("timeStamp is not tagged [0]")
    if method == 1:
        return bytes(core.OctetBitString.load(contents, strict=True).native)
    if not contents or contents[0] != 0:
        raise ValueError("timeStamp is no whole number of bytes")
    return bytes(contents[1:])


def _parse_v1(data: bytes, parts: list[bytes]) -> ParsedSeal:
    seal = asn1.SealV1.load(data, strict=True)
    info = asn1.SealInfoV1.load(parts[0], strict=True)
    if int(info["header"]["version"].native) >= _FIRST_V4:
        raise ValueError("a new version number on an old structure")
    sign_parts = _elements(parts[1])
    covered = parts[0] + sign_parts[0] + sign_parts[1]
    return ParsedSeal(
        **_fields(info),
        certificates=tuple(
            item.native for item in _limited(info["property"]["certList"], MAX_SEAL_CERTIFICATES)
        ),
        certificate_digests=(),
        extensions=(),
        maker_certificate=seal["signInfo"]["cert"].native,
        signature_oid=seal["signInfo"]["signatureAlgorithm"].dotted,
        signature=seal["signInfo"]["signData"].native,
        signed_bytes=parser.emit(0, 1, core.Sequence.tag, covered),
    )


def _fields(info: core.Sequence) -> dict[str, Any]:
    """Return what V1 and V4 have in common."""
    header, properties, picture = info["header"], info["property"], info["picture"]
    if header["ID"].native != asn1.SEAL_HEADER_ID:
        raise ValueError("the header's ID is not ES")
    return {
        "version": int(header["version"].native),
        "vendor_id": header["Vid"].native,
        "seal_id": info["esID"].native,
        "type_code": int(properties["type"].native),
        "name": properties["name"].native,
        "created_at": properties["createDate"].native,
        "valid_from": properties["validStart"].native,
        "valid_until": properties["validEnd"].native,
        "picture_type": picture["type"].native,
        "picture": picture["data"].native,
        "width_mm": int(picture["width"].native),
        "height_mm": int(picture["height"].native),
    }


def _extensions(extensions: core.Asn1Value) -> tuple[SealExtension, ...]:
    if isinstance(extensions, core.Void):
        return ()
    return tuple(
        SealExtension(item["extnID"].dotted, bool(item["critical"].native), item["extnValue"].native)
        for item in _limited(extensions, MAX_SEAL_EXTENSIONS)
    )


def _limited(items: core.SequenceOf, limit: int) -> core.SequenceOf:
    if len(items) > limit:
        raise ValueError(f"{len(items)} items, the limit is {limit}")
    return items


def _check_picture(parsed: ParsedSeal) -> None:
    """Check the picture's size on paper and, of a raster, in pixels; a vector picture (ofd) is not opened."""
    for side_mm in (parsed.width_mm, parsed.height_mm):
        if not 0 < side_mm <= MAX_SEAL_PICTURE_MM:
            raise _refused(f"its picture is {side_mm} mm wide or high", f"印章图像尺寸 {side_mm} 毫米不合理")
    raster = _RASTER_TYPES.get(parsed.picture_type.upper())
    if raster is not None:
        open_picture_bytes(
            parsed.picture,
            name="the seal's picture",
            formats=frozenset({raster}),
            max_pixels=MAX_SEAL_PICTURE_PIXELS,
        ).close()


def _refused(fact: str, fact_zh: str) -> InputRefused:
    return InputRefused(
        f"electronic seal: {fact}; get the .esl file from its maker again",
        zh=f"电子印章：{fact_zh}；请向制章单位重新索取 .esl 文件。",
    )
