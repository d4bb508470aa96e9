"""Certificates for trying out: whoever reads one sees that nobody else trusts it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier

from stages.crypto.tryout import TRYOUT_MARKER, TRYOUT_MARKER_ZH

ROOT_KEY_BITS = 3072
ROOT_LIFETIME = timedelta(days=3650)
LEAF_LIFETIME = timedelta(days=1095)
BACKDATE = timedelta(days=1)
"""Certificates begin a day early, so that a clock a little behind does not refuse them."""

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def tryout_name(common_name: str, organisation: str, credit_code: str | None = None) -> x509.Name:
    """Return a distinguished name that says in both languages that it is for trying out.

    Source: ETSI EN 319 412-1 §5.1.4 for the form of organizationIdentifier.
    """
    pairs: list[tuple[ObjectIdentifier, str]] = [
        (NameOID.COUNTRY_NAME, "CN"),
        (NameOID.ORGANIZATION_NAME, organisation),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, f"{TRYOUT_MARKER} ({TRYOUT_MARKER_ZH})"),
        (NameOID.COMMON_NAME, common_name),
    ]
    if credit_code is not None:
        pairs.append((NameOID.ORGANIZATION_IDENTIFIER, f"NTRCN-{credit_code}"))
        pairs.append((NameOID.SERIAL_NUMBER, credit_code))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


def make_root(*, now: datetime, key: PrivateKey | None = None) -> tuple[PrivateKey, x509.Certificate]:
    """Return a new root: its key and its self-signed certificate (RFC 5280 §4.2.1.9, CA true)."""
    key = key or rsa.generate_private_key(public_exponent=65537, key_size=ROOT_KEY_BITS)
    name = tryout_name(f"{TRYOUT_MARKER} - root", "Sealine")
    certificate = (
        _builder(name, name, key, now, ROOT_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_key_usage(certificate_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def issue(
    subject: x509.Name,
    key: PrivateKey,
    *,
    issuer: tuple[PrivateKey, x509.Certificate],
    now: datetime,
    usages: Sequence[ObjectIdentifier] = (),
    usages_critical: bool = False,
    lifetime: timedelta = LEAF_LIFETIME,
) -> x509.Certificate:
    """Return a certificate for signing, not for issuing.

    No authority information access: there is no server to ask, and `pdfsig` would wait for one.

    Args:
        usages: extended key usages; none leaves the extension out.
    """
    issuer_key, issuer_certificate = issuer
    builder = (
        _builder(subject, issuer_certificate.subject, key, now, lifetime)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(certificate_sign=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=usages_critical)
    return builder.sign(issuer_key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - BACKDATE,
        not_valid_after=now + lifetime,
    )


def _key_usage(*, certificate_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificate_sign,
        content_commitment=not certificate_sign,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificate_sign,
        crl_sign=certificate_sign,
        encipher_only=False,
        decipher_only=False,
    )
