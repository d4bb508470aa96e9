"""pyHanko's difference analysis, with stamp annotations told from other changes (ISO 32000-2 §12.8.2.2.2)."""

from collections.abc import Iterable, Iterator

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import Reference
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import HistoricalResolver, RawPdfPath
from pyhanko.sign.diff_analysis import (
    DEFAULT_DIFF_POLICY,
    DiffResult,
    FormUpdatingRule,
    GenericFieldModificationRule,
    ModificationLevel,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    SuspiciousModification,
)
from pyhanko.sign.diff_analysis.commons import compare_dicts
from pyhanko.sign.diff_analysis.form_rules_api import FieldComparisonContext, FormUpdate
from pyhanko.sign.diff_analysis.rules_api import RelativeContext
from pyhanko.sign.fields import FieldMDPSpec, MDPPerm

MAX_TREE_DEPTH = 64
MAX_VALUE_DEPTH = 32
STAMP_KEYS = frozenset({"/Type", "/Subtype", "/Rect", "/F", "/P", "/AP"})
"""All that a stamp of ours has; one that moves, opens, hides or does something is none."""
_PRINT, _HIDING = 4, 1 | 2 | 32 | 256
"""/F of an annotation (ISO 32000-2 Table 167): Print; Invisible, Hidden, NoView, ToggleNoView."""
_DOING = frozenset({"/A", "/AA", "/OC", "/PMD"})
"""What makes a widget do something, or come and go."""
_DRAWN_ELSEWHERE = frozenset({"/OC", "/Properties", "/Ref", "/Alternates", "/OPI"})
"""What makes an appearance come and go with a layer, or show what is not in it."""

Update = tuple[ModificationLevel, FormUpdate]


class NewFieldsAndStamps(SigFieldCreationRule):  # type: ignore[misc]  # pyHanko is not typed
    """New signature fields as pyHanko lets them be, and new stamp annotations, at level ANNOTATIONS.

    pyHanko takes every new annotation for forgery that is no widget of a new signature field.
    """

    def __init__(self) -> None:
        super().__init__(approve_widget_bindings=False)

    def apply(self, context: FieldComparisonContext) -> Iterator[Update]:
        """Yield the objects whose change is explained, and at which level.

        Raises:
            SuspiciousModification: an annotation was removed, a new one is neither widget nor stamp, or a
                new signature field does more than show itself.
        """
        yield from super().apply(context)
        widgets = dict(_new_widgets(context))
        _check_new_fields(context, widgets)
        if widgets or _touches_pages(context.new):
            roots = context.old.root["/Pages"], context.new.root["/Pages"]
            yield from _pages(*roots, context=context, widgets=widgets, depth=0)


def _new_widgets(context: FieldComparisonContext) -> Iterator[tuple[Reference, str]]:
    """Yield the widgets of signature fields that were not there, each with its field's name."""
    for name, spec in context.field_specs.items():
        field = spec.new_field
        if spec.field_type != "/Sig" or spec.old_field_ref is not None or field is None:
            continue
        kids = field.get("/Kids")
        if not isinstance(kids, generic.ArrayObject):
            yield spec.new_field_ref, name
            continue
        for kid in _references(kids):
            if "/T" not in kid.get_object():
                yield kid, name


def _check_new_fields(context: FieldComparisonContext, widgets: Iterable[Reference]) -> None:
    """Check that new signature fields run nothing, and that every reader sees the same box.

    pyHanko looks at neither, and calls a field invisible whose /Rect it cannot reckon with: it takes even
    a seal copied to another page for an update of validation data.
    """
    added = (spec.new_field for spec in context.field_specs.values() if spec.old_field_ref is None)
    for one in (*added, *(context.new(widget) for widget in widgets)):
        if not isinstance(one, generic.DictionaryObject) or not _DOING.isdisjoint(one.keys()):
            raise SuspiciousModification("a new field does something")
        if "/Rect" in one and not _is_rectangle(one["/Rect"]):
            raise SuspiciousModification("a new field has a box that readers read differently")


def _is_rectangle(value: object) -> bool:
    numbers = generic.NumberObject | generic.FloatObject
    return (
        isinstance(value, generic.ArrayObject)
        and len(value) == 4
        and all(isinstance(number, numbers) for number in value)
    )


