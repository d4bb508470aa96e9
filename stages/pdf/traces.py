"""Where names stand in a PDF: on its pages, and in all that a reader does not show at once.

Nothing is looked for in pictures, nor in files attached to the PDF: what could not be searched is said.
"""

import html
import mmap
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pikepdf
import pymupdf

from stages.errors import InputRefused
from stages.page_text import PageLine, PageText, unmapped_count
from stages.pdf.base import BasePdf, open_base
from stages.pdf.folding import folded_char
from stages.pdf.structure import walk_pages
from stages.pdf.syntax import ObjGen
from stages.pdf.text_layer import LayerPage

MAX_XMP_BYTES = 4 << 20
MAX_DEPTH = 32
"""How deeply arrays and dictionaries of one object are followed."""
MAX_OBJECTS = 2_000_000
MAX_TRACES = 200
"""Enough to show; whoever has more begins with these."""
MAX_SPARSE_CHARS = 1000
"""With blanks; `text_layer.SPARSE_CHARS` counts without them."""
MIN_NAME_CHARS = 2
"""A shorter name is a part of other words."""

MIN_RAW_BYTES = 6
"""Fewer bytes stand by chance in compressed data: of four, one in twenty files of 200 MB has them."""

_FAULTS = (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase)
_EVERYWHERE = "[-20000 -20000 20000 20000]"
_RAW_ENCODINGS = ("utf-8", "utf-16-be", "utf-16-le", "gb18030")


@dataclass(frozen=True)
class Trace:
    """One place where a name stands.

    Attributes:
        where, where_zh: the kind of place, with its key or object where it has one.
        page_index: None for what lies on no page.
    """

    name: str
    where: str
    where_zh: str
    page_index: int | None = None


@dataclass(frozen=True)
class Traces:
    """What a search for names gave.

    Attributes:
        found: at most MAX_TRACES.
        silent_pages: indices of pages that have no text that can be read.
        attachments: how many files are attached; they were not searched.
        pages_by_ocr: indices of pages without a text layer whose picture was read.
        authors: what the document information and annotations say of who wrote them, each once.
    """

    found: tuple[Trace, ...]
    silent_pages: tuple[int, ...]
    attachments: int
    authors: tuple[str, ...]
    pages_by_ocr: tuple[int, ...] = ()


class _PlainChars(dict[int, str]):
    """What stands for each character by `folded_char`, simplified and in lower case, made when it is met."""

    def __missing__(self, code_point: int) -> str:
        plain = self[code_point] = folded_char(chr(code_point), True).casefold()
        return plain


_PLAIN_CHARS = _PlainChars()


def _plain(text: str) -> str:
    """Return a text as names are compared."""
    return text.translate(_PLAIN_CHARS)


class _Search:
    """Names as they are compared, and what was found of them."""

    def __init__(self, names: Sequence[str]) -> None:
        plain = {name: _plain(name) for name in names}
        self._plain = {name: text for name, text in plain.items() if len(text) >= MIN_NAME_CHARS}
        self.found: dict[Trace, None] = {}

    def note(self, text: str, where: str, where_zh: str, page_index: int | None = None) -> None:
        """Note every name that stands in a text."""
        if not text or not self._plain:
            return
        within = _plain(text)
        for name, plain in self._plain.items():
            if plain in within and len(self.found) < MAX_TRACES:
                self.found[Trace(name, where, where_zh, page_index)] = None

    def note_bytes(self, data: bytes | mmap.mmap, where: str, where_zh: str) -> None:
        """Note every name that stands in bytes in an encoding of the usual ones."""
        for name in self._plain:
            forms = {name.encode(encoding, "ignore") for encoding in _RAW_ENCODINGS}
            as_hex = name.encode("utf-16-be", "ignore").hex()  # as a PDF's text string is often written
            forms |= {as_hex.encode(), as_hex.upper().encode()}
            if any(len(form) >= MIN_RAW_BYTES and data.find(form) >= 0 for form in forms):
                self.found[Trace(name, where, where_zh)] = None

    @property
    def unseen(self) -> list[str]:
        """Names of which nothing was found yet."""
        seen = {trace.name for trace in self.found}
        return [name for name in self._plain if name not in seen]


