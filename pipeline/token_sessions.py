"""A key in a token that is logged in: its session is kept, and one thread at a time speaks to the library."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asn1crypto.x509
import pkcs11
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import exceptions as failures

from stages.errors import KeyUnavailable, SigningRefused

LIBRARY_LOCK = threading.RLock()
"""python-pkcs11 initialises libraries for a single thread (C_Initialize with NULL): SoftHSM crashes when two
threads are in it. A token signs one thing at a time anyway; an HSM is kept busy by several workers."""

_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DER of the DigestInfo that stands before a SHA-256 digest (RFC 8017 §9.2, note 1)."""

LOST = (
    failures.DeviceError,
    failures.DeviceRemoved,
    failures.TokenNotPresent,
    failures.TokenNotRecognised,
    failures.SessionClosed,
    failures.SessionHandleInvalid,
    failures.UserNotLoggedIn,
    failures.KeyHandleInvalid,
    failures.ObjectHandleInvalid,
)
"""What libraries answer when the token was pulled out, reset, or logged out by another program."""


@dataclass(frozen=True)
class Algorithm:
    """How a token is asked for a signature over a SHA-256 digest."""

    name: str
    mechanism: pkcs11.Mechanism
    prefix: bytes = b""
    is_ecdsa: bool = False


RSA = Algorithm("sha256_rsa", pkcs11.Mechanism.RSA_PKCS, prefix=_SHA256_INFO)
ECDSA = Algorithm("sha256_ecdsa", pkcs11.Mechanism.ECDSA, is_ecdsa=True)


class TokenSigner:
    """A private key that stays in its token, with its certificate.

    RSA signs with PKCS#1 v1.5; ECDSA by a token is not deterministic: a signature made again differs.
    """

    def __init__(
        self,
        name: str,
        certificate: asn1crypto.x509.Certificate,
        chain: Sequence[asn1crypto.x509.Certificate],
        algorithm: Algorithm,
        session: Any,
        key: Any,
    ) -> None:
        self._name = name
        self._certificate = certificate
        self._chain = tuple(chain)
        self._algorithm = algorithm
        self._session = session
        self._key = key
        self._is_lost = False

    def __repr__(self) -> str:
        return f"TokenSigner({self._name!r})"

    @property
    def certificate(self) -> asn1crypto.x509.Certificate:
        return self._certificate

    @property
    def chain(self) -> Sequence[asn1crypto.x509.Certificate]:
        return self._chain

    @property
    def signature_algorithm(self) -> str:
        return self._algorithm.name

    @property
    def is_lost(self) -> bool:
        """Whether the token went away: the key must be opened again."""
        return self._is_lost

    def sign(self, data: bytes) -> bytes:
        """Return the signature over data (a DER SEQUENCE of r and s for ECDSA).

        Raises:
            KeyUnavailable: the token went away; open the key again.
            SigningRefused: the token refuses to sign with this key.
        """
        # The digest is made here: a token is a slow computer, and some know no hashing mechanism.
        digest = self._algorithm.prefix + hashlib.sha256(data).digest()
        try:
            with LIBRARY_LOCK:
                value = bytes(self._key.sign(digest, mechanism=self._algorithm.mechanism))
        except LOST as error:
            self._is_lost = True
            raise lost(self._name) from error
        except failures.PKCS11Error as error:
            said = type(error).__name__
            raise refused(self._name, f"refuses to sign ({said})", f"拒绝签名（{said}）") from error
        if not self._algorithm.is_ecdsa:
            return value
        half = len(value) // 2
        return encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))


def lost(name: str) -> KeyUnavailable:
    return KeyUnavailable(
        f"{name}: the token does not answer any more; plug it in again, and give the same command",
        zh=f"{name}：密钥设备没有响应，请重新插入后再次执行同一命令",
    )


def refused(name: str, what: str, zh: str) -> SigningRefused:
    return SigningRefused(f"{name}: {what}", zh=f"{name}：{zh}")
