"""Which form fields of a file a rule means, and the marks that go there."""

import re
import unicodedata
from dataclasses import replace

from stages.documents import FieldKind, FormField, InspectedDocument, Mark
from stages.errors import NothingToMark
from stages.page_selection import page_list
from stages.plan_draft import Draft, anchor_mm, chosen
from stages.plan_rules import FieldRule

MAX_SHOWN_FIELDS = 12


def field_marks(draft: Draft, index: int, rule: FieldRule, inspected: InspectedDocument) -> list[Mark]:
    """Return a rule's marks on the widgets of the fields that it names.

    Raises:
        NothingToMark: the rule is meant for this very file, and it has no such field that is free, or too
            few widgets of it.
        PlacementRefused: a page is smaller than the seals.
    """
    pages = frozenset(rule.page_indices(len(draft.pages)))
    named = [field for field in inspected.fields if field.page_index in pages and _is_meant(field, rule)]
    free = [field for field in named if not _is_signed(field)]
    if len(free) < len(named):
        names = "、".join(dict.fromkeys(field.name for field in named if _is_signed(field)))
        if not free and any(field.name in rule.field for field in named):
            raise NothingToMark(
                f"{draft.name}: rules[{index}]: somebody has signed the field {names}; name an empty one: "
                f"{_empty(inspected) or 'there is none'}",
                zh=f"{draft.name}：rules[{index}]：签名域“{names}”已有签名，请指定空的域："
                f"{_empty(inspected) or '没有'}",
            )
        draft.warnings.append(
            f"签名域 {names} 已有签名，不再盖章 / somebody has signed the field {names}: "
            f"it gets no seal (rules[{index}])"
        )
    found = chosen(free, rule)
    if not found and rule.names_files:
        raise _missing(draft, index, rule, inspected, len(free))
    return [
        replace(mark, field=field.name)
        for field in found
        for mark in draft.marks(index, rule, field.page_index, anchor_mm(field, rule))
    ]


def _is_meant(field: FormField, rule: FieldRule) -> bool:
    name = unicodedata.normalize("NFC", field.name)
    return any(_pattern(wanted).fullmatch(name) for wanted in rule.field)


def _pattern(wanted: str) -> re.Pattern[str]:
    """Return what a name with * and ? means; brackets are letters, as in form1[0].seal[0]."""
    wild = {"*": ".*", "?": "."}
    return re.compile(
        "".join(wild.get(char) or re.escape(char) for char in unicodedata.normalize("NFC", wanted)), re.DOTALL
    )


def _is_signed(field: FormField) -> bool:
    return field.kind is FieldKind.SIGNATURE and field.is_filled


def _missing(
    draft: Draft, index: int, rule: FieldRule, inspected: InspectedDocument, found: int
) -> NothingToMark:
    wanted = " / ".join(rule.field)
    if found:
        return NothingToMark(
            f"{draft.name}: rules[{index}]: field {wanted} has {found} widgets, not {rule.occurrence}; "
            "lower `occurrence`",
            zh=f"{draft.name}：rules[{index}]：域“{wanted}”只有 {found} 处，不足 {rule.occurrence} 处；"
            "请修改 occurrence",
        )
    pages = page_list(rule.page_indices(len(draft.pages))) or "none"
    known = _some([field.name for field in inspected.fields])
    return NothingToMark(
        f"{draft.name}: rules[{index}]: no form field {wanted} on pages {pages}; the file's fields: "
        f"{known or 'none'}; correct `field`",
        zh=f"{draft.name}：rules[{index}]：第 {pages} 页没有名为“{wanted}”的表单域；文件中的域："
        f"{known or '无'}；请修改 field",
    )


def _empty(inspected: InspectedDocument) -> str:
    return _some([field.name for field in inspected.fields if not _is_signed(field)])


def _some(names: list[str]) -> str:
    once = list(dict.fromkeys(names))
    rest = len(once) - MAX_SHOWN_FIELDS
    return "、".join(once[:MAX_SHOWN_FIELDS]) + (f" … (+{rest})" if rest > 0 else "")