def _touches_pages(new: HistoricalResolver) -> bool:
    """Return whether a revision has pages or arrays, in one of which annotations could be new."""
    changed = (new(reference) for reference in new.explicit_refs_in_revision())
    return any(
        isinstance(one, generic.ArrayObject)
        or (isinstance(one, generic.DictionaryObject) and one.get("/Type") == "/Page")
        for one in changed
    )


def _references(array: object, error: type[Exception] = SuspiciousModification) -> list[Reference]:
    """Return an array's references; `error` says whose fault it is when it has something else."""
    entries = _entries(array, error)
    if not all(isinstance(entry, generic.IndirectObject) for entry in entries):
        raise error("no array of references")
    return [entry.reference for entry in entries]


def _entries(array: object, error: type[Exception]) -> list[generic.PdfObject]:
    """Return what stands in an array, references as they are."""
    if not isinstance(array, generic.ArrayObject):
        raise error("no array")
    return [*array]


def _pages(
    old: generic.DictionaryObject,
    new: generic.DictionaryObject,
    *,
    context: FieldComparisonContext,
    widgets: dict[Reference, str],
    depth: int,
) -> Iterator[Update]:
    """Yield what is explained below a node of the page tree, which must be the same in both revisions."""
    old_kids, new_kids = _references(old["/Kids"], PdfReadError), _references(new["/Kids"])
    if old_kids != new_kids or depth > MAX_TREE_DEPTH:
        raise SuspiciousModification("the page tree was changed")
    for old_kid, new_kid in zip(old_kids, new_kids, strict=True):
        below = old_kid.get_object(), new_kid.get_object()
        if below[0].get("/Type") == "/Pages" or "/Kids" in below[0]:
            yield from _pages(*below, context=context, widgets=widgets, depth=depth + 1)
        else:
            yield from _page(*below, page=new_kid, context=context, widgets=widgets)


def _page(
    old: generic.DictionaryObject,
    new: generic.DictionaryObject,
    *,
    page: Reference,
    context: FieldComparisonContext,
    widgets: dict[Reference, str],
) -> Iterator[Update]:
    if "/Annots" not in new:
        return
    before = _entries(old["/Annots"], PdfReadError) if "/Annots" in old else []
    after = _entries(new["/Annots"], SuspiciousModification)
    if before == after:
        return
    added = _added(before, after)
    compare_dicts(old, new, frozenset({"/Annots"}))
    stamps = added - widgets.keys()
    for stamp in stamps:
        yield from _stamp(stamp, page, context)
    level = ModificationLevel.ANNOTATIONS if stamps else ModificationLevel.LTA_UPDATES
    names = {widgets.get(one) for one in added}
    name = names.pop() if len(added) == 1 else None
    is_widget = name is not None
    # A page is referred to from everywhere, and nothing but its annotations has changed.
    yield level, FormUpdate(updated_ref=page, field_name=name, valid_when_locked=is_widget)
    array, present = new.raw_get("/Annots"), old.get("/Annots") and old.raw_get("/Annots")
    if isinstance(array, generic.IndirectObject):
        is_same = isinstance(present, generic.IndirectObject) and present.reference == array.reference
        if is_same or context.old.is_ref_unassignable(array.reference):
            where = RelativeContext(page, RawPdfPath("/Annots"))
            yield (
                level,
                FormUpdate(
                    updated_ref=array.reference,
                    field_name=name,
                    valid_when_locked=is_widget,
                    context_checked=where,
                ),
            )


def _added(before: list[generic.PdfObject], after: list[generic.PdfObject]) -> set[Reference]:
    """Return what was added behind a page's annotations.

    Raises:
        SuspiciousModification: one was removed, lies over others now, was changed in the array itself or
            is there twice.
    """
    if after[: len(before)] != before:
        raise SuspiciousModification("annotations were removed or put into another order")
    added = _references(generic.ArrayObject(after[len(before) :]))
    known = {entry.reference for entry in before if isinstance(entry, generic.IndirectObject)}
    if len(set(added)) != len(added) or not known.isdisjoint(added):
        raise SuspiciousModification("an annotation is there twice")
    return set(added)


