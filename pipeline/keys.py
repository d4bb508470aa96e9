"""Signing keys by URI: opened once, checked once, then kept."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from pipeline.key_files import open_key_file
from pipeline.key_tokens import open_token_key
from pipeline.pins import Pin
from stages.authorities import Signer
from stages.errors import SigningRefused


def open_signer(uri: str, *, pin: Pin) -> Signer:
    """Open a signing key.

    Args:
        uri: `file:` and the path of a PKCS#12 (.p12, .pfx) or of a PEM holding key and certificates; or
            `pkcs11:` and a key in a token (RFC 7512), with `?module-path=` and its library.
        pin: what opens it, or a function that is asked for it once; None for a PEM in the clear.

    Raises:
        SigningRefused: unknown scheme; unreadable file; wrong, missing or default PIN; no key, no
            certificate, a key that does not match it or is of no supported kind.
        KeyUnavailable: the token is not plugged in, or does not answer.
    """
    scheme, colon, rest = uri.partition(":")
    opener = _SCHEMES.get(scheme) if colon else None
    if opener is None:
        known = ", ".join(f"{name}:" for name in _SCHEMES)
        raise SigningRefused(
            f"key address begins with none of {known} (such as file:/path/key.p12); correct the setting",
            zh=f"密钥地址应以 {known} 开头（例如 file:/path/key.p12），请改正设置",
        )
    return opener(rest, pin)


_SCHEMES: Mapping[str, Callable[[str, Pin], Signer]] = MappingProxyType(
    {"file": open_key_file, "pkcs11": open_token_key}
)
"""How each kind of address is opened."""
