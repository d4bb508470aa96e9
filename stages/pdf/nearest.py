"""What stands in a file that is most like a keyword that does not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stages.page_text import PageText
from stages.pdf.folding import folded
from stages.pdf.keywords import Keyword
from stages.pdf.reading_order import runs_of
from stages.pdf.text_layer import LayerPage, open_layer

MIN_SHARED = 0.5
"""A paragraph or row with fewer of the keyword's characters is not looked at."""
MAX_DISTANCE = 0.4
"""Edits per character of the keyword; what needs more is not alike."""
MAX_LOOKED_AT = 400
"""Paragraphs and rows compared in full, those with most shared characters."""
MAX_NAMED = 3


@dataclass(frozen=True)
class NearText:
    """A text that is almost a keyword, as it stands on its page."""

    text: str
    page_index: int


def nearest_in_file(path: Path, keyword: str, page_indices: Sequence[int]) -> tuple[NearText, ...]:
    """Return the texts of a file's text layer that are most like a keyword, best first, at most MAX_NAMED.

    Nothing is alike to a regular expression.

    Raises:
        InputRefused: a page cannot be read.
    """
    if Keyword(keyword).is_expression:
        return ()
    letters = frozenset(folded(keyword))

    def pages() -> Iterable[tuple[int, PageText]]:
        with open_layer(path) as document:
            for page_index in page_indices:
                page = LayerPage(document, page_index)
                if _shared(letters, folded("".join(set(page.text)))) >= MIN_SHARED:
                    yield page_index, page.read()

    return nearest_on_pages(pages(), keyword)


def nearest_on_pages(pages: Iterable[tuple[int, PageText]], keyword: str) -> tuple[NearText, ...]:
    """Return the texts of pages that are most like a keyword, best first, at most MAX_NAMED."""
    wanted = folded(keyword)
    letters = frozenset(wanted)
    lines: list[tuple[float, int, str]] = []
    for page_index, content in pages:
        for run in runs_of(content.lines, simplified=False):
            text = run.text.replace("_", "")
            shared = _shared(letters, text)
            if shared >= MIN_SHARED:
                lines.append((shared, page_index, text))
    lines.sort(key=lambda item: -item[0])
    found: dict[str, tuple[float, int]] = {}
    for _, page_index, text in lines[:MAX_LOOKED_AT]:
        distance, start, end = closest_part(wanted, text)
        part = text[start:end]
        if 0 < distance <= MAX_DISTANCE * len(wanted) and part not in found:
            found[part] = (distance, page_index)
    best = sorted(found.items(), key=lambda item: item[1])[:MAX_NAMED]
    return tuple(NearText(text, page_index) for text, (_, page_index) in best)


def _shared(letters: frozenset[str], text: str) -> float:
    return len(letters.intersection(text)) / max(1, len(letters))


def closest_part(wanted: str, text: str) -> tuple[int, int, int]:
    """Return the fewest edits that make a part of a text the wanted one, and where that part lies.

    Source: Sellers, "The theory and computation of evolutionary distances", 1980.
    """
    row = [(0, at) for at in range(len(text) + 1)]
    for number, char in enumerate(wanted, 1):
        before = row
        row = [(number, 0)]
        for at, other in enumerate(text, 1):
            row.append(
                min(
                    (before[at - 1][0] + (char != other), before[at - 1][1]),
                    (before[at][0] + 1, before[at][1]),
                    (row[at - 1][0] + 1, row[at - 1][1]),
                )
            )
    end = min(range(len(row)), key=lambda at: (row[at][0], abs(at - row[at][1] - len(wanted))))
    return row[end][0], row[end][1], end
