"""Reads square name seals: characters in columns from the right, raised or sunk."""

from dataclasses import replace
from itertools import pairwise, product

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import Box, InkAmount
from seal_imaging.reader import ReadLine, TextReader
from seal_imaging.strips import clear_frame, runs, strip_of_cells, without_specks

SUNK_INK = 0.5
"""A seal whose rim has more ink than this at every depth has its characters left white (白文, 阴文)."""
MAX_COLUMNS = 4
MAX_ARRANGEMENTS = 8
ACROSS = 0.95
"""Belief in characters that run across, from the left, which few name seals have."""
CLOSING = ("印", "章", "印章")
"""What a name seal ends with; where it stands tells in which order the characters are read."""


def read_cells(upright: InkAmount, reader: TextReader) -> tuple[ReadLine, Box]:
    """Return the characters of a square seal in reading order, and where they lie."""
    inside = _raised(upright)
    box = _extent(inside)
    if box is None:
        return ReadLine(), (0, 0, 0, 0)
    x, y, w, h = box
    ink = inside[y : y + h, x : x + w]
    best: tuple[float, ReadLine] = (-1.0, ReadLine())
    arrangements = _arrangements(ink)
    by_columns = [[cell for column in reversed(columns) for cell in column] for columns in arrangements]
    lines = reader.read([strip_of_cells(cells) for cells in by_columns])
    for columns, cells, line in zip(arrangements, by_columns, lines, strict=True):
        if not line.characters:
            continue
        # Each cell holds one character; a cut through one, or two taken for one, is read as more or less.
        worth = line.confidence * (1.0 if len(line.characters) == len(cells) else 0.5)
        if worth > best[0]:
            best = worth, _in_order(line, columns)
    return best[1], box


def _raised(upright: InkAmount) -> InkAmount:
    """Return the characters as ink, whether they were raised or sunk, without the frame."""
    height, width = upright.shape
    if not _is_sunk(upright > 0.5):
        return without_specks(clear_frame(upright), least_px=60)
    white = np.zeros_like(upright)
    edge_y, edge_x = max(2, height // 40), max(2, width // 40)
    white[edge_y:-edge_y, edge_x:-edge_x] = 1 - upright[edge_y:-edge_y, edge_x:-edge_x]
    return without_specks(clear_frame(white), least_px=60)


def _is_sunk(inked: NDArray[np.bool_]) -> bool:
    """Tell whether characters are left white: there is then no gap between a frame and the characters."""
    side = min(inked.shape)
    rings = []
    for depth in range(side // 40, side // 6, max(1, side // 160)):
        inner = inked[depth:-depth, depth:-depth]
        rings.append(np.concatenate([inner[0], inner[-1], inner[:, 0], inner[:, -1]]).mean())
    return bool(min(rings) > SUNK_INK)


def _extent(ink: InkAmount) -> Box | None:
    inked = ink > 0.5
    if inked.sum() < 50:
        return None
    x, y, w, h = cv2.boundingRect(inked.astype(np.uint8))
    return int(x), int(y), int(w), int(h)


def _arrangements(ink: InkAmount) -> list[list[list[InkAmount]]]:
    """Return the ways the ink may fall into columns, left to right, and these into characters."""
    inked: NDArray[np.bool_] = np.asarray(ink > 0.5)
    options = []
    for left, right in _parts(np.asarray(inked.any(0)), inked.sum(0), ink.shape[1]):
        column = ink[:, left:right]
        filled = inked[:, left:right]
        counts = []
        for count in (1, 2, 3):
            cuts = _cuts(filled.sum(1), count)
            tall, wide = ink.shape[0] / count, right - left
            if 0.5 <= tall / max(1, wide) <= 2.6:
                counts.append([_trimmed(column[a:b]) for a, b in pairwise(cuts)])
        options.append(counts or [[_trimmed(column)]])
    return [list(choice) for choice in list(product(*options))[:MAX_ARRANGEMENTS]]


def _parts(filled: NDArray[np.bool_], profile: NDArray[np.int64], width: int) -> list[tuple[int, int]]:
    """Return the columns from..to: as the gaps say, or two halves where there is no clear gap."""
    clear = runs(filled, gap=max(1, width // 40))
    sizes = [right - left for left, right in clear]
    if 2 <= len(clear) <= MAX_COLUMNS and min(sizes) > 0.6 * max(sizes):
        return clear
    cuts = _cuts(profile, 2)
    return [(cuts[0], cuts[1]), (cuts[1], cuts[2])]


def _cuts(profile: NDArray[np.int64], count: int) -> list[int]:
    """Return where a line is cut into so many parts: the emptiest places near equal shares."""
    size = len(profile)
    smooth = np.convolve(profile.astype(np.float64), np.ones(5) / 5, "same")
    cuts = [0]
    for k in range(1, count):
        middle, reach = size * k / count, size * 0.16 / count * 2
        first, last = max(1, round(middle - reach)), min(size - 1, round(middle + reach))
        # Strokes of one character lie apart too (三): nearer the middle counts.
        away = np.abs(np.arange(first, last) - middle) / (last - first)
        cuts.append(first + int(np.argmin(smooth[first:last] / max(1.0, smooth.max()) + away)))
    return [*cuts, size]


def _trimmed(cell: InkAmount) -> InkAmount:
    box = _extent(cell)
    if box is None:
        return cell
    x, y, w, h = box
    return cell[y : y + h, x : x + w]


def _in_order(line: ReadLine, columns: list[list[InkAmount]]) -> ReadLine:
    """Return the characters row by row where the closing 印 stands as it does in modern seals so read."""
    rows = {len(column) for column in columns}
    count = sum(len(column) for column in columns)
    if len(rows) != 1 or len(line.characters) != count or len(columns) == 1:
        return line
    high = rows.pop()
    texts = [character.text for character in line.characters]
    if texts[-1] in CLOSING or texts[high - 1] not in CLOSING:
        return line
    # Readers read characters lying on their side too, and a seal on its side seems to run across.
    across = [
        replace(one, confidence=one.confidence * ACROSS)
        for r in range(high)
        for one in line.characters[r::high][::-1]
    ]
    return ReadLine(tuple(across))
