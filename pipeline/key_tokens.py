"""Signing keys in tokens and HSMs: found through the maker's PKCS#11 library, logged in once."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import asn1crypto.x509
import pkcs11
from pkcs11 import exceptions as failures

from pipeline.key_certificates import issuers_among, subject_of
from pipeline.pins import Pin, pin_of
from pipeline.token_address import TokenAddress, parse_token_address
from pipeline.token_sessions import ECDSA, LIBRARY_LOCK, LOST, RSA, Algorithm, TokenSigner, lost, refused
from stages.authorities import Signer
from stages.crypto.algorithms import ASN1_ERRORS
from stages.errors import KeyUnavailable, SigningRefused

MAX_OBJECTS = 256
"""Keys, or certificates, looked at on a token."""
MIN_RSA_BITS = 2048

_P256 = bytes.fromhex("06082a8648ce3d030107")


def open_token_key(rest: str, pin: Pin) -> Signer:
    """Open a key in a token by what stands behind `pkcs11:` (see token_address).

    The PIN is shown to the token once. A token whose last PIN was wrong is not tried unless a person can
    be asked (`pin` is a function), and one that has a single try left never: no batch burns tries.

    Raises:
        SigningRefused: no such token or key, several, a wrong, missing, default or locked PIN, no
            certificate for the key, or a key of no supported kind.
        KeyUnavailable: the library or the token does not answer.
    """
    address = parse_token_address(rest)
    try:
        with LIBRARY_LOCK:
            session = _log_in(_find_token(address), address, pin)
            try:
                return _signer(session, address)
            except BaseException:
                session.close()
                raise
    except LOST as error:
        raise lost(address.shown) from error
    except failures.PKCS11Error as error:
        raise refused(
            address.shown, f"the token answers {type(error).__name__}", f"设备返回 {type(error).__name__}"
        ) from error


def _slots(address: TokenAddress) -> list[pkcs11.Slot]:
    try:
        return pkcs11.lib(str(address.module)).get_slots(token_present=True)
    except failures.PKCS11Error as error:
        if type(error) is not failures.PKCS11Error:  # the root class stands for a file that cannot be loaded
            raise
        raise refused(
            address.shown,
            f"{address.module} is no PKCS#11 library; give the one of the token's maker",
            f"{address.module} 不是 PKCS#11 库，请改用设备厂商提供的库",
        ) from error


def _find_token(address: TokenAddress) -> pkcs11.Token:
    found = []
    for slot in _slots(address):
        try:
            token = slot.get_token()
        except (failures.TokenNotPresent, failures.TokenNotRecognised):
            continue
        if not pkcs11.TokenFlag.TOKEN_INITIALIZED & token.flags:
            continue
        says = {
            "token": token.label,
            "serial": bytes(token.serial).strip(),
            "manufacturer": token.manufacturer_id,
            "model": token.model,
            "slot_id": slot.slot_id,
        }
        if all(getattr(address, name) in (None, value) for name, value in says.items()):
            found.append(token)
    if len(found) == 1:
        return found[0]
    if not found:
        raise KeyUnavailable(
            f"{address.shown}: no such token is plugged in; plug it in, then try again",
            zh=f"{address.shown}：没有找到该密钥设备，请插入后重试",
        )
    names = ", ".join(f"token={token.label};serial={_plain(token.serial)}" for token in found[:8])
    raise refused(
        address.shown,
        f"{len(found)} tokens fit; choose one: {names}",
        f"有 {len(found)} 个设备符合，请指定：{names}",
    )


def _plain(serial: bytes) -> str:
    return bytes(serial).decode("ascii", "replace").strip()


def _log_in(token: pkcs11.Token, address: TokenAddress, pin: Pin) -> Any:
    flags = token.flags
    if flags & pkcs11.TokenFlag.USER_PIN_LOCKED:
        raise _locked(address)
    if flags & pkcs11.TokenFlag.USER_PIN_FINAL_TRY:
        raise refused(
            address.shown,
            "one PIN try is left, which is not used here; log in once with the maker's own program",
            "PIN 仅剩最后一次机会，本程序不再尝试；请先用厂商工具登录一次",
        )
    if flags & pkcs11.TokenFlag.USER_PIN_COUNT_LOW and not callable(pin):
        raise refused(
            address.shown,
            "the last PIN tried was wrong; log in once by hand before a batch may try",
            "上一次 PIN 输入错误；请先人工登录一次，再执行批量签章",
        )
    text = None
    if flags & pkcs11.TokenFlag.LOGIN_REQUIRED:
        text = pin_of(pin, address.shown)
        if text is None:
            raise refused(address.shown, "needs a PIN; give it", "需要 PIN，请输入")
    try:
        return token.open(user_pin=text)
    except failures.UserAlreadyLoggedIn:
        return token.open()
    except failures.PinLocked as error:
        raise _locked(address) from error
    except (failures.PinIncorrect, failures.PinInvalid, failures.PinLenRange) as error:
        raise refused(address.shown, "wrong PIN; it was tried once only", "PIN 错误；只尝试了一次") from error


def _locked(address: TokenAddress) -> SigningRefused:
    return refused(address.shown, "its PIN is locked; have it unlocked", "PIN 已锁定，请联系发证机构解锁")


def _signer(session: Any, address: TokenAddress) -> TokenSigner:
    certificates = _certificates(session, address)
    wanted: dict[Any, Any] = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}
    if address.object_label is not None:
        wanted[pkcs11.Attribute.LABEL] = address.object_label
    if address.object_id is not None:
        wanted[pkcs11.Attribute.ID] = address.object_id
    keys = _objects(session, wanted, address)
    if not keys:
        raise refused(address.shown, "the token has no such private key", "设备中没有该私钥")
    pairs = [(key, certificates[_id_of(key)]) for key in keys if _id_of(key) in certificates]
    if not pairs:
        raise refused(
            address.shown,
            "the token has no certificate for the key; have it written there",
            "设备中没有与私钥对应的证书，请先写入证书",
        )
    # Tokens of Chinese CAs hold two key pairs, one of them for encryption only (双证书).
    signing = [pair for pair in pairs if _may_sign(pair[1])] or pairs
    if len(signing) > 1:
        names = ", ".join(f"id=%{_id_of(key).hex('%')} {subject_of(one)}" for key, one in signing[:8])
        raise refused(
            address.shown,
            f"{len(signing)} keys sign; choose one: {names}",
            f"有 {len(signing)} 个签名密钥，请指定：{names}",
        )
    key, certificate = signing[0]
    return TokenSigner(
        address.shown,
        certificate,
        issuers_among(certificate, [one for one in certificates.values() if one is not certificate]),
        _algorithm(key, certificate, address),
        session,
        key,
    )


def _objects(session: Any, wanted: Mapping[Any, Any], address: TokenAddress) -> list[Any]:
    found = []
    for one in session.get_objects(dict(wanted)):
        found.append(one)
        if len(found) > MAX_OBJECTS:
            raise refused(
                address.shown,
                f"more than {MAX_OBJECTS} objects; name the key by id=",
                "设备对象过多，请用 id= 指定密钥",
            )
    return found


def _id_of(key: Any) -> bytes:
    return bytes(key[pkcs11.Attribute.ID])


def _certificates(session: Any, address: TokenAddress) -> dict[bytes, asn1crypto.x509.Certificate]:
    """Return the token's certificates by CKA_ID; issuers, which often have none, under their digest."""
    found: dict[bytes, asn1crypto.x509.Certificate] = {}
    wanted = {
        pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
        pkcs11.Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
    }
    for one in _objects(session, wanted, address):
        data = bytes(one[pkcs11.Attribute.VALUE])
        try:
            certificate = asn1crypto.x509.Certificate.load(data, strict=True)
            certificate.subject.native  # noqa: B018 - parsed here, so that a broken one is passed over here
        except ASN1_ERRORS:
            continue
        key_id = _id_of(one)
        found[key_id if key_id and key_id not in found else hashlib.sha256(data).digest()] = certificate
    return found


def _may_sign(certificate: asn1crypto.x509.Certificate) -> bool:
    usage = certificate.key_usage_value
    return usage is None or bool({"digital_signature", "non_repudiation"} & usage.native)


def _algorithm(key: Any, certificate: asn1crypto.x509.Certificate, address: TokenAddress) -> Algorithm:
    kind = certificate.public_key.algorithm
    known = _KINDS.get((key.key_type, kind))
    if known is RSA and certificate.public_key.bit_size >= MIN_RSA_BITS:
        return RSA
    if known is ECDSA and bytes(certificate.public_key["algorithm"]["parameters"].dump()) == _P256:
        return ECDSA
    raise refused(
        address.shown,
        f"key of an unsupported kind; use RSA of {MIN_RSA_BITS} bits or more, or EC P-256",
        f"密钥类型不受支持，请使用 {MIN_RSA_BITS} 位以上的 RSA 或 EC P-256",
    )


_KINDS: Mapping[tuple[pkcs11.KeyType, str], Algorithm] = MappingProxyType(
    {(pkcs11.KeyType.RSA, "rsa"): RSA, (pkcs11.KeyType.EC, "ec"): ECDSA}
)
