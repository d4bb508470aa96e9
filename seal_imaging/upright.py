"""Tells which way is up in a seal from its star, its text and its long side, and how sure that is."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import InkAmount, SealShape
from seal_imaging.outline import Outline, between, wrapped
from seal_imaging.star import Star, find_star

SURE = 0.5
"""Confidence from which the angle may be used without reading the text."""
_TURNS = 720
_RADII = 100
_TEXT_BAND = (0.60, 0.82)
"""Where round seals carry the name; code digits in the gap below lie further out."""
_LINE_BAND = (0.42, 0.58)
"""Where a line of text below the star lies, and the star's points hardly reach."""
_SECTORS = 72
_SPANS_DEG = range(90, 331, 10)
_INKED, _BARE = 0.72, 0.10
"""How likely a sector of text, and one of the gap, holds ink: letters fail to print, gaps seldom fill."""
_INDEPENDENT = 0.45
"""Ink of neighbouring sectors comes and goes together: so much of a sector is news."""
_LINE_WEIGHT = 6.0
_PAGE_WEIGHT = 1.5
"""What speaks for the page's own turn, as a logarithm of odds: people stamp upright, mostly."""
_FOUR_SIDED_SURE = 0.6
_NO_STAR_SURE = 0.49
"""The ends of the name alone tell the turn within some degrees only: let the text decide."""


@dataclass(frozen=True)
class Upright:
    """How far a seal is turned.

    Attributes:
        angle_deg: clockwise, -180..180.
        confidence: 0..1, how sure that is against the alternatives.
        alternatives: the other angles it may be turned by, likeliest first.
    """

    angle_deg: float
    confidence: float
    alternatives: tuple[float, ...] = ()


def find_angle(ink: InkAmount, outline: Outline, *, page_turn_deg: float = 0.0) -> Upright:
    """Return how far the seal is turned.

    Round seals are read off the star and off the text, which lies like a horseshoe open at the
    bottom; of the star's five points the one is up about which the text lies best. Ellipses are told
    from their long side, and their ends by the text. Squares and rectangles are told from their
    sides only: of the angles they may have, the one nearest to the page's own turn is taken.
    """
    if outline.shape is SealShape.CIRCLE:
        return _of_round(unroll(ink, outline), page_turn_deg)
    if outline.shape is SealShape.ELLIPSE:
        return _of_ellipse(unroll(ink, outline), outline.angle_deg, page_turn_deg)
    period = 90.0 if outline.shape is SealShape.SQUARE else 180.0
    angle_deg = wrapped(page_turn_deg + between(outline.angle_deg - page_turn_deg, period))
    others = [wrapped(angle_deg + k * period) for k in range(1, round(360 / period))]
    others.sort(key=lambda other: abs(wrapped(other - page_turn_deg)))
    return Upright(angle_deg, _FOUR_SIDED_SURE, tuple(others))


def unroll(ink: InkAmount, outline: Outline) -> NDArray[np.float32]:
    """Return the ink over angle (rows, clockwise from the top) and radius (columns, 0..1).

    For an ellipse the top is that of the seal turned back by its tilt, and radii are shares of the
    outline's.
    """
    theta = np.linspace(0, 2 * math.pi, _TURNS, endpoint=False)
    radius = (np.arange(_RADII) + 0.5) / _RADII
    half_w, half_h = outline.size_px[0] / 2, outline.size_px[1] / 2
    t = math.radians(outline.angle_deg)
    right, down = np.outer(np.sin(theta), radius) * half_w, -np.outer(np.cos(theta), radius) * half_h
    x = outline.centre_px[0] + right * math.cos(t) - down * math.sin(t) - 0.5
    y = outline.centre_px[1] + right * math.sin(t) + down * math.cos(t) - 0.5
    blurred = cv2.GaussianBlur(ink, (0, 0), max(0.5, outline.size_px[0] / 400))
    rolled = cv2.remap(blurred, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderValue=0)
    return np.asarray(rolled, np.float32)


def _of_round(rolled: NDArray[np.float32], page_turn_deg: float) -> Upright:
    """Return the turn of a round seal: by a star's five points, or by the text alone."""
    filled = _filled(rolled)
    star = find_star(rolled)
    if star is None:
        return _without_star(rolled, filled, page_turn_deg)
    turns = np.array([wrapped(star.point_deg + 72 * k) for k in range(5)])
    worth = _by_text(filled, turns) + _by_line(rolled, turns, star) + _by_page(turns, page_turn_deg)
    return _chosen(turns, worth, least=1.0)


def _without_star(rolled: NDArray[np.float32], filled: NDArray[np.float64], page_turn_deg: float) -> Upright:
    every = np.arange(0.0, 360.0, 360 / _SECTORS)
    worth = _by_text(filled, every) + _by_page(every, page_turn_deg)
    up = float(every[int(np.argmax(worth))])
    axis = _mirror_axis(rolled, up)
    # Of other directions only those count that are not near by.
    rivals = np.array([up, *(up + k for k in range(45, 316, 15))])
    rival_worth = np.array([worth[round(between(r, 360) % 360 / 5) % _SECTORS] for r in rivals])
    chosen = _chosen(rivals, rival_worth, least=_NO_STAR_SURE)
    return Upright(wrapped(axis), chosen.confidence, (wrapped(axis + 180),))


