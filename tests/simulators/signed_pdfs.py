"""PDFs signed by somebody else's program (pyHanko), under a PKI made on the spot."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import pymupdf
from asn1crypto import keys, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from pipeline.tryout.certificates import issue, make_root
from stages.authorities import TrustAnchors

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")


def name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@dataclass(frozen=True)
class Identity:
    """A key with its certificate."""

    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    certificate: asn1_x509.Certificate

    @property
    def private_key(self) -> keys.PrivateKeyInfo:
        der = self.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return keys.PrivateKeyInfo.load(der)


class Pki:
    """A root and what it issues; elliptic curves, because tests make many."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self._root_key, self._root = make_root(now=now, key=ec.generate_private_key(ec.SECP256R1()))

    @cached_property
    def root(self) -> asn1_x509.Certificate:
        return _asn1(self._root)

    @property
    def trust(self) -> TrustAnchors:
        return TrustAnchors(roots=(self.root,))

    def issue(
        self,
        common_name: str = "测试投标有限公司",
        *,
        usages: tuple[ObjectIdentifier, ...] = (DOCUMENT_SIGNING,),
        critical: bool = False,
        begins: datetime | None = None,
        lifetime: timedelta = timedelta(days=700),
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    ) -> Identity:
        key = key or ec.generate_private_key(ec.SECP256R1())
        certificate = issue(
            name(common_name),
            key,
            issuer=(self._root_key, self._root),
            now=begins or self.now,
            usages=usages,
            usages_critical=critical,
            lifetime=lifetime,
        )
        return Identity(key, _asn1(certificate))

    @cached_property
    def signer(self) -> Identity:
        return self.issue()

    @cached_property
    def tsa(self) -> Identity:
        key = rsa.generate_private_key(
            public_exponent=65537, key_size=2048
        )  # all that DummyTimeStamper takes
        return self.issue("测试时间戳", usages=(ExtendedKeyUsageOID.TIME_STAMPING,), critical=True, key=key)

    def authority(self, at: datetime | None = None, identity: Identity | None = None) -> "LocalAuthority":
        return LocalAuthority(self, identity or self.tsa, at or self.now)


class LocalAuthority:
    """A time-stamping authority in this process; implements stages.authorities.TimestampAuthority."""

    def __init__(self, pki: Pki, identity: Identity, at: datetime) -> None:
        self.name = "local"
        self.asked = 0
        self.stamper = DummyTimeStamper(
            identity.certificate,
            identity.private_key,
            certs_to_embed=_store(pki.root),
            fixed_dt=at,
        )

    def ask(self, request: bytes) -> bytes:
        self.asked += 1
        parsed = tsp.TimeStampReq.load(request)
        response: bytes = self.stamper.request_tsa_response(parsed).dump()
        return response


def blank_pdf(path: Path, *, pages: int = 2) -> Path:
    """Draw a small PDF of several pages."""
    with pymupdf.open() as document:
        for number in range(pages):
            document.new_page(width=595, height=842).insert_text((72, 72), f"page {number + 1}")
        document.save(path)
    return path


def sign_pdf(
    source: Path,
    target: Path,
    pki: Pki,
    *,
    identity: Identity | None = None,
    field: str = "Signature1",
    timestamp: "LocalAuthority | None" = None,
    pades: bool = True,
    certify: bool = False,
    level: fields.MDPPerm = fields.MDPPerm.FILL_FORMS,
) -> Path:
    """Sign a PDF with pyHanko; `timestamp=None` leaves the timestamp out, `certify` makes it the author's."""
    identity = identity or pki.signer
    signer = signers.SimpleSigner(
        signing_cert=identity.certificate,
        signing_key=identity.private_key,
        cert_registry=_store(pki.root),
    )
    metadata = signers.PdfSignatureMetadata(
        field_name=field,
        md_algorithm="sha256",
        certify=certify,
        docmdp_permissions=level,
        subfilter=fields.SigSeedSubFilter.PADES if pades else fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED,
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(source.read_bytes()), strict=False)
    output = signers.PdfSigner(
        metadata, signer=signer, timestamper=timestamp.stamper if timestamp else None
    ).sign_pdf(writer)
    target.write_bytes(output.getvalue())
    return target


def with_empty_fields(source: Path, target: Path, *specs: fields.SigFieldSpec) -> Path:
    """Write a copy of a PDF with empty signature fields."""
    writer = IncrementalPdfFileWriter(io.BytesIO(source.read_bytes()), strict=False)
    for spec in specs:
        fields.append_signature_field(writer, spec)
    with target.open("wb") as out:
        writer.write(out)
    return target


def _store(root: asn1_x509.Certificate) -> SimpleCertificateStore:
    store = SimpleCertificateStore()
    store.register(root)
    return store


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
