"""Fits squares and rectangles to the ink of a seal, side by side with one turn for all four."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import InkAmount, SealShape
from seal_imaging.outline import Outline, Points, between, turned
from seal_imaging.rays import STEP_PX, first_ink, outermost_line
from seal_imaging.round_outlines import MAX_ASPECT, TOLERANCE

MIN_SUPPORT_RECTANGLE = 0.55
MIN_SUPPORT_SIDE = 0.30
"""Lines of text fill rectangles too, but their sides are ragged."""
SMALL_SIDE_PX = 60
MIN_SUPPORT_SMALL = 0.85
"""On so few pixels the letters of a word make four straight sides."""
MAX_CLEAR_ASPECT = 3.2
"""A well inked frame may be longer than other seals are: 58 mm by 20 mm is made."""
SQUARE_WITHIN = 1.06
"""Sides that differ by less are a square's."""
_GOOD_SHARE = 0.8
_ROOM = (0.10, 0.07, 0.05, 0.04)
"""Pass by pass, as shares of the shorter side: how far out and in of a side ink is looked for."""
_WALKS = (80, 80, 120, 200)
_BORDERS_APART = 0.02
_BY_CHANCE = 0.3
"""Share of any line that strokes of text may lie on."""
_POOL = 700
_CELLS = 240
_LINES = 9
_MIN_SIDE_CELLS = 8


def fit_rectangle(edge: InkAmount, outer: Points) -> Outline | None:
    """Return the rectangle around the ink; a square when its sides agree within 6 %.

    Args:
        edge: the ink, lightly smoothed.
        outer: points on the outside of the ink, from which the first guesses are made.
    """
    (cx, cy), (first, second), turn = cv2.minAreaRect(outer.astype(np.float32))
    found = _narrowed(edge, np.array([cx, cy]), np.array([first, second]), turn)
    if found is None or found.support < _GOOD_SHARE:
        # The smallest rectangle takes in what lies beside the seal; the straight lines in it do not.
        guess = _guess_rectangle(outer)
        other = None if guess is None else _narrowed(edge, *guess)
        if other is not None and (found is None or _inked(other) > _inked(found)):
            found = other
    return found


def _inked(outline: Outline) -> float:
    """Return the length of inked border that speaks for a rectangle: two text lines make a small one."""
    return (outline.support - _BY_CHANCE) * sum(outline.size_px)


def _narrowed(edge: InkAmount, centre: Points, size: Points, turn: float) -> Outline | None:
    """Return the rectangle that the ink around a guess lies on; None when a side has none."""
    first, second = float(size[0]), float(size[1])
    if first < second:
        size, turn = size[::-1], turn + 90
        first, second = second, first
    if second < 4 or first > 1.2 * MAX_CLEAR_ASPECT * second:
        return None
    turn = between(turn, 90 if first < 1.12 * second else 180)
    supports = np.zeros(4)
    for number, (walks, room) in enumerate(zip(_WALKS, _ROOM, strict=True)):
        is_last = number == len(_ROOM) - 1
        reach = room * float(size.min())
        met = [_met(edge, centre, size, turn, side, reach=reach, walks=walks) for side in range(4)]
        lines = []
        for x, out in met:
            line = _line(x, out, size=float(size.max()), walks=walks, is_level=is_last)
            if line is None:
                return None
            lines.append(line)
        offsets, slopes, supports = (np.array(values) for values in zip(*lines, strict=True))
        turn += 0.0 if is_last else _weighted_median(slopes, supports**2)
        top, right, bottom, left = offsets
        centre = centre + turned(turn) @ np.array([(right - left) / 2, (bottom - top) / 2])
        size = size + np.array([right + left, top + bottom])
        if size.min() < 4:
            return None
    share = float(np.average(supports, weights=np.array([size[0], size[1], size[0], size[1]])))
    if share < MIN_SUPPORT_RECTANGLE or supports.min() < MIN_SUPPORT_SIDE:
        return None
    wide, high = float(size[0]), float(size[1])
    if min(wide, high) < SMALL_SIDE_PX and share < MIN_SUPPORT_SMALL:
        return None
    at = (float(centre[0]), float(centre[1]))
    if max(wide, high) < SQUARE_WITHIN * min(wide, high):
        return Outline(SealShape.SQUARE, at, (wide, high), between(turn, 90), share)
    longest = MAX_CLEAR_ASPECT if share >= _GOOD_SHARE else MAX_ASPECT
    if max(wide, high) > longest * min(wide, high):
        return None
    return Outline(SealShape.RECTANGLE, at, (wide, high), between(turn, 180), share)


