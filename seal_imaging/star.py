"""Finds a five-pointed star in the middle of an unrolled round seal."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

MIN_MATCH = 0.42
"""Correlation with a star from which there is one: other emblems and lines of text stay below."""
MIN_STANDOUT = 1.6
"""How much better it must match at its turn than half-way between two points, in units of the match."""
_SMALLEST, _LARGEST, _STEP = 0.16, 0.50, 0.01
_AROUND = 1.12
"""Paper around the star that takes part, times its radius."""
_FOLD = 5


@dataclass(frozen=True)
class Star:
    """A star in a round seal.

    Attributes:
        point_deg: clockwise turn of one of its points, 0..72.
        radius: of its points, as a share of the seal's.
        match: correlation of the ink with it, 0..1.
    """

    point_deg: float
    radius: float
    match: float


@cache
def _stars(turns: int, radii: int) -> list[tuple[float, int, NDArray[np.complex128], float]]:
    """Return for each size: radius, columns, spectrum over one fifth of a turn, and its norm."""
    radius = (np.arange(radii) + 0.5) / radii
    rows = turns // _FOLD
    from_point = (np.arange(rows) * 360 / turns + 36) % 72 - 36
    drawn = []
    for outer in np.arange(_SMALLEST, _LARGEST + _STEP / 2, _STEP):
        columns = min(radii, math.ceil(outer * _AROUND * radii))
        # The edge from a point at 0 to a notch at 36 degrees (radius 0.382) is a straight line.
        edge = outer * math.sin(math.radians(18)) / np.sin(np.radians(18 + np.abs(from_point)))
        star = (radius[None, :columns] < edge[:, None]).astype(np.float64)
        weight = radius[:columns]
        star -= (star * weight).sum() / (weight.sum() * rows)
        norm = math.sqrt(float((star**2 * weight).sum()) * _FOLD)
        drawn.append((float(outer), columns, np.conj(np.fft.rfft(star * weight, axis=0)), norm))
    return drawn


def find_star(rolled: NDArray[np.float32]) -> Star | None:
    """Return the star; None when there is none.

    Its edges decide, whatever its size; ink that is missing inside it weakens the match only.

    Args:
        rolled: ink over angle (rows, clockwise from the top) and radius (columns, 0..1).
    """
    turns, radii = rolled.shape
    rows = turns // _FOLD
    radius = (np.arange(radii) + 0.5) / radii
    columns_at_most = math.ceil(_LARGEST * _AROUND * radii)
    part = rolled[:, :columns_at_most].astype(np.float64)
    folded = part.reshape(_FOLD, rows, -1).sum(0)
    spectrum = np.fft.rfft(folded, axis=0)
    # Running sums over radius give each size the mean and the spread of the ink it is held against.
    weight = radius[:columns_at_most]
    total = np.cumsum(part.sum(0) * weight)
    square = np.cumsum((part**2).sum(0) * weight)
    area = np.cumsum(weight) * turns
    best: tuple[float, float, NDArray[np.float64]] | None = None
    for outer, columns, star, norm in _stars(turns, radii):
        match = np.fft.irfft((star * spectrum[:, :columns]).sum(1), n=rows)
        variance = square[columns - 1] - total[columns - 1] ** 2 / area[columns - 1]
        match = match / (norm * math.sqrt(max(1e-9, float(variance))))
        if best is None or match.max() > best[0]:
            best = (float(match.max()), outer, match)
    if best is None:
        return None
    value, outer, match = best
    at = int(np.argmax(match))
    opposite = float(match[(at + rows // 2) % rows])
    if value < MIN_MATCH or value < MIN_STANDOUT * max(0.0, opposite):
        return None
    before, here, after = (float(match[(at + k) % rows]) for k in (-1, 0, 1))
    bend = before - 2 * here + after
    between = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return Star((at + float(np.clip(between, -0.5, 0.5))) * 360 / turns, outer, value)
