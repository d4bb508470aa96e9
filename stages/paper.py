"""Paper: the sizes of a document's pages as people call them, counted: A4 ×120, A3 横 ×3."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from stages.documents import PageGeometry
from stages.sheet_sizes import SHEETS_MM

TOLERANCE_MM = 3.0
"""Programs round paper to whole points or millimetres, and scanners to whole dots."""
MAX_SHOWN = 6


@dataclass(frozen=True)
class PaperCount:
    """How many pages of a document have a size.

    Attributes:
        name: A4 and the like; None for a size of no name.
        width_mm, height_mm: of the first of them, as displayed.
    """

    name: str | None
    is_landscape: bool
    width_mm: float
    height_mm: float
    pages: int

    @property
    def words(self) -> tuple[str, str]:
        """In English and Chinese, without the count."""
        if self.name is None:
            size = f"{self.width_mm:.0f} × {self.height_mm:.0f} mm"
            return size, size
        return (f"{self.name} landscape", f"{self.name} 横") if self.is_landscape else (self.name, self.name)


def count_papers(pages: Sequence[PageGeometry]) -> tuple[PaperCount, ...]:
    """Return the sizes of a document's pages, the most frequent first."""
    counts: Counter[tuple[str | None, bool, int, int]] = Counter()
    first: dict[tuple[str | None, bool, int, int], PageGeometry] = {}
    for page in pages:
        name = _name(page)
        is_landscape = page.width_mm > page.height_mm
        size = (0, 0) if name else (round(page.width_mm), round(page.height_mm))
        key = (name, is_landscape, *size)
        counts[key] += 1
        first.setdefault(key, page)
    return tuple(
        PaperCount(key[0], key[1], first[key].width_mm, first[key].height_mm, count)
        for key, count in counts.most_common()
    )


def paper_words(pages: Sequence[PageGeometry]) -> tuple[str, str]:
    """Return the counts in English and Chinese, the first MAX_SHOWN sizes."""
    counts = count_papers(pages)
    more = f", … (+{len(counts) - MAX_SHOWN})" if len(counts) > MAX_SHOWN else ""
    english, chinese = (
        ", ".join(f"{count.words[language]} ×{count.pages}" for count in counts[:MAX_SHOWN])
        for language in (0, 1)
    )
    return english + more, chinese + more


def _name(page: PageGeometry) -> str | None:
    short, long = sorted((page.width_mm, page.height_mm))
    off_mm = {name: max(abs(short - w), abs(long - h)) for name, (w, h) in SHEETS_MM.items()}
    nearest = min(off_mm, key=off_mm.__getitem__)
    return nearest if off_mm[nearest] <= TOLERANCE_MM else None
