"""What a signing certificate says: whose it is, and whether it may sign now."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar, cast

import asn1crypto.x509
import cryptography.x509

from stages.authorities import Signer
from stages.errors import SigningRefused

AnyCertificate = TypeVar("AnyCertificate", asn1crypto.x509.Certificate, cryptography.x509.Certificate)


def check_usable(signer: Signer, now: datetime) -> None:
    """Check that a signer's certificate may sign now.

    Args:
        now: aware.

    Raises:
        SigningRefused: expired, not yet valid, or its key usage allows no signatures.
    """
    validity = signer.certificate["tbs_certificate"]["validity"]
    begins, ends = (
        cast(datetime, validity[name].native).astimezone(UTC) for name in ("not_before", "not_after")
    )
    subject = subject_of(signer.certificate)
    if now < begins:
        raise SigningRefused(
            f"certificate of {subject} is valid only from {begins:%Y-%m-%d %H:%M} UTC; wait or use another",
            zh=f"“{subject}”的证书自 {begins:%Y-%m-%d %H:%M} UTC 起才有效，请等待或更换证书",
        )
    if now > ends:
        raise SigningRefused(
            f"certificate of {subject} expired at {ends:%Y-%m-%d %H:%M} UTC; renew it",
            zh=f"“{subject}”的证书已于 {ends:%Y-%m-%d %H:%M} UTC 过期，请更新证书",
        )
    usage = signer.certificate.key_usage_value
    if usage is not None and not {"digital_signature", "non_repudiation"} & usage.native:
        raise SigningRefused(
            f"certificate of {subject} is not for signatures (key usage: {', '.join(sorted(usage.native))});"
            " use a signing certificate",
            zh=f"“{subject}”的证书不能用于签名（密钥用途不符），请使用签名证书",
        )


def subject_of(certificate: asn1crypto.x509.Certificate) -> str:
    """Return the common name of a certificate, or its organisation, or its whole subject."""
    names = certificate.subject.native
    return str(
        names.get("common_name") or names.get("organization_name") or certificate.subject.human_friendly
    )


def issuers_among(certificate: AnyCertificate, others: Sequence[AnyCertificate]) -> list[AnyCertificate]:
    """Return the issuers of a certificate among others, nearest first; what leads nowhere is left out."""
    found: list[AnyCertificate] = []
    at, left = certificate, list(others)
    while at.issuer != at.subject:
        nearest = next((other for other in left if other.subject == at.issuer), None)
        if nearest is None:
            break
        left.remove(nearest)
        found.append(nearest)
        at = nearest
    return found
