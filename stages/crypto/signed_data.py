"""One CMS signature (RFC 5652) taken apart, and the checks that need nothing but its own bytes."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from asn1crypto import cms, core, crl, tsp, x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from stages.crypto.algorithms import ASN1_ERRORS as ASN1_ERRORS
from stages.crypto.algorithms import (
    ECDSA,
    ED25519,
    HASHES,
    RSA_PKCS1,
    RSA_PSS,
    WEAK_DIGESTS,
    check_strength,
    digest_name,
    key_name,
    unknown_algorithm,
    weak_algorithm,
)
from stages.crypto.checks import CheckFailed, CheckUnknown

MAX_CMS_BYTES = 4 << 20
MAX_CERTIFICATES = 64
SUB_FORMAT = "FORMAT_FAILURE"
SUB_HASH = "HASH_FAILURE"
SUB_CRYPTO = "SIG_CRYPTO_FAILURE"
SUB_CONSTRAINTS = "SIG_CONSTRAINTS_FAILURE"
SUB_GENERIC = "GENERIC"
SUB_NO_CERTIFICATE = "NO_SIGNING_CERTIFICATE_FOUND"


@dataclass(frozen=True, eq=False)
class CmsSignature:
    """The only signature of a CMS SignedData.

    Attributes:
        digest: hashlib's name of the message digest.
        signed_attributes: DER of the SET OF, as it was signed; None when there are none.
        content: the encapsulated content; None for a detached signature.
        content_type: dotted OID.
        lists: revocation lists that came along, unchecked.
    """

    certificate: x509.Certificate
    certificates: tuple[x509.Certificate, ...]
    digest: str
    algorithm: str
    content_type: str
    content: bytes | None = field(repr=False)
    value: bytes = field(repr=False)
    signed_attributes: bytes | None = field(repr=False)
    info: cms.SignerInfo = field(repr=False)
    lists: tuple[crl.CertificateList, ...] = field(default=(), repr=False)


def parse_signed_data(der: bytes) -> CmsSignature:
    """Return the signature in a DER ContentInfo; zeroes after it (room left in /Contents) are ignored.

    Raises:
        CheckFailed: it is no ContentInfo with one SignerInfo, or is over a limit.
        CheckUnknown: a content type or algorithm this program does not know; no certificate of the signer.
    """
    if len(der) > MAX_CMS_BYTES:
        raise _format(f"signature of {len(der)} bytes; the limit is {MAX_CMS_BYTES}", zh="签名数据过大")
    try:
        message = cms.ContentInfo.load(der)
        oid = message["content_type"].dotted
        if oid != "1.2.840.113549.1.7.2":
            raise CheckUnknown(
                "unknown-cms-type",
                SUB_GENERIC,
                f"signature of type {oid}, which is not CMS SignedData; this program cannot judge it",
                zh=f"签名类型 {oid} 不是 CMS SignedData，本程序无法判断",
            )
        return _take_apart(message["content"])
    except ASN1_ERRORS as error:
        raise _format(
            "the signature's bytes are not a readable CMS SignedData (RFC 5652)",
            zh="签名数据不是可读的 CMS SignedData",
        ) from error


def check_padding(der: bytes) -> None:
    """Check that only zeroes follow the signature: room left in /Contents, and nothing else.

    Raises:
        CheckFailed: something hides there, or the bytes are no ASN.1 value.
    """
    try:
        length = len(core.Any.load(der).dump())
    except ASN1_ERRORS as error:
        raise _format("the signature's bytes are not ASN.1", zh="签名数据不是 ASN.1 编码") from error
    if der[length:].strip(b"\0"):
        raise _format("other bytes hide behind the signature", zh="签名数据之后藏有其他字节")


def check_no_content(signature: CmsSignature) -> None:
    """Check that the signature is detached (ISO 32000-2 §12.8.3.3.1).

    Raises:
        CheckFailed: it carries content of its own.
    """
    if signature.content is not None:
        raise _format("the signature carries content of its own", zh="签名自带被签内容，不符合 PDF 规范")


def check_message_digest(signature: CmsSignature, digest: bytes) -> None:
    """Hold the digest of the signed bytes against the messageDigest attribute (RFC 5652 §11.2).

    Raises:
        CheckFailed: they differ, or the attribute is missing or doubled.
    """
    values = attribute_values(signature.info["signed_attrs"], "1.2.840.113549.1.9.4")
    if len(values) != 1:
        raise _format("the signature has no single messageDigest", zh="签名中没有唯一的消息摘要")
    if _native(values[0]) != digest:
        raise CheckFailed(
            "digest-mismatch",
            SUB_HASH,
            "the signed bytes were changed: their digest is not the one in the signature",
            zh="签名所覆盖的内容已被改动：摘要与签名中的不一致",
        )


def check_signed_attributes(signature: CmsSignature) -> None:
    """Check that contentType is there once and names what is signed (RFC 5652 §11.1).

    Raises:
        CheckFailed: it is missing, doubled or another type's.
    """
    values = attribute_values(signature.info["signed_attrs"], "1.2.840.113549.1.9.3")
    if len(values) != 1 or _native(values[0], dotted=True) != signature.content_type:
        raise _format(
            "the signature's contentType attribute does not name what was signed",
            zh="签名的 contentType 属性与被签内容类型不符",
        )


def check_signing_certificate(signature: CmsSignature, *, required: bool) -> None:
    """Check that the signed attributes name the certificate the signature came with (RFC 5035 §4).

    Raises:
        CheckFailed: they name another certificate, or none where one is required.
        CheckUnknown: the digest naming it is of an unknown algorithm.
    """
    found = False
    attributes = signature.info["signed_attrs"]
    der = signature.certificate.dump()
    try:
        for value in attribute_values(attributes, "1.2.840.113549.1.9.16.2.47"):
            named = tsp.SigningCertificateV2.load(value.dump())["certs"][0]
            digest = digest_name(named["hash_algorithm"]["algorithm"].dotted)
            found = True
            if hashlib.new(digest, der).digest() != named["cert_hash"].native:
                raise _other_certificate()
        for value in attribute_values(attributes, "1.2.840.113549.1.9.16.2.12"):
            named = tsp.SigningCertificate.load(value.dump())["certs"][0]
            found = True
            if hashlib.sha1(der, usedforsecurity=False).digest() != named["cert_hash"].native:
                raise _other_certificate()
    except ASN1_ERRORS as error:
        raise _format(
            "the signing-certificate attribute cannot be read", zh="signing-certificate 属性无法读取"
        ) from error
    if required and not found:
        raise CheckFailed(
            "signing-certificate-missing",
            SUB_CONSTRAINTS,
            "the signature does not say which certificate made it (ETSI EN 319 122-1 §5.2.2)",
            zh="签名未指明所用的签名证书",
        )


def check_signature_value(signature: CmsSignature, *, content_digest: bytes) -> None:
    """Check the signature value with the key of its certificate (RFC 5652 §5.6).

    Args:
        content_digest: of the signed content; what was signed when there are no signed attributes.

    Raises:
        CheckFailed: the key did not make this signature.
        CheckUnknown: an algorithm this program does not know, or one too weak to mean anything.
    """
    try:
        key = serialization.load_der_public_key(signature.certificate.public_key.dump())
    except (UnsupportedAlgorithm, *ASN1_ERRORS) as error:
        raise unknown_algorithm(key_name(signature.certificate)) from error
    digest = _signature_digest(signature)
    algorithm = utils.Prehashed(HASHES[digest]())
    signed = signature.signed_attributes
    prehashed = content_digest if signed is None else hashlib.new(digest, signed).digest()
    try:
        if signature.algorithm in RSA_PKCS1 and isinstance(key, rsa.RSAPublicKey):
            check_strength(key)
            key.verify(signature.value, prehashed, padding.PKCS1v15(), algorithm)
        elif signature.algorithm == RSA_PSS and isinstance(key, rsa.RSAPublicKey):
            check_strength(key)
            key.verify(signature.value, prehashed, _pss(signature, digest), algorithm)
        elif signature.algorithm in ECDSA and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature.value, prehashed, ec.ECDSA(algorithm))
        elif signature.algorithm == ED25519 and isinstance(key, ed25519.Ed25519PublicKey) and signed:
            key.verify(signature.value, signed)
        else:
            raise unknown_algorithm(signature.algorithm)
    except InvalidSignature as error:
        raise CheckFailed(
            "signature-value-wrong",
            SUB_CRYPTO,
            "the signature was not made with the key of the certificate in it, or was changed afterwards",
            zh="签名值验证失败：不是由所附证书的密钥签出，或签名已被改动",
        ) from error
    except UnsupportedAlgorithm as error:
        raise unknown_algorithm(f"{signature.algorithm} with {digest}") from error
    if digest in WEAK_DIGESTS or signature.digest in WEAK_DIGESTS:
        raise weak_algorithm(digest if digest in WEAK_DIGESTS else signature.digest)


def attribute_values(attributes: cms.CMSAttributes, oid: str) -> tuple[core.Asn1Value, ...]:
    """Return every value of the attributes of one type; the values of other types are not parsed.

    Raises:
        CheckFailed: the attributes cannot be read.
    """
    if isinstance(attributes, core.Void):
        return ()
    try:
        return tuple(
            value
            for attribute in attributes
            if attribute["type"].dotted == oid
            for value in attribute["values"]
        )
    except ASN1_ERRORS as error:
        raise _format("the signature's attributes cannot be read", zh="签名属性无法读取") from error


def signing_time(signature: CmsSignature) -> datetime | None:
    """Return what the signature claims of its time (RFC 5652 §11.3), unproven; None when it says nothing."""
    try:
        for value in attribute_values(signature.info["signed_attrs"], "1.2.840.113549.1.9.5"):
            native = value.native
            return native if isinstance(native, datetime) else None
    except (CheckFailed, *ASN1_ERRORS):
        return None
    return None


def _take_apart(data: cms.SignedData) -> CmsSignature:
    infos = data["signer_infos"]
    if len(infos) != 1:
        raise _format(
            f"{len(infos)} SignerInfos in one signature; there must be one (ETSI EN 319 142-1 §6.3)",
            zh=f"一个签名中有 {len(infos)} 个 SignerInfo，应为 1 个",
        )
    info = infos[0]
    certificates = _certificates(data)
    attributes = info["signed_attrs"]
    signed = None if isinstance(attributes, core.Void) else b"\x31" + attributes.dump()[1:]
    content = data["encap_content_info"]["content"]
    return CmsSignature(
        certificate=_signer(info["sid"], certificates),
        certificates=certificates,
        digest=digest_name(info["digest_algorithm"]["algorithm"].dotted),
        algorithm=info["signature_algorithm"]["algorithm"].dotted,
        content_type=data["encap_content_info"]["content_type"].dotted,
        content=None if isinstance(content, core.Void) else bytes(content),
        value=info["signature"].native,
        signed_attributes=signed,
        info=info,
        lists=() if isinstance(data["crls"], core.Void) else _lists(data),
    )


def _certificates(data: cms.SignedData) -> tuple[x509.Certificate, ...]:
    if isinstance(data["certificates"], core.Void):
        return ()
    if len(data["certificates"]) > MAX_CERTIFICATES:
        raise _format(f"more than {MAX_CERTIFICATES} certificates in one signature", zh="签名所附证书过多")
    return tuple(choice.chosen for choice in data["certificates"] if choice.name == "certificate")


def _lists(data: cms.SignedData) -> tuple[crl.CertificateList, ...]:
    return tuple(choice.chosen for choice in data["crls"] if choice.name == "crl")


def _signer(sid: cms.SignerIdentifier, certificates: tuple[x509.Certificate, ...]) -> x509.Certificate:
    for certificate in certificates:
        if sid.name == "issuer_and_serial_number":
            named = sid.chosen
            if (
                certificate.serial_number == named["serial_number"].native
                and certificate.issuer.dump() == named["issuer"].dump()
            ):
                return certificate
        elif certificate.key_identifier == sid.chosen.native:
            return certificate
    raise CheckUnknown(
        "signer-certificate-missing",
        SUB_NO_CERTIFICATE,
        "the signature does not contain the signer's certificate, so nobody can be named",
        zh="签名中没有签名者的证书，无法确定签署人",
    )


def _signature_digest(signature: CmsSignature) -> str:
    table = RSA_PKCS1 if signature.algorithm in RSA_PKCS1 else ECDSA
    named = table.get(signature.algorithm)
    if named is not None and named != signature.digest and signature.signed_attributes is None:
        raise unknown_algorithm(f"{signature.algorithm} over {signature.digest}")
    return named or signature.digest


def _pss(signature: CmsSignature, digest: str) -> padding.PSS:
    try:
        parameters = signature.info["signature_algorithm"]["parameters"]
        named = digest_name(parameters["hash_algorithm"]["algorithm"].dotted)
        mask = digest_name(parameters["mask_gen_algorithm"]["parameters"]["algorithm"].dotted)
        salt_bytes = int(parameters["salt_length"].native)
    except ASN1_ERRORS as error:
        raise _format("the signature's parameters cannot be read", zh="签名算法参数无法读取") from error
    if named != digest:
        raise unknown_algorithm(f"RSASSA-PSS with {named} over {digest}")
    return padding.PSS(padding.MGF1(HASHES[mask]()), salt_bytes)


def _native(value: core.Asn1Value, *, dotted: bool = False) -> object:
    if isinstance(value, core.ObjectIdentifier):
        return value.dotted
    try:
        kind = core.ObjectIdentifier if dotted else core.OctetString
        parsed = kind.load(value.dump())
        return parsed.dotted if dotted else parsed.native
    except ASN1_ERRORS:
        return None


def _format(message: str, *, zh: str) -> CheckFailed:
    return CheckFailed("format", SUB_FORMAT, message, zh=zh)


def _other_certificate() -> CheckFailed:
    return CheckFailed(
        "signing-certificate-mismatch",
        SUB_CONSTRAINTS,
        "the signature names another certificate than the one it came with",
        zh="签名指明的证书与所附证书不一致",
    )
