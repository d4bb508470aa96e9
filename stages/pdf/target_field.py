"""The form field that takes our signature: a new one, or one that stands empty in the form."""

from dataclasses import dataclass

import pikepdf

from stages.errors import SigningRefused
from stages.pdf.form_fields import FieldNode, walk_fields
from stages.pdf.increment import Increment, ObjGen, array_with, dictionary_with, reference
from stages.pdf.stamp_annotations import LOCKED, PRINT
from stages.pdf.syntax import value_token

SIGNATURES_EXIST, APPEND_ONLY = 1, 2
"""/SigFlags (ISO 32000-2 Table 225)."""

_HIDING_FLAGS = 1 | 2 | 32
"""Invisible, Hidden, NoView (ISO 32000-2 Table 167): a signature that nobody sees would be none."""


@dataclass(frozen=True, eq=False)
class TargetField:
    """An empty signature field that is to be signed.

    Attributes:
        widget: the field itself, or the first of its kids that is its widget; None when it has none.
        lock: its /Lock, own or inherited; None when it has none.
        seed_values: its /SV, own or inherited; None when it has none.
    """

    field: pikepdf.Object
    widget: pikepdf.Object | None
    lock: pikepdf.Object | None
    seed_values: pikepdf.Object | None


def find_target(pdf: pikepdf.Pdf, name: str) -> TargetField:
    """Return an empty signature field by its full name.

    Raises:
        SigningRefused: there is none, it is signed already, or it is no object of its own.
        InputRefused: see walk_fields.
    """
    field: FieldNode | None = None
    for node in walk_fields(pdf):
        if field is None and node.is_field and node.name == name and node.kind == "/Sig":
            field = node
            if isinstance(node.value, pikepdf.Dictionary) or not node.dictionary.is_indirect:
                break
            if "/Rect" in node.dictionary:
                return _target(node, node.dictionary)
        elif field is not None and not node.is_field and node.name == name and "/Rect" in node.dictionary:
            return _target(field, node.dictionary if node.dictionary.is_indirect else None)
    if field is not None and not isinstance(field.value, pikepdf.Dictionary) and field.dictionary.is_indirect:
        return _target(field, None)
    raise SigningRefused(
        f"there is no empty signature field {name}; plan the file again",
        zh=f"没有名为 {name} 的空白签名域，请重新生成方案",
    )


def _target(field: FieldNode, widget: pikepdf.Object | None) -> TargetField:
    lock, seed_values = field.inherited("/Lock"), field.inherited("/SV")
    return TargetField(
        field.dictionary,
        widget,
        lock if isinstance(lock, pikepdf.Dictionary) else None,
        seed_values if isinstance(seed_values, pikepdf.Dictionary) else None,
    )


def lock_reference(pdf: pikepdf.Pdf, lock: pikepdf.Object | None) -> bytes:
    """Return the /Reference entry by which a signature carries out its field's lock; empty without one.

    Source: ISO 32000-2 Table 236 (the lock), 256 and 258 (the FieldMDP it becomes).
    """
    action = lock.get("/Action") if lock is not None else None
    if lock is None or action is None:
        return b""
    entries = [b"/Type /TransformParams /V /1.2 /Action %s" % value_token(action)]
    entries += [
        b"%s %s" % (key.encode("ascii"), value_token(lock[key])) for key in ("/Fields", "/P") if key in lock
    ]
    return (
        b"/Reference [<< /Type /SigRef /TransformMethod /FieldMDP /Data %s /TransformParams << %s >> >>] "
        % (reference(pdf.Root.objgen), b" ".join(entries))
    )


def fill_target(
    increment: Increment, target: TargetField, signature: ObjGen, appearance: bytes | None
) -> None:
    """Put a signature into its field, and an appearance into the field's widget.

    Nothing else of the field changes, least of all its /Rect: earlier signatures cover it.

    Args:
        appearance: what follows /AP; None to leave the widget as it is.
    """
    value = {"/V": reference(signature)}
    widget = target.widget
    shown: dict[str, bytes] = {}
    if widget is not None and appearance is not None:
        flags = widget.get("/F", 0)
        kept = (flags if isinstance(flags, int) else 0) & ~_HIDING_FLAGS
        shown = {"/AP": appearance, "/F": b"%d" % (kept | PRINT | LOCKED)}
    if widget is not None and widget.objgen == target.field.objgen:
        increment.put(target.field.objgen, dictionary_with(target.field, value | shown))
        return
    increment.put(target.field.objgen, dictionary_with(target.field, value))
    if widget is not None and shown:
        increment.put(widget.objgen, dictionary_with(widget, shown))


def add_field(increment: Increment, pdf: pikepdf.Pdf, field: ObjGen) -> None:
    """Append a new field to the form's /Fields, rewriting the smallest object that holds it."""
    entry = pdf.Root.get("/AcroForm")
    form = entry if isinstance(entry, pikepdf.Dictionary) else None
    fields = form.get("/Fields") if form is not None else None
    present = fields if isinstance(fields, pikepdf.Array) else None
    longer = array_with(present, [reference(field)])
    changes = flag_changes(pdf)
    if present is not None and present.is_indirect:
        increment.put(present.objgen, longer)
    else:
        changes["/Fields"] = longer
    change_form(increment, pdf, changes)


def flag_changes(pdf: pikepdf.Pdf) -> dict[str, bytes]:
    """Return the change to the form that says the file is signed; none where somebody signed before.

    Whatever an earlier signer left there, it is covered, and readers take a change of it for forgery.
    """
    if any(isinstance(node.value, pikepdf.Dictionary) for node in walk_fields(pdf) if node.kind == "/Sig"):
        return {}
    form = pdf.Root.get("/AcroForm")
    flags = form.get("/SigFlags", 0) if isinstance(form, pikepdf.Dictionary) else 0
    wanted = (flags if isinstance(flags, int) else 0) | SIGNATURES_EXIST | APPEND_ONLY
    return {} if flags == wanted else {"/SigFlags": b"%d" % wanted}


def change_form(increment: Increment, pdf: pikepdf.Pdf, changes: dict[str, bytes]) -> None:
    """Put changes into the form's dictionary, which may be a part of the catalogue, or missing."""
    if not changes:
        return
    entry = pdf.Root.get("/AcroForm")
    form = entry if isinstance(entry, pikepdf.Dictionary) else None
    text = dictionary_with(form, changes)
    if form is not None and form.is_indirect:
        increment.put(form.objgen, text)
    else:
        increment.put(pdf.Root.objgen, dictionary_with(pdf.Root, {"/AcroForm": text}))
