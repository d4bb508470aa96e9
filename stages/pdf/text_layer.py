"""The text layer of a PDF's pages as lines of characters, read by MuPDF."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymupdf
from pymupdf import mupdf

from seal_imaging.units import mm_from_pt
from stages.errors import InputRefused
from stages.page_text import BoxMm, PageLine, PageText, is_unmapped

MAX_PAGE_CHARS = 500_000
"""Characters searched on a page; a page of print has 2,000, a map with every label 100,000."""

_FLAGS = pymupdf.TEXT_MEDIABOX_CLIP
"""No images, no ligatures, nothing outside of the visible box."""
SPARSE_CHARS = 200
"""A page with more characters is no scan that somebody put a number or a heading on."""
PICTURED_SHARE = 0.5
"""Of the page, covered by pictures."""
VERTICAL_ORIGIN = 0.88
"""How far above its horizontal origin a glyph begins in vertical writing, in sizes: the default of /DW2."""
FAULTS = (RuntimeError, ValueError, mupdf.FzErrorBase)
"""What MuPDF raises on a page or file it cannot follow."""


@contextmanager
def open_layer(path: Path) -> Iterator[Any]:
    """Open a PDF to read its text.

    Raises:
        InputRefused: MuPDF cannot read it.
    """
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        document = pymupdf.open(path, filetype="pdf")
    except FAULTS as error:
        raise InputRefused(
            "its text cannot be read; export the PDF again", zh="无法读取文字，请重新导出 PDF"
        ) from error
    try:
        yield document
    finally:
        document.close()


class LayerPage:
    """The text layer of one page: its letters at once, its lines with a box for each character on demand."""

    def __init__(self, document: Any, page_index: int, *, annotations: bool = True) -> None:
        """Read a page.

        Args:
            annotations: what annotations and form fields show counts as text of the page.

        Raises:
            InputRefused: the page cannot be read, or is over MAX_PAGE_CHARS.
        """
        try:
            self._page = document.load_page(page_index)
            self._text_page = _text_page(self._page, annotations=annotations)
            self.text: str = self._text_page.extractTEXT()
        except FAULTS as error:
            raise _unreadable(page_index) from error
        self._page_index = page_index
        if len(self.text) > MAX_PAGE_CHARS:
            raise InputRefused(
                f"page {page_index + 1} has more than {MAX_PAGE_CHARS} characters; split it",
                zh=f"第 {page_index + 1} 页超过 {MAX_PAGE_CHARS} 个字符，请拆分",
            )

    @property
    def has_unmapped(self) -> bool:
        """Whether the page has glyphs that no character is known for."""
        return any(map(is_unmapped, set(self.text)))

    def is_pictured(self) -> bool:
        """Return whether the page is a picture with a few words beside it, as a scan with a page number is.

        Raises:
            InputRefused: the page cannot be read.
        """
        if len("".join(self.text.split())) > SPARSE_CHARS:
            return False
        try:
            boxes = [pymupdf.Rect(image["bbox"]) & self._page.rect for image in self._page.get_image_info()]
        except FAULTS as error:
            raise _unreadable(self._page_index) from error
        covered = sum(box.get_area() for box in boxes if not box.is_empty)
        return bool(covered >= PICTURED_SHARE * self._page.rect.get_area())

    def read(self) -> PageText:
        """Return the page's lines.

        Raises:
            InputRefused: the page cannot be read.
        """
        try:
            blocks = self._text_page.extractRAWDICT()["blocks"]
        except FAULTS as error:
            raise _unreadable(self._page_index) from error
        lines = tuple(
            _line(line, number) for number, block in enumerate(blocks) for line in block.get("lines", ())
        )
        return PageText(lines, sum(is_unmapped(char) for line in lines for char in line.text))


def _unreadable(page_index: int) -> InputRefused:
    return InputRefused(
        f"the text of page {page_index + 1} cannot be read; export the PDF again",
        zh=f"无法读取第 {page_index + 1} 页的文字，请重新导出 PDF",
    )


def _text_page(page: Any, *, annotations: bool) -> Any:
    """Return a page's text in displayed points.

    PyMuPDF's own get_textpage takes /Rotate off the page first, and always reads the annotations too.
    """
    bounds = mupdf.fz_bound_page(page.this)
    text_page = mupdf.FzStextPage(bounds)
    device = mupdf.fz_new_stext_device(text_page, mupdf.FzStextOptions(_FLAGS))
    run = mupdf.fz_run_page if annotations else mupdf.fz_run_page_contents
    run(page.this, device, mupdf.FzMatrix(), mupdf.FzCookie())
    mupdf.fz_close_device(device)
    return pymupdf.TextPage(text_page)


def _line(line: Any, block: int) -> PageLine:
    text: list[str] = []
    boxes: list[BoxMm] = []
    x, y = line["dir"]
    for span in line["spans"]:
        # In vertical writing MuPDF's boxes begin at the glyph's horizontal origin (ISO 32000-2 §9.7.4.3).
        back = VERTICAL_ORIGIN * span["size"] if line["wmode"] else 0.0
        for char in span["chars"]:
            text.append(char["c"])
            boxes.append(_box_mm(char["bbox"], -back * x, -back * y))
    return PageLine("".join(text), tuple(boxes), block, (x, y))


def _box_mm(box: tuple[float, float, float, float], x: float, y: float) -> BoxMm:
    return mm_from_pt(box[0] + x), mm_from_pt(box[1] + y), mm_from_pt(box[2] + x), mm_from_pt(box[3] + y)
