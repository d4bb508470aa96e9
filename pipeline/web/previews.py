"""Draws the pages of a scan small enough for a browser."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from stages.ingest import read_scan

MAX_PREVIEW_SIDE_PX = 1600
MAX_PREVIEW_PAGES = 20
PREVIEW_JPEG_QUALITY = 82


@dataclass(frozen=True)
class PagePreview:
    """A page as the browser shows it.

    Attributes:
        width_px, height_px: of the page itself, which the boxes of its impressions refer to.
        image: the file's name in the working folder.
    """

    page_index: int
    width_px: int
    height_px: int
    image: str


def draw_previews(scan: Path, out: Path, page_indices: Collection[int]) -> tuple[PagePreview, ...]:
    """Write the wanted pages as `page-N.jpg`, at most MAX_PREVIEW_PAGES of them.

    Raises:
        InputRefused: the scan cannot be read.
    """
    wanted = set(sorted(page_indices)[:MAX_PREVIEW_PAGES])
    drawn = []
    for page in read_scan(scan):
        if page.page_index in wanted:
            picture = Image.fromarray(page.image)
            width_px, height_px = picture.size
            picture.thumbnail((MAX_PREVIEW_SIDE_PX, MAX_PREVIEW_SIDE_PX), Image.Resampling.BOX)
            name = f"page-{page.page_index}.jpg"
            picture.save(out / name, "JPEG", quality=PREVIEW_JPEG_QUALITY)
            drawn.append(PagePreview(page.page_index, width_px, height_px, name))
        if len(drawn) == len(wanted):
            break
    return tuple(drawn)
