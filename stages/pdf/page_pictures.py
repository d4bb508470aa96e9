"""Pages read by their picture: drawn by MuPDF, read by OCR, in displayed millimetres."""

import re
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pymupdf
from numpy.typing import NDArray

from seal_imaging import PrintedLine
from seal_imaging.units import PT_PER_INCH, mm_from_pt
from stages.errors import InputRefused
from stages.page_text import PageLine, PageText, TextSource
from stages.pdf.text_layer import FAULTS, open_layer

READING_DPI = 200.0
MAX_READ_SIDE_PX = 3600
"""An A3 sheet at 200 dpi is 3307 px; larger ones are drawn coarser."""
BLANK = 200
"""A page with nothing darker than this has nothing to be read."""
MIN_WIDTH_PX = 16

_FILL_IN_LINE = re.compile(r"[-—–~.]*_[-—–~._]*")
"""A line to write on, parts of which OCR takes for hyphens and dots."""

GrayPage = NDArray[np.uint8]
"""(H, W), 0 = ink, 255 = paper."""


class PictureReader(Protocol):
    """An engine that reads pictures of pages; `seal_imaging.PrintedPageReader` is one."""

    def read(self, page: GrayPage) -> list[PrintedLine]:
        """Return a page's lines.

        Raises:
            ReaderUnavailable: the engine or its model is not installed.
        """
        ...


def read_picture(path: Path, page_index: int, reader: PictureReader) -> PageText:
    """Return what OCR reads on a page of a PDF.

    Raises:
        InputRefused: the page cannot be drawn.
        ReaderUnavailable: see PictureReader.
    """
    with open_layer(path) as document:
        grey, px_per_pt = _draw(document, page_index)
    if min(grey.shape) < MIN_WIDTH_PX or int(grey.min()) > BLANK:
        return PageText((), source=TextSource.OCR)
    mm_per_px = mm_from_pt(1.0) / px_per_pt
    lines = tuple(
        PageLine(
            _FILL_IN_LINE.sub(lambda found: "_" * len(found.group()), line.text),
            tuple(
                (x0 * mm_per_px, y0 * mm_per_px, x1 * mm_per_px, y1 * mm_per_px)
                for x0, y0, x1, y1 in line.boxes_px
            ),
            number,
            line.direction,
        )
        for number, line in enumerate(reader.read(grey))
    )
    return PageText(lines, source=TextSource.OCR)


def _draw(document: Any, page_index: int) -> tuple[GrayPage, float]:
    """Return a displayed page and how many of its pixels are one point (1/72 inch)."""
    try:
        page = document.load_page(page_index)
        longest = max(page.rect.width, page.rect.height, 1e-3)
        scale = min(READING_DPI / PT_PER_INCH, MAX_READ_SIDE_PX / longest)
        pixels = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csGRAY)
    except FAULTS as error:
        raise InputRefused(
            f"page {page_index + 1} cannot be drawn; export the PDF again",
            zh=f"无法渲染第 {page_index + 1} 页，请重新导出 PDF",
        ) from error
    rows = np.frombuffer(pixels.samples_mv, np.uint8).reshape(pixels.height, pixels.stride)
    return rows[:, : pixels.width].copy(), scale
