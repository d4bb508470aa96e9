"""What a PDF carries besides its pages: scripts, attachments, actions, layers, fonts that are not inside."""

from collections.abc import Iterable, Iterator

import pikepdf

from stages.documents import Finding, Severity
from stages.pdf.structure import inherited
from stages.pdf.syntax import name_text

MAX_ANNOTATIONS = 50_000
"""Annotations looked at in a file."""
MAX_FONTS = 5_000
MAX_FORM_DEPTH = 4

_ACTIONS = {
    "/JavaScript": "javascript",
    "/Launch": "launch-action",
    "/URI": "uri-action",
    "/SubmitForm": "submit-action",
    "/ImportData": "submit-action",
    "/GoToR": "uri-action",
}
_SAYS = {
    "javascript": (
        Severity.WARNING,
        "the PDF contains JavaScript; print it to a new PDF if it is not needed",
        "PDF 含有 JavaScript 脚本；如不需要，请重新打印为 PDF",
    ),
    "launch-action": (
        Severity.WARNING,
        "the PDF can start programs; remove these actions",
        "PDF 含有启动程序的动作，请删除",
    ),
    "submit-action": (
        Severity.WARNING,
        "the PDF can send or load form data; remove these actions",
        "PDF 含有提交或导入表单数据的动作，请删除",
    ),
    "uri-action": (
        Severity.INFO,
        "the PDF has links to outside; check that they do not name the bidder where that is forbidden",
        "PDF 含有外部链接；暗标文件请确认链接不暴露投标人",
    ),
    "attachments": (
        Severity.WARNING,
        "files are attached to the PDF; hand them in as files of the package",
        "PDF 内嵌附件，请作为文件包中的单独文件提交",
    ),
    "optional-content": (
        Severity.INFO,
        "the PDF has layers that readers may show or hide; what is signed holds for all of them",
        "PDF 含有可显示或隐藏的图层；签名对全部图层有效",
    ),
    "xfa-form": (
        Severity.WARNING,
        "the PDF is an XFA form, which may look different elsewhere; print it to a plain PDF",
        "PDF 是 XFA 表单，不同阅读器显示可能不同，请打印为普通 PDF",
    ),
    "usage-rights": (
        Severity.WARNING,
        "the PDF has usage rights that any change voids; save it without them",
        "PDF 带有使用权限签名，任何改动都会使其失效，请另存为普通 PDF",
    ),
    "tagged": (
        Severity.INFO,
        "the PDF is tagged; seals are drawn as artifacts outside of its structure",
        "PDF 带有结构标签；印章作为页面装饰绘制，不进入结构",
    ),
}


def _dictionary(value: object) -> pikepdf.Object | None:
    return value if isinstance(value, pikepdf.Dictionary) else None


def content_findings(pdf: pikepdf.Pdf, pages: Iterable[pikepdf.Object]) -> list[Finding]:
    """Return what the catalogue and the pages' annotations and fonts have to say. No stream is decoded."""
    codes: set[str] = set(_catalogue_codes(pdf.Root))
    fonts: dict[str, None] = {}
    seen: set[tuple[int, int]] = set()
    annotations_left = MAX_ANNOTATIONS
    for page in pages:
        codes.update(_action_codes(page))
        annotations = page.get("/Annots")
        if isinstance(annotations, pikepdf.Array) and annotations_left > 0:
            for annotation in list(annotations)[:annotations_left]:
                annotations_left -= 1
                codes.update(_annotation_codes(annotation))
        for name in _fonts_outside(_dictionary(inherited(page, "/Resources")), seen, 0):
            if len(fonts) < MAX_FONTS:
                fonts.setdefault(name)
    findings = [Finding(_SAYS[code][0], code, *_SAYS[code][1:]) for code in _SAYS if code in codes]
    if fonts:
        names = ", ".join(list(fonts)[:5]) + (" …" if len(fonts) > 5 else "")
        findings.append(
            Finding(
                Severity.WARNING,
                "fonts-not-embedded",
                f"{len(fonts)} fonts are not in the file ({names}); embed them, "
                "or it looks different elsewhere",
                f"{len(fonts)} 种字体未嵌入（{names}）；请嵌入字体，否则在别处显示可能不同",
            )
        )
    return findings


