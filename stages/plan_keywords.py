"""Where a plan's keywords stand in a file, and the marks that go there."""

from collections.abc import Sequence
from dataclasses import replace

from stages.documents import Mark, SourceFile
from stages.errors import NothingToMark
from stages.page_selection import page_list
from stages.pdf.base import refusals_named
from stages.pdf.text import TextHit, TextSearch, search_text, without_repeats
from stages.plan_draft import Draft, anchor_mm, chosen
from stages.plan_rules import KeywordRule


def keyword_searches(
    source: SourceFile, draft: Draft, wanted: Sequence[tuple[int, KeywordRule]]
) -> dict[int, TextSearch]:
    """Return what each keyword rule finds: one pass through the file for all rules over the same pages."""
    searches: dict[int, TextSearch] = {}
    by_pages: dict[tuple[int, ...], list[tuple[int, KeywordRule]]] = {}
    for index, rule in wanted:
        by_pages.setdefault(rule.page_indices(len(draft.pages)), []).append((index, rule))
    silent: set[int] = set()
    for pages, group in by_pages.items():
        keywords = list(dict.fromkeys(keyword for _, rule in group for keyword in rule.keyword))
        with refusals_named(source.name):
            search = search_text(source.path, keywords, pages)
        silent.update(search.pages_without_text)
        for index, rule in group:
            hits = tuple(
                tuple(_as_taken(draft, hit) for hit in search.hits[keywords.index(keyword)])
                for keyword in rule.keyword
            )
            searches[index] = TextSearch(hits, search.pages_without_text)
    if silent:
        draft.warnings.append(
            f"第 {page_list(sorted(silent))} 页没有文字层，未在其中查找关键字 / "
            f"pages {page_list(sorted(silent))} have no text layer, keyword not searched there"
        )
    return searches


def _as_taken(draft: Draft, hit: TextHit) -> TextHit:
    """Return a hit in the millimetres of the page as the plan takes it."""
    factor = draft.scales.get(hit.page_index, 1.0)
    return replace(
        hit,
        x_mm=hit.x_mm * factor,
        y_mm=hit.y_mm * factor,
        w_mm=hit.w_mm * factor,
        h_mm=hit.h_mm * factor,
    )


def keyword_marks(draft: Draft, index: int, rule: KeywordRule, search: TextSearch) -> list[Mark]:
    """Return a keyword rule's marks.

    Raises:
        NothingToMark: the rule is meant for this very file, and the keyword is not in it, or too rarely.
        PlacementRefused: a page is smaller than the seals.
    """
    hits = without_repeats([hit for hits in search.hits for hit in hits])
    found = chosen(hits, rule)
    if not found and rule.names_files:
        raise _keyword_missing(draft, index, rule, len(hits))
    return [mark for hit in found for mark in draft.marks(index, rule, hit.page_index, anchor_mm(hit, rule))]


def _keyword_missing(draft: Draft, index: int, rule: KeywordRule, found: int) -> NothingToMark:
    keyword = " / ".join(rule.keyword)
    pages = page_list(rule.page_indices(len(draft.pages))) or "none"
    if found:
        return NothingToMark(
            f"{draft.name}: rules[{index}]: keyword {keyword} stands {found} times"
            f"{' in all' if rule.per == 'page' else ''}, not {rule.occurrence}; lower `occurrence`",
            zh=f"{draft.name}：rules[{index}]：关键字“{keyword}”只出现 {found} 次，"
            f"不足 {rule.occurrence} 次；请修改 occurrence",
        )
    return NothingToMark(
        f"{draft.name}: rules[{index}]: keyword {keyword} found nowhere, pages searched: {pages}; "
        "correct the keyword, or place the seal by `pages`",
        zh=f"{draft.name}：rules[{index}]：未找到关键字“{keyword}”，已搜索页：{pages}；"
        "请修改关键字，或改用 pages 定位",
    )
