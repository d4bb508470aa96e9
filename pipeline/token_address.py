"""The address of a key in a token: a PKCS#11 URI (RFC 7512), as far as it is needed to find one."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from stages.errors import SigningRefused

MAX_ADDRESS_CHARACTERS = 1024
_PATH_NAMES = frozenset({"token", "serial", "manufacturer", "model", "slot-id", "object", "id", "type"})
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class TokenAddress:
    """Which key of which token, and the library that speaks to it.

    Attributes:
        module: path of the maker's PKCS#11 library.
        token, serial, manufacturer, model: what the token says of itself; None for any.
        object_label, object_id: of the private key; None for the only one that signs.
    """

    module: Path
    token: str | None = None
    serial: bytes | None = None
    manufacturer: str | None = None
    model: str | None = None
    slot_id: int | None = None
    object_label: str | None = None
    object_id: bytes | None = None

    @property
    def shown(self) -> str:
        """How messages call the key."""
        parts = (self.token, self.object_label, self.object_id.hex() if self.object_id else None)
        return "pkcs11:" + ("/".join(part for part in parts if part) or self.module.name)


def parse_token_address(rest: str) -> TokenAddress:
    """Return what stands behind `pkcs11:`, such as `token=公司;id=%01?module-path=/usr/lib/x.so`.

    Raises:
        SigningRefused: no such form, an unknown or repeated attribute, a PIN in the address, or no
            library.
    """
    if len(rest) > MAX_ADDRESS_CHARACTERS:
        raise _refused(
            f"longer than {MAX_ADDRESS_CHARACTERS} characters", f"超过 {MAX_ADDRESS_CHARACTERS} 个字符"
        )
    path, _, query = rest.partition("?")
    wanted = _attributes(path, ";", _PATH_NAMES)
    options = _attributes(query, "&", frozenset({"module-path"}))
    if wanted.get("type", b"private") != b"private":
        raise _refused("names no private key (type=)", "指向的不是私钥（type=）")
    slot_id = wanted.get("slot-id")
    if slot_id is not None and not (slot_id.isdigit() and len(slot_id) < 10):
        raise _refused("slot-id is no number", "slot-id 不是数字")
    texts = {name: _text(wanted.get(name)) for name in ("token", "manufacturer", "model", "object")}
    return TokenAddress(
        module=_module(_text(options.get("module-path"))),
        token=texts["token"],
        serial=wanted.get("serial"),
        manufacturer=texts["manufacturer"],
        model=texts["model"],
        slot_id=int(slot_id) if slot_id is not None else None,
        object_label=texts["object"],
        object_id=wanted.get("id"),
    )


def _module(path: str | None) -> Path:
    if not path:
        raise _refused(
            "names no PKCS#11 library; add ?module-path=/path/of/the/library.so",
            "没有指明 PKCS#11 库，请加上 ?module-path=/库/的/路径.so",
        )
    if not Path(path).is_absolute() or not Path(path).is_file():
        raise _refused(
            f"there is no PKCS#11 library {path}; install the driver of the token, or correct the path",
            f"找不到 PKCS#11 库 {path}，请安装驱动或改正路径",
        )
    return Path(path)


def _attributes(text: str, separator: str, known: frozenset[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in text.split(separator) if text else ():
        name, equals, value = part.partition("=")
        if name in ("pin-value", "pin-source"):
            # An address stands in process lists, settings and records; a PIN may not.
            raise _refused(
                "holds a PIN; remove it, and give the PIN by --pin-fd or at the prompt",
                "中含有 PIN，请删除，并通过提示或 --pin-fd 输入 PIN",
            )
        if name not in known or not equals:
            allowed = ", ".join(sorted(known))
            raise _refused(
                f"{name or 'an empty attribute'} is unknown; known: {allowed}", f"未知的属性 {name}"
            )
        if name in found:
            raise _refused(f"{name} stands twice", f"{name} 重复")
        if _ESCAPE.search(value):
            raise _refused(f"{name} has a % that escapes nothing", f"{name} 中的 % 转义有误")
        found[name] = unquote_to_bytes(value)
    return found


def _text(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused("an attribute is not UTF-8", "属性不是 UTF-8 文本") from error


def _refused(what: str, zh: str) -> SigningRefused:
    return SigningRefused(f"key address pkcs11: {what}", zh=f"密钥地址 pkcs11: {zh}")
