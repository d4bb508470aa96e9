"""What marks a certificate as made for trying out, trusted by nobody else."""

from asn1crypto import x509

TRYOUT_MARKER = "Sealine try-out, not trusted"
"""Stands in the subject of every certificate a try-out authority makes, and in their issuer."""

TRYOUT_MARKER_ZH = "试用，不受信任"


def is_tryout(certificate: x509.Certificate) -> bool:
    """Return whether the certificate, or the authority that issued it, says it is for trying out."""
    return any(TRYOUT_MARKER in _text(name) for name in (certificate.subject, certificate.issuer))


def _text(name: x509.Name) -> str:
    """Return every value of a distinguished name, one a line."""
    return "\n".join(str(attribute["value"].native) for rdn in name.chosen for attribute in rdn)
