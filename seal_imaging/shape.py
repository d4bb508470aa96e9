"""Fits the outline of a seal to its ink: circle, ellipse or rectangle; its centre, size and tilt.

Every fit looks from outside in, along rays across the outline it has so far, for the first ink, and
fits again to what it met, less and less minding what lies off the line: gaps, smears and strokes of
other things do not move it.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import InkAmount, SealShape

Points = NDArray[np.float64]
"""(N, 2), x and y, outer corner of the first pixel at 0, 0."""

RAYS = 720
MIN_SUPPORT = 0.45
"""Share of an outline that must carry ink, or it is none."""
MIN_SUPPORT_RECTANGLE = 0.55
MIN_SUPPORT_SIDE = 0.30
"""Lines of text fill rectangles too, but their sides are ragged."""
MAX_ASPECT = 2.7
"""Of a seal; longer things are headlines and rules."""
_EDGE = 0.5
_TOLERANCE = 0.013
"""How far off the outline its edge may lie and still support it, as a share of the longer side."""
_TRIES = 400


@dataclass(frozen=True)
class Outline:
    """A fitted outline.

    Attributes:
        centre_px: x, y.
        size_px: w, h before turning.
        angle_deg: clockwise turn; 0 for circles, whose turn their content tells.
        support: share of the outline's length where ink begins on the line.
    """

    shape: SealShape
    centre_px: tuple[float, float]
    size_px: tuple[float, float]
    angle_deg: float
    support: float

    def points(self, count: int = 180) -> Points:
        """Return points along the outline."""
        half_w, half_h = self.size_px[0] / 2, self.size_px[1] / 2
        if self.shape in (SealShape.CIRCLE, SealShape.ELLIPSE):
            t = np.linspace(0, 2 * math.pi, count, endpoint=False)
            flat = np.stack([half_w * np.cos(t), half_h * np.sin(t)], 1)
        else:
            flat = np.array([[-half_w, -half_h], [half_w, -half_h], [half_w, half_h], [-half_w, half_h]])
        return flat @ _turned(self.angle_deg).T + self.centre_px

    def mask(self, shape: tuple[int, int], *, margin_px: float) -> NDArray[np.bool_]:
        """Return what lies inside the outline, widened by a margin."""
        grown = Outline(
            self.shape,
            self.centre_px,
            (max(1.0, self.size_px[0] + 2 * margin_px), max(1.0, self.size_px[1] + 2 * margin_px)),
            self.angle_deg,
            self.support,
        )
        canvas = np.zeros(shape, np.uint8)
        cv2.fillPoly(canvas, [np.round((grown.points() - 0.5) * 16).astype(np.int32)], 1, shift=4)
        return canvas > 0


def _turned(angle_deg: float) -> Points:
    """Return the matrix that turns (x right, y down) clockwise."""
    t = math.radians(angle_deg)
    return np.array([[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]])


def fit_outline(ink: InkAmount, outer: Points, *, px_per_mm: float) -> Outline | None:
    """Return the outline that the ink supports best; None when there is none.

    Args:
        outer: points on the outside of the ink, from which the first guesses are made.
        px_per_mm: the scale, or a guess of it; it sets the smoothing only.
    """
    if len(outer) < 12:
        return None
    edge = cv2.GaussianBlur(ink, (0, 0), max(0.5, 0.06 * px_per_mm))
    fits = [fit_circle(edge, outer), fit_ellipse(edge, outer), fit_rectangle(edge, outer)]
    circle, ellipse, rectangle = fits
    if circle and ellipse and circle.support >= 0.85 * ellipse.support:
        ellipse = None
    found = [fit for fit in (circle, ellipse, rectangle) if fit and fit.support >= MIN_SUPPORT]
    return max(found, key=lambda fit: fit.support, default=None)


def fit_circles(ink: InkAmount, outer: Points, *, px_per_mm: float, most: int = 6) -> list[Outline]:
    """Return the circles that ink touching other ink is made of, best first."""
    edge = cv2.GaussianBlur(ink, (0, 0), max(0.5, 0.06 * px_per_mm))
    circles: list[Outline] = []
    left = outer
    while len(left) >= 30 and len(circles) < most:
        circle = fit_circle(edge, left)
        if circle is None or circle.support < MIN_SUPPORT:
            break
        radius = circle.size_px[0] / 2
        from_centre = np.hypot(*(left - circle.centre_px).T)
        outside = left[from_centre > 1.04 * radius]
        if len(outside) > 0.95 * len(left):
            break
        if all(math.dist(circle.centre_px, c.centre_px) > 0.5 * c.size_px[0] for c in circles):
            circles.append(circle)
        left = outside
    return circles


def _first_ink(edge: InkAmount, start: Points, step: Points, steps: int) -> NDArray[np.float64]:
    """Walk from each start by its step and return after how many steps ink begins; NaN when it does not.

    A walk that begins in ink begins on something else and counts as not met.
    """
    along = np.arange(steps, dtype=np.float64)
    xy = start[:, None, :] + along[None, :, None] * step[:, None, :] - 0.5
    samples = cv2.remap(
        edge, xy[..., 0].astype(np.float32), xy[..., 1].astype(np.float32), cv2.INTER_LINEAR, borderValue=0
    )
    above = samples >= _EDGE
    first = above.argmax(1)
    row = np.arange(len(first))
    met = above.any(1) & (first > 0)
    before = samples[row, np.maximum(first - 1, 0)]
    after = samples[row, first]
    part = (_EDGE - before) / np.maximum(after - before, 1e-6)
    return np.where(met, first - 1 + part, np.nan)


def fit_circle(edge: InkAmount, outer: Points) -> Outline | None:
    """Return the circle around the ink."""
    guess = _guess_circle(outer)
    if guess is None:
        return None
    cx, cy, radius = guess
    theta = np.linspace(0, 2 * math.pi, RAYS, endpoint=False)
    outward = np.stack([np.cos(theta), np.sin(theta)], 1)
    share = 0.0
    for reach in (0.08, 0.06, 0.05, 0.04, 0.04):
        start_r, steps = radius * (1 + reach), max(8, math.ceil(2 * reach * radius / 0.5))
        start = outward * start_r + (cx, cy)
        depth = _first_ink(edge, start, -0.5 * outward, steps)
        met = np.isfinite(depth)
        if int(met.sum()) < 0.25 * RAYS:
            return None
        points = start[met] - 0.5 * depth[met, None] * outward[met]
        cx, cy, radius = _circle_through(points)
        off = np.abs(np.hypot(*(points - (cx, cy)).T) - radius)
        share = float((off < max(1.0, _TOLERANCE * 2 * radius * 0.6)).sum()) / RAYS
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
        solution = np.linalg.lstsq(design * weight[:, None], square * weight, rcond=None)[0]
        centre = solution[:2]
        radius = math.sqrt(max(1.0, float(solution[2] + centre @ centre)))
        off = np.abs(np.hypot(*(local - centre).T) - radius)
        weight = 1 / (1 + (off / max(0.3, 1.5 * float(np.median(off)))) ** 2)
    return float(centre[0] + middle[0]), float(centre[1] + middle[1]), radius


def _guess_circle(outer: Points) -> tuple[float, float, float] | None:
    """Return the circle through three of the points that most of its circumference agrees with.

    The draw is seeded by a constant: the same points give the same circle.
    """
    rng = np.random.default_rng(20260)
    pool = outer if len(outer) <= 700 else outer[np.linspace(0, len(outer) - 1, 700).astype(int)]
    triple = pool[rng.integers(0, len(pool), (_TRIES, 3))]
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
        return None
    centre = (a + np.stack([ux, uy], 1))[usable]
    radius = radius[usable]
    away = pool[None] - centre[:, None]
    distance = np.hypot(away[..., 0], away[..., 1])
    close = np.abs(distance - radius[:, None]) < np.maximum(1.5, 0.02 * radius)[:, None]
    sector = ((np.arctan2(away[..., 1], away[..., 0]) / (2 * math.pi) + 0.5) * 48).astype(int) % 48
    covered = np.zeros((len(radius), 48), np.bool_)
    index = np.nonzero(close)
    covered[index[0], sector[index]] = True
    # Of circles covered alike, the larger is the seal's edge and the smaller its inner border.
    best = int(np.argmax(covered.sum(1) + 6.0 * radius / radius.max()))
    return float(centre[best, 0]), float(centre[best, 1]), float(radius[best])


def fit_ellipse(edge: InkAmount, outer: Points) -> Outline | None:
    """Return the ellipse around the ink, its long axis first, tilted by -90 to 90 degrees."""
    hull = cv2.convexHull(outer.astype(np.float32)).reshape(-1, 2)
    even = _evenly(hull, 180)
    (cx, cy), (first, second), turn = cv2.fitEllipse(even.astype(np.float32))
    theta = np.linspace(0, 2 * math.pi, RAYS, endpoint=False)
    share = 0.0
    for reach in (0.08, 0.06, 0.05, 0.04, 0.04):
        if not (min(first, second) > 0 and max(first, second) < 4 * min(first, second)):
            return None
        flat = np.stack([first / 2 * np.cos(theta), second / 2 * np.sin(theta)], 1)
        spoke = flat @ _turned(turn).T
        mean_radius = (first + second) / 4
        steps = max(8, math.ceil(2 * reach * mean_radius / 0.5))
        stride = 2 * reach / steps
        depth = _first_ink(edge, spoke * (1 + reach) + (cx, cy), -stride * spoke, steps)
        met = np.isfinite(depth)
        if int(met.sum()) < 0.25 * RAYS:
            return None
        where = 1 + reach - stride * depth[met]
        points = spoke[met] * where[:, None] + (cx, cy)
        usual = float(np.median(where))
        spread = 1.4826 * float(np.median(np.abs(where - usual)))
        kept = points[np.abs(where - usual) < max(3 * spread, 0.004)]
        if len(kept) < 60:
            return None
        share = float((np.abs(where - 1) < max(1.0 / mean_radius, _TOLERANCE)).sum()) / RAYS
        (cx, cy), (first, second), turn = cv2.fitEllipseDirect(kept.astype(np.float32))
    if second > first:
        first, second, turn = second, first, turn + 90
    if first > MAX_ASPECT * second:
        return None
    return Outline(SealShape.ELLIPSE, (cx, cy), (first, second), _between(turn, 180), share)


def _evenly(polygon: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return points at even distances along a closed polygon."""
    closed = np.vstack([polygon, polygon[:1]])
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    at = np.linspace(0, along[-1], count, endpoint=False)
    return np.stack([np.interp(at, along, closed[:, k]) for k in (0, 1)], 1).astype(np.float32)


