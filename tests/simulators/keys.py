"""Key files and certificates of every kind a person might hand in."""

from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509 import Certificate

from pipeline.tryout.certificates import PrivateKey, issue, make_root, tryout_name


def new_key(kind: str) -> PrivateKey:
    """Return a new private key: rsa2048, rsa1024, p256 or p384."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[3:]))
    return ec.generate_private_key({"p256": ec.SECP256R1(), "p384": ec.SECP384R1()}[kind])


def small_root(now: datetime) -> tuple[PrivateKey, Certificate]:
    """Return a root with a P-256 key, made in no time."""
    return make_root(now=now, key=new_key("p256"))


def pem_of(key: PrivateKey | None, *certificates: Certificate, pin: str | None = None) -> bytes:
    """Return one PEM text with a key and certificates."""
    text = b""
    if key is not None:
        encryption = BestAvailableEncryption(pin.encode()) if pin else NoEncryption()
        text += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return text + b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def write_pem_signer(path: Path, now: datetime, *, kind: str = "p256") -> tuple[str, Certificate]:
    """Write an unencrypted PEM signer; return its URI and its root."""
    root_key, root = small_root(now)
    key = new_key(kind)
    certificate = issue(
        tryout_name("某某建设有限公司", "某某建设有限公司"), key, issuer=(root_key, root), now=now
    )
    path.write_bytes(pem_of(key, certificate, root))
    return f"file:{path}", root
