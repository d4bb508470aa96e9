"""Fits circles and ellipses to the ink of a seal.

Every fit looks from outside in, along spokes across the outline it has so far, for the first ink, and
fits again to the outermost line it met, with ever less room beside it: gaps, smears, inner rings and
strokes of other things do not move it.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import InkAmount, SealShape
from seal_imaging.outline import Outline, Points, between, turned
from seal_imaging.rays import STEP_PX, first_ink, outermost_line

_Ellipse = tuple[Sequence[float], Sequence[float], float]
"""Centre, axes and turn in degrees, as OpenCV gives them."""

MAX_ASPECT = 2.7
"""Of a seal; longer things are headlines and rules."""
TOLERANCE = 0.013
"""How far off the outline its edge may lie and still support it, as a share of the longer side."""
_ROOM = ((0.12, 0.08, 0.04), (0.06, 0.06, 0.02), (0.04, 0.04, 0.012), (0.03, 0.03, 0.016))
"""Pass by pass, as shares of the radius: how far out and in is looked, how far from its line ink may lie."""
_SPOKES = (240, 240, 360, 720)
_RINGS_APART = 0.018
_MIN_MET = 0.25
_TRIES = 240
_HULL_TRIES = 80
_GUESSES = 3
_POOL = 360
_SECTORS = 48
_GOOD_SHARE = 0.8
_ELLIPSE_TRIES = 150


def fit_circle(edge: InkAmount, outer: Points) -> Outline | None:
    """Return the circle around the ink.

    Args:
        edge: the ink, lightly smoothed.
        outer: points on the outside of the ink, from which the first guess is made.
    """
    found: Outline | None = None
    for guess in _guess_circles(outer):
        circle = _narrowed_circle(edge, guess)
        if circle is not None and (found is None or circle.support > found.support):
            found = circle
        if found is not None and found.support >= _GOOD_SHARE:
            break
    return found


def _narrowed_circle(edge: InkAmount, guess: tuple[float, float, float]) -> Outline | None:
    """Return the circle that the ink around a guess (x, y, radius) lies on."""
    cx, cy, radius = guess
    share = 0.0
    for count, (beyond, within, room) in zip(_SPOKES, _ROOM, strict=True):
        theta = np.linspace(0, 2 * math.pi, count, endpoint=False)
        outward = np.stack([np.cos(theta), np.sin(theta)], 1)
        start_r = radius * (1 + beyond)
        steps = max(8, math.ceil((beyond + within) * radius / STEP_PX))
        start = outward * start_r + (cx, cy)
        depth = first_ink(edge, start, -STEP_PX * outward, steps)
        met = np.isfinite(depth)
        if int(met.sum()) < _MIN_MET * count:
            return None
        points = start[met] - STEP_PX * depth[met, None] * outward[met]
        out = start_r - STEP_PX * depth[met]
        line = outermost_line(out, tolerance=max(1.0, room * radius / 2), apart=_RINGS_APART * radius)
        kept = points[np.abs(out - line) < max(1.5, room * radius)]
        if len(kept) < 0.15 * count:
            return None
        cx, cy, radius = _circle_through(kept)
        off = np.abs(np.hypot(*(points - (cx, cy)).T) - radius)
        share = float((off < max(1.0, TOLERANCE * 2 * radius * 0.6)).sum()) / count
    return Outline(SealShape.CIRCLE, (cx, cy), (2 * radius, 2 * radius), 0.0, share)


def _circle_through(points: Points) -> tuple[float, float, float]:
    """Return the circle (x, y, radius) through points, minding outliers little (Geman-McClure)."""
    middle = points.mean(0)
    local = points - middle
    design = np.column_stack([2 * local, np.ones(len(local))])
    square = (local**2).sum(1)
    weight = np.ones(len(local))
    centre, radius = np.zeros(2), 1.0
    for _ in range(12):
        weighted = design * (weight**2)[:, None]
        try:
            solution = np.linalg.solve(design.T @ weighted, weighted.T @ square)
        except np.linalg.LinAlgError:
            break
        centre = solution[:2]
        before, radius = radius, math.sqrt(max(1.0, float(solution[2] + centre @ centre)))
        if abs(before - radius) < 1e-4:
            break
        off = np.abs(np.hypot(*(local - centre).T) - radius)
        weight = 1 / (1 + (off / max(0.3, 1.5 * float(np.median(off)))) ** 2)
    return float(centre[0] + middle[0]), float(centre[1] + middle[1]), radius


def _pooled(outer: Points) -> Points:
    return outer if len(outer) <= _POOL else outer[np.linspace(0, len(outer) - 1, _POOL).astype(int)]


def _guess_circles(outer: Points) -> list[tuple[float, float, float]]:
    """Return circles (x, y, radius) through three of the points, those first that most points agree with.

    The draw is seeded by a constant: the same points give the same circle.
    """
    rng = np.random.default_rng(20260)
    pool = _pooled(outer)
    # What is left of a badly inked border lies on the hull, where letters do not.
    hull = cv2.convexHull(outer.astype(np.float32)).reshape(-1, 2).astype(np.float64)
    from_hull = hull[rng.integers(0, len(hull), (_HULL_TRIES, 3))]
    triple = np.concatenate([from_hull, pool[rng.integers(0, len(pool), (_TRIES, 3))]])
    a, b, c = triple[:, 0], triple[:, 1], triple[:, 2]
    ab, ac = b - a, c - a
    twice = 2 * (ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0])
    extent = float(np.ptp(outer, axis=0).max())
    with np.errstate(divide="ignore", invalid="ignore"):
        sab, sac = (ab**2).sum(1), (ac**2).sum(1)
        ux = (ac[:, 1] * sab - ab[:, 1] * sac) / twice
        uy = (ab[:, 0] * sac - ac[:, 0] * sab) / twice
    radius = np.hypot(ux, uy)
    usable = np.isfinite(radius) & (radius < 0.6 * extent) & (radius > 0.06 * extent)
    if not usable.any():
        return []
    centre = (a + np.stack([ux, uy], 1))[usable].astype(np.float32)
    radius = radius[usable].astype(np.float32)
    away_x = pool[:, 0].astype(np.float32) - centre[:, :1]
    away_y = pool[:, 1].astype(np.float32) - centre[:, 1:]
    room = np.maximum(1.5, 0.02 * radius)
    square = away_x * away_x + away_y * away_y
    close = (square > ((radius - room) ** 2)[:, None]) & (square < ((radius + room) ** 2)[:, None])
    which, point = np.nonzero(close)
    turn = np.arctan2(away_y[which, point], away_x[which, point]) / (2 * math.pi) + 0.5
    covered = np.zeros((len(radius), _SECTORS), np.bool_)
    covered[which, (turn * _SECTORS).astype(int) % _SECTORS] = True
    # Of circles covered alike, the larger is the seal's edge and the smaller its inner border.
    order = np.argsort(-(covered.sum(1) + 6.0 * radius / radius.max()), kind="stable")
    chosen: list[tuple[float, float, float]] = []
    for number in order:
        x, y, r = float(centre[number, 0]), float(centre[number, 1]), float(radius[number])
        if all(max(math.hypot(x - a, y - b), abs(r - c)) > 0.1 * c for a, b, c in chosen):
            chosen.append((x, y, r))
        if len(chosen) == _GUESSES:
            break
    return chosen


def fit_ellipse(edge: InkAmount, outer: Points) -> Outline | None:
    """Return the ellipse around the ink, its long axis first, tilted by -90 to 90 degrees."""
    hull = cv2.convexHull(outer.astype(np.float32)).reshape(-1, 2)
    whole = cv2.fitEllipse(_evenly(hull, 180))
    found = _narrowed(edge, whole)
    if found is None or found.support < _GOOD_SHARE:
        # The hull takes in what lies beside the seal; points drawn at random need not.
        drawn = _guess_ellipse(outer)
        other = None if drawn is None else _narrowed(edge, drawn)
        if other is not None and (found is None or other.support > found.support):
            found = other
    return found


def _narrowed(edge: InkAmount, ellipse: _Ellipse) -> Outline | None:
    """Return the ellipse that the ink around a guess lies on."""
    share = 0.0
    for count, (beyond, within, room) in zip(_SPOKES, _ROOM, strict=True):
        (cx, cy), (first, second), turn = ellipse
        if not (min(first, second) > 4 and max(first, second) < 4 * min(first, second)):
            return None
        if max(first, second) > 2 * max(edge.shape):
            return None
        theta = np.linspace(0, 2 * math.pi, count, endpoint=False)
        flat = np.stack([first / 2 * np.cos(theta), second / 2 * np.sin(theta)], 1)
        spoke = flat @ turned(turn).T
        mean_radius = (first + second) / 4
        steps = max(8, math.ceil((beyond + within) * mean_radius / STEP_PX))
        stride = (beyond + within) / steps
        depth = first_ink(edge, spoke * (1 + beyond) + (cx, cy), -stride * spoke, steps)
        met = np.isfinite(depth)
        if int(met.sum()) < _MIN_MET * count:
            return None
        out = 1 + beyond - stride * depth[met]
        points = spoke[met] * out[:, None] + (cx, cy)
        line = outermost_line(out, tolerance=max(1.0 / mean_radius, room / 2), apart=_RINGS_APART)
        kept = points[np.abs(out - line) < max(1.5 / mean_radius, room)]
        if len(kept) < max(12, 0.15 * count):
            return None
        share = float((np.abs(out - line) < max(1.0 / mean_radius, TOLERANCE)).sum()) / count
        ellipse = cv2.fitEllipseDirect(kept.astype(np.float32))
    (cx, cy), (first, second), turn = ellipse
    if not all(math.isfinite(v) for v in (cx, cy, first, second, turn)):
        return None
    if second > first:
        first, second, turn = second, first, turn + 90
    if not 4 < first <= MAX_ASPECT * second:
        return None
    return Outline(SealShape.ELLIPSE, (cx, cy), (first, second), between(turn, 180), share)


def _guess_ellipse(outer: Points) -> _Ellipse | None:
    """Return the ellipse through six of the points that most of its circumference agrees with.

    The draw is seeded by a constant: the same points give the same ellipse.
    """
    rng = np.random.default_rng(20261)
    pool = _pooled(outer)
    extent = float(np.ptp(outer, axis=0).max())
    best: tuple[float, _Ellipse | None] = (0.0, None)
    for six in pool[rng.integers(0, len(pool), (_ELLIPSE_TRIES, 6))].astype(np.float32):
        (cx, cy), (first, second), turn = cv2.fitEllipseDirect(six)
        if not (0.1 * extent < first <= 1.1 * extent and 0.1 * extent < second <= 1.1 * extent):
            continue
        if max(first, second) > MAX_ASPECT * min(first, second):
            continue
        flat = ((pool - (cx, cy)) @ turned(turn)) / (first / 2, second / 2)
        close = np.abs(np.hypot(flat[:, 0], flat[:, 1]) - 1) < 0.025
        sector = ((np.arctan2(flat[close, 1], flat[close, 0]) / (2 * math.pi) + 0.5) * _SECTORS).astype(int)
        score = len(np.unique(sector % _SECTORS)) + 6.0 * (first + second) / (2 * extent)
        if score > best[0]:
            best = (score, ((cx, cy), (first, second), turn))
    return best[1]


def _evenly(polygon: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return points at even distances along a closed polygon."""
    closed = np.vstack([polygon, polygon[:1]])
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    at = np.linspace(0, along[-1], count, endpoint=False)
    return np.stack([np.interp(at, along, closed[:, k]) for k in (0, 1)], 1).astype(np.float32)
