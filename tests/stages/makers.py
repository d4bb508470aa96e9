"""Seal makers for tests: keys made on the spot, self-signed certificates, the Signer Protocol."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID


class UnsafeMaker:
    """A key in memory with its certificate."""

    def __init__(self, kind: str, valid_from: datetime, valid_until: datetime) -> None:
        self._key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = _key(kind)
        self.signature_algorithm = f"sha256_{kind}"
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "测试制章单位")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(7)
            .not_valid_before(valid_from)
            .not_valid_after(valid_until)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
        self.chain: Sequence[asn1_x509.Certificate] = ()

    def sign(self, data: bytes) -> bytes:
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self._key.sign(data, ec.ECDSA(hashes.SHA256()))


class UnsafeFaultyMaker(UnsafeMaker):
    """A key device that answers with the signature of something else."""

    def sign(self, data: bytes) -> bytes:
        return super().sign(data + b"!")


@cache
def _key(kind: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())