def _of_ellipse(rolled: NDArray[np.float32], tilt_deg: float, page_turn_deg: float) -> Upright:
    turns = np.array([0.0, 180.0])
    worth = 0.5 * _by_text(_filled(rolled), turns) + _by_page(turns, page_turn_deg - tilt_deg)
    chosen = _chosen(turns, worth, least=1.0)
    return Upright(
        wrapped(chosen.angle_deg + tilt_deg),
        chosen.confidence,
        tuple(wrapped(other + tilt_deg) for other in chosen.alternatives),
    )


def _chosen(turns: NDArray[np.float64], worth: NDArray[np.float64], *, least: float) -> Upright:
    """Return the best of some turns, sure by as much as it is likelier than the others."""
    order = np.argsort(-worth, kind="stable")
    odds = np.exp(worth[order] - worth[order[0]])
    likely = 1 / float(odds.sum())
    rest = tuple(wrapped(float(turns[i])) for i in order[1:])
    # Chance alone makes the best of n as likely as one in n.
    return Upright(wrapped(float(turns[order[0]])), min(least, max(0.0, (likely - 0.5) * 2)), rest)


def _filled(rolled: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return for each sector how much of a letter's ink lies in the band of the name, 0..1."""
    band = rolled[:, round(_TEXT_BAND[0] * _RADII) : round(_TEXT_BAND[1] * _RADII)].mean(1)
    smooth = _smooth(np.asarray(band, np.float64), 25)
    usual = max(0.02, 0.6 * float(np.percentile(smooth, 80)))
    sectors = np.minimum(1.0, smooth / usual).reshape(_SECTORS, -1).mean(1)
    return np.asarray(sectors, np.float64)


def _by_text(filled: NDArray[np.float64], turns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each turn how likely the name would lie so, as a logarithm.

    The name covers a span evenly about the top, whatever its length; ink below it speaks more
    against a turn than missing letters do.
    """
    gain = filled * math.log(_INKED / _BARE) + (1 - filled) * math.log((1 - _INKED) / (1 - _BARE))
    width = 360 / _SECTORS
    # Sectors start at a multiple of 5 degrees; half a sector on lies the middle of the first.
    twice = np.concatenate([gain, gain, gain])
    total = np.concatenate([[0.0], np.cumsum(twice)])
    at = np.arange(len(total), dtype=np.float64)
    worth = np.full(len(turns), -np.inf)
    for span in _SPANS_DEG:
        middle = turns % 360 / width + _SECTORS
        inside = np.interp(middle + span / 2 / width, at, total) - np.interp(
            middle - span / 2 / width, at, total
        )
        worth = np.maximum(worth, inside)
    return _INDEPENDENT * worth


def _by_line(rolled: NDArray[np.float32], turns: NDArray[np.float64], star: Star) -> NDArray[np.float64]:
    """Return for each turn what a line of text across the lower half says for it."""
    inner = max(_LINE_BAND[0], star.radius + 0.03)
    if inner > _LINE_BAND[1] - 0.03:
        return np.zeros(len(turns))
    band = np.asarray(rolled[:, round(inner * _RADII) : round(_LINE_BAND[1] * _RADII)].mean(1), np.float64)
    sectors = band.reshape(_SECTORS, -1).mean(1)
    ink = float(sectors.sum())
    if ink < 0.02 * _SECTORS:
        return np.zeros(len(turns))
    middle_deg = (np.arange(_SECTORS) + 0.5) * 360 / _SECTORS
    x = float((sectors * np.sin(np.radians(middle_deg))).sum()) / ink
    y = float((sectors * np.cos(np.radians(middle_deg))).sum()) / ink
    down = math.degrees(math.atan2(x, y))
    return _LINE_WEIGHT * math.hypot(x, y) * np.cos(np.radians(turns + 180 - down))


def _by_page(turns: NDArray[np.float64], page_turn_deg: float) -> NDArray[np.float64]:
    return np.asarray(_PAGE_WEIGHT * np.cos(np.radians(turns - page_turn_deg)), np.float64)


def _mirror_axis(rolled: NDArray[np.float32], near_deg: float) -> float:
    """Return the axis within 25 degrees of a guess about which the name is most nearly its own mirror.

    Its two ends decide: letters are evened out, or half a letter's pitch would do as well.
    """
    step = 360 / _TURNS
    band = rolled[:, round(_TEXT_BAND[0] * _RADII) : round(_TEXT_BAND[1] * _RADII)].mean(1)
    smooth = _smooth(np.asarray(band, np.float64), 49)
    spread = np.fft.rfft(np.minimum(1.0, smooth / max(0.02, 0.35 * float(np.percentile(smooth, 80)))))
    mirrored = np.fft.irfft(spread * spread, n=_TURNS)
    axes = np.arange(-25, 25 + step / 2, step / 2) + near_deg
    scores = mirrored[np.round(2 * axes / step).astype(int) % _TURNS]
    best = np.nonzero(scores >= scores.max() - 1e-9)[0]
    return float(axes[best].mean())


def _smooth(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    padded = np.concatenate([values[-window:], values, values[:window]])
    kernel = np.hanning(window + 2)[1:-1]
    return np.convolve(padded, kernel / kernel.sum(), "same")[window:-window]
