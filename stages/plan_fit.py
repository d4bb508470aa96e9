"""Whether a plan fits its package: every rule put a mark somewhere."""

from collections.abc import Mapping, Sequence

from stages.errors import PlacementRefused
from stages.plan_rules import FieldRule, KeywordRule, PagingRule, PlanRules


def check_rules_used(rules: PlanRules, hits_by_file: Mapping[str, Sequence[int]]) -> None:
    """Check that every rule of a plan put a mark somewhere in the package.

    A paging rule may put none: a single page gets no paging seal.

    Args:
        hits_by_file: for each file's name, how many marks each rule put on it (`plan.rule_hits`).

    Raises:
        PlanRefused: a file belongs to two parts.
        PlacementRefused: no file matches a rule's or a part's patterns, a keyword or field is found
            nowhere, or pages that a rule names are in no file.
    """
    for part in rules.parts:
        # A part misspelt would let seals into a blind bid.
        if not any(part.holds(name) for name in hits_by_file):
            patterns = "、".join(part.files)
            raise PlacementRefused(
                f"part {part.name}: no file of the package matches {patterns}; correct its `files`",
                zh=f"部分“{part.name}”：文件包中没有匹配 {patterns} 的文件，请修改其 files",
            )
    for index, rule in enumerate(rules.rules):
        names = [name for name in hits_by_file if rules.applies(rule, name)]
        if not names:
            key, meant = ("part", rule.part) if rule.part else ("files", rule.files)
            shown = "、".join(meant)
            raise PlacementRefused(
                f"rules[{index}]: no file of the package matches {shown}; correct `{key}`",
                zh=f"rules[{index}]：文件包中没有匹配 {shown} 的文件，请修改 {key}",
            )
        if isinstance(rule, PagingRule) or any(hits_by_file[name][index] for name in names):
            continue
        if isinstance(rule, KeywordRule):
            what, what_zh = f"keyword {' / '.join(rule.keyword)}", f"关键字“{'、'.join(rule.keyword)}”"
        elif isinstance(rule, FieldRule):
            what, what_zh = f"field {' / '.join(rule.field)}", f"表单域“{'、'.join(rule.field)}”"
        else:
            what, what_zh = f"pages {rule.pages}", f"页码 {rule.pages}"
        raise PlacementRefused(
            f"rules[{index}]: {what} found in none of {len(names)} files: {_some(names)}; correct the rule",
            zh=f"rules[{index}]：{what_zh}在 {len(names)} 个文件中均未找到：{_some(names)}，请修改规则",
        )


def _some(names: Sequence[str], shown: int = 6) -> str:
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" … (+{rest})" if rest > 0 else "")