def _stamp(reference: Reference, page: Reference, context: FieldComparisonContext) -> Iterator[Update]:
    """Yield a new stamp annotation and what it is drawn with, all of it new objects.

    Raises:
        SuspiciousModification: it is no stamp, does more than show itself, or replaces something.
    """
    stamp = context.new(reference)
    if not isinstance(stamp, generic.DictionaryObject) or isinstance(stamp, generic.StreamObject):
        raise SuspiciousModification("a new annotation is no dictionary")
    if stamp.get("/Subtype") != "/Stamp" or not stamp.keys() <= STAMP_KEYS:
        raise SuspiciousModification("a new annotation is no plain stamp")
    flags = stamp.get("/F", 0)
    is_seen = isinstance(flags, int) and bool(flags & _PRINT) and not flags & _HIDING
    if not is_seen or not _is_rectangle(stamp.get("/Rect")):
        raise SuspiciousModification("a new stamp is hidden, not printed, or nowhere")
    appearance = stamp.get("/AP")
    if not isinstance(appearance, generic.DictionaryObject) or set(appearance.keys()) != {"/N"}:
        raise SuspiciousModification("a new stamp has no appearance, or several")
    form = appearance.raw_get("/N")
    is_new = isinstance(form, generic.IndirectObject) and context.old.is_ref_unassignable(form.reference)
    if not context.old.is_ref_unassignable(reference) or not is_new:
        raise SuspiciousModification("a new stamp replaces an object")
    owner = stamp.raw_get("/P") if "/P" in stamp else None
    if owner is not None and getattr(owner, "reference", None) != page:
        raise SuspiciousModification("a new stamp names another page")
    drawn_with = context.new.collect_dependencies(
        stamp.raw_get("/AP"), since_revision=context.old.revision + 1
    )
    if any(_is_drawn_elsewhere(context.new(one)) for one in drawn_with):
        raise SuspiciousModification("a new stamp can change what it shows")
    for one in (reference, *drawn_with):
        yield ModificationLevel.ANNOTATIONS, FormUpdate(updated_ref=one)


def _is_drawn_elsewhere(value: object, depth: int = 0) -> bool:
    """Return whether an object, or a direct value in it, hangs on a layer or shows what is elsewhere."""
    if depth > MAX_VALUE_DEPTH:
        return True
    if isinstance(value, generic.DictionaryObject):
        if not _DRAWN_ELSEWHERE.isdisjoint(value.keys()):
            return True
        if isinstance(value, generic.StreamObject) and "/F" in value:
            return True
        entries = [value.raw_get(key) for key in value]
    else:
        entries = [*value] if isinstance(value, generic.ArrayObject) else []
    return any(_is_drawn_elsewhere(entry, depth + 1) for entry in entries)


class _Policy(StandardDiffPolicy):  # type: ignore[misc]  # pyHanko is not typed
    """pyHanko's policy, under which nothing may come into being that the signed revision waited for."""

    def apply(
        self,
        old: HistoricalResolver,
        new: HistoricalResolver,
        field_mdp_spec: FieldMDPSpec | None = None,
        doc_mdp: MDPPerm | None = None,
    ) -> DiffResult:
        """Return what changed between two revisions.

        Raises:
            SuspiciousModification: more than the rules explain.
        """
        result = super().apply(old, new, field_mdp_spec, doc_mdp)
        introduced_in = new.reader.xrefs.get_introducing_revision
        for one in new.explicit_refs_in_revision():
            # A reference to an object that is not there is null (ISO 32000-2 §7.3.10). Whoever signs sees
            # nothing there; defined afterwards it is page content. pyHanko takes it for an object that
            # nobody uses, and has no public way to ask who refers to an object.
            if introduced_in(one) > old.revision and old._get_usages_of_ref(one):
                raise SuspiciousModification("an object was defined that the signed pages waited for")
        return result


DIFFERENCE_POLICY = _Policy(
    global_rules=DEFAULT_DIFF_POLICY.global_rules,
    form_rule=FormUpdatingRule(
        field_rules=[NewFieldsAndStamps(), SigFieldModificationRule(), GenericFieldModificationRule()]
    ),
)
"""pyHanko's default policy, but for stamps, fields that do something, and objects that were missing."""
