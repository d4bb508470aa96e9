"""Whether a certificate leads to a trust anchor, and was made for what it was used for (RFC 5280 §6)."""

from collections.abc import Coroutine, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from asn1crypto import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from pyhanko_certvalidator import ValidationContext, find_valid_path
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    ExpiredError,
    InvalidCertificateError,
    NotYetValidError,
    PathBuildingError,
    ValidationError,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.sig_validate import DefaultSignatureValidator, PSSParameterMismatch

from stages.crypto.algorithms import (
    ASN1_ERRORS,
    ECDSA,
    ED25519,
    MIN_EC_BITS,
    RSA_PKCS1,
    RSA_PSS,
    weak_algorithm,
)
from stages.crypto.checks import CheckFailed, CheckUnknown

MAX_NAME_CHARACTERS = 200
SUB_NO_CHAIN = "NO_CERTIFICATE_CHAIN_FOUND"
SUB_CHAIN = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
SUB_CONSTRAINTS = "CHAIN_CONSTRAINTS_FAILURE"
SUB_OUT_OF_BOUNDS = "OUT_OF_BOUNDS_NO_POE"
SUB_NOT_YET_VALID = "NOT_YET_VALID"
SUB_WEAK = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"

TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
ANY_USAGE = "2.5.29.37.0"
DOCUMENT_USAGES = frozenset(
    {
        ANY_USAGE,
        "1.3.6.1.5.5.7.3.2",  # clientAuth: what many Chinese CAs give bidders
        "1.3.6.1.5.5.7.3.4",  # emailProtection
        "1.3.6.1.5.5.7.3.36",  # documentSigning (RFC 9336)
        "1.2.840.113583.1.1.5",  # Adobe authentic documents
        "1.3.6.1.4.1.311.10.3.12",  # Microsoft document signing
    }
)
_KNOWN_SIGNATURES = frozenset({*RSA_PKCS1, *ECDSA, RSA_PSS, ED25519}) - {"1.2.156.10197.1.504"}
_T = TypeVar("_T")


