"""CMS SignedData (RFC 5652) as PAdES wants it, built once a certificate and completed once a signature."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from asn1crypto import x509

from stages.authorities import Signer
from stages.crypto import der
from stages.errors import Indeterminate, SigningRefused

OID_DATA = "1.2.840.113549.1.7.1"
OID_TST_INFO = "1.2.840.113549.1.9.16.1.4"
OID_SIGNATURE_TIMESTAMP = "1.2.840.113549.1.9.16.2.14"
"""id-aa-signatureTimeStampToken (RFC 3161 Appendix A)."""

MAX_CMS_BYTES = 256 * 1024
MAX_CHAIN_CERTIFICATES = 10
TIMESTAMP_ROOM_BYTES = 8 * 1024
"""Room for a timestamp token: 2.5 KiB with one certificate, 6 KiB with a chain of three."""

_SIGNED_DATA = der.oid("1.2.840.113549.1.7.2")
_DATA = der.oid(OID_DATA)
_CONTENT_TYPE = der.oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = der.oid("1.2.840.113549.1.9.4")
_SIGNING_TIME = der.oid("1.2.840.113549.1.9.5")
_SIGNING_CERTIFICATE_V2 = der.oid("1.2.840.113549.1.9.16.2.47")
_SIGNATURE_TIMESTAMP = der.oid(OID_SIGNATURE_TIMESTAMP)
_SHA256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))
_SIGNATURE_ALGORITHMS = {
    # RFC 8017 Appendix A.1 wants NULL parameters for rsaEncryption; RFC 5754 §3.2 none for ECDSA.
    "sha256_rsa": der.sequence(der.oid("1.2.840.113549.1.1.1"), der.NULL),
    "sha256_ecdsa": der.sequence(der.oid("1.2.840.10045.4.3.2")),
}
_SET_TAG = b"\x31"
_SIGNED_ATTRIBUTES_TAG = b"\xa0"
_UNSIGNED_ATTRIBUTES = 0xA1


@dataclass(frozen=True)
class _Template:
    """Everything of a SignedData that depends on the certificate alone, in DER."""

    certificates: bytes
    signer_identifier: bytes
    signing_certificate: bytes


def make_cms(signer: Signer, message_digest: bytes) -> bytes:
    """Return a detached CMS for PAdES B-B over a SHA-256 digest.

    Signed attributes: content type, message digest, signing-certificate-v2. No signing time: in
    PAdES that is the dictionary's /M, and the attribute is forbidden (ETSI EN 319 142-1 §6.3, Table 1).

    Raises:
        SigningRefused: the key refuses, or its algorithm is not one of ours.
    """
    attributes = (_attribute(_CONTENT_TYPE, _DATA), _digest_attribute(message_digest))
    return _signed_data(signer, attributes, version=1, content=der.sequence(_DATA))


def make_detached(signer: Signer, message_digest: bytes, *, signed_at: datetime) -> bytes:
    """Return a detached CMS for CAdES B-B over a SHA-256 digest (ETSI EN 319 122-1 §6.3).

    Args:
        signed_at: the signing-time attribute; an aware instant.

    Raises:
        SigningRefused: the key refuses, or its algorithm is not one of ours.
    """
    attributes = (
        _attribute(_CONTENT_TYPE, _DATA),
        _digest_attribute(message_digest),
        _attribute(_SIGNING_TIME, der.utc_time(signed_at)),
    )
    return _signed_data(signer, attributes, version=1, content=der.sequence(_DATA))


def make_signed_content(
    signer: Signer, content_type: str, content: bytes, *, signed_at: datetime, with_certificates: bool
) -> bytes:
    """Return a CMS that carries its content, as a timestamp token does (RFC 3161 §2.4.2).

    Args:
        content_type: dotted identifier of what `content` is.
        signed_at: the signing-time attribute; an aware instant.

    Raises:
        SigningRefused: the key refuses, or its algorithm is not one of ours.
    """
    type_oid = der.oid(content_type)
    attributes = (
        _attribute(_CONTENT_TYPE, type_oid),
        _digest_attribute(hashlib.sha256(content).digest()),
        _attribute(_SIGNING_TIME, der.utc_time(signed_at)),
    )
    encapsulated = der.sequence(type_oid, der.tlv(0xA0, der.octet_string(content)))
    return _signed_data(signer, attributes, version=3, content=encapsulated, certificates=with_certificates)


def cms_room_bytes(signer: Signer) -> int:
    """Return how many bytes to keep free for a CMS by this signer with its timestamp.

    It depends on certificates and key alone, so the same document gets the same room every time.
    """
    template = _template_of(signer)
    key_bytes = (int(signer.certificate.public_key.bit_size) + 7) // 8
    parts = len(template.certificates) + len(template.signer_identifier) + len(template.signing_certificate)
    # Twice the key for r and s of ECDSA, which also covers RSA; 256 for tags, digests and identifiers.
    return parts + 2 * key_bytes + 256 + TIMESTAMP_ROOM_BYTES


def trim(padded: bytes) -> bytes:
    """Return the CMS at the beginning of `/Contents`, without the zeros behind it.

    Raises:
        Indeterminate: it does not begin with one, or something else than zeros follows.
    """
    try:
        end = der.read(padded).end
    except ValueError as error:
        raise _not_a_cms(str(error)) from error
    if padded[end:].strip(b"\x00"):
        raise _not_a_cms("bytes other than zeros follow it")
    return padded[:end]


def signature_value(cms: bytes) -> bytes:
    """Return the signature of the only SignerInfo: what a signature timestamp covers.

    Raises:
        Indeterminate: not a CMS with one signer.
    """
    _, signature, _ = _signer_info(cms)
    return cms[signature.value_start : signature.end]


def timestamp_token(cms: bytes) -> bytes | None:
    """Return the signature timestamp token (DER ContentInfo), None when there is none.

    Raises:
        Indeterminate: not a CMS with one signer, or the attribute does not hold exactly one token.
    """
    _, _, unsigned = _signer_info(cms)
    tokens = []
    try:
        for attribute in der.children(cms, unsigned) if unsigned else ():
            name, values = der.children(cms, attribute)
            if cms[name.start : name.end] == _SIGNATURE_TIMESTAMP:
                tokens += [cms[value.start : value.end] for value in der.children(cms, values)]
    except ValueError as error:
        raise _not_a_cms(str(error)) from error
    if len(tokens) > 1:
        raise _not_a_cms(f"it holds {len(tokens)} signature timestamps")
    return tokens[0] if tokens else None


def with_timestamp(cms: bytes, token: bytes) -> bytes:
    """Return the CMS with a signature timestamp added to its unsigned attributes (RFC 3161 App. A).

    Every other byte of certificates, signed attributes and signature stays as it was.

    Raises:
        Indeterminate: not a CMS with one signer.
    """
    path, signature, unsigned = _signer_info(cms)
    attributes = [cms[a.start : a.end] for a in der.children(cms, unsigned)] if unsigned else []
    attributes.append(_attribute(_SIGNATURE_TIMESTAMP, token))
    new = bytes((_UNSIGNED_ATTRIBUTES,)) + der.set_of(*attributes)[1:]
    # From the inside out: each container again, with its last child replaced.
    start = signature.end
    for container in reversed(path):
        new = der.tlv(container.tag, cms[container.value_start : start], new)
        start = container.start
    return new


def _signed_data(
    signer: Signer, attributes: Sequence[bytes], *, version: int, content: bytes, certificates: bool = True
) -> bytes:
    algorithm = _SIGNATURE_ALGORITHMS.get(signer.signature_algorithm)
    if algorithm is None:
        known = ", ".join(_SIGNATURE_ALGORITHMS)
        raise SigningRefused(
            f"signature algorithm {signer.signature_algorithm} is not supported; use a key for {known}",
            zh=f"不支持签名算法 {signer.signature_algorithm}，请使用以下算法的密钥：{known}",
        )
    template = _template_of(signer)
    signed_attributes = der.set_of(*attributes, template.signing_certificate)
    signer_info = der.sequence(
        der.integer(1),
        template.signer_identifier,
        _SHA256,
        # Signed as a SET OF, stored as [0] IMPLICIT (RFC 5652 §5.4).
        _SIGNED_ATTRIBUTES_TAG + signed_attributes[len(_SET_TAG) :],
        algorithm,
        der.octet_string(signer.sign(signed_attributes)),
    )
    return der.sequence(
        _SIGNED_DATA,
        der.tlv(
            0xA0,
            der.sequence(
                der.integer(version),
                der.set_of(_SHA256),
                content,
                template.certificates if certificates else b"",
                der.set_of(signer_info),
            ),
        ),
    )


def _template_of(signer: Signer) -> _Template:
    if len(signer.chain) >= MAX_CHAIN_CERTIFICATES:
        raise SigningRefused(
            f"{len(signer.chain)} issuer certificates with the key; at most {MAX_CHAIN_CERTIFICATES - 1}",
            zh=f"签名证书附带 {len(signer.chain)} 张上级证书，最多 {MAX_CHAIN_CERTIFICATES - 1} 张",
        )
    return _template(signer.certificate.dump(), tuple(issuer.dump() for issuer in signer.chain))


@lru_cache(maxsize=32)
def _template(certificate: bytes, chain: tuple[bytes, ...]) -> _Template:
    parsed = x509.Certificate.load(certificate)
    issuer, serial = parsed.issuer.dump(), der.integer(parsed.serial_number)
    # ESSCertIDv2 with the default SHA-256 left out (RFC 5035 §4); issuerSerial as ETSI wants it.
    issuer_serial = der.sequence(der.sequence(der.tlv(0xA4, issuer)), serial)
    certificate_id = der.sequence(der.octet_string(hashlib.sha256(certificate).digest()), issuer_serial)
    return _Template(
        certificates=b"\xa0" + der.set_of(*dict.fromkeys((certificate, *chain)))[1:],
        signer_identifier=der.sequence(issuer, serial),
        signing_certificate=_attribute(_SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(certificate_id))),
    )


def _attribute(name: bytes, value: bytes) -> bytes:
    return der.sequence(name, der.set_of(value))


def _digest_attribute(digest: bytes) -> bytes:
    return _attribute(_MESSAGE_DIGEST, der.octet_string(digest))


def _signer_info(cms: bytes) -> tuple[list[der.Element], der.Element, der.Element | None]:
    """Return the containers down to the only SignerInfo, its signature, and its unsigned attributes."""
    if len(cms) > MAX_CMS_BYTES:
        raise _not_a_cms(f"{len(cms)} bytes, more than {MAX_CMS_BYTES}")
    try:
        content_info = der.read(cms)
        name, explicit = der.children(cms, content_info)
        (signed_data,) = der.children(cms, explicit)
        signer_infos = der.children(cms, signed_data)[-1]
        (signer_info,) = der.children(cms, signer_infos)
        fields = der.children(cms, signer_info)
    except (ValueError, IndexError) as error:
        raise _not_a_cms(str(error)) from error
    unsigned = fields[-1] if fields and fields[-1].tag == _UNSIGNED_ATTRIBUTES else None
    signature = fields[-2 if unsigned else -1] if len(fields) > 1 else None
    if (
        cms[name.start : name.end] != _SIGNED_DATA
        or content_info.end != len(cms)
        or signature is None
        or signature.tag != der.OCTET_STRING
    ):
        raise _not_a_cms("not a SignedData with one signer")
    return [content_info, explicit, signed_data, signer_infos, signer_info], signature, unsigned


def _not_a_cms(why: str) -> Indeterminate:
    return Indeterminate(
        f"the signature cannot be read as CMS: {why}; sign the document again",
        zh="签名内容无法按 CMS 解读，请重新签署该文件",
    )
