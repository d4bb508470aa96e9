"""Where names stand in a PDF: on its pages, and in all that a reader does not show at once.

Nothing is looked for in pictures, nor in files attached to the PDF: what could not be searched is said.
"""

import io
import mmap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pikepdf
import pymupdf

from stages.errors import InputRefused
from stages.page_text import PageLine, PageText, unmapped_count
from stages.pdf.base import open_base
from stages.pdf.name_search import MAX_TRACES, NameSearch, Trace
from stages.pdf.object_traces import search_objects
from stages.pdf.text_layer import LayerPage

MAX_SPARSE_CHARS = 1000
"""With blanks; `text_layer.SPARSE_CHARS` counts without them."""
MAX_FORMS = 2_000
"""Pieces of content that are drawn by themselves, to read those no page shows."""
MAX_EARLIER = 16
"""Earlier revisions that are read, the newest first."""
MAX_EARLIER_BYTES = 256 << 20
"""Of an earlier revision, which is read from memory."""

_FAULTS = (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase)
_EVERYWHERE = "[-20000 -20000 20000 20000]"
_EOF = b"%%EOF"


@dataclass(frozen=True)
class Traces:
    """What a search for names gave.

    Attributes:
        found: at most MAX_TRACES.
        silent_pages: indices of pages that have no text that can be read.
        attachments: how many files are attached; they were not searched.
        pages_by_ocr: indices of pages without a text layer whose picture was read.
        authors: what the document information and annotations say of who wrote them, each once.
        unread_revisions: how many earlier revisions could not be searched.
    """

    found: tuple[Trace, ...]
    silent_pages: tuple[int, ...]
    attachments: int
    authors: tuple[str, ...]
    pages_by_ocr: tuple[int, ...] = ()
    unread_revisions: int = 0


def find_names(path: Path, names: Sequence[str], *, file_names: Sequence[str]) -> Traces:
    """Return every place where one of the names stands in a PDF.

    Blanks, widths and case do not matter, nor whether characters are traditional or simplified.

    Args:
        file_names: the file's paths inside the package, which are searched too; messages use the first.

    Raises:
        InputRefused: the PDF cannot be read, or has more than MAX_OBJECTS objects.
    """
    search, within = NameSearch(names), NameSearch(names)
    for file_name in file_names:
        search.note(file_name, "the file's name", "文件名")
    silent = _search_pages(path, search, within)
    with open_base(path, name=file_names[0]) as base:
        attachments, authors = search_objects(base.pdf, search, within)
        revisions = base.revisions
    search.add_unseen(within)
    unread = 0
    if search.unseen:
        # The headers of pictures and what nothing refers to are no objects of the file, but in its bytes.
        hidden = NameSearch(search.unseen)
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            where = "the file's bytes (an earlier revision, or a picture's header)"
            hidden.note_bytes(data, where, "文件字节（旧版本或图片信息）")
            if revisions and hidden.unseen:
                unread = _search_earlier(data, hidden, revisions)
        search.found |= hidden.found
    return Traces(tuple(search.found), tuple(silent), attachments, tuple(authors), unread_revisions=unread)


def _search_earlier(data: mmap.mmap, search: NameSearch, revisions: int) -> int:
    """Note names in what the file was before it was appended to; return how many revisions were not read."""
    read = 0
    where, where_zh = "an earlier revision of the file", "文件的旧版本"
    for end in _earlier_ends(data):
        if read == min(revisions, MAX_EARLIER) or not search.unseen:
            break
        if end > MAX_EARLIER_BYTES:
            continue
        earlier, before = NameSearch(search.unseen), data[:end]
        try:
            with pikepdf.open(
                io.BytesIO(before),
                inherit_page_attributes=False,
                suppress_warnings=True,
                attempt_recovery=False,
            ) as pdf:
                search_objects(pdf, earlier, earlier)
            with pymupdf.open(stream=before, filetype="pdf") as document:
                for text in _texts_of(document):
                    earlier.note(text, where, where_zh)
        except (pikepdf.PdfError, *_FAULTS):  # an %%EOF that ended no revision, as a linear file has one
            continue
        read += 1
        for trace in earlier.found:
            search.found[Trace(trace.name, where, where_zh)] = None
    return 0 if not search.unseen else max(0, revisions - read)


