"""Tells which way is up in a seal from its star, its text and its long side."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import InkAmount, SealShape
from seal_imaging.shape import Outline

_TURNS = 720
_RADII = 100
_STAR_BAND = (0.14, 0.30)
_TEXT_BAND = (0.60, 0.91)
_MIN_STAR = 0.25
_STAR_REACH = 0.50


def find_angle(ink: InkAmount, outline: Outline, *, page_turn_deg: float = 0.0) -> float:
    """Return how far the seal is turned clockwise, -180..180.

    Round seals are read off the star and off the text, which lies like a horseshoe open at the
    bottom. The others are told from their sides only; of the angles a square, an ellipse or a
    rectangle may then have, the one nearest to the page's own turn is taken.
    """
    if outline.shape is SealShape.CIRCLE:
        return _of_round(unroll(ink, outline), page_turn_deg)
    period = 90.0 if outline.shape is SealShape.SQUARE else 180.0
    off = outline.angle_deg - page_turn_deg
    return _wrapped(page_turn_deg + (off + period / 2) % period - period / 2)


def unroll(ink: InkAmount, outline: Outline) -> NDArray[np.float32]:
    """Return the ink over angle (rows, clockwise from the top) and radius (columns, 0..1)."""
    theta = np.linspace(0, 2 * math.pi, _TURNS, endpoint=False)
    radius = (np.arange(_RADII) + 0.5) / _RADII * outline.size_px[0] / 2
    x = outline.centre_px[0] + np.outer(np.sin(theta), radius) - 0.5
    y = outline.centre_px[1] - np.outer(np.cos(theta), radius) - 0.5
    blurred = cv2.GaussianBlur(ink, (0, 0), max(0.5, outline.size_px[0] / 400))
    rolled = cv2.remap(blurred, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderValue=0)
    return np.asarray(rolled, np.float32)


def _band(rolled: NDArray[np.float32], band: tuple[float, float]) -> NDArray[np.float64]:
    """Return the ink at each angle in a band of radii."""
    part = rolled[:, round(band[0] * _RADII) : round(band[1] * _RADII)]
    return np.asarray(part.mean(1), np.float64)


def _of_round(rolled: NDArray[np.float32], page_turn_deg: float) -> float:
    text = _band(rolled, _TEXT_BAND)
    filled = np.minimum(1.0, _smooth(text, 25) / max(1e-6, 0.5 * float(np.percentile(text, 80))))
    harmonic = np.fft.rfft(filled)[1] / len(filled)
    up = math.degrees(-np.angle(harmonic)) if abs(harmonic) > 0.02 else page_turn_deg
    star = np.fft.rfft(_band(rolled, _STAR_BAND))
    others = np.abs(star[[1, 2, 3, 4, 6, 7]]).max()
    if abs(star[5]) > _MIN_STAR * max(1e-6, abs(star[0])) and abs(star[5]) > others:
        point = _star_point(rolled, math.degrees(-np.angle(star[5])) / 5)
        turns = round((up - point) / 72)
        return _wrapped(point + 72 * turns)
    return _wrapped(_mirror_axis(filled, up))


def _star_point(rolled: NDArray[np.float32], near_deg: float) -> float:
    """Return the turn of a five-pointed star within 10 degrees of a guess, whatever its size.

    Its edges decide; ink that is missing inside it does not.
    """
    columns = round(_STAR_REACH * _RADII)
    radius = (np.arange(columns) + 0.5) / _RADII
    ink = (rolled[:, :columns].astype(np.float64) - 0.5) * radius
    spectrum = np.fft.rfft(ink, axis=0)
    step = 360 / _TURNS
    from_point = (np.arange(_TURNS) * step + 36) % 72 - 36
    scores = []
    for outer in np.arange(0.22, _STAR_REACH - 0.03, 0.01):
        # The edge from a point at 0 to a notch at 36 degrees (radius 0.382) is a straight line.
        edge = outer * math.sin(math.radians(18)) / np.sin(np.radians(18 + np.abs(from_point)))
        star = np.where(radius[None] < edge[:, None], 1.0, -1.0)
        match = np.fft.irfft((np.conj(np.fft.rfft(star, axis=0)) * spectrum).sum(1), n=_TURNS)
        scores.append(match)
    match = np.array(scores)
    rows = np.arange(round((near_deg - 10) / step), round((near_deg + 10) / step) + 1)
    near = match[:, rows % _TURNS]
    size, at = np.unravel_index(int(np.argmax(near)), near.shape)
    before, here, after = (match[size, (rows[at] + k) % _TURNS] for k in (-1, 0, 1))
    bend = before - 2 * here + after
    between = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return float((rows[at] + np.clip(between, -0.5, 0.5)) * step)


def _mirror_axis(filled: NDArray[np.float64], near_deg: float) -> float:
    """Return the axis within 25 degrees of a guess about which the text is most nearly its own mirror."""
    step = 360 / _TURNS
    spread = np.fft.rfft(_smooth(filled, 9))
    mirrored = np.fft.irfft(spread * spread, n=_TURNS)
    axes = np.arange(-25, 25 + step / 2, step / 2) + near_deg
    scores = mirrored[np.round(2 * axes / step).astype(int) % _TURNS]
    best = np.nonzero(scores >= scores.max() - 1e-9)[0]
    return float(axes[best].mean())


def _smooth(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    padded = np.concatenate([values[-window:], values, values[:window]])
    kernel = np.hanning(window + 2)[1:-1]
    return np.convolve(padded, kernel / kernel.sum(), "same")[window:-window]


def _wrapped(angle_deg: float) -> float:
    return (angle_deg + 180.0) % 360.0 - 180.0
