"""Looks for all keywords of a plan in one file: in its text layer first, by OCR where that says nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from stages.documents import SourceFile
from stages.errors import PlanRefused
from stages.page_selection import page_list
from stages.pdf.base import refusals_named
from stages.pdf.keywords import Keyword, keyword_pattern
from stages.pdf.nearest import NearText
from stages.pdf.text import PageTexts, TextHit, TextSearch, check_hit_count, find_on_page
from stages.plan_draft import Draft
from stages.plan_rules import KeywordRule
from stages.plan_words import Ocr

MAX_OCR_PAGES = 300
"""Pages of a file read by OCR for one plan: at one to three seconds each, a quarter of an hour at most."""


@dataclass
class KeywordSearcher:
    """Looks through one file for a plan's keywords, and keeps count of how it looked."""

    source: SourceFile
    draft: Draft
    texts: PageTexts
    ocr: Ocr
    _read: set[int] = field(default_factory=set)
    _unread: set[int] = field(default_factory=set)

    def searches(self, wanted: Sequence[tuple[int, KeywordRule]]) -> dict[int, TextSearch]:
        """Return what each keyword rule finds: one pass through the file for all rules over the same pages.

        Raises:
            PlanRefused: an expression takes too long.
            InputRefused: a page cannot be read.
            PlacementRefused: the keywords stand too often.
        """
        found: dict[int, TextSearch] = {}
        groups: dict[tuple[tuple[int, ...], bool], list[tuple[int, KeywordRule]]] = {}
        for index, rule in wanted:
            key = (rule.page_indices(len(self.draft.pages)), rule.annotations)
            groups.setdefault(key, []).append((index, rule))
        for (pages, annotations), group in groups.items():
            keywords = list(dict.fromkeys(keyword for _, rule in group for keyword in _keywords(rule)))
            try:
                with refusals_named(self.source.name):
                    search = self.texts.search(self.source.path, keywords, pages, annotations=annotations)
                    search = self._with_pictures(search, keywords, pages)
            except PlanRefused as error:
                raise _named(self.source.name, group, error) from error
            self._read.update(search.pages_by_ocr)
            self._unread.update(search.pages_unread)
            for index, rule in group:
                hits = (search.hits[keywords.index(keyword)] for keyword in _keywords(rule))
                taken = tuple(tuple(_as_taken(self.draft, hit) for hit in one) for one in hits)
                found[index] = replace(search, hits=taken)
        self._warn(found)
        return found

    def _with_pictures(
        self, search: TextSearch, keywords: Sequence[Keyword], pages: Sequence[int]
    ) -> TextSearch:
        """Return a search that has also looked at the pictures of the pages that need it."""
        wanted = {*search.pages_without_text, *search.pages_unmapped}
        if not all(search.hits):
            wanted.update(search.pages_pictured)
        if self.ocr == "never":
            wanted = set()
        elif self.ocr == "always":
            wanted = set(pages)
        if len(wanted | self._read) > MAX_OCR_PAGES:
            numbers = page_list(sorted(wanted))
            self.draft.warnings.append(
                f"第 {numbers} 页需要识别，超过每个文件 {MAX_OCR_PAGES} 页的上限，未识别；"
                "请用 pages 缩小范围 / "
                f"pages {numbers} need OCR, more than the limit of {MAX_OCR_PAGES} pages a "
                "file, and were not read; narrow the rules by `pages`"
            )
            wanted = set()
        contents = self.texts.read(self.source.path, sorted(wanted)) if wanted else {}
        if not contents:
            return search
        patterns = [keyword_pattern(keyword) for keyword in keywords]
        hits = [list(one) for one in search.hits]
        for page_index, content in sorted(contents.items()):
            for known, new in zip(hits, find_on_page(content, page_index, patterns), strict=True):
                known += new
        check_hit_count(hits)
        return replace(search, hits=tuple(map(tuple, hits)), pages_by_ocr=tuple(sorted(contents)))

    def _warn(self, found: dict[int, TextSearch]) -> None:
        by_ocr = {
            hit.page_index for search in found.values() for hits in search.hits for hit in hits if hit.by_ocr
        }
        if by_ocr:
            pages = page_list(sorted(by_ocr))
            self.draft.warnings.append(
                f"第 {pages} 页的关键字是识别扫描图像（OCR）找到的，请在预览中核对位置 / "
                f"pages {pages}: keywords were found by OCR; check their places in the preview"
            )
        if self._unread:
            pages = page_list(sorted(self._unread))
            self.draft.warnings.append(
                f"第 {pages} 页没有文字层或文字无法识别，未在其中查找关键字 / "
                f"pages {pages} have no text layer that can be read, keyword not searched there"
            )

    def how(self, pages: Sequence[int]) -> tuple[str, str]:
        """Return how pages were searched, in English and Chinese: text layer, OCR, not at all."""
        read = [page for page in pages if page in self._read]
        unread = [page for page in pages if page in self._unread]
        layer = [page for page in pages if page not in self._read and page not in self._unread]
        parts = [("text layer", "文字层", layer), ("OCR", "OCR", read), ("not readable", "无法识别", unread)]
        said = [(en, zh, page_list(some)) for en, zh, some in parts if some]
        return (
            ", ".join(f"{some} ({en})" for en, _, some in said) or "none",
            "、".join(f"{some}（{zh}）" for _, zh, some in said) or "无",
        )

    def nearest(self, rule: KeywordRule, pages: Sequence[int]) -> tuple[NearText, ...]:
        """Return what stands in the file that is most like a rule's first keyword."""
        with refusals_named(self.source.name):
            return self.texts.nearest(self.source.path, rule.keyword[0], pages)


def _named(name: str, group: Sequence[tuple[int, KeywordRule]], error: PlanRefused) -> PlanRefused:
    """Return an error with the file's name and the rules whose keyword it speaks of."""
    indices = [index for index, rule in group if any(text in str(error) for text in rule.keyword)]
    where = "、".join(f"rules[{index}].keyword" for index in indices)
    prefix, prefix_zh = (f"{name}: {where}: ", f"{name}：{where}：") if where else (f"{name}: ", f"{name}：")
    return PlanRefused(prefix + str(error), zh=prefix_zh + error.zh)


def _keywords(rule: KeywordRule) -> list[Keyword]:
    return [Keyword(text, simplified=rule.simplified) for text in rule.keyword]


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
