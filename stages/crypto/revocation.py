"""Whether a chain was revoked, told by the lists at hand (RFC 5280 §6.3); nobody is asked from here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from asn1crypto import core, crl, x509
from cryptography import x509 as cx509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization

from stages.crypto.algorithms import ASN1_ERRORS
from stages.crypto.chains import Purpose, common_name, publishes_revocation
from stages.crypto.checks import CheckFailed, CheckUnknown

MAX_LISTS = 64
MAX_LIST_BYTES = 32 << 20

_KNOWN_CRITICAL = frozenset({"issuing_distribution_point"})
_TSA_STAYS_GOOD = frozenset(
    {
        cx509.ReasonFlags.unspecified,
        cx509.ReasonFlags.affiliation_changed,
        cx509.ReasonFlags.superseded,
        cx509.ReasonFlags.cessation_of_operation,
    }
)
"""Reasons that leave a time-stamping authority's earlier tokens valid; no reason does not (RFC 3161 §4.1)."""


@dataclass(frozen=True)
class SigningInstant:
    """When what is judged was made, as far as anybody can tell.

    Attributes:
        at: the proven time of a signature, a token's own time, or now.
        is_proven: a trusted timestamp says `at`; otherwise `at` is now, and everything may have been later.
        fresh_at: a list that had run out before this instant tells nothing.
    """

    at: datetime
    is_proven: bool
    fresh_at: datetime


def check_not_revoked(
    chain: Sequence[x509.Certificate],
    lists: Sequence[crl.CertificateList],
    instant: SigningInstant,
    *,
    purpose: Purpose,
) -> bool:
    """Check a chain (anchor first) against lists; return whether all that is published was looked at.

    False: none of these issuers publishes revocations, and none of the lists is theirs.
    A certificate revoked later than a proven instant passes (ETSI EN 319 102-1 §5.5.4).

    Raises:
        CheckFailed: revoked before it was used.
        CheckUnknown: revoked and nothing proves when it was used; on hold; no list at hand is its issuer's,
            or it had run out.
    """
    was_listed = False
    for index in range(1, len(chain)):
        issuer, certificate = chain[index - 1], chain[index]
        theirs = [one for one in lists[:MAX_LISTS] if _is_about(one, certificate, issuer)]
        is_leaf = index == len(chain) - 1
        try:
            for one in theirs:
                _check_entry(one, certificate, instant, purpose=purpose, is_leaf=is_leaf)
        except ASN1_ERRORS as error:
            raise _no_list(certificate, is_stale=False) from error
        if any(_is_fresh(one, certificate, instant.fresh_at) for one in theirs):
            was_listed = True
        elif publishes_revocation((issuer, certificate)):
            raise _no_list(certificate, is_stale=bool(theirs))
    return was_listed