def find_names(path: Path, names: Sequence[str], *, file_names: Sequence[str]) -> Traces:
    """Return every place where one of the names stands in a PDF.

    Blanks, widths and case do not matter, nor whether characters are traditional or simplified.

    Args:
        file_names: the file's paths inside the package, which are searched too; messages use the first.

    Raises:
        InputRefused: the PDF cannot be read, or has more than MAX_OBJECTS objects.
    """
    search = _Search(names)
    for file_name in file_names:
        search.note(file_name, "the file's name", "文件名")
    silent = _search_pages(path, search)
    with open_base(path, name=file_names[0]) as base:
        attachments, authors = _search_objects(base, search)
    if search.unseen:
        # Earlier revisions and the headers of pictures are no objects of the file, but in its bytes.
        hidden = _Search(search.unseen)
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            where = "the file's bytes (an earlier revision, or a picture's header)"
            hidden.note_bytes(data, where, "文件字节（旧版本或图片信息）")
        search.found |= hidden.found
    return Traces(tuple(search.found), tuple(silent), attachments, tuple(authors))


def with_pictures(traces: Traces, names: Sequence[str], read: Mapping[int, PageText]) -> Traces:
    """Return traces with those on pages that were read off their picture."""
    search = _Search(names)
    for page_index, content in sorted(read.items()):
        text = "".join(line.text for line in content.lines)
        search.note(text, "text of a picture", "扫描图像文字", page_index)
    silent = tuple(index for index in traces.silent_pages if index not in read)
    found = (*traces.found, *search.found)[:MAX_TRACES]
    return replace(traces, found=found, silent_pages=silent, pages_by_ocr=tuple(sorted(read)))


def _search_pages(path: Path, search: _Search) -> list[int]:
    """Note names in the text of pages, within the visible box and beyond; return the pages without text."""
    silent = []
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        with pymupdf.open(path, filetype="pdf") as document:
            for page_index in range(document.page_count):
                text = _page_text(document, page_index)
                search.note(text, "text", "正文", page_index)
                if not _is_readable(text) or _is_pictured(document, page_index, text):
                    silent.append(page_index)
    except _FAULTS as error:
        raise InputRefused(
            "its text cannot be read; export the PDF again", zh="无法读取文字，请重新导出 PDF"
        ) from error
    return silent


def _is_readable(text: str) -> bool:
    return PageText((PageLine(text, (), 0),), unmapped_count(text)).is_readable


def _page_text(document: Any, page_index: int) -> str:
    """Return all that a page's content writes, hidden by its boxes or not."""
    page = document.load_page(page_index)
    boxes = {key: document.xref_get_key(page.xref, key)[1] for key in ("CropBox", "MediaBox")}
    for key in boxes:  # in memory only: the file is not saved
        document.xref_set_key(page.xref, key, _EVERYWHERE)
    page = document.reload_page(page)
    text = str(page.get_textpage(flags=0).extractTEXT())
    for key, box in boxes.items():
        document.xref_set_key(page.xref, key, box)
    return text


def _is_pictured(document: Any, page_index: int, text: str) -> bool:
    """Return whether a page is a picture with a few words beside it, such as a scan with a page number."""
    return len(text) <= MAX_SPARSE_CHARS and LayerPage(document, page_index).is_pictured()


def _search_objects(base: BasePdf, search: _Search) -> tuple[int, list[str]]:
    """Note names in every string of every object; return how many files are attached, and authors."""
    pdf = base.pdf
    if len(pdf.objects) > MAX_OBJECTS:
        raise InputRefused(
            f"more than {MAX_OBJECTS} objects; split the file", zh=f"对象数超过 {MAX_OBJECTS}，请拆分文件"
        )
    pages = _pages_of_annotations(pdf)
    attachments = 0
    authors: dict[str, None] = {}
    info = pdf.trailer.get("/Info")
    if isinstance(info, pikepdf.Dictionary) and not info.is_indirect:
        _search_one(info, "document information", "文档属性", None, search)
    for found in pdf.objects:
        if not isinstance(found, pikepdf.Object):  # a number or truth value by itself
            continue
        dictionary = found.stream_dict if isinstance(found, pikepdf.Stream) else found
        if isinstance(found, pikepdf.Stream):
            attachments += dictionary.get("/Type") == pikepdf.Name.EmbeddedFile
            if (
                pikepdf.Name.Metadata == dictionary.get("/Type")
                or dictionary.get("/Subtype") == pikepdf.Name.XML
            ):
                search.note(_xmp_text(found), "XMP metadata", "XMP 元数据")
        is_info = base.info is not None and found.is_indirect and found.objgen == base.info
        kind, kind_zh = ("document information", "文档属性") if is_info else _kind_of(dictionary, found)
        page_index = pages.get(found.objgen) if found.is_indirect else None
        _search_one(dictionary, kind, kind_zh, page_index, search)
        if isinstance(dictionary, pikepdf.Dictionary):
            for key in _author_keys(dictionary, is_info=is_info):
                author = dictionary.get(key)
                if isinstance(author, pikepdf.String) and str(author).strip():
                    authors[f"{key[1:]} {str(author).strip()[:64]}"] = None
    return attachments, list(authors)


