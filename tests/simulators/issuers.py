"""Issuers as real ones are: intermediates, distribution points, lists of what they revoked."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from tests.simulators.signed_pdfs import NOW, Identity, LocalAuthority, Pki, name

URL = "http://crl.invalid/list.crl"
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Revoked = Mapping[asn1_x509.Certificate, tuple[datetime, x509.ReasonFlags | None]]


class Issuer:
    """A certification authority, root or intermediate, whose certificates name where its list is."""

    def __init__(
        self,
        common_name: str = "签发 CA",
        *,
        above: "Issuer | None" = None,
        key: Key | None = None,
        usages: Sequence[ObjectIdentifier] = (),
        names_list: bool = True,
        signs_lists: bool = True,
    ) -> None:
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.name = name(common_name)
        self.names_list = names_list
        issuer, issuer_key = (above.name, above.key) if above else (self.name, self.key)
        builder = _builder(self.name, self.key, issuer, timedelta(days=3000)).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        builder = builder.add_extension(_usage(issues=True, signs_lists=signs_lists), critical=True)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if above is not None and above.names_list:
            builder = builder.add_extension(_points(), critical=False)
        self._certificate = builder.sign(issuer_key, hashes.SHA256())

    @property
    def certificate(self) -> asn1_x509.Certificate:
        return _asn1(self._certificate)

    def issue(
        self,
        common_name: str = "某投标有限公司",
        *,
        key: Key | None = None,
        usages: Sequence[ObjectIdentifier] = (),
        lifetime: timedelta = timedelta(days=700),
    ) -> Identity:
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name(common_name), key, self.name, lifetime)
        builder = builder.add_extension(_usage(issues=False, signs_lists=False), critical=True)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=True)
        if self.names_list:
            builder = builder.add_extension(_points(), critical=False)
        return Identity(key, _asn1(builder.sign(self.key, hashes.SHA256())))

    def authority(self, at: datetime = NOW) -> LocalAuthority:
        """A time-stamping authority of this issuer."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        identity = self.issue("时间戳", key=key, usages=(ExtendedKeyUsageOID.TIME_STAMPING,))
        return LocalAuthority(Pki(), identity, at)

    def crl(
        self,
        revoked: Revoked | None = None,
        *,
        made_at: datetime = NOW,
        lifetime: timedelta | None = timedelta(days=7),
        signed_by: Key | None = None,
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    ) -> asn1_crl.CertificateList:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(made_at)
            .next_update(made_at + (lifetime or timedelta(days=7)))
        )
        for certificate, (at, reason) in (revoked or {}).items():
            entry = (
                x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(at)
            )
            if reason is not None:
                entry = entry.add_extension(x509.CRLReason(reason), critical=False)
            builder = builder.add_revoked_certificate(entry.build())
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        made = builder.sign(signed_by or self.key, hashes.SHA256())
        return asn1_crl.CertificateList.load(made.public_bytes(serialization.Encoding.DER))


def _builder(subject: x509.Name, key: Key, issuer: x509.Name, lifetime: timedelta) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=NOW - timedelta(days=1),
        not_valid_after=NOW + lifetime,
    )


def _points() -> x509.CRLDistributionPoints:
    return x509.CRLDistributionPoints(
        [x509.DistributionPoint([x509.UniformResourceIdentifier(URL)], None, None, None)]
    )


def _usage(*, issues: bool, signs_lists: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issues,
        content_commitment=not issues,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=signs_lists,
        encipher_only=False,
        decipher_only=False,
    )


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
