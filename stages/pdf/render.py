"""Pages of a PDF as pictures for people: what a reader would show, within limits on pixels."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf

from stages.errors import InputRefused

MAX_PICTURE_SIDE_PX = 4000
MIN_PICTURE_SIDE_PX = 16
MAX_PAGE_SIDE_PT = 200 * 14_400.0
"""ISO 32000-2 Annex C.2 allows 14,400 units; UserUnit makes more of them, but no printer does."""

_FAILURES = (RuntimeError, ValueError, MemoryError, pymupdf.mupdf.FzErrorBase)


def open_for_view(path: Path) -> Any:
    """Return a document to render pages of; the caller closes it.

    Raises:
        InputRefused: it cannot be opened.
    """
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        return pymupdf.open(path, filetype="pdf")
    except _FAILURES as error:
        raise InputRefused(
            "the PDF cannot be shown; export it again", zh="无法显示该 PDF，请重新导出"
        ) from error


def render_page(document: Any, page_index: int, *, max_side_px: int) -> bytes:
    """Return a page as PNG, its longer side max_side_px, annotations and all.

    Raises:
        InputRefused: there is no such page, or it cannot be drawn.
    """
    if not 0 <= page_index < document.page_count:
        raise InputRefused(
            f"there is no page {page_index + 1}; the file has {document.page_count}",
            zh=f"没有第 {page_index + 1} 页，文件共 {document.page_count} 页",
        )
    side_px = min(max(max_side_px, MIN_PICTURE_SIDE_PX), MAX_PICTURE_SIDE_PX)
    try:
        page = document.load_page(page_index)
        longer_pt = max(page.rect.width, page.rect.height)
        if not 0 < longer_pt <= MAX_PAGE_SIDE_PT:
            raise ValueError(f"a side of {longer_pt} pt")
        zoom = side_px / longer_pt
        picture = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False, annots=True)
    except _FAILURES as error:
        raise InputRefused(
            f"page {page_index + 1} cannot be drawn; open the file in a reader to look at it",
            zh=f"第 {page_index + 1} 页无法绘制，请用阅读器打开原文件查看",
        ) from error
    return _png(picture.width, picture.height, picture.samples)


def _png(width_px: int, height_px: int, rgb: bytes) -> bytes:
    """Return RGB pixels as PNG, unfiltered and lightly deflated.

    Pages are mostly white: this takes half the time of an ordinary encoder for files as small.

    Source: ISO/IEC 15948 §5, §11.2.
    """
    rows = np.zeros((height_px, 1 + 3 * width_px), np.uint8)  # the first byte of a row: no filter
    rows[:, 1:] = np.frombuffer(rgb, np.uint8).reshape(height_px, 3 * width_px)
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