def _author_keys(dictionary: pikepdf.Object, *, is_info: bool) -> tuple[str, ...]:
    if is_info:
        return ("/Author", "/Company", "/Manager")
    is_annotation = dictionary.get("/Type") == pikepdf.Name.Annot
    is_markup = is_annotation and dictionary.get("/Subtype") != pikepdf.Name.Widget
    return ("/T",) if is_markup else ()


def _search_one(value: Any, kind: str, kind_zh: str, page_index: int | None, search: _Search) -> None:
    for key, text in _strings(value, "", 0):
        if key == "/Contents" and kind == "signature":
            search.note_bytes(bytes(text), "signature's certificate", "签名证书")
        else:
            search.note(str(text), f"{kind} {key}".strip(), f"{kind_zh} {key}".strip(), page_index)


def _strings(value: Any, key: str, depth: int) -> Iterator[tuple[str, pikepdf.Object]]:
    """Yield every string of an object with the key it stands under; other objects are not followed."""
    if isinstance(value, pikepdf.String):
        yield key, value
    elif depth > MAX_DEPTH:
        return
    elif isinstance(value, pikepdf.Dictionary):
        for name, entry in value.items():
            if isinstance(entry, pikepdf.Object) and not entry.is_indirect:
                yield from _strings(entry, name, depth + 1)
    elif isinstance(value, pikepdf.Array):
        for entry in value:
            if isinstance(entry, pikepdf.Object) and not entry.is_indirect:
                yield from _strings(entry, key, depth + 1)


def _kind_of(dictionary: Any, found: Any) -> tuple[str, str]:
    """Return what an object is to people."""
    if isinstance(dictionary, pikepdf.Dictionary):
        kind = dictionary.get("/Type")
        if "/ByteRange" in dictionary or kind in (pikepdf.Name.Sig, pikepdf.Name.DocTimeStamp):
            return "signature", "签名"
        if kind == pikepdf.Name.Filespec or "/EF" in dictionary:
            return "attachment", "附件"
        if "/FT" in dictionary or dictionary.get("/Subtype") == pikepdf.Name.Widget:
            return "form field", "表单域"
        if kind == pikepdf.Name.Annot or ("/Rect" in dictionary and "/Subtype" in dictionary):
            return "annotation", "批注"
        if "/Title" in dictionary and "/Parent" in dictionary:
            return "bookmark", "书签"
        if kind == pikepdf.Name.OCG:
            return "layer", "图层"
        if kind == pikepdf.Name.StructElem:
            return "alternative text", "替代文字"
    number = found.objgen[0]
    return f"object {number}", f"对象 {number}"


def _pages_of_annotations(pdf: pikepdf.Pdf) -> dict[ObjGen, int]:
    pages: dict[ObjGen, int] = {}
    for index, page in enumerate(walk_pages(pdf)):
        annotations = page.get("/Annots")
        for annotation in list(annotations) if isinstance(annotations, pikepdf.Array) else ():
            if isinstance(annotation, pikepdf.Object) and annotation.is_indirect:
                pages.setdefault(annotation.objgen, index)
    return pages


def _xmp_text(stream: pikepdf.Stream) -> str:
    """Return the text of an XMP packet, its tags left out; empty when it cannot be read."""
    try:
        data = bytes(stream.read_bytes())[:MAX_XMP_BYTES]
    except pikepdf.PdfError:
        return ""
    encoding = "utf-16" if data[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8"
    text = data.decode(encoding, "replace")
    # A name may stand between tags or in an attribute: both stay, the tags' own names do no harm.
    return html.unescape(re.sub(r"</?[A-Za-z][\w:.-]*", " ", text))