def _is_about(one: crl.CertificateList, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether a list is this issuer's own, whole, and speaks of certificates like this one."""
    try:
        if one.issuer.dump() != certificate.issuer.dump() or one.delta_crl_indicator_value is not None:
            return False
        if not one.critical_extensions <= _KNOWN_CRITICAL or not _covers(one, certificate):
            return False
        key_usage = issuer.key_usage_value
        if key_usage is not None and "crl_sign" not in key_usage.native:
            return False
        der = one.dump()
        return len(der) <= MAX_LIST_BYTES and _is_signed(der, issuer.public_key.dump())
    except ASN1_ERRORS:
        return False


def _covers(one: crl.CertificateList, certificate: x509.Certificate) -> bool:
    """Apply the issuing distribution point (RFC 5280 §5.2.5 and §6.3.3 (b))."""
    point = one.issuing_distribution_point_value
    if point is None:
        return True
    if point["indirect_crl"].native or point["only_contains_attribute_certs"].native:
        return False
    if not isinstance(point["only_some_reasons"], core.Void):
        return False
    if point["only_contains_ca_certs" if not certificate.ca else "only_contains_user_certs"].native:
        return False
    named = point["distribution_point"]
    if isinstance(named, core.Void):
        return True
    if named.name != "full_name":
        return False
    wanted = {name.dump() for name in named.chosen}
    return any(
        name.dump() in wanted
        for place in certificate.crl_distribution_points_value or ()
        if not isinstance(place["distribution_point"], core.Void)
        and place["distribution_point"].name == "full_name"
        for name in place["distribution_point"].chosen
    )


@lru_cache(maxsize=MAX_LISTS)
def _parsed(der: bytes) -> cx509.CertificateRevocationList:
    return cx509.load_der_x509_crl(der)


@lru_cache(maxsize=4 * MAX_LISTS)
def _is_signed(der: bytes, public_key: bytes) -> bool:
    try:
        parsed = _parsed(der)
        if isinstance(parsed.signature_hash_algorithm, hashes.SHA1 | hashes.MD5):
            return False
        key = serialization.load_der_public_key(public_key)
        return bool(parsed.is_signature_valid(key))  # type: ignore[arg-type]  # what it cannot use, it raises
    except (UnsupportedAlgorithm, cx509.InvalidVersion, *ASN1_ERRORS):
        return False


def _check_entry(
    one: crl.CertificateList,
    certificate: x509.Certificate,
    instant: SigningInstant,
    *,
    purpose: Purpose,
    is_leaf: bool,
) -> None:
    found = _parsed(one.dump()).get_revoked_certificate_by_serial_number(certificate.serial_number)
    if found is None:
        return
    reason: cx509.ReasonFlags | None = None
    revoked_at = found.revocation_date_utc
    try:
        for extension in found.extensions:
            if isinstance(extension.value, cx509.CRLReason):
                reason = extension.value.reason
            elif isinstance(extension.value, cx509.InvalidityDate):
                # From then on the key may have been somebody else's (RFC 5280 §5.3.2).
                revoked_at = min(revoked_at, extension.value.invalidity_date_utc)
    except (ValueError, cx509.DuplicateExtension):
        reason = None
    name, day = common_name(certificate), f"{revoked_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    is_later = revoked_at > instant.at
    is_stamper = purpose is Purpose.TIMESTAMP and is_leaf
    if is_later and not (is_stamper and reason not in _TSA_STAYS_GOOD):
        return
    if reason is cx509.ReasonFlags.certificate_hold:
        raise CheckUnknown(
            "certificate-on-hold",
            "TRY_LATER",
            f"the certificate of {name} has been on hold since {day}; ask its authority, then verify again",
            zh=f"{name} 的证书自 {day} 起被冻结，请向签发机构查询后重新验签",
        )
    if is_later or not instant.is_proven:
        raise CheckUnknown(
            "certificate-revoked",
            "REVOKED_NO_POE" if is_leaf else "REVOKED_CA_NO_POE",
            f"the certificate of {name} was revoked at {day}, and nothing proves that it was used before",
            zh=f"{name} 的证书已于 {day} 吊销，且无法证明此前已签署",
        )
    raise CheckFailed(
        "certificate-revoked",
        "REVOKED",
        f"the certificate of {name} was revoked at {day}, before it was used here",
        zh=f"{name} 的证书已于 {day} 吊销，早于本次使用",
    )


def _is_fresh(one: crl.CertificateList, certificate: x509.Certificate, at: datetime) -> bool:
    """Return whether a list that does not name the certificate proves it good at an instant.

    A list made after the certificate expired may have dropped it (RFC 5280 §3.3).
    """
    made_at = one["tbs_cert_list"]["this_update"].native
    until_at = one["tbs_cert_list"]["next_update"].native
    if made_at > certificate.not_valid_after:
        return False
    return bool(made_at >= at or (until_at is not None and until_at >= at))


def _no_list(certificate: x509.Certificate, *, is_stale: bool) -> CheckUnknown:
    name = common_name(certificate)
    if is_stale:
        return CheckUnknown(
            "revocation-list-stale",
            "TRY_LATER",
            f"the revocation list at hand for {name} had run out; get the newest one from its authority"
            " and give it with --crl",
            zh=f"{name} 的证书所对应的吊销列表（CRL）已过期，请从签发机构获取最新列表并用 --crl 给出",
        )
    return CheckUnknown(
        "revocation-not-checked",
        "TRY_LATER",
        f"whether the certificate of {name} was revoked is published, and was not asked;"
        " get its authority's revocation list and give it with --crl",
        zh=f"{name} 的证书的吊销状态可查询，但本次未查询；请从签发机构获取吊销列表（CRL）并用 --crl 给出",
    )
