"""The text of PDF objects: existing dictionaries and arrays written out again, their references unresolved.

Nothing here follows a reference into a stream or another object: what was `12 0 R` stays `12 0 R`.
"""

import copy
import re
from collections.abc import Iterable, Mapping

import pikepdf

ObjGen = tuple[int, int]
"""Object number and generation (ISO 32000-2 §7.3.10)."""


def reference(objgen: ObjGen) -> bytes:
    """Return an indirect reference, `12 0 R`."""
    return b"%d %d R" % objgen


def name_token(name: str) -> bytes:
    """Return a name such as "/Sig 1" as it is written in a file, special bytes escaped."""
    return bytes(pikepdf.Name(name).unparse())


def name_text(value: object) -> str:
    """Return a name that pikepdf handed out, without its slash; "?" for anything else.

    Names should be UTF-8 (ISO 32000-2 §7.3.5); older Chinese programs write GBK.
    """
    if not isinstance(value, pikepdf.Name):
        return "?"
    token = bytes(value.unparse())[1:]
    data = re.sub(rb"#([0-9A-Fa-f]{2})", lambda match: bytes([int(match.group(1), 16)]), token)
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return token.decode("ascii", "replace")


def value_token(value: object) -> bytes:
    """Return a value that pikepdf handed out as it stands in a file; an indirect one as its reference."""
    if isinstance(value, pikepdf.Object) and value.is_indirect:
        return reference(value.objgen)
    # Numbers and booleans arrive as Python values; inside an array they are written back as they were.
    return bytes(pikepdf.Array([value]).unparse()).strip()[1:-1].strip()


def dictionary_with(
    dictionary: pikepdf.Object | None,
    changes: Mapping[str, bytes],
    *,
    without: Iterable[str] = (),
) -> bytes:
    """Return a dictionary's text with keys set to the given tokens, or left out.

    Args:
        dictionary: what is there; None for an empty one. Never written to.
        changes: key (with its slash) to the bytes that stand for its value.
        without: keys to leave out.
    """
    if dictionary is None:
        body = b"<< >>"
    else:
        rest = copy.copy(dictionary)  # shallow: children stay references
        for key in (*changes, *without):
            if key in rest:
                del rest[key]
        body = bytes(rest.unparse())
    head = body[: body.rindex(b">>")]
    return head + b"".join(b"%s %s " % (name_token(key), token) for key, token in changes.items()) + b">>"


def array_with(array: pikepdf.Object | None, tokens: Iterable[bytes]) -> bytes:
    """Return an array's text with tokens appended; None stands for an empty array."""
    body = b"[ ]" if array is None else bytes(array.unparse(resolved=True))
    return body[: body.rindex(b"]")] + b"".join(b"%s " % token for token in tokens) + b"]"


def number(value: float) -> bytes:
    """Return a real number without exponent and at most five decimals (ISO 32000-2 §7.3.3)."""
    text = f"{value:.5f}".rstrip("0").rstrip(".")
    return b"0" if text in ("-0", "") else text.encode("ascii")


def numbers(*values: float) -> bytes:
    """Return numbers separated by spaces."""
    return b" ".join(number(value) for value in values)
