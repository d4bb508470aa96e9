"""Where keywords stand on the pages of a PDF, in displayed millimetres."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stages.errors import PlacementRefused
from stages.page_text import BoxMm, PageText, TextSource
from stages.pdf.folding import folded
from stages.pdf.keywords import Keyword, KeywordPattern, keyword_pattern
from stages.pdf.nearest import NearText, nearest_in_file
from stages.pdf.reading_order import FoldedChar, Run, runs_of
from stages.pdf.text_layer import LayerPage, open_layer

MAX_HITS = 20_000
"""Hits of all keywords in a file."""
ROW_TOLERANCE = 0.5
"""Hits whose middles differ in height by less than this share of a hit's height stand on one row."""


@dataclass(frozen=True)
class TextHit:
    """One place where a keyword stands: its box in mm from the top left of the displayed page.

    Attributes:
        by_ocr: it was read off the page's picture, and may be misread.
    """

    page_index: int
    x_mm: float
    y_mm: float
    w_mm: float
    h_mm: float
    by_ocr: bool = False

    @property
    def centre_mm(self) -> tuple[float, float]:
        """The middle of the box."""
        return self.x_mm + self.w_mm / 2, self.y_mm + self.h_mm / 2


@dataclass(frozen=True)
class TextSearch:
    """What a search through a file gave.

    Attributes:
        hits: for each keyword asked for, its hits by page, then from top to bottom and left to right.
        pages_without_text: indices of searched pages that have no text layer.
        pages_unmapped: indices of searched pages whose text layer does not say which characters they are.
        pages_pictured: indices of searched pages that are one picture with a few words beside it.
        pages_by_ocr: indices of pages that were read off their picture.
    """

    hits: tuple[tuple[TextHit, ...], ...]
    pages_without_text: tuple[int, ...]
    pages_unmapped: tuple[int, ...] = ()
    pages_pictured: tuple[int, ...] = ()
    pages_by_ocr: tuple[int, ...] = ()

    @property
    def pages_unread(self) -> tuple[int, ...]:
        """Indices of pages in which nobody could look."""
        silent = {*self.pages_without_text, *self.pages_unmapped}
        return tuple(sorted(silent - set(self.pages_by_ocr)))


class PageTexts(Protocol):
    """Somebody who looks into files for a plan: into their text layers, and by OCR at their pictures."""

    def search(
        self, path: Path, keywords: Sequence[Keyword], page_indices: Sequence[int], *, annotations: bool
    ) -> TextSearch:
        """Return what `search_text` finds.

        Raises:
            PlanRefused, InputRefused, PlacementRefused: see search_text; InputRefused also when a page
                takes too long.
        """
        ...

    def read(self, path: Path, page_indices: Sequence[int]) -> Mapping[int, PageText]:
        """Return what OCR reads on pages; those that nobody can read are left out.

        Raises:
            InputRefused: a page cannot be drawn.
        """
        ...

    def nearest(self, path: Path, keyword: str, page_indices: Sequence[int]) -> tuple[NearText, ...]:
        """Return what is most like a keyword (`nearest.nearest_in_file`)."""
        ...


class LayerOnly:
    """Looks into text layers in this process, and reads no pictures."""

    def search(
        self, path: Path, keywords: Sequence[Keyword], page_indices: Sequence[int], *, annotations: bool
    ) -> TextSearch:
        return search_text(path, keywords, page_indices, annotations=annotations)

    def read(self, path: Path, page_indices: Sequence[int]) -> Mapping[int, PageText]:
        return {}

    def nearest(self, path: Path, keyword: str, page_indices: Sequence[int]) -> tuple[NearText, ...]:
        return nearest_in_file(path, keyword, page_indices)


def search_text(
    path: Path,
    keywords: Sequence[str | Keyword],
    page_indices: Sequence[int],
    *,
    annotations: bool = True,
    on_page: Callable[[int], None] | None = None,
) -> TextSearch:
    """Return every place where keywords stand in the text layer of the given pages.

    Text is compared as `folding.folded` has it: a keyword may be split over spans and lines of a
    paragraph, and over whatever stands on one row. Text drawn twice in one place (imitated bold) counts
    once.

    Args:
        annotations: what annotations and form fields show is searched too.
        on_page: is told the index of each page that is done.

    Raises:
        PlanRefused: a keyword cannot be searched for, or takes too long.
        InputRefused: a page's text cannot be read, or is over text_layer.MAX_PAGE_CHARS.
        PlacementRefused: more than MAX_HITS.
    """
    patterns = [keyword_pattern(keyword) for keyword in keywords]
    hits: list[list[TextHit]] = [[] for _ in patterns]
    silent: list[int] = []
    unmapped: list[int] = []
    pictured: list[int] = []
    with open_layer(path) as document:
        for done, page_index in enumerate(page_indices):
            if done and on_page is not None:
                on_page(page_indices[done - 1])
            page = LayerPage(document, page_index, annotations=annotations)
            if not page.text.strip():
                silent.append(page_index)
                continue
            if page.is_pictured():
                pictured.append(page_index)
            # Boxes of single characters are costly: only pages that may have a hit pay for them.
            if not page.has_unmapped and not _may_hold(page.text, patterns):
                continue
            content = page.read()
            if not content.is_readable:
                (unmapped if content.unmapped_count else silent).append(page_index)
            for known, new in zip(hits, find_on_page(content, page_index, patterns), strict=True):
                known.extend(new)
            check_hit_count(hits)
    return TextSearch(tuple(map(tuple, hits)), tuple(silent), tuple(unmapped), tuple(pictured))


