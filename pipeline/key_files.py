"""Signing keys in files: PKCS#12, and PEM with the certificates beside the key."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asn1crypto.x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_pem_private_key,
    pkcs12,
)

from pipeline.key_certificates import issuers_among, subject_of
from pipeline.pins import Pin, pin_of
from stages.authorities import Signer
from stages.errors import SigningRefused

MAX_KEY_FILE_BYTES = 256 * 1024
MIN_RSA_BITS = 2048

_PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_Opened = tuple[object, x509.Certificate | None, Sequence[x509.Certificate]]


@dataclass(frozen=True)
class KeySigner:
    """A private key in memory with its certificate; shows its subject, never the key.

    RSA signs with PKCS#1 v1.5 and P-256 with ECDSA by RFC 6979, both with SHA-256, so that the same
    data gives the same signature every time.
    """

    certificate: asn1crypto.x509.Certificate = field(repr=False)
    chain: Sequence[asn1crypto.x509.Certificate] = field(repr=False)
    signature_algorithm: str
    subject: str
    _key: _PrivateKey = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Return the signature over data (a DER SEQUENCE of r and s for ECDSA).

        Raises:
            SigningRefused: the key refuses.
        """
        try:
            if isinstance(self._key, rsa.RSAPrivateKey):
                return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())
            return self._key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SigningRefused(
                f"the key of {self.subject} refuses to sign; check the key file",
                zh=f"“{self.subject}”的密钥无法签名，请检查密钥文件",
            ) from error


def open_key_file(location: str, pin: Pin) -> Signer:
    """Open a key file at a path.

    Raises:
        SigningRefused: see `keys.open_signer`.
    """
    path = Path(location)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_KEY_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _refuse(
            path, "cannot be read; check the path and its permissions", "无法读取，请检查路径与权限"
        ) from error
    if len(content) > MAX_KEY_FILE_BYTES:
        raise _refuse(
            path,
            f"larger than {MAX_KEY_FILE_BYTES} bytes, so it is no key file; give another",
            f"超过 {MAX_KEY_FILE_BYTES} 字节，不是密钥文件，请更换",
        )
    is_pem = b"-----BEGIN" in content
    in_clear = is_pem and not _is_encrypted(content)
    password = None if in_clear else _password(path, pin)
    key, certificate, others = (_read_pem if is_pem else _read_pkcs12)(path, content, password)
    if key is None:
        raise _refuse(path, "holds no private key; export it with its key", "不含私钥，请连同私钥导出")
    if certificate is None:
        raise _refuse(
            path, "holds no certificate for its key; export both", "不含与私钥对应的证书，请一并导出"
        )
    return _make_signer(path, key, certificate, others)


def _is_encrypted(pem: bytes) -> bool:
    return b"BEGIN ENCRYPTED" in pem or b"4,ENCRYPTED" in pem


def _password(path: Path, pin: Pin) -> bytes | None:
    text = pin_of(pin, str(path))
    return None if text is None else text.encode()


def _read_pkcs12(path: Path, content: bytes, password: bytes | None) -> _Opened:
    try:
        return pkcs12.load_key_and_certificates(content, password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # One answer for a wrong PIN and a damaged file: PKCS#12's MAC cannot tell them apart.
        raise _refuse(path, "wrong PIN, or not a PKCS#12 file", "PIN 错误，或不是 PKCS#12 文件") from error


def _read_pem(path: Path, content: bytes, password: bytes | None) -> _Opened:
    key: object = None
    if b"PRIVATE KEY-----" in content:
        try:
            key = load_pem_private_key(content, password)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _refuse(path, "wrong PIN, or a damaged key", "PIN 错误，或密钥已损坏") from error
    try:
        certificates = x509.load_pem_x509_certificates(content) if b"BEGIN CERTIFICATE" in content else []
    except ValueError as error:
        raise _refuse(
            path, "holds a damaged certificate; export it again", "证书已损坏，请重新导出"
        ) from error
    own = next((one for one in certificates if _fits(key, one)), certificates[0] if certificates else None)
    return key, own, [one for one in certificates if one is not own]


def _make_signer(
    path: Path, key: object, certificate: x509.Certificate, others: Sequence[x509.Certificate]
) -> Signer:
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= MIN_RSA_BITS:
        algorithm = "sha256_rsa"
    elif isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        algorithm = "sha256_ecdsa"
    else:
        raise _refuse(
            path,
            f"key of an unsupported kind; use RSA of {MIN_RSA_BITS} bits or more, or EC P-256",
            f"密钥类型不受支持，请使用 {MIN_RSA_BITS} 位以上的 RSA 或 EC P-256",
        )
    if not _fits(key, certificate):
        raise _refuse(
            path,
            "the key does not belong to the certificate; export both again",
            "私钥与证书不匹配，请重新导出",
        )
    own = _to_asn1(certificate)
    return KeySigner(
        certificate=own,
        chain=tuple(map(_to_asn1, issuers_among(certificate, others))),
        signature_algorithm=algorithm,
        subject=subject_of(own),
        _key=key,
    )


def _fits(key: object, certificate: x509.Certificate) -> bool:
    """Return whether a certificate is of this private key."""
    return isinstance(key, _PrivateKey) and key.public_key() == certificate.public_key()


def _to_asn1(certificate: x509.Certificate) -> asn1crypto.x509.Certificate:
    return asn1crypto.x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _refuse(path: Path, english: str, chinese: str) -> SigningRefused:
    return SigningRefused(f"{path}: {english}", zh=f"{path}：{chinese}")
