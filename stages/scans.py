"""Takes in a scan: untrusted JPEG, PNG, TIFF or PDF bytes to pages of pixels, within named limits."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pymupdf
from PIL.ImageFile import ImageFile

from seal_imaging.impression import RgbImage
from seal_imaging.units import PT_PER_INCH, mm_from_pt, px_per_mm_from_dpi
from stages.errors import InputRefused
from stages.pictures import (
    MAGIC_BYTES,
    MAX_PICTURE_PIXELS,
    check_pixels,
    decode_rgb,
    name_other_format,
    open_picture,
    picture_format,
    reading,
)

MAX_SCAN_BYTES = 200 * 1024 * 1024
MAX_SCAN_PAGES = 200
MAX_SCAN_PIXELS = MAX_PICTURE_PIXELS

MIN_BELIEVED_DPI = 149.9
"""150, less what whole pixels per metre round off; screens write 72, 96, 120 or 144 into what they copy."""
MAX_BELIEVED_DPI = 2400.0
MAX_DPI_DIFFERENCE = 0.02
MAX_PAGE_SIDE_MM = 450.0
"""A3 is 420 mm long; what claims to be longer was not scanned at the resolution it states."""

MIN_RENDER_DPI = 150.0
MAX_RENDER_DPI = 600.0
VECTOR_RENDER_DPI = 300.0
MIN_IMAGE_SHARE = 0.2
"""An image that covers less of a PDF page (a logo) does not decide its resolution."""

_SCAN_FORMATS = frozenset({"JPEG", "PNG", "TIFF"})


@dataclass(frozen=True, eq=False)
class ScannedPage:
    """One page of a scan, upright as the file says.

    Attributes:
        px_per_mm: its scale; None when nothing trustworthy states one.
        scale_source: "dpi" (stated in the picture), "pdf" (the page's size) or "unknown".
    """

    page_index: int
    image: RgbImage = field(repr=False)
    px_per_mm: float | None
    scale_source: str


def read_scan(path: Path) -> Iterator[ScannedPage]:
    """Return the pages of a scan, read one at a time: JPEG, PNG, TIFF (multi-page) or PDF.

    The file's kind is told by its first bytes, not by its name. Of an animated PNG the first frame is
    read. A PDF that opens without a password is read even if its owner restricted printing.

    Raises:
        InputRefused: at once for a file that is absent, empty, too large or of another kind; while
            iterating for one that is damaged, encrypted, or over MAX_SCAN_PAGES or MAX_SCAN_PIXELS.
    """
    name = path.name
    try:
        size_bytes = path.stat().st_size
        with path.open("rb") as source:
            head = source.read(1024)
    except OSError as error:
        raise InputRefused(
            f"{name}: cannot be read ({error.strerror}); check the path and its permissions",
            zh=f"{name}：无法读取文件，请检查路径与权限。",
        ) from error
    if size_bytes == 0:
        raise InputRefused(
            f"{name}: the file is empty (0 bytes); scan or send it again",
            zh=f"{name}：文件为空（0 字节），请重新扫描或重新上传。",
        )
    if size_bytes > MAX_SCAN_BYTES:
        raise InputRefused(
            f"{name}: {size_bytes} bytes, the limit for a scan is {MAX_SCAN_BYTES}; split it",
            zh=f"{name}：文件 {size_bytes} 字节，超过扫描件上限 {MAX_SCAN_BYTES} 字节，请拆分。",
        )
    if b"%PDF-" in head:
        return _pdf_pages(path)
    if picture_format(head[:MAGIC_BYTES]) in _SCAN_FORMATS:
        return _picture_pages(path)
    other = name_other_format(head)
    if other is not None:
        raise InputRefused(
            f"{name}: {other[0]}, not a JPEG, PNG, TIFF or PDF; save or export it in one of these formats",
            zh=f"{name}：这是 {other[1]}，不是 JPEG、PNG、TIFF 或 PDF，请另存或导出为其中一种格式。",
        )
    raise InputRefused(
        f"{name}: not a JPEG, PNG, TIFF or PDF; scan it again in one of these formats",
        zh=f"{name}：不是 JPEG、PNG、TIFF 或 PDF 文件，请用其中一种格式重新扫描。",
    )


def _picture_pages(path: Path) -> Iterator[ScannedPage]:
    with ExitStack() as stack:
        source = stack.enter_context(path.open("rb"))
        picture = stack.enter_context(open_picture(source, name=path.name, formats=_SCAN_FORMATS))
        is_tiff = picture_format(_head(path)) == "TIFF"
        with reading(path.name):
            count = _frame_count(picture) if is_tiff else 1
        _check_page_count(count, path.name)
        for page_index in range(count):
            name = path.name if count == 1 else f"{path.name} page {page_index + 1}"
            with reading(name):
                picture.seek(page_index)
            check_pixels(picture.size, name=name, max_pixels=MAX_SCAN_PIXELS)
            image = decode_rgb(picture, name=name)
            px_per_mm = _stated_scale(picture, image.shape[:2])
            yield ScannedPage(page_index, image, px_per_mm, "unknown" if px_per_mm is None else "dpi")


def _frame_count(picture: ImageFile) -> int:
    """Return how many pages a TIFF has, counting no further than one too many."""
    for count in range(MAX_SCAN_PAGES + 1):
        try:
            picture.seek(count)
        except EOFError:
            return count
    return MAX_SCAN_PAGES + 1


def _head(path: Path) -> bytes:
    with path.open("rb") as source:
        return source.read(MAGIC_BYTES)


def _stated_scale(picture: ImageFile, shape_px: tuple[int, ...]) -> float | None:
    """Return px/mm from the picture's own resolution (EXIF, JFIF, pHYs, TIFF tags), if it is believable."""
    stated = picture.info.get("dpi")
    try:
        x_dpi, y_dpi = (float(value) for value in stated) if stated is not None else (0.0, 0.0)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    lowest, highest = min(x_dpi, y_dpi), max(x_dpi, y_dpi)
    # Written so that a NaN is not believed either.
    if not (lowest >= MIN_BELIEVED_DPI and highest <= MAX_BELIEVED_DPI):
        return None
    if highest - lowest > MAX_DPI_DIFFERENCE * highest:
        return None
    px_per_mm = px_per_mm_from_dpi((lowest + highest) / 2)
    return px_per_mm if max(shape_px) / px_per_mm <= MAX_PAGE_SIDE_MM else None


def _pdf_pages(path: Path) -> Iterator[ScannedPage]:
    name = path.name
    pymupdf.TOOLS.mupdf_display_errors(False)  # else MuPDF writes to our stdout
    pymupdf.TOOLS.mupdf_display_warnings(False)
    with reading(name), pymupdf.open(path, filetype="pdf") as document:
        if document.needs_pass:
            raise InputRefused(
                f"{name}: encrypted; save it without a password and send it again",
                zh=f"{name}：PDF 已加密，请取消密码保护后重新上传。",
            )
        if document.is_repaired:
            raise InputRefused(
                f"{name}: a damaged or cut short PDF; scan or send it again",
                zh=f"{name}：PDF 已损坏或不完整，请重新扫描或重新上传。",
            )
        count = document.page_count
        _check_page_count(count, name)
        for page_index in range(count):
            yield _render(document, page_index, f"{name} page {page_index + 1}")
            pymupdf.TOOLS.store_shrink(100)  # a scan's pages share nothing; MuPDF would keep 256 MB of them


def _render(document: pymupdf.Document, page_index: int, name: str) -> ScannedPage:
    for _, _, width, height, *_ in document.get_page_images(page_index, full=True):
        check_pixels((width, height), name=name, max_pixels=MAX_SCAN_PIXELS)
    page = document.load_page(page_index)
    width_pt, height_pt = float(page.rect.width), float(page.rect.height)
    if width_pt <= 0 or height_pt <= 0:
        raise InputRefused(
            f"{name}: the page has no area; scan it again",
            zh=f"{name}：页面尺寸为零，请重新扫描。",
        )
    dpi = _render_dpi(page)
    most = (MAX_SCAN_PIXELS / (width_pt * height_pt)) ** 0.5 * PT_PER_INCH
    if most < MIN_RENDER_DPI:
        raise InputRefused(
            f"{name}: {mm_from_pt(width_pt):.0f} x {mm_from_pt(height_pt):.0f} mm is too large for a scan; "
            "print it to A4 or A3",
            zh=f"{name}：页面 {mm_from_pt(width_pt):.0f}×{mm_from_pt(height_pt):.0f} 毫米过大，"
            "请输出为 A4 或 A3。",
        )
    zoom = min(dpi, most) / PT_PER_INCH
    pixmap = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csRGB, alpha=False)
    flat = np.frombuffer(pixmap.samples, dtype=np.uint8)
    image = flat.reshape(pixmap.height, pixmap.stride)[:, : pixmap.width * 3]
    image = image.reshape(pixmap.height, pixmap.width, 3).copy()
    return ScannedPage(page_index, image, px_per_mm_from_dpi(zoom * PT_PER_INCH), "pdf")


def _render_dpi(page: pymupdf.Page) -> float:
    """Return the resolution of the page's largest image, within limits; 300 when it is drawn, not scanned."""
    largest, dpi = MIN_IMAGE_SHARE * abs(page.rect), VECTOR_RENDER_DPI
    for info in page.get_image_info():
        a, b, c, d, _, _ = info["transform"]
        across_pt, down_pt = (a * a + b * b) ** 0.5, (c * c + d * d) ** 0.5
        if across_pt * down_pt > largest:
            largest = across_pt * down_pt
            px_per_pt = max(info["width"] / across_pt, info["height"] / down_pt)
            dpi = min(max(px_per_pt * PT_PER_INCH, MIN_RENDER_DPI), MAX_RENDER_DPI)
    return dpi


def _check_page_count(count: int, name: str) -> None:
    if count < 1:
        raise InputRefused(
            f"{name}: no page in it; scan it again",
            zh=f"{name}：文件中没有页面，请重新扫描。",
        )
    if count > MAX_SCAN_PAGES:
        raise InputRefused(
            f"{name}: more than {MAX_SCAN_PAGES} pages, the limit for a scan; split it",
            zh=f"{name}：页数超过扫描件上限 {MAX_SCAN_PAGES} 页，请拆分。",
        )
