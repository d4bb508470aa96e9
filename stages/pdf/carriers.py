"""What the signatures that a file already has let us add to it, told before any key is used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stages.documents import (
    AfterOthers,
    DocMDP,
    FieldKind,
    FormField,
    InspectedDocument,
    Mark,
    PlannedDocument,
)
from stages.errors import PlacementRefused
from stages.pdf.geometry import turned_box

FIT_TOLERANCE_MM = 0.05
"""A seal may reach so far over its field's edge: coordinates in files are rounded."""


@dataclass(frozen=True)
class Carriers:
    """What carries each mark of a file.

    Attributes:
        content: marks that become part of their pages.
        widget: marks of one page that the new signature's widget shows.
        annotations: marks that become stamp annotations.
        field: the empty signature field that takes the signature; None for a new one.
        over: the mark that the widget lies over, when it shows none itself.
    """

    content: tuple[Mark, ...] = ()
    widget: tuple[Mark, ...] = ()
    annotations: tuple[Mark, ...] = ()
    field: FormField | None = None
    over: Mark | None = None


def check_marks_allowed(
    name: str,
    inspected: InspectedDocument,
    marks: Sequence[Mark],
    *,
    after_others: AfterOthers = AfterOthers.WIDGET,
) -> None:
    """Check that a file's own signatures let these marks, and our signature, be added.

    Args:
        name: what messages call the file.

    Raises:
        PlacementRefused: they forbid it, or a signed file's marks ask for more than one field.
    """
    carriers_of(name, inspected, marks, after_others=after_others)


def carriers_of(
    name: str,
    inspected: InspectedDocument,
    marks: Sequence[Mark],
    *,
    after_others: AfterOthers = AfterOthers.WIDGET,
) -> Carriers:
    """Return what carries each mark.

    Without earlier signatures marks are page content. After one they may not be (ISO 32000-2 §12.8.2.2.2):
    what may be added is a signature with its widget, and annotations where the author, or the plan, says so.

    Raises:
        PlacementRefused: see check_marks_allowed.
    """
    every = tuple(marks)
    targets = _targets(inspected, every)
    field = targets[0] if targets else None
    if not inspected.signatures:
        return Carriers(content=every, field=field, over=_over(every, field))
    levels = {signature.docmdp for signature in inspected.signatures}
    if DocMDP.NO_CHANGES in levels:
        raise _refused(
            name,
            "certified so that nothing may be added; ask its author for another copy",
            "文件已认证且不允许任何更改，请向作者索取未锁定的版本",
        )
    _check_unlocked(name, inspected, field_name(inspected, field))
    if len(targets) > 1:
        names = ", ".join(target.name for target in targets[:5])
        raise _refused(
            name,
            f"seals are planned in {len(targets)} signature fields ({names}) of a signed file, and one "
            "signature fills one; plan a single field",
            f"文件已有签名，方案将印章盖在 {len(targets)} 个签名域（{names}）中，"
            "而一次签名只能填写一个；请只安排一个签名域",
        )
    inside = tuple(mark for mark in every if field is not None and mark.field == field.name)
    if field is not None:
        _check_fit(name, field, inside)
    rest = tuple(mark for mark in every if mark not in inside)
    if not rest:
        return Carriers(widget=inside, field=field)
    if DocMDP.FILL_AND_SIGN in levels:
        raise _refused(
            name,
            "certified by its author so that only fields may be filled in and signed: a visible seal would "
            "break the certification; place it by one of its empty signature fields, or ask its author for "
            "a copy that is not certified",
            "文件已由作者认证，仅允许填写和签署：加盖可见印章会使认证失效；"
            "请盖在其空白签名域内，或向作者索取未认证的版本",
        )
    if DocMDP.FILL_SIGN_ANNOTATE in levels:
        # A new field that can be seen breaks a certification (pyHanko; stricter than Acrobat).
        return Carriers(widget=inside, annotations=rest, field=field)
    if field is None and len({mark.page_index for mark in rest}) == 1:
        return Carriers(widget=rest)
    if after_others is AfterOthers.ANNOTATIONS:
        if inside:
            return Carriers(widget=inside, annotations=rest, field=field)
        first = _first(rest).page_index
        return Carriers(
            widget=tuple(mark for mark in rest if mark.page_index == first),
            annotations=tuple(mark for mark in rest if mark.page_index != first),
        )
    raise _too_many(name, inspected, every)


def signature_field_name(name: str, planned: PlannedDocument) -> str:
    """Return the field that our signature will go into: the one marks were placed by, or a new one.

    Raises:
        PlacementRefused: see check_marks_allowed.
    """
    carriers = carriers_of(name, planned.inspected, planned.marks, after_others=planned.after_others)
    return field_name(planned.inspected, carriers.field)


