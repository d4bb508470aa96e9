"""The marks that go where a plan's keywords stand in a file."""

from stages.documents import Mark
from stages.errors import NothingToMark
from stages.pdf.text import TextSearch, without_repeats
from stages.plan_draft import Draft, anchor_mm, chosen
from stages.plan_rules import KeywordRule
from stages.plan_search import KeywordSearcher


def keyword_marks(
    draft: Draft, index: int, rule: KeywordRule, search: TextSearch, searcher: KeywordSearcher
) -> list[Mark]:
    """Return a keyword rule's marks.

    Raises:
        NothingToMark: the rule is meant for this very file, and the keyword is not in it, or too rarely.
        PlacementRefused: a page is smaller than the seals.
    """
    hits = without_repeats([hit for hits in search.hits for hit in hits])
    found = chosen(hits, rule)
    if not found and rule.names_files:
        raise _keyword_missing(draft, index, rule, len(hits), searcher)
    return [mark for hit in found for mark in draft.marks(index, rule, hit.page_index, anchor_mm(hit, rule))]


def _keyword_missing(
    draft: Draft, index: int, rule: KeywordRule, found: int, searcher: KeywordSearcher
) -> NothingToMark:
    keyword = " / ".join(rule.keyword)
    if found:
        return NothingToMark(
            f"{draft.name}: rules[{index}]: keyword {keyword} stands {found} times"
            f"{' in all' if rule.per == 'page' else ''}, not {rule.occurrence}; lower `occurrence`",
            zh=f"{draft.name}：rules[{index}]：关键字“{keyword}”只出现 {found} 次，"
            f"不足 {rule.occurrence} 次；请修改 occurrence",
        )
    page_indices = rule.page_indices(len(draft.pages))
    pages, pages_zh = searcher.how(page_indices)
    near = searcher.nearest(rule, page_indices)
    meant = ", ".join(f"{text.text} on page {text.page_index + 1}" for text in near)
    meant_zh = "、".join(f"“{text.text}”（第 {text.page_index + 1} 页）" for text in near)
    return NothingToMark(
        f"{draft.name}: rules[{index}]: keyword {keyword} found nowhere, pages searched: {pages}; "
        + (f"did you mean {meant}? " if near else "")
        + "correct the keyword, or place the seal by `pages`",
        zh=f"{draft.name}：rules[{index}]：未找到关键字“{keyword}”，已搜索页：{pages_zh}；"
        + (f"是否应为{meant_zh}？" if near else "")
        + "请修改关键字，或改用 pages 定位",
    )
