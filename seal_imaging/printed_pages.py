"""Reads a picture of a printed page: its lines, and where each of their characters stands."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seal_imaging.ocr_rapid import RapidReader
from seal_imaging.page_lines import GrayPage, LineBox, LineFinder
from seal_imaging.reader import ReadLine

ENGINE = "PP-OCRv6-small/1"
"""What decides a reading beside the picture; a change of model or of this module changes it."""
MIN_CONFIDENCE = 0.5
"""Lines read with less are noise: grain, ornaments, seals."""
UPSIDE_DOWN = 0.75
"""A page read worse than this may stand on its head."""
MAX_HALF_WIDTH = 0.5
"""Half a character's width in line heights, at most: Chinese characters are square."""


@dataclass(frozen=True)
class PrintedLine:
    """One line as it was read.

    Attributes:
        boxes_px: x0, y0, x1, y1 of each character.
        direction: the way the text runs, a unit vector.
        confidence: 0..1.
    """

    text: str
    boxes_px: tuple[tuple[float, float, float, float], ...]
    direction: tuple[float, float]
    confidence: float


class PrintedPageReader:
    """A reader of pages whose models are loaded when it first reads; threads may share it."""

    def __init__(self, *, threads: int = 1) -> None:
        """Say how many threads the engine may use."""
        self._finder = LineFinder(threads=threads)
        self._reader = RapidReader(threads=threads, printed=True)

    def read(self, page: GrayPage) -> list[PrintedLine]:
        """Return a page's lines from top to bottom; a page on its head is read as well.

        Raises:
            ReaderUnavailable: the engine or a model is missing.
        """
        lines = self._read_upright(page)
        if not lines or _mean_confidence(lines) >= UPSIDE_DOWN:
            return _believed(lines)
        other = self._read_upright(np.ascontiguousarray(page[::-1, ::-1]))
        if _mean_confidence(other) <= _mean_confidence(lines):
            return _believed(lines)
        height, width = page.shape
        return [
            PrintedLine(
                line.text,
                tuple((width - x1, height - y1, width - x0, height - y0) for x0, y0, x1, y1 in line.boxes_px),
                (-line.direction[0], -line.direction[1]),
                line.confidence,
            )
            for line in _believed(other)
        ]

    def _read_upright(self, page: GrayPage) -> list[PrintedLine]:
        boxes = self._finder.find(page)
        found = [self._read_line(page, box) for box in boxes]
        return [line for line in found if line is not None]

    def _read_line(self, page: GrayPage, box: LineBox) -> PrintedLine | None:
        strip = box.cut_out(page)
        corners = box.corners_px
        if not box.is_tall:
            (read,) = self._reader.read([strip])
            return _placed(read, corners)
        # Text that runs down is read with the strip turned to the left, text that runs up to the right.
        ways = [
            (np.rot90(strip, 1), np.roll(corners, -1, axis=0)),
            (np.rot90(strip, 3), np.roll(corners, 1, axis=0)),
        ]
        reads = self._reader.read([np.ascontiguousarray(turned) for turned, _ in ways])
        best = max(range(2), key=lambda k: reads[k].confidence)
        return _placed(reads[best], ways[best][1])


def _placed(read: ReadLine, corners: NDArray[np.float32]) -> PrintedLine | None:
    """Return a line with a box for each character.

    Args:
        corners: where the strip's top left, top right, bottom right and bottom left lie on the page.
    """
    if not read.characters:
        return None
    start, end = (corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2
    length = float(np.linalg.norm(end - start))
    height = float(np.linalg.norm(corners[3] - corners[0]))
    along = (end - start) / max(length, 1e-6)
    across = (corners[3] - corners[0]) / max(height, 1e-6)
    at = [character.at * length for character in read.characters]
    boxes = []
    for k, middle in enumerate(at):
        gaps = [abs(at[j] - middle) for j in (k - 1, k + 1) if 0 <= j < len(at)]
        half = min([MAX_HALF_WIDTH * height, *(gap / 2 for gap in gaps)])
        half = MAX_HALF_WIDTH * height if not gaps else max(half, 0.1 * height)
        centre = start + along * middle
        spread = np.abs(along * half) + np.abs(across * height / 2)
        low, high = centre - spread, centre + spread
        boxes.append((float(low[0]), float(low[1]), float(high[0]), float(high[1])))
    return PrintedLine(read.text, tuple(boxes), (float(along[0]), float(along[1])), read.confidence)


def _believed(lines: Sequence[PrintedLine]) -> list[PrintedLine]:
    return [line for line in lines if line.confidence >= MIN_CONFIDENCE]


def _mean_confidence(lines: Sequence[PrintedLine]) -> float:
    letters = sum(len(line.text) for line in lines)
    return sum(line.confidence * len(line.text) for line in lines) / letters if letters else 0.0
