"""What a page says and where: the lines that a text layer or OCR gives, in displayed millimetres."""

import re
from dataclasses import dataclass
from enum import StrEnum

BoxMm = tuple[float, float, float, float]
"""x0, y0, x1, y1 in mm from the top left of the displayed page."""

_UNMAPPED = re.compile("[\N{REPLACEMENT CHARACTER}\ue000-\uf8ff\U000f0000-\U0010ffff]")
MAX_UNMAPPED_SHARE = 0.2
"""A page with more such glyphs cannot be read by its text layer; bullets alone stay far below."""
MIN_UNMAPPED = 3


def is_unmapped(char: str) -> bool:
    """Return whether a file does not say which character a glyph is: U+FFFD, or one for private use."""
    return _UNMAPPED.fullmatch(char) is not None


def unmapped_count(text: str) -> int:
    """Return how many glyphs of a text nobody knows the character of."""
    return len(_UNMAPPED.findall(text))


class TextSource(StrEnum):
    """Where a page's text comes from."""

    LAYER = "layer"
    OCR = "ocr"


@dataclass(frozen=True)
class PageLine:
    """Characters in reading order.

    Attributes:
        text: one line as it stands in the file, not folded.
        boxes_mm: for each character of `text` its box.
        block: lines of one number are one paragraph.
        direction: the way the text runs on the displayed page, a unit vector; (1, 0) is to the right.
    """

    text: str
    boxes_mm: tuple[BoxMm, ...]
    block: int
    direction: tuple[float, float] = (1.0, 0.0)


@dataclass(frozen=True)
class PageText:
    """All that a page says.

    Attributes:
        unmapped_count: glyphs whose character is unknown.
    """

    lines: tuple[PageLine, ...]
    unmapped_count: int = 0
    source: TextSource = TextSource.LAYER

    @property
    def has_text(self) -> bool:
        """Whether anything but blanks can be read."""
        return any(_UNMAPPED.sub("", line.text).strip() for line in self.lines)

    @property
    def is_readable(self) -> bool:
        """Whether a keyword that is not found here is not here: there is text, and it is mapped."""
        if not self.has_text:
            return False
        count = sum(1 for line in self.lines for char in line.text if not char.isspace())
        return self.unmapped_count < MIN_UNMAPPED or self.unmapped_count <= MAX_UNMAPPED_SHARE * count
