"""Files of an anonymous part of a bid (暗标): no mark, no signature and no name may be in them."""

from stages.documents import InspectedDocument, PlannedDocument, SourceFile
from stages.errors import PlanRefused
from stages.plan_rules import Part, PlanRules


def plan_anonymous(
    source: SourceFile, inspected: InspectedDocument, rules: PlanRules, part: Part
) -> PlannedDocument:
    """Return an anonymous file planned: without a mark.

    Raises:
        PlanRefused: a rule names the file.
    """
    warnings = []
    for index, rule in enumerate(rules.rules):
        if not rules.names_file(rule, source.name):
            continue
        if rule.names_files:
            raise PlanRefused(
                f"{source.name}: rules[{index}].files names a file of part {part.name}, which is anonymous "
                "and takes no seal; leave the file out of the rule",
                zh=f"{source.name}：rules[{index}].files 指定了暗标部分“{part.name}”的文件，暗标不得盖章；"
                "请从规则中去掉该文件",
            )
        warnings.append(
            f"暗标：rules[{index}] 不盖此文件 / anonymous: rules[{index}] does not reach this file"
        )
    return PlannedDocument(inspected, (), tuple(warnings), anonymous=True)