class _LinkValidator(DefaultSignatureValidator):  # type: ignore[misc]  # its package shows no types
    """The signature of one certificate under another's key; what cannot even be tried is no signature.

    pyhanko-certvalidator asserts that algorithm and key are of one kind. A certificate's author chooses
    the algorithm and the issuer's name, so without this a stranger's certificate ends in AssertionError.
    """

    def validate_signature(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().validate_signature(*args, **kwargs)
        except PSSParameterMismatch:
            raise
        except (AssertionError, NotImplementedError, UnsupportedAlgorithm, *ASN1_ERRORS) as error:
            raise InvalidSignature from error


class Purpose(Enum):
    """What a certificate was used for."""

    DOCUMENT = "document"
    TIMESTAMP = "timestamp"


def check_chain(
    certificate: x509.Certificate,
    *,
    roots: Sequence[x509.Certificate],
    intermediates: Sequence[x509.Certificate],
    at: datetime,
    purpose: Purpose,
) -> tuple[x509.Certificate, ...]:
    """Return the chain from a trust anchor down to the certificate, valid at an instant.

    Revocation is not looked at: see `publishes_revocation`.

    Args:
        intermediates: certificates that may help to build the chain; none is believed for being here.

    Raises:
        CheckFailed: a link of the chain is wrong, the certificate began later than `at`, or it is not
            for this purpose.
        CheckUnknown: no chain to an anchor, out of its validity, or an algorithm not known here.
    """
    check_usage(certificate, purpose=purpose)
    if not roots:
        raise _no_chain(certificate)
    try:
        _check_algorithm(certificate)
        context = ValidationContext(
            trust_roots=list(roots),
            other_certs=list(intermediates),
            moment=at,
            allow_fetching=False,
            crls=[],
            signature_validator=_LinkValidator(),
        )
        paths = context.path_builder.async_build_paths_lazy(certificate)
        path: ValidationPath = _run(find_valid_path(certificate, paths, context))
        # A path's own iteration leaves a bare anchor out when the certificate is the anchor itself.
        chain = tuple(path) or (certificate,)
        _check_links(chain, purpose)
        return chain
    except (PathBuildingError, InvalidCertificateError) as error:
        raise _no_chain(certificate) from error
    except ExpiredError as error:
        raise CheckUnknown(
            "certificate-expired",
            SUB_OUT_OF_BOUNDS,
            f"a certificate of {common_name(certificate)} had expired at {at:%Y-%m-%d}, "
            "and nothing proves that it was used before",
            zh=f"{common_name(certificate)} 的证书（链）在 {at:%Y-%m-%d} 已过期，且无法证明此前已签署",
        ) from error
    except NotYetValidError as error:
        raise CheckFailed(
            "certificate-not-yet-valid",
            SUB_NOT_YET_VALID,
            f"the certificate of {common_name(certificate)} was not valid yet at {at:%Y-%m-%d}",
            zh=f"{common_name(certificate)} 的证书在 {at:%Y-%m-%d} 尚未生效",
        ) from error
    except DisallowedAlgorithmError as error:
        raise CheckUnknown(
            "weak-algorithm",
            SUB_WEAK,
            f"the chain of {common_name(certificate)} uses an algorithm too weak today",
            zh=f"{common_name(certificate)} 的证书链使用了强度不足的算法",
        ) from error
    except ValidationError as error:
        if isinstance(error.__context__, InvalidSignature):
            # Anybody may write a trusted authority's name into a certificate: by name alone it leads nowhere.
            raise _no_chain(certificate) from error
        raise CheckFailed(
            "chain-wrong",
            SUB_CHAIN,
            f"the chain of {common_name(certificate)} does not hold: a link is not allowed",
            zh=f"{common_name(certificate)} 的证书链不成立：存在不被允许的环节",
        ) from error
    except ASN1_ERRORS as error:
        raise CheckUnknown(
            "chain-unreadable",
            SUB_CHAIN,
            f"the chain of {common_name(certificate)} cannot be read",
            zh=f"{common_name(certificate)} 的证书链无法读取",
        ) from error


def check_usage(certificate: x509.Certificate, *, purpose: Purpose) -> None:
    """Check that a certificate is for signing documents, or for time stamping and nothing else.

    Raises:
        CheckFailed: it is for something else.

    Source: RFC 5280 §4.2.1.3 and §4.2.1.12; RFC 3161 §2.3 (critical, and the only usage).
    """
    try:
        key_usage = certificate.key_usage_value
        bits = {"digital_signature"} if key_usage is None else set(key_usage.native)
        extended = certificate.extended_key_usage_value
        usages = None if extended is None else {usage.dotted for usage in extended}
        critical = "extended_key_usage" in certificate.critical_extensions
    except ASN1_ERRORS as error:
        raise _wrong_usage(certificate, purpose) from error
    if not bits & {"digital_signature", "non_repudiation"}:
        raise _wrong_usage(certificate, purpose)
    if purpose is Purpose.TIMESTAMP:
        if usages != {TIME_STAMPING} or not critical:
            raise _wrong_usage(certificate, purpose)
    elif usages is not None and not usages & DOCUMENT_USAGES:
        raise _wrong_usage(certificate, purpose)


def publishes_revocation(chain: Sequence[x509.Certificate]) -> bool:
    """Return whether any issuer in a chain (anchor first) says where its revocations are published."""
    return any(
        certificate.crl_distribution_points_value is not None or bool(certificate.ocsp_urls)
        for certificate in chain[1:]
    )


def common_name(certificate: x509.Certificate) -> str:
    """Return the subject's common name, or its organisation's, cut to MAX_NAME_CHARACTERS."""
    try:
        native = certificate.subject.native
        name = native.get("common_name") or native.get("organization_name") or ""
    except ASN1_ERRORS:
        return ""
    text = str(name[-1] if isinstance(name, list) else name)
    return "".join(character for character in text if character.isprintable())[:MAX_NAME_CHARACTERS]


def _run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that never waits, without an event loop (the caller may have one running)."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: _T = done.value
        return result
    coroutine.close()
    raise CheckUnknown(
        "chain-not-built",
        SUB_NO_CHAIN,
        "building the certificate chain would need the network; it was not asked",
        zh="构建证书链需要联网，未进行",
    )


def _check_algorithm(certificate: x509.Certificate) -> None:
    oid = certificate["signature_algorithm"]["algorithm"].dotted
    if oid not in _KNOWN_SIGNATURES:
        raise CheckUnknown(
            "unknown-algorithm",
            "GENERIC",
            f"the certificate of {common_name(certificate)} is signed with algorithm {oid}, "
            "which this program cannot check",
            zh=f"{common_name(certificate)} 的证书使用算法 {oid} 签发，本程序无法验证",
        )


def _check_links(chain: tuple[x509.Certificate, ...], purpose: Purpose) -> None:
    """Check what the path validation of RFC 5280 leaves to others: the curves, and what an issuer is for.

    An extended key usage in an intermediate bounds what it may issue for, as browsers, Windows and OpenSSL
    have it: an intermediate for web servers, which any customer may run, issues no signers.
    """
    for certificate in chain:
        key = certificate.public_key
        if key.algorithm == "ec" and key.bit_size < MIN_EC_BITS:
            raise weak_algorithm(f"a curve of {key.bit_size} bits")
    allowed = {TIME_STAMPING, ANY_USAGE} if purpose is Purpose.TIMESTAMP else DOCUMENT_USAGES
    for certificate in chain[1:-1]:
        extended = certificate.extended_key_usage_value
        if extended is not None and not {usage.dotted for usage in extended} & allowed:
            raise _wrong_usage(certificate, purpose)


def _no_chain(certificate: x509.Certificate) -> CheckUnknown:
    return CheckUnknown(
        "no-chain",
        SUB_NO_CHAIN,
        f"the certificate of {common_name(certificate)} leads to none of the trusted authorities; "
        "if you trust its root, give it by --trust",
        zh=f"{common_name(certificate)} 的证书不能追溯到任何受信任的 CA；如信任其根证书，请用 --trust 给出",
    )


def _wrong_usage(certificate: x509.Certificate, purpose: Purpose) -> CheckFailed:
    is_for, zh = ("time stamping", "时间戳") if purpose is Purpose.TIMESTAMP else ("signing", "签署文件")
    return CheckFailed(
        "wrong-usage",
        SUB_CONSTRAINTS,
        f"the certificate of {common_name(certificate)} is not for {is_for}",
        zh=f"{common_name(certificate)} 的证书不能用于{zh}",
    )
