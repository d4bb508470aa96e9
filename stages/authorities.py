"""Keys and time come from outside: what a stage may ask of a signer and of a time-stamping authority."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

from asn1crypto import crl, x509

Accepted = TypeVar("Accepted")


class Signer(Protocol):
    """A signing key that is open, with its certificate. It never shows the key."""

    @property
    def certificate(self) -> x509.Certificate: ...

    @property
    def chain(self) -> Sequence[x509.Certificate]:
        """Issuer certificates, nearest first, without the root being required."""
        ...

    @property
    def signature_algorithm(self) -> str:
        """asn1crypto's name: 'sha256_rsa' or 'sha256_ecdsa'."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the signature over data, as it stands in a CMS SignerInfo.

        Raises:
            SigningRefused: the key may not be used, or refuses.
        """
        ...


class TimestampAuthority(Protocol):
    """A time-stamping authority (RFC 3161). What it answers is checked by the stage, not here."""

    @property
    def name(self) -> str: ...

    def ask(self, request: bytes) -> bytes:
        """Send a DER TimeStampReq, return the DER TimeStampResp.

        Raises:
            TimestampUnavailable: silent, slow, or answering something else than a TimeStampResp.
        """
        ...


@runtime_checkable
class SeveralAuthorities(Protocol):
    """Time-stamping authorities that stand in for one another, also when one answers something wrong."""

    def first_accepted(self, request: bytes, accept: Callable[[bytes], Accepted]) -> Accepted:
        """Return what `accept` makes of the first answer that it takes.

        Args:
            accept: raises TimestampUnavailable for an answer without a token, Untrusted for a wrong one.

        Raises:
            TimestampUnavailable: none of them answered, or none but with something wrong.
            Untrusted: all that answered are wrong.
        """
        ...


@dataclass(frozen=True)
class TrustAnchors:
    """What a verification believes: root certificates for signers, and for time.

    One set serves both when `timestamp_roots` is empty.

    Attributes:
        crls: revocation lists at hand; each is believed only when its issuer's signature holds.
    """

    roots: tuple[x509.Certificate, ...] = field(repr=False)
    timestamp_roots: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    intermediates: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    crls: tuple[crl.CertificateList, ...] = field(default=(), repr=False)

    @property
    def time_roots(self) -> tuple[x509.Certificate, ...]:
        """The roots that time-stamping authorities must lead to."""
        return self.timestamp_roots or self.roots


def fingerprint_of(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate's DER, lower-case hex: how records and plans name it."""
    return str(certificate.sha256.hex())
