"""Draw the marks of a plan on a PDF as one increment: vector placement, the text below stays text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pikepdf

from stages.documents import (
    DocMDP,
    Mark,
    PageGeometry,
    PlannedDocument,
    SealFace,
    SourceFile,
    StampedDocument,
)
from stages.errors import InputRefused, PlacementRefused, PlanRefused
from stages.pdf.base import open_base, refusals_named
from stages.pdf.geometry import Box, from_displayed, image_matrix, user_box
from stages.pdf.graphics_state import Balance, content_balance
from stages.pdf.increment import Increment, append_increment
from stages.pdf.seal_image import SealXObject, seal_xobject
from stages.pdf.slot_text import text_operators
from stages.pdf.structure import inherited, walk_pages
from stages.pdf.syntax import ObjGen, dictionary_with, name_token, numbers, reference, value_token


@dataclass
class _Drawing:
    """What one call of stamp() puts into the increment and uses again from page to page."""

    increment: Increment
    seals: dict[str, SealXObject]
    faces: Mapping[str, SealFace]
    images: dict[str, ObjGen] = field(default_factory=dict)
    state: ObjGen = (0, 0)
    openings: dict[int, ObjGen] = field(default_factory=dict)
    resources: dict[ObjGen, tuple[ObjGen, dict[str, str]]] = field(default_factory=dict)


def stamp(
    source: SourceFile, planned: PlannedDocument, faces: Mapping[str, SealFace], out: Path
) -> StampedDocument:
    """Write source to `out` with every mark drawn on it; the source's bytes stay a prefix.

    When somebody has signed before, page content may not change: a single mark is then left to the new
    signature's widget (`widget_face`), and the file is only copied.

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
    if planned.inspected.signatures or not planned.marks:
        return _copied(source, planned, faces, out)
    with open_base(source.path, name=source.name) as base, refusals_named(source.name):
        pages = list(walk_pages(base.pdf))
        if len(pages) != len(planned.inspected.pages) or base.size_bytes != source.size_bytes:
            raise InputRefused(
                "the file is not the one the plan was made for; plan it again",
                zh="文件与制定方案时不一致，请重新生成方案",
            )
        drawing = _begin(Increment(base), planned, faces)
        for page_index, marks in _marks_by_page(source, planned, pages).items():
            _draw_page(drawing, pages[page_index], planned.inspected.pages[page_index], marks)
        rendered = drawing.increment.render()
    append_increment(source.path, out, rendered.data, base_size_bytes=rendered.base_size_bytes)
    return stamped_from(out, planned, faces, base_size_bytes=source.size_bytes)


def stamped_from(
    path: Path, planned: PlannedDocument, faces: Mapping[str, SealFace], *, base_size_bytes: int
) -> StampedDocument:
    """Return what stamp() returned, for a stamped file that was put together again from storage."""
    mark = _widget_mark(planned)
    face = faces[mark.seal] if mark is not None and planned.inspected.signatures else None
    page = planned.inspected.pages[mark.page_index] if mark is not None else None
    return StampedDocument(path, base_size_bytes, mark, face, page)


def _widget_mark(planned: PlannedDocument) -> Mark | None:
    return next((mark for mark in planned.marks if mark.strip is None), None)


def _check_seals(source: SourceFile, planned: PlannedDocument, faces: Mapping[str, SealFace]) -> None:
    for mark in planned.marks:
        if mark.seal not in faces:
            raise PlanRefused(
                f"{source.name}: there is no seal {mark.seal}; make it, or correct the plan",
                zh=f"{source.name}：没有名为“{mark.seal}”的印章，请先制作或修改方案",
            )


def _copied(
    source: SourceFile, planned: PlannedDocument, faces: Mapping[str, SealFace], out: Path
) -> StampedDocument:
    """Copy a file whose pages must not change, and leave its only mark to the signature's widget."""
    signatures = planned.inspected.signatures
    if any(signature.docmdp is DocMDP.NO_CHANGES for signature in signatures):
        raise PlacementRefused(
            f"{source.name}: certified so that nothing may be added; ask its author for another copy",
            zh=f"{source.name}：文件已认证且不允许任何更改，请向作者索取未锁定的版本",
        )
    if any(lock.is_locked("") for signature in signatures for lock in signature.locks):
        raise PlacementRefused(
            f"{source.name}: a signature in it locks the form, and one more would break it; "
            "ask its author for a copy without that signature",
            zh=f"{source.name}：已有签名锁定了表单，再签名会使其失效，请向作者索取未锁定的版本",
        )
    if planned.marks and any(signature.docmdp is not None for signature in signatures):
        raise PlacementRefused(
            f"{source.name}: certified by its author, so that a visible seal would break the certification; "
            "ask its author for a copy that is not certified",
            zh=f"{source.name}：文件已由作者认证，加盖可见印章会使认证失效，请向作者索取未认证的版本",
        )
    if len(planned.marks) > 1 or any(mark.strip for mark in planned.marks):
        raise PlacementRefused(
            f"{source.name}: it already has {len(signatures)} signatures, which {len(planned.marks)} new "
            "marks would break; plan a single seal and no paging seal for it",
            zh=f"{source.name}：文件已有 {len(signatures)} 个签名，加盖 {len(planned.marks)} 处会使其失效；"
            "请只安排一枚印章且不盖骑缝章",
        )
    append_increment(source.path, out, b"", base_size_bytes=source.size_bytes)
    return stamped_from(out, planned, faces, base_size_bytes=source.size_bytes)


