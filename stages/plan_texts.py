"""What stands in the text slots of the seals that a rule places (动态输入章)."""

from collections.abc import Mapping

from stages.errors import PlanRefused
from stages.pdf.slot_text import check_text
from stages.plan_draft import Draft
from stages.plan_rules import PagingRule, Rule

Texts = tuple[tuple[str, str], ...]


def texts_by_seal(draft: Draft, index: int, rule: Rule) -> Mapping[str, Texts]:
    """Return the texts for each seal of a rule, those of its own slots; warn of slots that stay empty.

    Raises:
        PlanRefused: a text that no seal of the rule has a slot for, or see `slot_text.check_text`.
    """
    faces = [draft.faces[name] for name in rule.seal_names]
    known = {slot.name for face in faces for slot in face.slots}
    texts: dict[str, Texts] = {}
    for face in faces:
        own = {slot.name for slot in face.slots}
        # A name that no seal has goes to the first one, which then says what it does have.
        texts[face.name] = tuple(
            pair for pair in rule.texts if pair[0] in own or (pair[0] not in known and face is faces[0])
        )
        try:
            check_text(face, texts[face.name])
        except PlanRefused as error:
            where = f"{draft.name}: rules[{index}].text"
            raise PlanRefused(f"{where}: {error}", zh=f"{where}：{error.zh}") from error
        empty = [slot.name for slot in face.slots if slot.name not in rule.text]
        if empty and not isinstance(rule, PagingRule):
            names = "、".join(empty)
            draft.warnings.append(
                f"{face.name} 的动态文字栏 {names} 留空 / "
                f"{face.name}: text slots {names} stay empty (rules[{index}])"
            )
    return texts
