"""Whether a plan fits its package: every rule put a mark somewhere."""

from collections.abc import Callable, Mapping, Sequence

from stages.errors import PlacementRefused
from stages.pdf.nearest import NearText
from stages.plan_rules import FieldRule, KeywordRule, PagingRule, PlanRules, PositionRule

Names = tuple[str, ...]
"""What one file of a package may be called (`SourceFile.names`)."""


def no_near_texts(rule: KeywordRule) -> Sequence[tuple[str, NearText]]:
    """Return nothing: nobody looked for what is most like a keyword."""
    return ()


def check_rules_used(
    rules: PlanRules,
    hits_by_file: Mapping[Names, Sequence[int]],
    *,
    nearest: Callable[[KeywordRule], Sequence[tuple[str, NearText]]] = no_near_texts,
) -> None:
    """Check that every rule of a plan put a mark somewhere in the package.

    A paging rule may put none: a single page gets no paging seal. Where every file is of an anonymous part
    no rule has a file to put marks on.

    Args:
        hits_by_file: for each file, by its names, how many marks each rule put on it (`plan.rule_hits`).
        nearest: returns what is most like a rule's keyword, each with its file's name.

    Raises:
        PlanRefused: a file belongs to two parts.
        PlacementRefused: no file matches a rule's or a part's patterns, a keyword or field is found
            nowhere, or pages that a rule names are in no file.
    """
    for part in rules.parts:
        # A part misspelt would let seals into a blind bid.
        if not any(part.holds(*names) for names in hits_by_file):
            patterns = "、".join(part.files)
            raise PlacementRefused(
                f"part {part.name}: no file of the package matches {patterns}; correct its `files`",
                zh=f"部分“{part.name}”：文件包中没有匹配 {patterns} 的文件，请修改其 files",
            )
    parts = [rules.part_of(*names) for names in hits_by_file]
    if parts and all(part is not None and part.anonymous for part in parts):
        return
    for index, rule in enumerate(rules.rules):
        reached = [names for names in hits_by_file if rules.applies(rule, *names)]
        if not reached:
            key, meant = ("part", rule.part) if rule.part else ("files", rule.files)
            shown = "、".join(meant)
            raise PlacementRefused(
                f"rules[{index}]: no file of the package matches {shown}; correct `{key}`",
                zh=f"rules[{index}]：文件包中没有匹配 {shown} 的文件，请修改 {key}",
            )
        if isinstance(rule, PagingRule) or any(hits_by_file[names][index] for names in reached):
            continue
        near: Sequence[tuple[str, NearText]] = ()
        if isinstance(rule, KeywordRule):
            what, what_zh = f"keyword {' / '.join(rule.keyword)}", f"关键字“{'、'.join(rule.keyword)}”"
            near = nearest(rule)
        elif isinstance(rule, FieldRule):
            what, what_zh = f"field {' / '.join(rule.field)}", f"表单域“{'、'.join(rule.field)}”"
        else:
            what, what_zh = f"pages {rule.pages}", f"页码 {rule.pages} "
        if rule.pages != "all" and not isinstance(rule, PositionRule):
            what, what_zh = (
                f"{what} on pages {rule.pages}",
                f"{what_zh}（只在 pages: {rule.pages} 的页上查找）",
            )
        files = _some([names[0] for names in reached])
        meant_en = ", ".join(f"{text.text} on page {text.page_index + 1} of {file}" for file, text in near)
        meant_zh = "、".join(f"“{text.text}”（{file} 第 {text.page_index + 1} 页）" for file, text in near)
        raise PlacementRefused(
            f"rules[{index}]: {what} found in none of {len(reached)} files: {files}; "
            + (f"did you mean {meant_en}? " if near else "")
            + "correct the rule",
            zh=f"rules[{index}]：{what_zh}在 {len(reached)} 个文件中均未找到：{files}，"
            + (f"是否应为{meant_zh}？" if near else "")
            + "请修改规则",
        )


def _some(names: Sequence[str], shown: int = 6) -> str:
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" … (+{rest})" if rest > 0 else "")
