"""Where keywords stand on the pages of a PDF, in displayed millimetres."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymupdf

from seal_imaging.units import mm_from_pt
from stages.errors import InputRefused, PlacementRefused
from stages.pdf.keywords import folded, keyword_pattern

MAX_PAGE_CHARS = 500_000
"""Characters searched on a page; a page of print has 2,000, a map with every label 100,000."""
MAX_HITS = 20_000
"""Hits of all keywords in a file."""

_FLAGS = pymupdf.TEXT_MEDIABOX_CLIP
"""No images, no ligatures, no blanks made up: only what is searched."""


@dataclass(frozen=True)
class TextHit:
    """One place where a keyword stands: its box in mm from the top left of the displayed page."""

    page_index: int
    x_mm: float
    y_mm: float
    w_mm: float
    h_mm: float

    @property
    def centre_mm(self) -> tuple[float, float]:
        """The middle of the box."""
        return self.x_mm + self.w_mm / 2, self.y_mm + self.h_mm / 2


@dataclass(frozen=True)
class TextSearch:
    """What a search through a file gave.

    Attributes:
        hits: for each keyword asked for, its hits by page, then as the page's text runs.
        pages_without_text: indices of searched pages that have no text layer.
    """

    hits: tuple[tuple[TextHit, ...], ...]
    pages_without_text: tuple[int, ...]


@dataclass(frozen=True)
class _Char:
    text: str
    line: int
    box: tuple[float, float, float, float]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        document = pymupdf.open(path, filetype="pdf")
    except (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase) as error:
        raise InputRefused(
            "its text cannot be read; export the PDF again", zh="无法读取文字，请重新导出 PDF"
        ) from error
    try:
        yield document
    finally:
        document.close()


def search_text(path: Path, keywords: Sequence[str], page_indices: Sequence[int]) -> TextSearch:
    """Return every place where keywords stand on the given pages.

    Text is compared as `keywords.folded` has it, block by block: a keyword may be split over spans and
    lines of a block, never over blocks. Text drawn twice in one place (imitated bold) counts once.

    Raises:
        PlanRefused: a keyword cannot be searched for.
        InputRefused: a page's text cannot be read, or is over MAX_PAGE_CHARS.
        PlacementRefused: more than MAX_HITS.
    """
    patterns = [keyword_pattern(keyword) for keyword in keywords]
    hits: list[list[TextHit]] = [[] for _ in patterns]
    silent: list[int] = []
    with _opened(path) as document:
        for page_index in page_indices:
            try:
                found = _search_page(document, page_index, patterns)
            except (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase) as error:
                raise InputRefused(
                    f"the text of page {page_index + 1} cannot be read; export the PDF again",
                    zh=f"无法读取第 {page_index + 1} 页的文字，请重新导出 PDF",
                ) from error
            if found is None:
                silent.append(page_index)
                continue
            for known, new in zip(hits, found, strict=True):
                known.extend(new)
            if sum(map(len, hits)) > MAX_HITS:
                raise PlacementRefused(
                    f"the keywords stand more than {MAX_HITS} times; use longer keywords",
                    zh=f"关键字出现超过 {MAX_HITS} 次，请使用更长的关键字",
                )
    return TextSearch(tuple(map(tuple, hits)), tuple(silent))


def _search_page(document: Any, page_index: int, patterns: Sequence[Any]) -> list[list[TextHit]] | None:
    """Return each pattern's hits on a page; None when the page has no text."""
    page = document.load_page(page_index)
    # The text page is in the space of the page before /Rotate, its origin at the CropBox's corner.
    to_display = page.rotation_matrix
    text_page = page.get_textpage(flags=_FLAGS)
    blocks = [block for block in text_page.extractBLOCKS() if block[6] == 0]
    if sum(len(block[4]) for block in blocks) > MAX_PAGE_CHARS:
        raise InputRefused(
            f"page {page_index + 1} has more than {MAX_PAGE_CHARS} characters; split it",
            zh=f"第 {page_index + 1} 页超过 {MAX_PAGE_CHARS} 个字符，请拆分",
        )
    texts = [folded(block[4]) for block in blocks]
    if not any(texts):
        return None
    # Boxes of single characters are costly: only pages that do have a hit pay for them.
    if not any(pattern.search(text) for pattern in patterns for text in texts):
        return [[] for _ in patterns]
    hits: list[list[TextHit]] = [[] for _ in patterns]
    for block in text_page.extractRAWDICT()["blocks"]:
        chars = _chars_of(block)
        text = "".join(char.text for char in chars)
        for index, pattern in enumerate(patterns):
            for match in pattern.finditer(text):
                if match.end() > match.start():
                    hit = _hit(page_index, chars[match.start() : match.end()], to_display)
                    if not any(_is_same_place(hit, other) for other in hits[index]):
                        hits[index].append(hit)
    return hits


def _chars_of(block: dict[str, Any]) -> list[_Char]:
    """Return a block's folded characters, each with its line and box; blanks are gone."""
    return [
        _Char(piece, number, char["bbox"])
        for number, line in enumerate(block.get("lines", ()))
        for span in line["spans"]
        for char in span["chars"]
        for piece in folded(char["c"])
    ]


def _hit(page_index: int, chars: Sequence[_Char], to_display: Any) -> TextHit:
    """Return the box of the characters on the line that holds most of them; of the later one when equal."""
    lines = [char.line for char in chars]
    main = max(sorted(set(lines), reverse=True), key=lines.count)
    boxes = [char.box for char in chars if char.line == main]
    box = pymupdf.Rect(
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )
    box = (box * to_display).normalize()
    return TextHit(
        page_index, mm_from_pt(box.x0), mm_from_pt(box.y0), mm_from_pt(box.width), mm_from_pt(box.height)
    )


def _is_same_place(hit: TextHit, other: TextHit) -> bool:
    """Return whether two hits are one place: each one's middle lies within the other's box."""
    return hit.page_index == other.page_index and _holds(hit, other) and _holds(other, hit)


def _holds(hit: TextHit, other: TextHit) -> bool:
    x, y = other.centre_mm
    return hit.x_mm <= x <= hit.x_mm + hit.w_mm and hit.y_mm <= y <= hit.y_mm + hit.h_mm


def without_repeats(hits: Sequence[TextHit]) -> list[TextHit]:
    """Return hits of several keywords in page order, each place once (盖单位章 within （盖单位章）)."""
    kept: list[TextHit] = []
    by_page: dict[int, list[TextHit]] = {}
    for hit in sorted(hits, key=lambda hit: hit.page_index):
        same_page = by_page.setdefault(hit.page_index, [])
        if not any(_is_same_place(hit, other) for other in same_page):
            same_page.append(hit)
            kept.append(hit)
    return kept