def _marks_by_page(
    source: SourceFile, planned: PlannedDocument, pages: list[pikepdf.Object]
) -> dict[int, list[Mark]]:
    """Return the marks of each page object, under the first index that shows it.

    Raises:
        PlacementRefused: pages that are one object would need different marks.
    """
    by_index: dict[int, list[Mark]] = {}
    for mark in planned.marks:
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
    return (mark.seal, mark.x_mm, mark.y_mm, mark.w_mm, mark.h_mm, mark.strip, mark.text)


def _begin(increment: Increment, planned: PlannedDocument, faces: Mapping[str, SealFace]) -> _Drawing:
    """Put each seal's image once, and the graphics state that lets black text show through."""
    names = list(dict.fromkeys(mark.seal for mark in planned.marks))
    drawing = _Drawing(increment, {name: seal_xobject(faces[name]) for name in names}, faces)
    for name, seal in drawing.seals.items():
        size = b"/Type /XObject /Subtype /Image /Width %d /Height %d" % (seal.width_px, seal.height_px)
        size += b" /BitsPerComponent 8 /Filter /FlateDecode"
        mask = increment.add_stream(size + b" /ColorSpace /DeviceGray", seal.alpha)
        image = size + b" /ColorSpace /DeviceRGB /SMask " + reference(mask)
        drawing.images[name] = increment.add_stream(image, seal.rgb)
    drawing.state = increment.add(b"<< /Type /ExtGState /BM /Multiply /ca 1 /SMask /None >>")
    return drawing


def _draw_page(drawing: _Drawing, page: pikepdf.Object, geometry: PageGeometry, marks: list[Mark]) -> None:
    contents = _content_streams(page)
    balance = content_balance(contents)
    resources, names = _resources_with_seals(drawing, page)
    drawn = [_mark_operators(geometry, mark, drawing.seals[mark.seal], names) for mark in marks]
    drawn += [_text_operators(drawing, geometry, mark, names) for mark in marks if mark.text]
    closing = b"\n" + b"Q " * balance.after + b"\n/Artifact BMC\n" + b"".join(drawn) + b"EMC\n"
    after = drawing.increment.add_stream(b"", closing)
    parts = [
        reference(_opening(drawing, balance)),
        *(value_token(stream) for stream in contents),
        reference(after),
    ]
    changes = {"/Contents": b"[ %s ]" % b" ".join(parts), "/Resources": resources}
    drawing.increment.put(page.objgen, dictionary_with(page, changes))


def _opening(drawing: _Drawing, balance: Balance) -> ObjGen:
    """Return the stream that stands before a page's own content; pages share it."""
    known = drawing.openings.get(balance.before)
    if known is None:
        known = drawing.increment.add_stream(b"", b"q " * balance.before + b"\n")
        drawing.openings[balance.before] = known
    return known


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
    names = {seal: _free_name(images, f"/Mk{order}") for order, seal in enumerate(drawing.images)}
    names[""] = _free_name(states, "/MkGS")
    body = dictionary_with(
        old,
        {
            "/XObject": dictionary_with(
                images, {names[seal]: reference(image) for seal, image in drawing.images.items()}
            ),
            "/ExtGState": dictionary_with(states, {names[""]: reference(drawing.state)}),
        },
    )
    if old is None or not old.is_indirect:
        return body, names
    copied = drawing.increment.add(body)
    drawing.resources[old.objgen] = (copied, names)
    return reference(copied), names


def _sub(dictionary: pikepdf.Object | None, key: str) -> pikepdf.Object | None:
    value = dictionary.get(key) if dictionary is not None else None
    return value if isinstance(value, pikepdf.Dictionary) else None


def _free_name(dictionary: pikepdf.Object | None, wanted: str) -> str:
    """Return a name that a resource dictionary does not use yet."""
    name, suffix = wanted, 0
    while dictionary is not None and name in dictionary:
        suffix += 1
        name = f"{wanted}x{suffix}"
    return name


def _mark_operators(geometry: PageGeometry, mark: Mark, seal: SealXObject, names: Mapping[str, str]) -> bytes:
    """Return the operators that draw one mark; a strip is the whole seal seen through its own box."""
    clip = b""
    x, y = mark.x_mm, mark.y_mm
    if mark.strip is not None:
        share = mark.strip.end - mark.strip.start
        if mark.strip.side in ("left", "right"):
            x -= mark.strip.start * mark.w_mm / share
        else:
            y -= mark.strip.start * mark.h_mm / share
        x0, y0, x1, y1 = user_box(geometry, (mark.x_mm, mark.y_mm, mark.w_mm, mark.h_mm))
        clip = numbers(x0, y0, x1 - x0, y1 - y0) + b" re W n "
    dx, dy, w, h = seal.box_mm
    box: Box = (x + dx, y + dy, w, h)
    return b"q %s gs %s%s cm %s Do Q\n" % (
        name_token(names[""]),
        clip,
        numbers(*image_matrix(geometry, box)),
        name_token(names[mark.seal]),
    )


def _text_operators(drawing: _Drawing, geometry: PageGeometry, mark: Mark, names: Mapping[str, str]) -> bytes:
    """Return the operators that draw the texts set in a mark, in the seal's own colour."""
    return b"q %s gs %s rg %s cm\n%sQ\n" % (
        name_token(names[""]),
        numbers(*(value / 255 for value in drawing.seals[mark.seal].colour)),
        numbers(*from_displayed(geometry, mark.x_mm, mark.y_mm)),
        text_operators(drawing.faces[mark.seal], mark),
    )
