"""Draw the marks of a plan on a PDF as one increment: vector placement, the text below stays text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pikepdf

from stages.documents import Mark, PageGeometry, PlannedDocument, SealFace, SourceFile, StampedDocument
from stages.errors import InputRefused, PlacementRefused, PlanRefused
from stages.pdf.base import open_base, refusals_named
from stages.pdf.carriers import Carriers, carriers_of
from stages.pdf.drawing import IMAGE, STATE, Palette, free_names, marks_operators, put_palette
from stages.pdf.graphics_state import Balance, content_balance
from stages.pdf.increment import Increment, append_increment
from stages.pdf.stamp_annotations import put_stamps, shared_arrays
from stages.pdf.structure import inherited, walk_pages
from stages.pdf.syntax import ObjGen, dictionary_with, reference, value_token


@dataclass
class _Drawing:
    """What one call of stamp() puts into the increment and uses again from page to page."""

    increment: Increment
    palette: Palette
    blends_in_rgb: bool
    streams: dict[bytes, ObjGen] = field(default_factory=dict)
    resources: dict[ObjGen | bytes, tuple[ObjGen, dict[str, str]]] = field(default_factory=dict)

    def stream(self, data: bytes) -> ObjGen:
        """Return a content stream of these bytes; pages that need the same share it."""
        known = self.streams.get(data)
        if known is None:
            known = self.streams[data] = self.increment.add_stream(b"", data)
        return known


def stamp(
    source: SourceFile, planned: PlannedDocument, faces: Mapping[str, SealFace], out: Path
) -> StampedDocument:
    """Write source to `out` with every mark drawn on it; the source's bytes stay a prefix.

    When somebody has signed before, page content may not change: marks are then left to the new
    signature's widget (`widget_marks`) or become stamp annotations, as `carriers_of` says.

    Raises:
        PlacementRefused: the file's own signatures forbid the marks, or pages that are one object would
            need different marks.
        PlanRefused: a mark's seal is not in faces, or has no such slot for its text.
        InputRefused: the file is not the one planned for, cannot be appended to, `out` is the source
            itself, or a seal's picture is not usable.
    """
    if out.exists() and out.samefile(source.path):
        raise InputRefused(
            f"{source.name}: the original must stay as it is; give another place for the stamped file",
            zh=f"{source.name}：原件不得改动，请为盖章文件指定其他路径",
        )
    _check_seals(source, planned, faces)
    carriers = _carriers(source.name, planned)
    drawn = (*carriers.content, *carriers.annotations)
    data, size_bytes = b"", source.size_bytes
    damaged: list[int] = []
    if drawn:
        with open_base(source.path, name=source.name) as base, refusals_named(source.name):
            pages = list(walk_pages(base.pdf))
            if len(pages) != len(planned.inspected.pages) or base.size_bytes != source.size_bytes:
                raise InputRefused(
                    "the file is not the one the plan was made for; plan it again",
                    zh="文件与制定方案时不一致，请重新生成方案",
                )
            increment = Increment(base, packs=True)
            palette = put_palette(increment, faces, [mark.seal for mark in drawn])
            drawing = _Drawing(increment, palette, _has_archival_intent(base.pdf))
            by_page = _marks_by_page(source, drawn, pages)
            shared = shared_arrays(pages) if carriers.annotations else frozenset[ObjGen]()
            for page_index, marks in by_page.items():
                geometry = planned.inspected.pages[page_index]
                if carriers.annotations:
                    put_stamps(palette, pages[page_index], geometry, marks, shared)
                elif _draw_page(drawing, pages[page_index], geometry, marks).is_damaged:
                    damaged.append(page_index)
            rendered = increment.render()
            data, size_bytes = rendered.data, rendered.base_size_bytes
    append_increment(source.path, out, data, base_size_bytes=size_bytes)
    stamped = _stamped(out, planned, carriers, faces, source.size_bytes)
    return replace(stamped, damaged_pages=tuple(damaged))


def stamped_from(
    path: Path, planned: PlannedDocument, faces: Mapping[str, SealFace], *, base_size_bytes: int
) -> StampedDocument:
    """Return what stamp() returned, for a stamped file that was put together again from storage.

    Raises:
        PlacementRefused: see stamp.
    """
    return _stamped(path, planned, _carriers(path.name, planned), faces, base_size_bytes)


def _carriers(name: str, planned: PlannedDocument) -> Carriers:
    return carriers_of(name, planned.inspected, planned.marks, after_others=planned.after_others)


def _stamped(
    path: Path,
    planned: PlannedDocument,
    carriers: Carriers,
    faces: Mapping[str, SealFace],
    base_size_bytes: int,
) -> StampedDocument:
    first = carriers.widget[0] if carriers.widget else carriers.over
    return StampedDocument(
        path=path,
        base_size_bytes=base_size_bytes,
        widget_mark=carriers.over,
        widget_marks=carriers.widget,
        widget_faces=tuple(faces[seal] for seal in dict.fromkeys(mark.seal for mark in carriers.widget)),
        widget_page=planned.inspected.pages[first.page_index] if first is not None else None,
        field_name=carriers.field.name if carriers.field else None,
    )


def _check_seals(source: SourceFile, planned: PlannedDocument, faces: Mapping[str, SealFace]) -> None:
    for mark in planned.marks:
        if mark.seal not in faces:
            raise PlanRefused(
                f"{source.name}: there is no seal {mark.seal}; make it, or correct the plan",
                zh=f"{source.name}：没有名为“{mark.seal}”的印章，请先制作或修改方案",
            )


def _marks_by_page(
    source: SourceFile, marks: Sequence[Mark], pages: list[pikepdf.Object]
) -> dict[int, list[Mark]]:
    """Return the marks of each page object, under the first index that shows it.

    Raises:
        PlacementRefused: pages that are one object would need different marks.
    """
    by_index: dict[int, list[Mark]] = {}
    for mark in marks:
        by_index.setdefault(mark.page_index, []).append(mark)
    indices: dict[ObjGen, list[int]] = {}
    for index, page in enumerate(pages):
        indices.setdefault(page.objgen, []).append(index)
    chosen: dict[int, list[Mark]] = {}
    for shared in indices.values():
        looks = {tuple(_look(mark) for mark in by_index.get(index, ())) for index in shared}
        if len(looks) > 1:
            numbers_text = ", ".join(str(index + 1) for index in shared[:8])
            raise PlacementRefused(
                f"{source.name}: pages {numbers_text} are one object and can only carry the same seals; "
                "print the file to a new PDF",
                zh=f"{source.name}：第 {numbers_text} 页共用同一页面对象，"
                "只能加盖相同的印章，请重新打印为 PDF",
            )
        if shared[0] in by_index:
            chosen[shared[0]] = by_index[shared[0]]
    return dict(sorted(chosen.items()))


def _look(mark: Mark) -> tuple[object, ...]:
    return (mark.seal, mark.x_mm, mark.y_mm, mark.w_mm, mark.h_mm, mark.angle_deg, mark.strip, mark.text)


def _draw_page(drawing: _Drawing, page: pikepdf.Object, geometry: PageGeometry, marks: list[Mark]) -> Balance:
    """Put a page with its marks into the increment; return what was found of the page's own content."""
    contents = _content_streams(page)
    balance = content_balance(contents)
    resources, names = _resources_with_seals(drawing, page)
    drawn = marks_operators(drawing.palette, geometry, marks, names)
    parts = [
        reference(drawing.stream(balance.opening)),
        *(value_token(stream) for stream in contents),
        reference(drawing.stream(balance.closing + b"/Artifact BMC\n" + drawn + b"EMC\n")),
    ]
    changes = {"/Contents": b"[ %s ]" % b" ".join(parts), "/Resources": resources}
    group = page.get("/Group")
    if not isinstance(group, pikepdf.Dictionary):
        if drawing.blends_in_rgb:
            changes["/Group"] = b"<< /S /Transparency /CS /DeviceRGB >>"
    elif _is_grey(group.get("/CS")) or (drawing.blends_in_rgb and "/CS" not in group):
        # Blended in grey, red ink would be shown grey (ISO 32000-2 §11.4.7); grey looks the same in RGB.
        changes["/Group"] = dictionary_with(group, {"/CS": b"/DeviceRGB"})
    drawing.increment.put(page.objgen, dictionary_with(page, changes))
    return balance


