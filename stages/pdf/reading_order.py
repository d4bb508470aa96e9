"""A page's characters in the two orders people read them: paragraph by paragraph, and along each row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stages.page_text import BoxMm, PageLine
from stages.pdf.folding import folded_char

MAX_ROW_GAP_MM = 150.0
"""Cells of a form lie this far apart on a row; what is further apart belongs to two pages on one sheet."""
SAME_WAY = 0.9986
"""The cosine of 3°: lines that run more differently do not stand on one row."""
SAME_CHAR_SHARE = 0.3
"""The same character drawn again within this share of its size is imitated bold."""


class FoldedChar(NamedTuple):
    """One character of a page after folding.

    Attributes:
        number: the same for every piece of one character of the page.
        line: the same for every character of one line.
    """

    text: str
    box_mm: BoxMm
    number: int
    line: int


@dataclass(frozen=True)
class Run:
    """Characters that are searched as one text.

    Attributes:
        is_row: they stand on one row of the page.
    """

    chars: tuple[FoldedChar, ...]
    is_row: bool

    @property
    def text(self) -> str:
        """What the characters say."""
        return "".join([char.text for char in self.chars])


@dataclass(frozen=True)
class _Line:
    """A line with its place along (u) and across (v) its direction, in mm."""

    chars: tuple[FoldedChar, ...]
    direction: tuple[float, float]
    v0: float
    v1: float


def runs_of(lines: Sequence[PageLine], *, simplified: bool) -> list[Run]:
    """Return the page's rows made of several lines, then its paragraphs."""
    folded: list[_Line] = []
    paragraphs: dict[int, list[FoldedChar]] = {}
    number = 0
    for index, line in enumerate(lines):
        chars: list[FoldedChar] = []
        for char, box in zip(line.text, line.boxes_mm, strict=True):
            number += 1
            chars += [
                FoldedChar(piece, box, number, index) for piece in folded_char(char, simplified=simplified)
            ]
        if chars:
            paragraphs.setdefault(line.block, []).extend(chars)
            across = [_across(char.box_mm, line.direction) for char in chars]
            folded.append(
                _Line(tuple(chars), line.direction, min(v[0] for v in across), max(v[1] for v in across))
            )
    rows = [Run(tuple(chars), True) for chars in _rows(folded)]
    return rows + [Run(tuple(chars), False) for chars in paragraphs.values()]


def _along(box: BoxMm, direction: tuple[float, float]) -> tuple[float, float]:
    """Return where a box begins and ends along a direction."""
    if direction == (1.0, 0.0):  # nearly all text: the general case takes five times as long
        return box[0], box[2]
    x, y = direction
    ends = [x * px + y * py for px in (box[0], box[2]) for py in (box[1], box[3])]
    return min(ends), max(ends)


def _across(box: BoxMm, direction: tuple[float, float]) -> tuple[float, float]:
    if direction == (1.0, 0.0):
        return box[1], box[3]
    return _along(box, (-direction[1], direction[0]))


def _rows(lines: Sequence[_Line]) -> Iterable[list[FoldedChar]]:
    """Yield the characters of each row that holds more than one line, in order, no gap over the limit."""
    for group in _by_direction(lines):
        rows: list[list[_Line]] = []
        for line in sorted(group, key=lambda line: line.v0 + line.v1):
            if rows and _is_same_row(rows[-1][-1], line):
                rows[-1].append(line)
            else:
                rows.append([line])
        for row in rows:
            if len(row) > 1:
                yield from _in_order(row)


def _by_direction(lines: Sequence[_Line]) -> list[list[_Line]]:
    """Return lines that run the same way together, each as its group's longest line sees it.

    A text layer says exactly how a line runs; OCR says it the worse the shorter the line.
    """
    groups: list[list[_Line]] = []
    for line in sorted(lines, key=lambda line: -len(line.chars)):
        x, y = line.direction
        for group in groups:
            main = group[0].direction
            if line.direction == main:
                group.append(line)
                break
            if x * main[0] + y * main[1] > SAME_WAY:
                across = [_across(char.box_mm, main) for char in line.chars]
                group.append(_Line(line.chars, main, min(v[0] for v in across), max(v[1] for v in across)))
                break
        else:
            groups.append([line])
    return groups


def _is_same_row(one: _Line, other: _Line) -> bool:
    shared = min(one.v1, other.v1) - max(one.v0, other.v0)
    return shared > 0.5 * min(one.v1 - one.v0, other.v1 - other.v0)


def _in_order(row: Sequence[_Line]) -> Iterable[list[FoldedChar]]:
    direction = row[0].direction
    placed = sorted(
        ((*_along(char.box_mm, direction), char) for line in row for char in line.chars),
        key=lambda item: (item[0] + item[1], item[2].number),
    )
    part: list[FoldedChar] = []
    end = 0.0
    middles: dict[str, float] = {}
    for u0, u1, char in placed:
        if part and u0 - end > MAX_ROW_GAP_MM:
            yield part
            part = []
        middle = (u0 + u1) / 2
        before = middles.get(char.text)
        middles[char.text] = middle
        is_again = before is not None and middle - before < SAME_CHAR_SHARE * (u1 - u0)
        if is_again and part and part[-1].number != char.number:
            continue
        part.append(char)
        end = max(end, u1)
    yield part
