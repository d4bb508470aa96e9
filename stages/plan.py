"""Resolve the rules of a plan to marks: which seal, on which page, where in mm. Nothing is drawn here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from stages.documents import InspectedDocument, Mark, PageGeometry, PlannedDocument, SealFace, SourceFile
from stages.errors import NothingToMark, PlacementRefused, PlanRefused
from stages.page_selection import select_pages
from stages.paging import paging_marks
from stages.pdf.base import refusals_named
from stages.pdf.slot_text import check_text
from stages.pdf.text import TextHit, TextSearch, search_text, without_repeats
from stages.plan_rules import KeywordRule, PagingRule, PlanRules, PositionRule, Rule

MAX_MARKS = 20_000
"""Marks on one file: 5,000 pages with four seals each."""
SHIFT_TOLERANCE_MM = 0.05
"""A mark moved less than this to stay on its page is not worth a warning."""


@dataclass
class _Draft:
    """What one call of plan() gathers."""

    name: str
    pages: tuple[PageGeometry, ...]
    faces: Mapping[str, SealFace]
    warnings: list[str] = field(default_factory=list)

    def mark(self, rule_index: int, seal: str, page_index: int, centre_mm: tuple[float, float]) -> Mark:
        """Return a mark with its centre at a point, moved inside when it would leave the page.

        Raises:
            PlacementRefused: the page is smaller than the seal.
        """
        page, (_, _, w, h) = self.pages[page_index], self.faces[seal].ink_box_mm
        if w > page.width_mm or h > page.height_mm:
            raise self.too_small(rule_index, seal, page_index, (w, h))
        x_wanted, y_wanted = centre_mm[0] - w / 2, centre_mm[1] - h / 2
        x = min(max(0.0, x_wanted), page.width_mm - w)
        y = min(max(0.0, y_wanted), page.height_mm - h)
        moved = max(abs(x - x_wanted), abs(y - y_wanted))
        if moved > SHIFT_TOLERANCE_MM:
            self.warnings.append(
                f"第 {page_index + 1} 页：{seal} 移动了 {moved:.1f} 毫米以免超出页面 / "
                f"page {page_index + 1}: {seal} moved {moved:.1f} mm to stay on it (rules[{rule_index}])"
            )
        return Mark(page_index, seal, x, y, w, h, rule_index)

    def too_small(
        self, rule_index: int, seal: str, page_index: int, need_mm: tuple[float, float]
    ) -> PlacementRefused:
        """Return the error for a seal that a page has no room for."""
        page = self.pages[page_index]
        has, needs = f"{page.width_mm:.1f} × {page.height_mm:.1f}", f"{need_mm[0]:.1f} × {need_mm[1]:.1f}"
        return PlacementRefused(
            f"{self.name}: page {page_index + 1} is {has} mm, too small for {seal} ({needs} mm); "
            f"correct the page size, or leave the page out in rules[{rule_index}]",
            zh=f"{self.name}：第 {page_index + 1} 页为 {has} mm，放不下{seal}（{needs} mm）；"
            f"请修正页面尺寸，或在 rules[{rule_index}] 中排除该页",
        )


def plan(
    source: SourceFile, inspected: InspectedDocument, rules: PlanRules, faces: Mapping[str, SealFace]
) -> PlannedDocument:
    """Return every mark the rules put on a file, in the order of the rules, then of the pages.

    Raises:
        PlanRefused: a rule for this file names a seal that is not in faces, or a text its seal cannot take.
        NothingToMark: a keyword or page that a rule wants in this very file is not there, or no mark at
            all where the plan does not allow it.
        PlacementRefused: a page is smaller than a seal, or more than MAX_MARKS.
        InputRefused: the text cannot be read.
    """
    draft = _Draft(source.name, inspected.pages, faces)
    wanted = [(index, rule) for index, rule in enumerate(rules.rules) if rule.applies_to(source.name)]
    _check_seals(source.name, [(index, rule.seal) for index, rule in wanted], faces)
    for index, rule in wanted:
        _check_texts(draft, index, rule)
    keyword_rules = [(index, rule) for index, rule in wanted if isinstance(rule, KeywordRule)]
    searches = _searches(source, draft, keyword_rules)
    marks: list[Mark] = []
    for index, rule in wanted:
        if isinstance(rule, KeywordRule):
            new = _keyword_marks(draft, index, rule, searches[index])
        elif isinstance(rule, PagingRule):
            new = _paging(draft, index, rule)
        else:
            new = _position_marks(draft, index, rule)
        marks += [replace(mark, text=rule.texts) for mark in new] if rule.text else new
        if len(marks) > MAX_MARKS:
            raise PlacementRefused(
                f"{source.name}: more than {MAX_MARKS} marks; use fewer or narrower rules",
                zh=f"{source.name}：盖章超过 {MAX_MARKS} 处，请减少或收窄规则",
            )
    if not marks and rules.unmarked_files == "refuse":
        raise NothingToMark(
            f"{source.name}: no rule puts a seal on this file; add a rule, or set unmarked_files: allow",
            zh=f"{source.name}：没有规则在此文件上盖章；请添加规则，或设置 unmarked_files: allow",
        )
    return PlannedDocument(inspected, tuple(marks), tuple(draft.warnings))


def rule_hits(planned: PlannedDocument, rules: PlanRules) -> tuple[int, ...]:
    """Return how many marks each rule put on a file, for `plan_rules.check_rules_used`."""
    counts = [0] * len(rules.rules)
    for mark in planned.marks:
        counts[mark.rule] += 1
    return tuple(counts)


def _check_seals(name: str, wanted: Sequence[tuple[int, str]], faces: Mapping[str, SealFace]) -> None:
    for index, seal in wanted:
        if seal not in faces:
            known = "、".join(sorted(faces)) or "none"
            raise PlanRefused(
                f"{name}: rules[{index}].seal: there is no seal {seal}; known seals: {known}",
                zh=f"{name}：rules[{index}].seal：没有名为“{seal}”的印章；现有印章：{known}",
            )


def _check_texts(draft: _Draft, index: int, rule: Rule) -> None:
    """Check the texts of a rule against its seal's slots, and warn of slots that stay empty.

    Raises:
        PlanRefused: see `slot_text.check_text`.
    """
    face = draft.faces[rule.seal]
    try:
        check_text(face, rule.texts)
    except PlanRefused as error:
        where = f"{draft.name}: rules[{index}].text"
        raise PlanRefused(f"{where}: {error}", zh=f"{where}：{error.zh}") from error
    empty = [slot.name for slot in face.slots if slot.name not in rule.text]
    if empty and not isinstance(rule, PagingRule):
        names = "、".join(empty)
        draft.warnings.append(
            f"{rule.seal} 的动态文字栏 {names} 留空 / "
            f"{rule.seal}: text slots {names} stay empty (rules[{index}])"
        )


def _searches(
    source: SourceFile, draft: _Draft, wanted: Sequence[tuple[int, KeywordRule]]
) -> dict[int, TextSearch]:
    """Return what each keyword rule finds: one pass through the file for all rules over the same pages."""
    searches: dict[int, TextSearch] = {}
    by_pages: dict[tuple[int, ...], list[tuple[int, KeywordRule]]] = {}
    for index, rule in wanted:
        by_pages.setdefault(select_pages(rule.pages, len(draft.pages)), []).append((index, rule))
    silent: set[int] = set()
    for pages, group in by_pages.items():
        keywords = list(dict.fromkeys(keyword for _, rule in group for keyword in rule.keyword))
        with refusals_named(source.name):
            search = search_text(source.path, keywords, pages)
        silent.update(search.pages_without_text)
        for index, rule in group:
            hits = tuple(search.hits[keywords.index(keyword)] for keyword in rule.keyword)
            searches[index] = TextSearch(hits, search.pages_without_text)
    if silent:
        draft.warnings.append(
            f"第 {page_list(sorted(silent))} 页没有文字层，未在其中查找关键字 / "
            f"pages {page_list(sorted(silent))} have no text layer, keyword not searched there"
        )
    return searches


def page_list(page_indices: Sequence[int]) -> str:
    """Return page numbers for people: 1-3, 7."""
    runs: list[list[int]] = []
    for index in page_indices:
        if runs and runs[-1][1] == index - 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ", ".join(f"{a + 1}" if a == b else f"{a + 1}-{b + 1}" for a, b in runs)


def _keyword_marks(draft: _Draft, index: int, rule: KeywordRule, search: TextSearch) -> list[Mark]:
    hits = without_repeats([hit for hits in search.hits for hit in hits])
    match rule.occurrence:
        case "all":
            chosen = hits
        case "first":
            chosen = hits[:1]
        case "last":
            chosen = hits[-1:]
        case number:
            chosen = hits[number - 1 : number]
    if not chosen and rule.names_files:
        raise _keyword_missing(draft, index, rule, len(hits))
    return [draft.mark(index, rule.seal, hit.page_index, _centre(hit, rule)) for hit in chosen]


def _keyword_missing(draft: _Draft, index: int, rule: KeywordRule, found: int) -> NothingToMark:
    keyword = " / ".join(rule.keyword)
    pages = page_list(select_pages(rule.pages, len(draft.pages))) or "none"
    if found:
        return NothingToMark(
            f"{draft.name}: rules[{index}]: keyword {keyword} stands {found} times, not {rule.occurrence}; "
            "lower `occurrence`",
            zh=f"{draft.name}：rules[{index}]：关键字“{keyword}”只出现 {found} 次，"
            f"不足 {rule.occurrence} 次；请修改 occurrence",
        )
    return NothingToMark(
        f"{draft.name}: rules[{index}]: keyword {keyword} found nowhere, pages searched: {pages}; "
        "correct the keyword, or place the seal by `pages`",
        zh=f"{draft.name}：rules[{index}]：未找到关键字“{keyword}”，已搜索页：{pages}；"
        "请修改关键字，或改用 pages 定位",
    )


def _centre(hit: TextHit, rule: KeywordRule) -> tuple[float, float]:
    """Return where a seal's centre goes for a keyword's box."""
    x, y = hit.centre_mm
    match rule.anchor:
        case "left":
            x = hit.x_mm
        case "right":
            x = hit.x_mm + hit.w_mm
        case "top":
            y = hit.y_mm
        case "bottom":
            y = hit.y_mm + hit.h_mm
    return x + rule.offset_mm[0], y + rule.offset_mm[1]


def _position_marks(draft: _Draft, index: int, rule: PositionRule) -> list[Mark]:
    chosen = select_pages(rule.pages, len(draft.pages))
    if not chosen and rule.names_files:
        raise NothingToMark(
            f"{draft.name}: rules[{index}]: the file has {len(draft.pages)} pages, none of {rule.pages}; "
            "correct `pages`",
            zh=f"{draft.name}：rules[{index}]：文件共 {len(draft.pages)} 页，"
            f"没有 {rule.pages} 页；请修改 pages",
        )
    marks: list[Mark] = []
    for page_index in chosen:
        page = draft.pages[page_index]
        x = page.width_mm - rule.x_mm if rule.corner.endswith("right") else rule.x_mm
        y = page.height_mm - rule.y_mm if rule.corner.startswith("bottom") else rule.y_mm
        marks.append(draft.mark(index, rule.seal, page_index, (x, y)))
    return marks


def _paging(draft: _Draft, index: int, rule: PagingRule) -> list[Mark]:
    chosen = select_pages(rule.pages, len(draft.pages))[rule.skip_first :]
    face = draft.faces[rule.seal]
    marks, narrowest_mm = paging_marks(draft.pages, chosen, rule, face, index)
    for mark in marks:
        page = draft.pages[mark.page_index]
        if mark.w_mm > page.width_mm or mark.h_mm > page.height_mm:
            raise draft.too_small(index, rule.seal, mark.page_index, (mark.w_mm, mark.h_mm))
    if narrowest_mm is not None:
        draft.warnings.append(
            f"骑缝章 {rule.seal}：每页仅 {narrowest_mm:.2f} 毫米宽，可用 every 分段重复 / "
            f"paging seal {rule.seal}: strips are only {narrowest_mm:.2f} mm wide (rules[{index}]); "
            "set `every` to repeat the seal"
        )
    return marks
