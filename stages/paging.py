"""Paging seals (骑缝章): one seal cut into strips of equal width, one strip on each page's edge.

Fanned out by hand, the pages show their edges with page 1 on top. At the right and bottom edge the first
page then carries the seal's beginning; at the left and top edge the last page does.
"""

from collections.abc import Sequence

from stages.documents import Mark, PageGeometry, SealFace, Strip
from stages.plan_rules import PagingRule

MIN_STRIP_MM = 1.0
"""Below this a strip is hardly seen on paper."""


def groups_of_pages(page_indices: Sequence[int], every: int) -> list[Sequence[int]]:
    """Return the runs of pages that share one seal; a page left alone joins the run before it."""
    if every < 2:
        groups = [page_indices]
    else:
        groups = [page_indices[start : start + every] for start in range(0, len(page_indices), every)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        last = groups.pop()
        groups[-1] = [*groups[-1], *last]
    return [group for group in groups if len(group) > 1]


def paging_marks(
    pages: Sequence[PageGeometry],
    page_indices: Sequence[int],
    rule: PagingRule,
    face: SealFace,
    rule_index: int,
) -> tuple[list[Mark], float | None]:
    """Return the strips of a paging seal; a single page gets none.

    Returns:
        The marks by page, and the width in mm of the narrowest strip when that is below MIN_STRIP_MM.
    """
    _, _, seal_w, seal_h = face.ink_box_mm
    is_upright = rule.paging in ("left", "right")
    cut_mm = seal_w if is_upright else seal_h
    marks: list[Mark] = []
    narrowest = cut_mm
    for group in groups_of_pages(page_indices, rule.every):
        count = len(group)
        narrowest = min(narrowest, cut_mm / count)
        for order, page_index in enumerate(group):
            part = order if rule.paging in ("right", "bottom") else count - 1 - order
            strip = Strip(rule.paging, part / count, (part + 1) / count)
            marks.append(_strip_mark(pages[page_index], page_index, rule, face, strip, rule_index))
    return marks, narrowest if marks and narrowest < MIN_STRIP_MM else None


def _strip_mark(
    page: PageGeometry, page_index: int, rule: PagingRule, face: SealFace, strip: Strip, rule_index: int
) -> Mark:
    _, _, seal_w, seal_h = face.ink_box_mm
    share = strip.end - strip.start
    if strip.side in ("left", "right"):
        w, h = seal_w * share, seal_h
        x = page.width_mm - w if strip.side == "right" else 0.0
        y = _kept_inside(rule.position * page.height_mm - h / 2, h, page.height_mm)
    else:
        w, h = seal_w, seal_h * share
        x = _kept_inside(rule.position * page.width_mm - w / 2, w, page.width_mm)
        y = page.height_mm - h if strip.side == "bottom" else 0.0
    return Mark(page_index, face.name, x, y, w, h, rule_index, strip)


def _kept_inside(start_mm: float, length_mm: float, page_mm: float) -> float:
    return min(max(0.0, start_mm), max(0.0, page_mm - length_mm))
