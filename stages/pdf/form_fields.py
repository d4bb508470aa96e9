"""The tree of a PDF's form fields, walked once for whoever asks: signatures, names, places on pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pikepdf

from stages.documents import FieldKind, FormField, PageGeometry
from stages.errors import InputRefused
from stages.pdf.geometry import displayed_box
from stages.pdf.syntax import ObjGen

MAX_FIELDS = 100_000
MAX_FIELD_DEPTH = 64
MAX_NAME_CHARACTERS = 512
MAX_LISTED_WIDGETS = 20_000
"""Widgets beyond these cannot be named by a plan; no form that people fill in has so many."""
MAX_COORDINATE_PT = 1e7

_KINDS = {
    "/Sig": FieldKind.SIGNATURE,
    "/Tx": FieldKind.TEXT,
    "/Btn": FieldKind.BUTTON,
    "/Ch": FieldKind.CHOICE,
}


@dataclass(frozen=True, eq=False)
class FieldNode:
    """One node of the tree: a field, a widget of the field above it, or both in one.

    Attributes:
        name: the full name, parts joined by periods (ISO 32000-2 §12.7.4.2), at most MAX_NAME_CHARACTERS.
        kind: /FT, its own or inherited; empty when there is none.
        value: /V, its own or inherited.
        is_field: it has a name of its own; otherwise it is only a widget.
        above: the nodes over it, the nearest last.
    """

    dictionary: pikepdf.Object
    name: str
    kind: str
    value: object | None
    is_field: bool
    above: tuple[pikepdf.Object, ...]

    def inherited(self, key: str) -> object | None:
        """Return an entry, its own or that of the nearest node above which has it."""
        for node in (self.dictionary, *reversed(self.above)):
            value: object | None = node.get(key)
            if value is not None:
                return value
        return None


def walk_fields(pdf: pikepdf.Pdf) -> Iterator[FieldNode]:
    """Yield every node of the form in the order of the file; one that is met again is passed over.

    Raises:
        InputRefused: more than MAX_FIELDS nodes, or deeper than MAX_FIELD_DEPTH.
    """
    form = pdf.Root.get("/AcroForm")
    fields = form.get("/Fields") if isinstance(form, pikepdf.Dictionary) else None
    if not isinstance(fields, pikepdf.Array):
        return
    waiting: list[tuple[pikepdf.Object, FieldNode | None]] = [(kid, None) for kid in reversed(list(fields))]
    seen: set[ObjGen] = set()
    count = 0
    while waiting:
        dictionary, parent = waiting.pop()
        above = (*parent.above, parent.dictionary) if parent is not None else ()
        count += 1
        if count > MAX_FIELDS or len(above) > MAX_FIELD_DEPTH:
            raise InputRefused(
                f"more than {MAX_FIELDS} form fields, or deeper than {MAX_FIELD_DEPTH}; "
                "flatten the form, or export the PDF again",
                zh=f"表单域超过 {MAX_FIELDS} 个或嵌套超过 {MAX_FIELD_DEPTH} 层，请将表单扁平化或重新导出",
            )
        if not isinstance(dictionary, pikepdf.Dictionary):
            continue
        if dictionary.is_indirect:
            if dictionary.objgen in seen:
                continue
            seen.add(dictionary.objgen)
        node = _node(dictionary, parent, above)
        yield node
        kids = dictionary.get("/Kids")
        if isinstance(kids, pikepdf.Array):
            waiting.extend((kid, node) for kid in reversed(list(kids)))


def _node(
    dictionary: pikepdf.Object, parent: FieldNode | None, above: tuple[pikepdf.Object, ...]
) -> FieldNode:
    partial = dictionary.get("/T")
    is_field = isinstance(partial, pikepdf.String)
    parts = (parent.name if parent else "", str(partial) if is_field else "")
    value: object | None = dictionary.get("/V")
    if value is None and parent is not None:
        value = parent.value
    return FieldNode(
        dictionary=dictionary,
        name=".".join(part for part in parts if part)[:MAX_NAME_CHARACTERS],
        kind=str(dictionary.get("/FT", parent.kind if parent else "")),
        value=value,
        is_field=is_field,
        above=above,
    )


def form_fields(
    pdf: pikepdf.Pdf, pages: Sequence[pikepdf.Object], geometries: Sequence[PageGeometry]
) -> tuple[FormField, ...]:
    """Return every widget of the form that lies on a page, by page, then as the form lists them.

    A widget's page is the one whose /Annots has it; only one that no page has is believed its /P.

    Raises:
        InputRefused: see walk_fields.
    """
    owners: dict[ObjGen, int] | None = None
    by_page = {page.objgen: index for index, page in reversed(list(enumerate(pages)))}
    found: list[FormField] = []
    for node in walk_fields(pdf):
        rectangle = rectangle_of(node.dictionary.get("/Rect"))
        kind = _KINDS.get(node.kind)
        if rectangle is None or kind is None or not node.name:
            continue
        if owners is None:
            owners = _owners(pages)
        page_index = owners.get(node.dictionary.objgen)
        if page_index is None:
            page = node.dictionary.get("/P")
            page_index = by_page.get(page.objgen) if isinstance(page, pikepdf.Dictionary) else None
        if page_index is None:
            continue
        x, y, w, h = displayed_box(geometries[page_index], rectangle)
        is_filled = _is_filled(kind, node.value)
        found.append(FormField(node.name, kind, page_index, x, y, w, h, is_filled, node.is_field))
        if len(found) == MAX_LISTED_WIDGETS:
            break
    return tuple(sorted(found, key=lambda field: field.page_index))


def _owners(pages: Sequence[pikepdf.Object]) -> dict[ObjGen, int]:
    """Return the first page that each indirect annotation lies on."""
    owners: dict[ObjGen, int] = {}
    for index, page in enumerate(pages):
        annotations = page.get("/Annots")
        for annotation in list(annotations) if isinstance(annotations, pikepdf.Array) else ():
            if isinstance(annotation, pikepdf.Dictionary) and annotation.is_indirect:
                owners.setdefault(annotation.objgen, index)
    return owners


def rectangle_of(value: object) -> tuple[float, float, float, float] | None:
    """Return a /Rect with its corners in order; None for what is none."""
    if not isinstance(value, pikepdf.Array) or len(value) != 4:
        return None
    try:
        x0, y0, x1, y1 = (float(number) for number in value)
    except (TypeError, ValueError):
        return None
    if not all(abs(number) <= MAX_COORDINATE_PT for number in (x0, y0, x1, y1)):  # NaN fails, too
        return None
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _is_filled(kind: FieldKind, value: object | None) -> bool:
    if kind is FieldKind.SIGNATURE:
        return isinstance(value, pikepdf.Dictionary)
    if kind is FieldKind.BUTTON:
        return isinstance(value, pikepdf.Name) and value != pikepdf.Name.Off
    if isinstance(value, pikepdf.String):
        return bool(str(value))
    if isinstance(value, pikepdf.Array):
        return len(value) > 0
    return isinstance(value, pikepdf.Stream)
