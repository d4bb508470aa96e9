"""The PIN of a key: asked for once, checked before a device is shown it, never kept."""

from collections.abc import Callable

from stages.errors import SigningRefused

MAX_PIN_CHARACTERS = 128
DEFAULT_PINS = frozenset(
    {"111111", "11111111", "123456", "12345678", "000000", "00000000", "888888", "88888888", "1234567890"}
)
"""What Chinese key devices are delivered with; a key behind one of these is anybody's."""

Pin = Callable[[], str] | str | None


def pin_of(pin: Pin, key_name: str) -> str | None:
    """Return a PIN that may be tried, asking for it where it is to be asked for.

    Args:
        key_name: what messages call the key.

    Raises:
        SigningRefused: it is a factory default, or longer than MAX_PIN_CHARACTERS.
    """
    text = pin() if callable(pin) else pin
    if text is None:
        return None
    if text in DEFAULT_PINS:
        raise SigningRefused(
            f"{key_name}: is protected by a factory default PIN; change the PIN, then try again",
            zh=f"{key_name}：使用的是出厂默认 PIN，请先修改 PIN 再试",
        )
    if len(text) > MAX_PIN_CHARACTERS:
        raise SigningRefused(
            f"{key_name}: PIN longer than {MAX_PIN_CHARACTERS} characters; give the right one",
            zh=f"{key_name}：PIN 超过 {MAX_PIN_CHARACTERS} 个字符，请重新输入",
        )
    return text
