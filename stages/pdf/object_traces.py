"""Names in the objects of a PDF: in its strings, its name objects, and what its streams hold besides text."""

import html
import re
import zlib
from collections.abc import Iterator
from typing import Any

import pikepdf

from stages.errors import InputRefused
from stages.pdf.name_search import NameSearch
from stages.pdf.structure import walk_pages
from stages.pdf.syntax import ObjGen

MAX_XML_BYTES = 16 << 20
MAX_STREAM_BYTES = 64 << 20
"""Of a packed stream; what is larger is a picture, or data that no name hides in for long."""
MAX_HEADER_BYTES = 256 << 10
"""Of a picture: what its program says of it stands before the pixels."""
MAX_DEPTH = 32
"""How deeply arrays and dictionaries of one object are followed."""
MAX_OBJECTS = 2_000_000

_READ_ALREADY = frozenset({"/ObjStm", "/XRef"})
_WORDS_IN_CONTENT = (b"/ActualText", b"/Alt", b"/E")


def search_objects(pdf: pikepdf.Pdf, search: NameSearch, within: NameSearch) -> tuple[int, list[str]]:
    """Note names in every object; return how many files are attached, and authors.

    Args:
        within: notes what stands in the bytes of streams, where it may be the same as on a page.

    Raises:
        InputRefused: more than MAX_OBJECTS objects.
    """
    if len(pdf.objects) > MAX_OBJECTS:
        raise InputRefused(
            f"more than {MAX_OBJECTS} objects; split the file", zh=f"对象数超过 {MAX_OBJECTS}，请拆分文件"
        )
    pages = _pages_of_annotations(pdf)
    attachments = 0
    authors: dict[str, None] = {}
    info = pdf.trailer.get("/Info")
    info_id = info.objgen if isinstance(info, pikepdf.Object) and info.is_indirect else None
    if isinstance(info, pikepdf.Dictionary) and info_id is None:
        _search_one(info, "document information", "文档属性", None, search)
    for found in pdf.objects:
        if not isinstance(found, pikepdf.Object):  # a number or truth value by itself
            continue
        dictionary = found.stream_dict if isinstance(found, pikepdf.Stream) else found
        if isinstance(found, pikepdf.Stream):
            attachments += dictionary.get("/Type") == pikepdf.Name.EmbeddedFile
            _search_stream(found, search, within)
        is_info = info_id is not None and found.is_indirect and found.objgen == info_id
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


def _search_one(value: Any, kind: str, kind_zh: str, page_index: int | None, search: NameSearch) -> None:
    for key, text in _texts(value, "", 0):
        where, where_zh = f"{kind} {key}".strip(), f"{kind_zh} {key}".strip()
        if isinstance(text, str):
            search.note_word(text, where, where_zh, page_index)
        elif key == "/Contents" and kind == "signature":
            search.note_bytes(bytes(text), "signature's certificate", "签名证书")
        else:
            search.note_string(str(text), bytes(text), where, where_zh, page_index)


def _texts(value: Any, key: str, depth: int) -> Iterator[tuple[str, pikepdf.Object | str]]:
    """Yield every string, and as str every key and name object, with the key it stands under.

    Other objects are not followed.
    """
    if isinstance(value, pikepdf.String):
        yield key, value
    elif isinstance(value, pikepdf.Name):
        yield key, str(value)
    elif depth > MAX_DEPTH:
        return
    elif isinstance(value, pikepdf.Dictionary):
        for name, entry in value.items():
            yield key, name
            if isinstance(entry, pikepdf.Object) and not entry.is_indirect:
                yield from _texts(entry, name, depth + 1)
    elif isinstance(value, pikepdf.Array):
        for entry in value:
            if isinstance(entry, pikepdf.Object) and not entry.is_indirect:
                yield from _texts(entry, key, depth + 1)


def _search_stream(stream: pikepdf.Stream, search: NameSearch, within: NameSearch) -> None:
    """Note names in what a stream unpacks to, pixels aside: XML, scripts, private data, marked content."""
    if str(stream.get("/Type", "")) in _READ_ALREADY:
        return
    if stream.get("/Subtype") == pikepdf.Name.Image:
        within.note_bytes(_header(stream), "a picture's header", "图片信息")
        return
    try:
        data = bytes(stream.read_bytes()) if int(stream.get("/Length", 0)) <= MAX_STREAM_BYTES else b""
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError):
        return
    if stream.get("/Type") == pikepdf.Name.Metadata or stream.get("/Subtype") == pikepdf.Name.XML:
        search.note(_xml_text(data), "XMP metadata", "XMP 元数据")
    elif data[:16].lstrip(b"\xef\xbb\xbf\xfe\xff\x00 \t\r\n").startswith(b"<"):
        search.note(_xml_text(data), "a form's or note's XML", "表单或批注的 XML")
    number = stream.objgen[0]
    within.note_bytes(data, f"the data of object {number}", f"对象 {number} 的数据")
    if b"BDC" in data and any(word in data for word in _WORDS_IN_CONTENT):
        _search_marked_content(stream, search)


def _search_marked_content(stream: pikepdf.Stream, search: NameSearch) -> None:
    """Note names in the replacement texts that stand in content itself (ISO 32000-2 §14.9.4)."""
    try:
        instructions = pikepdf.parse_content_stream(stream, "BDC DP")
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError):
        return  # a page's content may be cut anywhere into streams; its bytes were searched
    for instruction in instructions:
        for operand in list(instruction.operands)[:2]:
            _search_one(operand, "alternative text", "替代文字", None, search)


def _header(picture: pikepdf.Stream) -> bytes:
    """Return the beginning of a picture packed twice; others stand in the file's bytes as they are."""
    filters = picture.get("/Filter")
    if not isinstance(filters, pikepdf.Array) or len(filters) < 2 or filters[0] != pikepdf.Name.FlateDecode:
        return b""
    try:
        return zlib.decompressobj().decompress(picture.read_raw_bytes(), MAX_HEADER_BYTES)
    except (pikepdf.PdfError, zlib.error):
        return b""


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


def _xml_text(data: bytes) -> str:
    """Return the text of XML, its tags left out."""
    encoding = "utf-16" if data[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8"
    text = data[:MAX_XML_BYTES].decode(encoding, "replace")
    # A name may stand between tags or in an attribute: both stay, the tags' own names do no harm.
    return html.unescape(re.sub(r"</?[A-Za-z][\w:.-]*", " ", text))
