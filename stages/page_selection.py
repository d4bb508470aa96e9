"""Which pages a rule means: all, odd, even, first, last, or a list such as "1-3,5,-1"."""

import re
from collections.abc import Sequence

from stages.errors import PlanRefused

MAX_SELECTION_CHARS = 2000
KEYWORDS = ("all", "odd", "even", "first", "last")
_PART = re.compile(r"(-?[1-9]\d{0,5})(?:-(-?[1-9]\d{0,5}))?")


def _parts(selection: str) -> list[tuple[int, int]]:
    if len(selection) > MAX_SELECTION_CHARS:
        raise _refused(selection[:20] + "…")
    parts: list[tuple[int, int]] = []
    for text in selection.split(","):
        match = _PART.fullmatch(text.strip())
        if match is None:
            raise _refused(text.strip())
        start = int(match.group(1))
        end = int(match.group(2)) if match.group(2) else start
        if (start > 0) == (end > 0) and end < start:
            raise PlanRefused(
                f'"{text.strip()}" runs backwards; write {end}-{start}',
                zh=f"“{text.strip()}”前大后小，请写成 {end}-{start}",
            )
        parts.append((start, end))
    return parts


def _refused(text: str) -> PlanRefused:
    return PlanRefused(
        f'"{text}" selects no pages; write all, odd, even, first, last, or a list such as "1-3,5,-1"',
        zh=f"“{text}”不是页码范围；可写 all、odd、even、first、last，或 “1-3,5,-1” 这样的列表",
    )


def check_selection(selection: str) -> str:
    """Return a selection that can be read.

    Raises:
        PlanRefused: it is neither a word nor a list of page numbers.
    """
    if selection not in KEYWORDS:
        _parts(selection)
    return selection


def select_pages(selection: str, page_count: int, *, skip_first: int = 0) -> tuple[int, ...]:
    """Return the page indices meant, in order, each once; numbers beyond the file are left out.

    Args:
        selection: numbers count from 1; negative ones from the end, -1 is the last page.
        skip_first: so many pages at the beginning of the file are left out, whatever is selected.

    Raises:
        PlanRefused: see check_selection.
    """
    return tuple(index for index in _selected(selection, page_count) if index >= skip_first)


def _selected(selection: str, page_count: int) -> Sequence[int]:
    every = range(page_count)
    match selection:
        case "all":
            return every
        case "odd":
            return every[0::2]
        case "even":
            return every[1::2]
        case "first":
            return every[:1]
        case "last":
            return every[-1:]
    chosen: set[int] = set()
    for start, end in _parts(selection):
        first = start - 1 if start > 0 else page_count + start
        last = end - 1 if end > 0 else page_count + end
        if first < 0 and start == end:
            continue
        chosen.update(range(max(0, first), min(page_count - 1, last) + 1))
    return sorted(chosen)


def page_list(page_indices: Sequence[int], *, most: int | None = None) -> str:
    """Return ascending page indices as page numbers for people: 1-3, 7; the first `most` runs of them."""
    runs: list[list[int]] = []
    for index in page_indices:
        if runs and index in (runs[-1][1], runs[-1][1] + 1):
            runs[-1][1] = index
        else:
            runs.append([index, index])
    shown = ", ".join(f"{a + 1}" if a == b else f"{a + 1}-{b + 1}" for a, b in runs[:most])
    return shown + (" …" if most is not None and len(runs) > most else "")
