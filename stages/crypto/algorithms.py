"""Which digests and signature algorithms this program can check, and which are too weak to mean anything."""

import hashlib

from asn1crypto import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from stages.crypto.checks import CheckUnknown

MIN_RSA_BITS = 2048
MIN_EC_BITS = 224
"""As strong as RSA of MIN_RSA_BITS (NIST SP 800-57 Part 1 Table 2)."""

ASN1_ERRORS = (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError, RecursionError)
"""What asn1crypto raises on bytes that are not what its schema says (it has no error class of its own)."""

DIGESTS: dict[str, str] = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.8": "sha3_256",
    "2.16.840.1.101.3.4.2.10": "sha3_512",
    "1.2.156.10197.1.401": "sm3",
    "1.3.14.3.2.26": "sha1",
    "1.2.840.113549.2.5": "md5",
}
WEAK_DIGESTS = frozenset({"sha1", "md5"})
RSA_PKCS1 = {
    "1.2.840.113549.1.1.1": None,
    "1.2.840.113549.1.1.5": "sha1",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
    "1.2.840.113549.1.1.14": "sha224",
    "1.2.156.10197.1.504": "sm3",
}
RSA_PSS = "1.2.840.113549.1.1.10"
ECDSA = {
    "1.2.840.10045.2.1": None,
    "1.2.840.10045.4.1": "sha1",
    "1.2.840.10045.4.3.1": "sha224",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
ED25519 = "1.3.101.112"
HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
    "sha3_256": hashes.SHA3_256,
    "sha3_512": hashes.SHA3_512,
    "sm3": hashes.SM3,
    "md5": hashes.MD5,
}


def digest_name(oid: str) -> str:
    """Return hashlib's name of a digest algorithm.

    Raises:
        CheckUnknown: this program does not know it, or this machine's libcrypto does not.
    """
    name = DIGESTS.get(oid, "")
    if name not in hashlib.algorithms_available:
        raise unknown_algorithm(f"digest {oid}")
    return name


def check_strength(key: rsa.RSAPublicKey) -> None:
    """Check that an RSA key is of MIN_RSA_BITS at least.

    Raises:
        CheckUnknown: it is shorter.
    """
    if key.key_size < MIN_RSA_BITS:
        raise weak_algorithm(f"RSA of {key.key_size} bits")


def key_name(certificate: x509.Certificate) -> str:
    """Return what to call the algorithm of a certificate's key."""
    try:
        algorithm = certificate.public_key["algorithm"]
        oid: str = algorithm["algorithm"].dotted
        if oid == "1.2.840.10045.2.1" and algorithm["parameters"].name == "named":
            oid = algorithm["parameters"].chosen.dotted
    except ASN1_ERRORS:
        return "of the certificate's key"
    return "SM2" if oid == "1.2.156.10197.1.301" else f"of key {oid}"


def unknown_algorithm(name: str) -> CheckUnknown:
    """Return the error that says this program does not know an algorithm."""
    return CheckUnknown(
        "unknown-algorithm",
        "GENERIC",
        f"algorithm {name} cannot be checked by this program; ask a verifier that knows it",
        zh=f"本程序无法验证算法 {name}，请使用支持该算法的工具",
    )


def weak_algorithm(name: str) -> CheckUnknown:
    """Return the error that says an algorithm proves nothing any more."""
    return CheckUnknown(
        "weak-algorithm",
        "CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
        f"{name} is too weak today to prove who signed",
        zh=f"{name} 强度不足，已不能证明签署人",
    )
