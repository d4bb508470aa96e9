"""Compares two seals, old against new (变更) or an impression with the seal it claims to be of."""

from dataclasses import dataclass
from pathlib import Path

from seal_imaging import Impression, ImpressionUnusable
from seal_imaging.comparison import Comparison, compare, impression_of_image
from seal_imaging.fusion import fuse
from seal_imaging.group import MAX_IMPRESSIONS, group_impressions
from stages.errors import InputRefused
from stages.page_reading import read_scanned_page
from stages.scans import read_scan
from stages.seal_images import read_pixels, read_seal_image, write_png


@dataclass(frozen=True)
class ComparedSeals:
    """Two seals side by side.

    Attributes:
        picture: RGB PNG: ink only in the first red, only in the second blue, in both dark.
    """

    comparison: Comparison
    picture: Path


def compare_seals(first: Path, second: Path, picture: Path) -> ComparedSeals:
    """Compare two files, each a finished seal image or a scan that shows one seal.

    Args:
        picture: where the difference picture goes.

    Raises:
        InputRefused: a file cannot be read.
        ImpressionUnusable: no seal in a file, or several different ones.
    """
    comparison = compare(_seal_of(first), _seal_of(second))
    write_png(picture, comparison.picture, px_per_mm=None)
    return ComparedSeals(comparison, picture)


def _seal_of(path: Path) -> Impression:
    try:
        read_seal_image(path)
    except InputRefused:
        return _impression_on(path)  # not a finished image; a scan, then
    return impression_of_image(read_pixels(path))


def _impression_on(path: Path) -> Impression:
    found = [impression for page in read_scan(path) for impression in read_scanned_page(page).impressions]
    if len(found) > MAX_IMPRESSIONS:
        raise InputRefused(
            f"{path.name}: more than {MAX_IMPRESSIONS} impressions; give a scan of one seal",
            zh=f"{path.name}：印模超过 {MAX_IMPRESSIONS} 枚，请提供只含一枚印章的扫描件。",
        )
    groups = group_impressions(found) if found else []
    if len(groups) != 1:
        raise ImpressionUnusable(
            f"{path.name}: {len(groups)} different seals; give a scan or an image of one seal",
            zh=f"{path.name}：找到 {len(groups)} 枚不同的印章，请提供只含一枚印章的扫描件或图像。",
        )
    return fuse([found[index] for index in groups[0]])