def _between(angle_deg: float, period_deg: float) -> float:
    """Return the angle's equal in -period/2 .. period/2."""
    return (angle_deg + period_deg / 2) % period_deg - period_deg / 2


def fit_rectangle(edge: InkAmount, outer: Points) -> Outline | None:
    """Return the rectangle around the ink; a square when its sides agree within 6 %."""
    (cx, cy), (first, second), turn = cv2.minAreaRect(outer.astype(np.float32))
    if first < second:
        first, second, turn = second, first, turn + 90
    if second < 4 or first > MAX_ASPECT * second:
        return None
    if first < 1.12 * second:
        turn = _between(turn, 90)
    turn = _between(turn, 180)
    centre = np.array([cx, cy])
    size = np.array([first, second])
    share = 0.0
    fitted: list[tuple[float, float, float]] = []
    for reach in (0.10, 0.07, 0.05, 0.05):
        sides = [
            _side(edge, centre, size, turn, number, reach=reach * float(size.min())) for number in range(4)
        ]
        fitted = [side for side in sides if side is not None]
        if len(fitted) < 4:
            return None
        turn += float(np.average([s[1] for s in fitted], weights=[s[2] + 1e-3 for s in fitted]))
        top, right, bottom, left = (s[0] for s in fitted)
        axes = _turned(turn)
        centre = centre + axes @ np.array([(right - left) / 2, (bottom - top) / 2])
        size = size + np.array([right + left, top + bottom])
        lengths = (size[0], size[1], size[0], size[1])
        share = float(np.average([s[2] for s in fitted], weights=lengths))
        if size.min() < 4:
            return None
    if share < MIN_SUPPORT_RECTANGLE or min(side[2] for side in fitted) < MIN_SUPPORT_SIDE:
        return None
    wide, high = float(size[0]), float(size[1])
    if max(wide, high) < 1.06 * min(wide, high):
        turn = _between(turn, 90)
        return Outline(SealShape.SQUARE, (float(centre[0]), float(centre[1])), (wide, high), turn, share)
    if max(wide, high) > MAX_ASPECT * min(wide, high):
        return None
    return Outline(
        SealShape.RECTANGLE, (float(centre[0]), float(centre[1])), (wide, high), _between(turn, 180), share
    )