def check_hit_count(hits: Iterable[Sequence[TextHit]]) -> None:
    """Check that keywords stand a bearable number of times.

    Raises:
        PlacementRefused: more than MAX_HITS.
    """
    if sum(map(len, hits)) > MAX_HITS:
        raise PlacementRefused(
            f"the keywords stand more than {MAX_HITS} times; use longer keywords",
            zh=f"关键字出现超过 {MAX_HITS} 次，请使用更长的关键字",
        )


def _may_hold(text: str, patterns: Sequence[KeywordPattern]) -> bool:
    letters: dict[bool, frozenset[str]] = {}
    for pattern in patterns:
        if pattern.simplified not in letters:
            letters[pattern.simplified] = frozenset(folded("".join(set(text)), simplified=pattern.simplified))
        if pattern.may_stand_in(letters[pattern.simplified]):
            return True
    return False


def find_on_page(
    content: PageText, page_index: int, patterns: Sequence[KeywordPattern]
) -> list[list[TextHit]]:
    """Return each pattern's hits on one page, from top to bottom and left to right.

    Raises:
        PlanRefused: see KeywordPattern.spans.
    """
    runs: dict[bool, list[tuple[Run, str]]] = {}
    letters: dict[bool, frozenset[str]] = {}
    by_ocr = content.source is TextSource.OCR
    found: list[list[TextHit]] = []
    for pattern in patterns:
        if pattern.simplified not in runs:
            folded_runs = runs_of(content.lines, simplified=pattern.simplified)
            runs[pattern.simplified] = [(run, run.text) for run in folded_runs]
            letters[pattern.simplified] = frozenset().union(*(text for _, text in runs[pattern.simplified]))
        hits: list[TextHit] = []
        if not pattern.may_stand_in(letters[pattern.simplified]):
            found.append(hits)
            continue
        used: set[int] = set()
        for run, text in runs[pattern.simplified]:
            for start, end in pattern.spans(text):
                chars = run.chars[start:end]
                numbers = {char.number for char in chars}
                if used & numbers:
                    continue  # found along the row already
                hit = _hit(page_index, _box(chars, is_row=run.is_row), by_ocr)
                used |= numbers
                if not any(_is_same_place(hit, other) for other in hits):
                    hits.append(hit)
        found.append(_from_top_to_bottom(hits))
    return found


def _box(chars: Sequence[FoldedChar], *, is_row: bool) -> BoxMm:
    """Return the box of the characters.

    Of a hit that runs over two lines it is the part on the line that holds most, of the later one when
    equal; of a hit that is spread over more lines (a column of single characters) it is the whole.
    """
    lines = [char.line for char in chars]
    main = max(sorted(set(lines), reverse=True), key=lines.count)
    is_whole = is_row or 2 * lines.count(main) < len(lines)
    boxes = [char.box_mm for char in chars if is_whole or char.line == main]
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


def _hit(page_index: int, box: BoxMm, by_ocr: bool) -> TextHit:
    return TextHit(page_index, box[0], box[1], box[2] - box[0], box[3] - box[1], by_ocr)


def _from_top_to_bottom(hits: Sequence[TextHit]) -> list[TextHit]:
    rows: list[list[TextHit]] = []
    for hit in sorted(hits, key=lambda hit: hit.centre_mm[1]):
        if rows and hit.centre_mm[1] - rows[-1][0].centre_mm[1] < ROW_TOLERANCE * rows[-1][0].h_mm:
            rows[-1].append(hit)
        else:
            rows.append([hit])
    return [hit for row in rows for hit in sorted(row, key=lambda hit: hit.x_mm)]


def _is_same_place(hit: TextHit, other: TextHit) -> bool:
    """Return whether two hits are one place: each one's middle lies within the other's box."""
    return hit.page_index == other.page_index and _holds(hit, other) and _holds(other, hit)


def _holds(hit: TextHit, other: TextHit) -> bool:
    x, y = other.centre_mm
    return hit.x_mm <= x <= hit.x_mm + hit.w_mm and hit.y_mm <= y <= hit.y_mm + hit.h_mm


def without_repeats(hits: Sequence[TextHit]) -> list[TextHit]:
    """Return hits of several keywords in page order, each place once (盖单位章 within （盖单位章）)."""
    by_page: dict[int, list[TextHit]] = {}
    for hit in hits:
        same_page = by_page.setdefault(hit.page_index, [])
        if not any(_is_same_place(hit, other) for other in same_page):
            same_page.append(hit)
    return [hit for page_index in sorted(by_page) for hit in _from_top_to_bottom(by_page[page_index])]
