"""What stands in the text slots of the seals that a rule places (动态输入章)."""

from collections.abc import Sequence
from dataclasses import replace

from stages.documents import Mark, SealFace
from stages.dynamic_text import filled
from stages.errors import PlanRefused
from stages.pdf.slot_text import check_text
from stages.plan_draft import Draft
from stages.plan_rules import Rule

Texts = tuple[tuple[str, str], ...]


def with_texts(draft: Draft, index: int, rule: Rule, marks: Sequence[Mark]) -> list[Mark]:
    """Return a rule's marks with their texts, each seal's own; warn of slots that stay empty.

    Raises:
        PlanRefused: a text that no seal of the rule has a slot for, or see `slot_text.check_text`.
    """
    faces = [draft.faces[name] for name in rule.seal_names]
    shares = {face.name: _share(face, faces, rule) for face in faces}
    for face in faces:
        empty = [slot.name for slot in face.slots if slot.name not in rule.text]
        if empty and any(mark.strip is None for mark in marks):
            names = "、".join(empty)
            draft.warnings.append(
                f"{face.name} 的动态文字栏 {names} 留空 / "
                f"{face.name}: text slots {names} stay empty (rules[{index}])"
            )
    if not rule.text:
        return list(marks)
    known: dict[tuple[str, Texts], None] = {}
    for face in faces:  # also where no mark is placed
        _check(draft, index, face, _on_page(draft, shares[face.name], 0))
    made = []
    for mark in marks:
        texts = _on_page(draft, shares[mark.seal], mark.page_index)
        if (mark.seal, texts) not in known:
            _check(draft, index, draft.faces[mark.seal], texts)
            known[mark.seal, texts] = None
        made.append(replace(mark, text=texts))
    return made


def _share(face: SealFace, faces: Sequence[SealFace], rule: Rule) -> Texts:
    """Return the texts for a seal's own slots; one that no seal has goes to the first, which says so."""
    own = {slot.name for slot in face.slots}
    known = {slot.name for other in faces for slot in other.slots}
    return tuple(pair for pair in rule.texts if pair[0] in own or (pair[0] not in known and face is faces[0]))


def _on_page(draft: Draft, texts: Texts, page_index: int) -> Texts:
    count = len(draft.pages)
    return tuple((slot, filled(text, page_number=page_index + 1, page_count=count)) for slot, text in texts)


def _check(draft: Draft, index: int, face: SealFace, texts: Texts) -> None:
    try:
        check_text(face, texts)
    except PlanRefused as error:
        where = f"{draft.name}: rules[{index}].text"
        raise PlanRefused(f"{where}: {error}", zh=f"{where}：{error.zh}") from error