def _side(
    edge: InkAmount, centre: Points, size: Points, turn: float, number: int, *, reach: float
) -> tuple[float, float, float] | None:
    """Return how far one side (top, right, bottom, left) must move out, turn, and its support.

    Returns:
        Pixels outwards, degrees clockwise, 0..1.
    """
    axes = _turned(turn + 90 * number)
    along, outward = axes[:, 0], -axes[:, 1]
    length, depth = (size[0], size[1]) if number % 2 == 0 else (size[1], size[0])
    count = 200
    at = np.linspace(-0.44, 0.44, count) * length
    start = centre + at[:, None] * along + (depth / 2 + reach) * outward
    steps = max(8, math.ceil(2 * reach / 0.5))
    met_after = _first_ink(edge, start, np.broadcast_to(-0.5 * outward, start.shape), steps)
    met = np.isfinite(met_after)
    if int(met.sum()) < 0.2 * count:
        return None
    out = reach - 0.5 * met_after[met]
    x = at[met]
    weight = np.ones(len(x))
    slope, offset = 0.0, 0.0
    off = np.zeros(len(x))
    for _ in range(12):
        mean_x, mean_out = np.average(x, weights=weight), np.average(out, weights=weight)
        slope = float(((x - mean_x) * (out - mean_out) * weight).sum() / ((x - mean_x) ** 2 * weight).sum())
        offset = float(mean_out - slope * mean_x)
        off = np.abs(out - offset - slope * x)
        weight = 1 / (1 + (off / max(0.3, 1.5 * float(np.median(off)))) ** 2) ** 2
    support = float((off < max(1.0, _TOLERANCE * float(size.max()))).sum()) / count
    return offset, -math.degrees(math.atan(slope)), support