def _is_grey(space: object) -> bool:
    """Return whether a page group's colour space has no colours."""
    if isinstance(space, pikepdf.Array) and len(space) == 2 and space[0] == pikepdf.Name.ICCBased:
        return isinstance(space[1], pikepdf.Stream) and space[1].get("/N") == 1
    family = space[0] if isinstance(space, pikepdf.Array) and len(space) else space
    return isinstance(family, pikepdf.Name) and family in (pikepdf.Name.DeviceGray, pikepdf.Name.CalGray)


def _has_archival_intent(pdf: pikepdf.Pdf) -> bool:
    """Return whether the file says for which device its colours are meant, as PDF/A does.

    Readers then blend a page that does not say otherwise in that device's colours: with a press's CMYK,
    every RGB colour of a stamped page would look different.
    """
    intents = pdf.Root.get("/OutputIntents")
    return any(
        isinstance(intent, pikepdf.Dictionary) and intent.get("/S") == pikepdf.Name.GTS_PDFA1
        for intent in (intents if isinstance(intents, pikepdf.Array) else ())
    )


def _content_streams(page: pikepdf.Object) -> list[pikepdf.Object]:
    contents = page.get("/Contents")
    if isinstance(contents, pikepdf.Array):
        return [part for part in list(contents) if isinstance(part, pikepdf.Stream)]
    return [contents] if isinstance(contents, pikepdf.Stream) else []


def _resources_with_seals(drawing: _Drawing, page: pikepdf.Object) -> tuple[bytes, dict[str, str]]:
    """Return a copy of the page's resources with the seals in it, and the seals' names there.

    The page's own or inherited dictionary is left alone, as other pages may use it; pages that share one
    share its copy.
    """
    found = inherited(page, "/Resources")
    old = found if isinstance(found, pikepdf.Dictionary) else None
    if old is not None and old.is_indirect and old.objgen in drawing.resources:
        copied, names = drawing.resources[old.objgen]
        return reference(copied), names
    images, states = _sub(old, "/XObject"), _sub(old, "/ExtGState")
    palette = drawing.palette
    names = dict(zip(palette.images, free_names(images, IMAGE), strict=False))
    names[""] = next(free_names(states, STATE))
    seals = {names[seal]: reference(image) for seal, image in palette.images.items()}
    body = dictionary_with(
        old,
        {
            "/XObject": dictionary_with(images, seals),
            "/ExtGState": dictionary_with(states, {names[""]: reference(palette.state)}),
        },
    )
    # Pages whose own dictionaries say the same share one copy, too.
    key = old.objgen if old is not None and old.is_indirect else body
    if key not in drawing.resources:
        drawing.resources[key] = (drawing.increment.add(body), names)
    return reference(drawing.resources[key][0]), names


def _sub(dictionary: pikepdf.Object | None, key: str) -> pikepdf.Object | None:
    value = dictionary.get(key) if dictionary is not None else None
    return value if isinstance(value, pikepdf.Dictionary) else None
