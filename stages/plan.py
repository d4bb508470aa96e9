"""Resolve the rules of a plan to marks: which seal, on which page, where in mm. Nothing is drawn here."""

from collections.abc import Mapping

from stages.anonymous import plan_anonymous
from stages.documents import (
    AfterOthers,
    InspectedDocument,
    Mark,
    PageGeometry,
    PlannedDocument,
    SealFace,
    SourceFile,
)
from stages.errors import NothingToMark, PlacementRefused, PlanRefused
from stages.paging import paging_marks
from stages.pdf.carriers import check_marks_allowed, unfilled_fields
from stages.pdf.geometry import turned_box
from stages.pdf.text import LayerOnly, PageTexts
from stages.plan_draft import Draft
from stages.plan_fields import field_marks
from stages.plan_keywords import keyword_marks
from stages.plan_pages import odd_page_warnings, taken_pages
from stages.plan_rules import FieldRule, KeywordRule, PagingRule, PlanRules, PositionRule, Rule
from stages.plan_search import KeywordSearcher
from stages.plan_texts import with_texts

MAX_MARKS = 20_000
"""Marks on one file: 5,000 pages with four seals each."""
ROUNDING_MM = 1e-6
"""What turning a box by 90° may add to its sides."""


def plan(
    source: SourceFile,
    inspected: InspectedDocument,
    rules: PlanRules,
    faces: Mapping[str, SealFace],
    *,
    texts: PageTexts | None = None,
) -> PlannedDocument:
    """Return every mark the rules put on a file, in the order of the rules, then of the pages.

    Args:
        texts: who looks for keywords; None looks into text layers only.

    Raises:
        PlanRefused: a rule for this file names a seal that is not in faces, a text its seal cannot take,
            or a turn for one that is not round; the file belongs to two parts, or see plan_anonymous.
        NothingToMark: a keyword, field or page that a rule wants in this very file is not there, or no
            mark at all where the plan does not allow it.
        PlacementRefused: a page is smaller than a seal, of an odd size where the plan refuses those, a
            paging seal's strips are too narrow for its rule, more than MAX_MARKS, or the
            file's own signatures forbid the marks.
        InputRefused: the text cannot be read.
        NotAnonymous: the file is of an anonymous part, and tells whose it is.
    """
    part = rules.part_of(*source.names)
    if part is not None and part.anonymous:
        return plan_anonymous(source, inspected, rules, part, faces, texts or LayerOnly())
    inspected, scales = taken_pages(source.name, inspected, rules.odd_pages)
    draft = Draft(source.name, inspected.pages, faces, _seed(source, rules), dict(scales))
    wanted = [(index, rule) for index, rule in enumerate(rules.rules) if rules.applies(rule, *source.names)]
    for index, rule in wanted:
        _check_seals(source.name, index, rule, faces)
    keyword_rules = [(index, rule) for index, rule in wanted if isinstance(rule, KeywordRule)]
    searcher = KeywordSearcher(source, draft, texts or LayerOnly(), rules.ocr)
    searches = searcher.searches(keyword_rules)
    marks: list[Mark] = []
    for index, rule in wanted:
        if isinstance(rule, KeywordRule):
            new = keyword_marks(draft, index, rule, searches[index], searcher)
        elif isinstance(rule, FieldRule):
            new = field_marks(draft, index, rule, inspected)
        elif isinstance(rule, PagingRule):
            new = _paging(draft, index, rule)
        else:
            new = _position_marks(draft, index, rule)
        marks += with_texts(draft, index, rule, new)
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
    marked = {mark.page_index for mark in marks}
    draft.warnings += odd_page_warnings(inspected, scales, rules.odd_pages, marked)
    after_others = AfterOthers(rules.after_others)
    check_marks_allowed(source.name, inspected, marks, after_others=after_others)
    unfilled = "、".join(unfilled_fields(inspected, marks))
    if unfilled:
        draft.warnings.append(
            f"一次签名只填写一个签名域；{unfilled} 盖章后仍为空域 / "
            f"one signature fills one field: {unfilled} get their seals and stay unsigned"
        )
    return PlannedDocument(
        inspected,
        tuple(marks),
        tuple(draft.warnings),
        page_scales=scales,
        after_others=after_others,
    )


def _seed(source: SourceFile, rules: PlanRules) -> str:
    """Return what decides how seals are shaken: the file, or the plan's seed and the file's name."""
    return source.sha256 if rules.seed is None else f"{rules.seed}|{source.name}"


def rule_hits(planned: PlannedDocument, rules: PlanRules) -> tuple[int, ...]:
    """Return how many marks each rule put on a file, for `plan_fit.check_rules_used`."""
    counts = [0] * len(rules.rules)
    for mark in planned.marks:
        counts[mark.rule] += 1
    return tuple(counts)


def _check_seals(name: str, index: int, rule: Rule, faces: Mapping[str, SealFace]) -> None:
    for seal in rule.seal_names:
        if seal not in faces:
            known = "、".join(sorted(faces)) or "none"
            key = f"rules[{index}].{'seal' if len(rule.seal_names) == 1 else 'seals'}"
            raise PlanRefused(
                f"{name}: {key}: there is no seal {seal}; known seals: {known}",
                zh=f"{name}：{key}：没有名为“{seal}”的印章；现有印章：{known}",
            )


def _position_marks(draft: Draft, index: int, rule: PositionRule) -> list[Mark]:
    page_indices = rule.page_indices(len(draft.pages))
    if not page_indices and rule.names_files:
        skipped = f" after the first {rule.skip_first}" if rule.skip_first else ""
        skipped_zh = f"（跳过前 {rule.skip_first} 页后）" if rule.skip_first else ""
        raise NothingToMark(
            f"{draft.name}: rules[{index}]: the file has {len(draft.pages)} pages, none of {rule.pages}"
            f"{skipped}; correct `pages`",
            zh=f"{draft.name}：rules[{index}]：文件共 {len(draft.pages)} 页，"
            f"没有 {rule.pages} 页{skipped_zh}；请修改 pages",
        )
    return [
        mark
        for page_index in page_indices
        for mark in draft.marks(index, rule, page_index, _centre_mm(draft.pages[page_index], rule))
    ]


def _centre_mm(page: PageGeometry, rule: PositionRule) -> tuple[float, float]:
    if rule.corner == "center":
        return page.width_mm / 2 + rule.x_mm, page.height_mm / 2 + rule.y_mm
    x = page.width_mm - rule.x_mm if rule.corner.endswith("right") else rule.x_mm
    y = page.height_mm - rule.y_mm if rule.corner.startswith("bottom") else rule.y_mm
    return x, y


def _paging(draft: Draft, index: int, rule: PagingRule) -> list[Mark]:
    chosen = rule.page_indices(len(draft.pages))
    face = draft.faces[rule.seal]
    try:
        paged = paging_marks(draft.pages, chosen, rule, face, index)
    except PlacementRefused as error:
        raise PlacementRefused(f"{draft.name}: {error}", zh=f"{draft.name}：{error.zh}") from error
    for mark in paged.marks:
        page = draft.pages[mark.page_index]
        x, y, w, h = turned_box(mark)
        if min(x, y) < -ROUNDING_MM or w > page.width_mm + ROUNDING_MM or h > page.height_mm + ROUNDING_MM:
            raise draft.too_small(index, rule.seal, mark.page_index, (w, h))
    draft.warnings += paged.warnings
    return list(paged.marks)
