"""Says why a scan gave no impression."""

from collections.abc import Sequence

from seal_imaging import ImpressionUnusable
from stages.extraction import ExtractedPage, PageKind
from stages.page_reading import NO_COLOUR


def nothing_found(pages: Sequence[ExtractedPage]) -> ImpressionUnusable:
    """Return the error for a scan on which no impression was found: what it is instead, and what to do."""
    example = next((page for page in pages if page.kind is PageKind.EXAMPLE), None)
    if example is not None:
        (note,) = example.notes
        number = example.page_index + 1
        return ImpressionUnusable(f"page {number}: {note.message}", zh=f"第 {number} 页：{note.message_zh}")
    count = len(pages)
    grey = next((page for page in pages if NO_COLOUR in page.notes), None)
    if grey is not None:
        number = grey.page_index + 1
        return ImpressionUnusable(
            f"no seal impression on {_pages_text(count)}; page {number}: {NO_COLOUR.message}",
            zh=f"{_pages_text_zh(count)}未找到印模；第 {number} 页：{NO_COLOUR.message_zh}",
        )
    return ImpressionUnusable(
        f"no seal impression on {_pages_text(count)}; rescan at 300 dpi or more, in colour",
        zh=f"{_pages_text_zh(count)}未找到印模，请用不低于 300 dpi 的彩色模式重新扫描。",
    )


def _pages_text(page_count: int) -> str:
    return "page 1" if page_count == 1 else f"any of pages 1 to {page_count}" if page_count else "any page"


def _pages_text_zh(page_count: int) -> str:
    return f"第 1 至 {page_count} 页" if page_count > 1 else "第 1 页" if page_count else "扫描件"