def _earlier_ends(data: mmap.mmap) -> Iterator[int]:
    """Yield where each revision but the last ends, the newest first."""
    at = data.rfind(_EOF)
    while at > 0 and (at := data.rfind(_EOF, 0, at)) > 0:
        yield at + len(_EOF)


def with_pictures(traces: Traces, names: Sequence[str], read: Mapping[int, PageText]) -> Traces:
    """Return traces with those on pages that were read off their picture."""
    search = NameSearch(names)
    for page_index, content in sorted(read.items()):
        text = "".join(line.text for line in content.lines)
        search.note(text, "text of a picture", "扫描图像文字", page_index)
    silent = tuple(index for index in traces.silent_pages if index not in read)
    found = (*traces.found, *search.found)[:MAX_TRACES]
    return replace(traces, found=found, silent_pages=silent, pages_by_ocr=tuple(sorted(read)))


def _search_pages(path: Path, search: NameSearch, within: NameSearch) -> list[int]:
    """Note names in the text of pages, within the visible box and beyond; return the pages without text."""
    silent = []
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        with pymupdf.open(path, filetype="pdf") as document, pymupdf.open(path, filetype="pdf") as shown:
            for page_index, text in enumerate(_texts_of(document)):
                if page_index == shown.page_count:
                    within.note(text, "text that no page shows", "未显示的内容")
                    break
                search.note(text, "text", "正文", page_index)
                if not _is_readable(text) or _is_pictured(shown, page_index, text):
                    silent.append(page_index)
    except _FAULTS as error:
        raise InputRefused(
            "its text cannot be read; export the PDF again", zh="无法读取文字，请重新导出 PDF"
        ) from error
    return silent


def _is_readable(text: str) -> bool:
    return PageText((PageLine(text, (), 0),), unmapped_count(text)).is_readable


def _texts_of(document: Any) -> Iterator[str]:
    """Yield all that each page writes, hidden by its boxes, flags and layers or not; then what none writes.

    The document is changed, in memory only, and at once: fonts are read anew after every change.
    """
    pages = document.page_count
    for page_index in range(pages):
        xref = document.page_xref(page_index)
        if document.xref_get_key(xref, "Annots")[0] != "null":
            for annotation, *_ in document.load_page(page_index).annot_xrefs():
                document.xref_set_key(annotation, "F", "4")
        for key in ("CropBox", "MediaBox"):
            document.xref_set_key(xref, key, _EVERYWHERE)
    forms = []
    has_layers = document.xref_get_key(document.pdf_catalog(), "OCProperties")[0] != "null"
    for xref in range(1, document.xref_length()):
        if document.xref_is_stream(xref):
            if document.xref_get_key(xref, "Subtype")[1] == "/Form":
                forms.append(xref)
        elif has_layers and document.xref_get_key(xref, "Type")[1] in ("/OCG", "/OCMD"):
            document.update_object(xref, "<< >>")  # what hangs on no layer is drawn
    for page_index in range(pages):
        yield str(document.load_page(page_index).get_textpage(flags=0).extractTEXT())
    if forms:
        yield _text_of_forms(document, forms[:MAX_FORMS])


def _text_of_forms(document: Any, forms: Sequence[int]) -> str:
    """Return what pieces of content write, drawn on a page of their own: looks that no state shows now."""
    page = document.new_page(width=595, height=842)
    names = " ".join(f"/F{xref} {xref} 0 R" for xref in forms)
    document.xref_set_key(page.xref, "MediaBox", _EVERYWHERE)
    document.xref_set_key(page.xref, "Resources", f"<< /XObject << {names} >> >>")
    content = document.get_new_xref()
    document.update_object(content, "<< >>")
    document.update_stream(content, " ".join(f"q /F{xref} Do Q" for xref in forms).encode("ascii"), new=True)
    document.xref_set_key(page.xref, "Contents", f"{content} 0 R")
    page = document.reload_page(page)
    return str(page.get_textpage(flags=0).extractTEXT())


def _is_pictured(document: Any, page_index: int, text: str) -> bool:
    """Return whether a page is a picture with a few words beside it, such as a scan with a page number."""
    return len(text) <= MAX_SPARSE_CHARS and LayerPage(document, page_index).is_pictured()