def _met(
    edge: InkAmount, centre: Points, size: Points, turn: float, side: int, *, reach: float, walks: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where ink begins along one side (top, right, bottom, left): along it and out of it, in px."""
    axes = turned(turn + 90 * side)
    along, outward = axes[:, 0], -axes[:, 1]
    length, depth = (size[0], size[1]) if side % 2 == 0 else (size[1], size[0])
    at = np.linspace(-0.44, 0.44, walks) * length
    start = centre + at[:, None] * along + (depth / 2 + reach) * outward
    steps = max(8, math.ceil(2 * reach / STEP_PX))
    after = first_ink(edge, start, np.broadcast_to(-STEP_PX * outward, start.shape), steps)
    met = np.isfinite(after)
    return at[met], reach - STEP_PX * after[met]


def _line(
    x: NDArray[np.float64], out: NDArray[np.float64], *, size: float, walks: int, is_level: bool
) -> tuple[float, float, float] | None:
    """Return how far a side must move out (px), turn (degrees clockwise), and its support (0..1)."""
    if len(x) < max(8, 0.2 * walks):
        return None
    room = max(1.0, TOLERANCE * size)
    if is_level:
        line = outermost_line(out, tolerance=max(0.7, room / 3), apart=_BORDERS_APART * size)
        near = np.abs(out - line) < room
        weight, slope, offset = near.astype(np.float64), 0.0, line
    else:
        weight, slope, offset = np.ones(len(x)), 0.0, 0.0
    off = np.zeros(len(x))
    before = math.inf
    for _ in range(12):
        total = float(weight.sum())
        mean_x, mean_out = float(x @ weight) / total, float(out @ weight) / total
        away = x - mean_x
        if not is_level:
            slope = float((away * (out - mean_out)) @ weight) / max(1e-9, float((away * away) @ weight))
        offset = mean_out - slope * mean_x
        off = np.abs(out - offset - slope * x)
        spread = max(0.3, 1.5 * float(np.median(off)))
        weight = 1 / (1 + (off / spread) ** 2) ** 2
        if abs(before - offset) < 1e-4:
            break
        before = offset
    return offset, -math.degrees(math.atan(slope)), float((off < room).sum()) / walks


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the mean of those values that lie nearest to the middle of the weight."""
    order = np.argsort(values)
    values, weights = values[order], weights[order] + 1e-6
    middle = (np.cumsum(weights) - weights / 2) / weights.sum()
    return float(np.interp(0.5, middle, values))


def _guess_rectangle(outer: Points) -> tuple[Points, Points, float] | None:
    """Return centre, size and turn of the rectangle whose sides most of the points lie on."""
    pool = outer if len(outer) <= _POOL else outer[np.linspace(0, len(outer) - 1, _POOL).astype(int)]
    middle = (pool.min(0) + pool.max(0)) / 2
    cell = 1.05 * float(np.hypot(*np.ptp(pool, axis=0))) / _CELLS
    if cell <= 0:
        return None
    turns = np.arange(0.0, 90.0, 0.5)
    local = (pool - middle) / cell
    sharpness = np.zeros(len(turns))
    for number, turn in enumerate(turns):
        flat = np.floor(local @ turned(turn)).astype(int) + _CELLS // 2
        for axis in (0, 1):
            sharpness[number] += float(
                (np.bincount(flat[:, axis], minlength=_CELLS).astype(float) ** 2).sum()
            )
    turn = float(turns[int(np.argmax(sharpness))])
    flat = np.clip(np.floor(local @ turned(turn)).astype(int) + _CELLS // 2, 0, _CELLS - 1)
    seen = np.zeros((_CELLS, _CELLS), np.bool_)
    seen[flat[:, 1], flat[:, 0]] = True
    near = cv2.dilate(seen.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    columns, rows = _peaks(flat[:, 0]), _peaks(flat[:, 1])
    # How much of each line is inked up to each cell: a side's share is a difference of two.
    down = np.cumsum(near, axis=0, dtype=np.float64)
    across = np.cumsum(near, axis=1, dtype=np.float64)
    x0, x1 = _pairs(columns)
    y0, y1 = _pairs(rows)
    if not (len(x0) and len(y0)):
        return None
    wide, high = (x1 - x0)[None], (y1 - y0)[:, None]
    level = [across[y[:, None], x1[None]] - across[y[:, None], x0[None]] for y in (y0, y1)]
    upright = [down[y1[:, None], x[None]] - down[y0[:, None], x[None]] for x in (x0, x1)]
    least = np.minimum(np.minimum(*level) / wide, np.minimum(*upright) / high)
    score = level[0] + level[1] + upright[0] + upright[1] - 2 * _BY_CHANCE * (wide + high)
    score[
        (np.maximum(wide, high) > MAX_ASPECT * np.minimum(wide, high)) | (least < 0.5 * MIN_SUPPORT_SIDE)
    ] = 0
    row, column = np.unravel_index(int(np.argmax(score)), score.shape)
    if score[row, column] <= 0:
        return None
    left, right, top, bottom = (int(v) for v in (x0[column], x1[column], y0[row], y1[row]))
    at = (np.array([left + right + 1, top + bottom + 1]) / 2 - _CELLS // 2) * cell
    size = np.array([right - left + 1, bottom - top + 1]) * cell
    return middle + turned(turn) @ at, size, turn


def _peaks(cells: NDArray[np.int_]) -> list[int]:
    """Return the cells in which most points lie, no two side by side, in order."""
    count = np.bincount(cells, minlength=_CELLS).astype(float)
    found: list[int] = []
    for _ in range(_LINES):
        best = int(np.argmax(count))
        if count[best] < 5:
            break
        found.append(best)
        count[max(0, best - 3) : best + 4] = 0
    return sorted(found)


def _pairs(lines: list[int]) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Return every two lines far enough apart to be opposite sides: the lesser, the greater."""
    pairs = [(a, b) for k, a in enumerate(lines) for b in lines[k + 1 :] if b - a >= _MIN_SIDE_CELLS]
    both = np.array(pairs, np.int_).reshape(-1, 2)
    return both[:, 0], both[:, 1]