def _catalogue_codes(root: pikepdf.Object) -> Iterator[str]:
    names = _dictionary(root.get("/Names"))
    if names is not None and "/JavaScript" in names:
        yield "javascript"
    if names is not None and "/EmbeddedFiles" in names:
        yield "attachments"
    if "/Collection" in root or "/AF" in root:
        yield "attachments"
    if "/OCProperties" in root:
        yield "optional-content"
    form = _dictionary(root.get("/AcroForm"))
    if form is not None and "/XFA" in form:
        yield "xfa-form"
    perms = _dictionary(root.get("/Perms"))
    if perms is not None and ("/UR3" in perms or "/UR" in perms):
        yield "usage-rights"
    marked = _dictionary(root.get("/MarkInfo"))
    if "/StructTreeRoot" in root and marked is not None and bool(marked.get("/Marked", False)):
        yield "tagged"
    yield from _action_code(root.get("/OpenAction"))
    yield from _action_codes(root)


def _action_code(action: object) -> Iterator[str]:
    """Yield what one action does; those that only move about in the document yield nothing."""
    for _ in range(16):
        dictionary = _dictionary(action)
        if dictionary is None:
            return
        code = _ACTIONS.get("/" + name_text(dictionary.get("/S")))
        if code:
            yield code
        action = dictionary.get("/Next")


def _action_codes(holder: pikepdf.Object) -> Iterator[str]:
    """Yield what the additional actions (/AA) of a page, annotation or catalogue do."""
    actions = _dictionary(holder.get("/AA"))
    if actions is not None:
        for _, action in actions.items():
            yield from _action_code(action)


def _annotation_codes(annotation: object) -> Iterator[str]:
    dictionary = _dictionary(annotation)
    if dictionary is None:
        return
    if dictionary.get("/Subtype") == pikepdf.Name.FileAttachment:
        yield "attachments"
    yield from _action_code(dictionary.get("/A"))
    yield from _action_codes(dictionary)


def _fonts_outside(resources: pikepdf.Object | None, seen: set[tuple[int, int]], depth: int) -> Iterator[str]:
    """Yield names of fonts that have no font program in the file; each object is looked at once."""
    if resources is None or depth > MAX_FORM_DEPTH:
        return
    if resources.is_indirect:
        if resources.objgen in seen:
            return
        seen.add(resources.objgen)
    for font in _values(resources.get("/Font")):
        if font.is_indirect and font.objgen in seen:
            continue
        if font.is_indirect:
            seen.add(font.objgen)
        if not _is_embedded(font):
            yield name_text(font.get("/BaseFont"))
    for form in _values(resources.get("/XObject")):
        if form.is_indirect and form.objgen not in seen:
            seen.add(form.objgen)
            yield from _fonts_outside(_dictionary(form.get("/Resources")), seen, depth + 1)


def _values(value: object) -> Iterator[pikepdf.Object]:
    """Yield the dictionaries and streams that are a dictionary's values."""
    dictionary = _dictionary(value)
    if dictionary is None:
        return
    for _, child in dictionary.items():  # not by key: a key that is no UTF-8 cannot be asked for
        if isinstance(child, pikepdf.Dictionary | pikepdf.Stream):
            yield child


def _is_embedded(font: pikepdf.Object) -> bool:
    """Return whether a font's program is in the file (ISO 32000-2 §9.9); Type 3 fonts are drawn in it."""
    if font.get("/Subtype") == pikepdf.Name.Type3:
        return True
    descendants = font.get("/DescendantFonts")
    if isinstance(descendants, pikepdf.Array) and len(descendants):
        font = _dictionary(descendants[0]) or font
    descriptor = _dictionary(font.get("/FontDescriptor"))
    return descriptor is not None and any(
        key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3")
    )
