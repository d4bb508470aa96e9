"""What a PDF carries besides its pages, gathered in one pass: what it does, hides and lacks."""

from collections.abc import Iterator, Sequence

import pikepdf

from stages.documents import Finding
from stages.pdf.actions import FORM, Actions
from stages.pdf.annotations import Annotations
from stages.pdf.attachments import Attachments
from stages.pdf.form_fields import walk_fields
from stages.pdf.layers import layer_findings
from stages.pdf.properties import property_findings
from stages.pdf.resources import Resources
from stages.pdf.sayings import say, some_names


def content_findings(pdf: pikepdf.Pdf, pages: Sequence[pikepdf.Object]) -> list[Finding]:
    """Return what the catalogue, the pages, their annotations and the form have to say.

    Of the streams only the metadata is decoded.

    Raises:
        InputRefused: see `form_fields.walk_fields`.
    """
    actions, attachments, resources = Actions(), Attachments(), Resources()
    annotations = Annotations(actions, attachments)
    actions.look_at_catalogue(pdf.Root)
    attachments.look_at_catalogue(pdf.Root)
    for index, page in enumerate(pages):
        actions.look(page, index)
        annotations.look(page, index)
        resources.look(page, index)
    form = list(_form_findings(pdf, actions))
    return [
        *actions.findings(),
        *attachments.findings(),
        *layer_findings(pdf.Root),
        *annotations.findings(),
        *form,
        *_catalogue_findings(pdf.Root),
        *resources.findings(),
        *property_findings(pdf),
    ]


def _form_findings(pdf: pikepdf.Pdf, actions: Actions) -> Iterator[Finding]:
    """Yield what the form says, and take in what its fields do."""
    form = pdf.Root.get("/AcroForm")
    if not isinstance(form, pikepdf.Dictionary):
        return
    fillable: set[str] = set()
    empty: set[str] = set()
    for node in walk_fields(pdf):
        actions.look(node.dictionary, FORM)
        if isinstance(node.dictionary.get("/Kids"), pikepdf.Array):
            continue
        if node.kind == "/Sig":
            if node.value is None:
                empty.add(node.name)
        elif node.kind:
            fillable.add(node.name)
    if fillable:
        yield say("form-fields", count=len(fillable))
    if empty:
        yield say("empty-signature-fields", count=len(empty), names=some_names(sorted(empty)))
    order = form.get("/CO")
    if isinstance(order, pikepdf.Array) and len(order):
        yield say("form-calculates", count=len(order))
    if _is_true(form.get("/NeedAppearances")):
        yield say("form-redrawn")
    if "/XFA" in form:
        yield say("xfa-form")


def _catalogue_findings(root: pikepdf.Object) -> Iterator[Finding]:
    perms = root.get("/Perms")
    if isinstance(perms, pikepdf.Dictionary) and ("/UR3" in perms or "/UR" in perms):
        yield say("usage-rights")
    marked = root.get("/MarkInfo")
    is_marked = isinstance(marked, pikepdf.Dictionary) and _is_true(marked.get("/Marked"))
    if "/StructTreeRoot" in root and is_marked:
        yield say("tagged")
    if "/PageLabels" in root:
        yield say("page-labels")


def _is_true(value: object) -> bool:
    return isinstance(value, bool) and value