def field_name(inspected: InspectedDocument, field: FormField | None = None) -> str:
    """Return the field that our signature goes into: the given one, or the first free Signature<n>."""
    if field is not None:
        return field.name
    taken = {signature.field_name for signature in inspected.signatures} | {*inspected.taken_names}
    numbers = (f"Signature{number}" for number in range(1, len(taken) + 2))
    return next(name for name in numbers if name not in taken)


def unfilled_fields(inspected: InspectedDocument, marks: Sequence[Mark]) -> tuple[str, ...]:
    """Return the empty signature fields that carry a mark and stay empty: one signature fills the first."""
    return tuple(field.name for field in _targets(inspected, marks)[1:])


def _targets(inspected: InspectedDocument, marks: Sequence[Mark]) -> list[FormField]:
    """Return the empty signature fields that marks were placed by, in the order of the marks."""
    empty: dict[str, FormField] = {}
    for field in inspected.fields:
        if field.kind is FieldKind.SIGNATURE and not field.is_filled:
            empty.setdefault(field.name, field)
    return [empty[name] for name in dict.fromkeys(mark.field or "" for mark in marks) if name in empty]


def _over(marks: tuple[Mark, ...], field: FormField | None) -> Mark | None:
    if field is not None:
        return next(mark for mark in marks if mark.field == field.name)
    return next((mark for mark in marks if mark.strip is None), None)


def _first(marks: tuple[Mark, ...]) -> Mark:
    """Return the mark that the widget shows: the first that is no strip."""
    return next((mark for mark in marks if mark.strip is None), marks[0])


def _check_unlocked(name: str, inspected: InspectedDocument, ours: str) -> None:
    for signature in inspected.signatures:
        if any(lock.is_locked(ours) for lock in signature.locks):
            raise _refused(
                name,
                f"its signature {signature.field_name} locks the form, and ours in field {ours} would break "
                "it; ask its author for a copy without that signature",
                f"已有签名 {signature.field_name} 锁定了表单，在签名域 {ours} 中再签名会使其失效，"
                "请向作者索取未锁定的版本",
            )


def _check_fit(name: str, field: FormField, marks: tuple[Mark, ...]) -> None:
    """Check that the field's widget can show its marks: within its box, which may not change."""
    if not field.is_field:
        # pyHanko explains a change of a field, not of a widget below it; Acrobat would not mind.
        raise _refused(
            name,
            f"the box of its signature field {field.name} is an object apart from the field: after others "
            "have signed, strict verifiers take a seal shown there for a change; place the seal by position",
            f"签名域 {field.name} 与其显示框是两个对象：文件已有签名，较严格的验签程序"
            "会把框内的印章视为改动；请改为按位置盖章",
        )
    for mark in marks:
        over = max(_overhang(field, turned_box(mark)))
        if mark.page_index != field.page_index or over > FIT_TOLERANCE_MM:
            raise _refused(
                name,
                f"page {mark.page_index + 1}: seal {mark.seal} ({mark.w_mm:.1f} × {mark.h_mm:.1f} mm) does "
                f"not lie within the signature field {field.name} ({field.w_mm:.1f} × {field.h_mm:.1f} mm), "
                "and after others have signed nothing may be drawn outside of it; use a smaller seal, or "
                "have the form made with a larger field",
                f"第 {mark.page_index + 1} 页：印章“{mark.seal}”（{mark.w_mm:.1f} × {mark.h_mm:.1f} mm）超出"
                f"签名域 {field.name}（{field.w_mm:.1f} × {field.h_mm:.1f} mm），"
                "文件已有签名，不能盖到域外；请改用较小的印章或加大签名域",
            )


def _overhang(field: FormField, box: tuple[float, float, float, float]) -> Iterator[float]:
    x, y, w, h = box
    yield from (field.x_mm - x, field.y_mm - y)
    yield from (x + w - field.x_mm - field.w_mm, y + h - field.y_mm - field.h_mm)


def _too_many(name: str, inspected: InspectedDocument, marks: tuple[Mark, ...]) -> PlacementRefused:
    pages = len({mark.page_index for mark in marks})
    count = len(inspected.signatures)
    return _refused(
        name,
        f"it already has {count} signatures, after which a new one shows its seals on one page only; "
        f"{len(marks)} marks on {pages} pages are planned: plan them on one page, or set "
        "after_others: annotations, which Acrobat accepts and stricter verifiers may not",
        f"文件已有 {count} 个签名，新签名只能在一页上显示印章，而方案在 {pages} 页上盖 {len(marks)} 处；"
        "请只在一页上盖章，或设置 after_others: annotations"
        "（Acrobat 认可，较严格的验签程序可能报告已有签名被修改）",
    )


def _refused(name: str, what: str, zh: str) -> PlacementRefused:
    return PlacementRefused(f"{name}: {what}", zh=f"{name}：{zh}")
