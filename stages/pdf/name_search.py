"""Names as they are compared, and a note of every place where one of them stands."""

import mmap
from collections.abc import Sequence
from dataclasses import dataclass

from stages.pdf.folding import folded_char

MAX_TRACES = 200
"""Enough to show; whoever has more begins with these."""
MIN_NAME_CHARS = 2
"""A shorter name is a part of other words."""
MIN_RAW_BYTES = 6
"""Fewer bytes stand by chance in compressed data: of four, one in twenty files of 200 MB has them."""

_RAW_ENCODINGS = ("utf-8", "utf-16-be", "utf-16-le", "gb18030")


@dataclass(frozen=True)
class Trace:
    """One place where a name stands.

    Attributes:
        where, where_zh: the kind of place, with its key or object where it has one.
        page_index: None for what lies on no page.
    """

    name: str
    where: str
    where_zh: str
    page_index: int | None = None


class _PlainChars(dict[int, str]):
    """What stands for each character by `folded_char`, simplified and in lower case, made when it is met."""

    def __missing__(self, code_point: int) -> str:
        plain = self[code_point] = folded_char(chr(code_point), True).casefold()
        return plain


_PLAIN_CHARS = _PlainChars()


def _plain(text: str) -> str:
    """Return a text as names are compared."""
    return text.translate(_PLAIN_CHARS)


class NameSearch:
    """Names as they are compared, and what was found of them."""

    def __init__(self, names: Sequence[str]) -> None:
        plain = {name: _plain(name) for name in names}
        self._plain = {name: text for name, text in plain.items() if len(text) >= MIN_NAME_CHARS}
        self.found: dict[Trace, None] = {}
        self._known_words: set[str] = set()

    def note(self, text: str, where: str, where_zh: str, page_index: int | None = None) -> None:
        """Note every name that stands in a text."""
        if not text or not self._plain:
            return
        within = _plain(text)
        for name, plain in self._plain.items():
            if plain in within and len(self.found) < MAX_TRACES:
                self.found[Trace(name, where, where_zh, page_index)] = None

    def note_string(
        self, text: str, data: bytes, where: str, where_zh: str, page_index: int | None = None
    ) -> None:
        """Note every name that stands in a PDF's string, also where its bytes are in no encoding of PDF's.

        Programs write GB 18030 or bare UTF-8 there (ISO 32000-2 §7.9.2.2 knows UTF-8 with a mark only).
        """
        self.note(text, where, where_zh, page_index)
        if not data.isascii() and not data.startswith((b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf")):
            for encoding in ("utf-8", "gb18030"):
                self.note(data.decode(encoding, "ignore"), where, where_zh, page_index)

    def note_word(self, word: str, where: str, where_zh: str, page_index: int | None = None) -> None:
        """Note every name that stands in a key or name object; most of these are the same few words."""
        if word not in self._known_words:
            self._known_words.add(word)
            self.note(word, where, where_zh, page_index)

    def note_bytes(self, data: bytes | mmap.mmap, where: str, where_zh: str) -> None:
        """Note every name that stands in bytes in an encoding of the usual ones."""
        for name in self._plain:
            forms = {name.encode(encoding, "ignore") for encoding in _RAW_ENCODINGS}
            as_hex = name.encode("utf-16-be", "ignore").hex()  # as a PDF's text string is often written
            forms |= {as_hex.encode(), as_hex.upper().encode()}
            if any(len(form) >= MIN_RAW_BYTES and data.find(form) >= 0 for form in forms):
                self.found[Trace(name, where, where_zh)] = None

    def add_unseen(self, other: "NameSearch") -> None:
        """Add what another search found of names of which nothing was found here."""
        unseen = frozenset(self.unseen)
        self.found |= {trace: None for trace in other.found if trace.name in unseen}

    @property
    def unseen(self) -> list[str]:
        """Names of which nothing was found yet."""
        seen = {trace.name for trace in self.found}
        return [name for name in self._plain if name not in seen]
