"""Lays impressions of one seal exactly over each other, or tells that they are not of one seal."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.compose import box_from_target, warp_ink
from seal_imaging.impression import Impression, InkAmount, SealShape

SIZE_TOLERANCE = 0.045
"""Impressions of one seal differ by less in width and height."""
SAME_SEAL = 0.85
SAME_FRAMED_SEAL = 0.76
"""Likeness from which two impressions are of one seal.

Measured on drawn seals: impressions of one round seal reach 0.98 printed over,
of two with a common 有限公司 0.83; of one name seal 0.79 printed over, of two with a common 之印 0.82
clean, so that name seals as like as these are taken for one.
"""
ALLOWANCE = 0.25
"""How much less alike badly inked impressions may be, times the share of the outline that lacks."""
_COARSE_SIDE_PX = 240
_ANGLES = 720
_CANDIDATES = 4
_MAX_SHIFT = 0.06
_PLACE_ROUND = 0.02
_PLACE_FRAMED = 0.035
"""About half a character, as a share of the frame: name seals have few and large ones."""
_WORST = 0.2
"""Share of the ink that may agree less than the likeness says."""
_NEARBY = 0.02
"""How far around a pixel its neighbourhood reaches, as a share of the frame."""


@dataclass(frozen=True, eq=False)
class Registered:
    """An impression laid over another.

    Attributes:
        ink: over the reference's frame.
        likeness: how far the characters agree, 0..1.
        is_same_seal: it is high enough for this shape of seal.
    """

    ink: InkAmount
    likeness: float
    is_same_seal: bool


def frame_of(reference: Impression) -> tuple[int, int]:
    """Return w, h of the flat frame an impression's own figures are in."""
    if reference.flatten is None:
        return reference.box_px[2], reference.box_px[3]
    return (
        math.ceil(reference.centre_px[0] * 2),
        math.ceil(reference.centre_px[1] * 2),
    )


def may_be_one_seal(a: Impression, b: Impression) -> bool:
    """Tell whether shape, colour and size allow two impressions to be of one seal."""
    if a.shape is not b.shape or a.colour is not b.colour:
        return False
    sizes = (a.size_mm, b.size_mm) if a.size_mm and b.size_mm else (a.size_px, b.size_px)
    return all(abs(p - q) <= SIZE_TOLERANCE * max(p, q) for p, q in zip(*sizes, strict=True))


def register(reference: Impression, moving: Impression) -> Registered:
    """Return `moving` laid over `reference`.

    The turns that shape and text allow are tried on small pictures, each shifted into place by
    phase correlation; the one whose text agrees best is refined by ECC.

    Source: Evangelidis & Psarakis, "Parametric image alignment using enhanced correlation
    coefficient maximization", 2008. A star and a ring look alike after a fifth of a turn: only
    what lies between them is compared.
    """
    width, height = frame_of(reference)
    scale = reference.px_per_mm or 1.0
    moving_scale = moving.px_per_mm or scale * moving.size_px[0] / reference.size_px[0]
    if reference.px_per_mm is None:
        moving_scale = scale * moving.size_px[0] / reference.size_px[0]
    centre = reference.centre_px

    fixed = flat_ink(reference)
    shrink = min(1.0, _COARSE_SIDE_PX / max(width, height))
    small_fixed = _calm(cv2.resize(fixed, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA))
    inside = _text_mask(reference, (small_fixed.shape[0], small_fixed.shape[1]), shrink)

    def laid(turn_deg: float, shift: tuple[float, float], at: float, size: tuple[int, int]) -> InkAmount:
        matrix = box_from_target(
            moving,
            target_px_per_mm=scale * at,
            target_centre=(centre[0] * at + shift[0], centre[1] * at + shift[1]),
            target_turn_deg=reference.angle_deg + turn_deg,
            px_per_mm=moving_scale,
        )
        return warp_ink(moving, matrix, size)

    small_size = (small_fixed.shape[1], small_fixed.shape[0])
    start = _calm(laid(0.0, (0.0, 0.0), shrink, small_size))
    small_centre = (centre[0] * shrink, centre[1] * shrink)
    best = (-2.0, 0.0, (0.0, 0.0))
    for turn in _turns(reference, small_fixed, start, small_centre, shrink):
        tried = _calm(laid(turn, (0.0, 0.0), shrink, small_size))
        window = cv2.createHanningWindow(small_size, cv2.CV_32F)
        (dx, dy), _ = cv2.phaseCorrelate(small_fixed, tried, window)
        shift = (0.0, 0.0)
        if math.hypot(dx, dy) < _MAX_SHIFT * max(small_size):
            moved = _calm(laid(turn, (-dx, -dy), shrink, small_size))
            if _likeness(small_fixed, moved, inside) > _likeness(small_fixed, tried, inside):
                tried, shift = moved, (-dx, -dy)
        likeness = _likeness(small_fixed, tried, inside)
        if likeness > best[0]:
            best = (likeness, turn, shift)
    _, turn, (dx, dy) = best
    rough = laid(turn, (dx / shrink, dy / shrink), 1.0, (width, height))
    fine = _refined(fixed, rough, scale_px=max(1.0, max(width, height) / 500))
    text = _text_mask(reference, (height, width), 1.0)
    laid_over = [(_likeness(_calm(fixed), _calm(ink), text), ink) for ink in (fine, rough)]
    ink = laid_over[0][1] if laid_over[0][0] >= laid_over[1][0] else laid_over[1][1]
    is_framed = reference.shape in (SealShape.SQUARE, SealShape.RECTANGLE)
    place_px = (_PLACE_FRAMED if is_framed else _PLACE_ROUND) * max(width, height)
    likeness = _agreement(fixed, ink, text, place_px=place_px)
    lacking = 1 - min(reference.quality.outline, moving.quality.outline)
    enough = (SAME_FRAMED_SEAL if is_framed else SAME_SEAL) - ALLOWANCE * lacking
    return Registered(ink, likeness, likeness >= enough)


def flat_ink(impression: Impression) -> InkAmount:
    """Return an impression's ink over its own flat frame."""
    if impression.flatten is None:
        return impression.ink
    return warp_ink(
        impression, np.linalg.inv(np.array(impression.flatten).reshape(3, 3)), frame_of(impression)
    )


def _calm(ink: InkAmount) -> InkAmount:
    return np.asarray(cv2.GaussianBlur(ink, (0, 0), 1.2), np.float32)


def _likeness(a: InkAmount, b: InkAmount, where: NDArray[np.bool_]) -> float:
    """Return the correlation of two inks over part of the frame, as far as both have ink thereabouts.

    Where one got no ink there is nothing to compare: a missing stroke is not another stroke.
    """
    sigma = max(1.0, _NEARBY * max(a.shape))
    both = np.minimum(cv2.GaussianBlur(a, (0, 0), sigma), cv2.GaussianBlur(b, (0, 0), sigma))
    weight = both[where].astype(np.float64)
    total = float(weight.sum())
    if total <= 0:
        return 0.0
    p, q = a[where].astype(np.float64), b[where].astype(np.float64)
    p, q = p - (p * weight).sum() / total, q - (q * weight).sum() / total
    power = math.sqrt(float((p * p * weight).sum()) * float((q * q * weight).sum()))
    return float((p * q * weight).sum()) / power if power > 0 else 0.0


def _agreement(a: InkAmount, b: InkAmount, where: NDArray[np.bool_], *, place_px: float) -> float:
    """Return how far two inks agree, 0..1, where a missing stroke is no disagreement but another one is.

    Around a place where ink did not arrive, one impression has strokes the other lacks, but not
    the other way round. Where two seals bear different characters, each has what the other lacks.

    Args:
        place_px: sigma of the neighbourhood within which strokes are set against each other.
    """
    slack_px = max(1, round(0.003 * max(a.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * slack_px + 1, 2 * slack_px + 1))

    def around(values: InkAmount) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), max(1.0, place_px))[where], np.float64)

    only_a = around(np.maximum(a - cv2.dilate(b, kernel), 0))
    only_b = around(np.maximum(b - cv2.dilate(a, kernel), 0))
    shared = around(np.minimum(a, b))
    against = 2 * np.minimum(only_a, only_b)
    local = shared / np.maximum(shared + against, 1e-6)
    weight = shared + against
    order = np.argsort(local)
    share = np.cumsum(weight[order])
    if share.size == 0 or share[-1] <= 0:
        return 0.0
    return float(local[order][int(np.searchsorted(share, _WORST * share[-1]))])


def _text_mask(reference: Impression, shape: tuple[int, int], at: float) -> NDArray[np.bool_]:
    """Return where a seal's text lies: inside its border, and outside the star of a round one."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    x, y = columns - reference.centre_px[0] * at, rows - reference.centre_px[1] * at
    turn = math.radians(reference.angle_deg)
    u = (x * math.cos(turn) + y * math.sin(turn)) / (reference.size_px[0] * at / 2)
    v = (y * math.cos(turn) - x * math.sin(turn)) / (reference.size_px[1] * at / 2)
    if reference.shape is SealShape.CIRCLE:
        radius = np.hypot(u, v)
        return np.asarray((radius > 0.42) & (radius < 0.92), np.bool_)
    if reference.shape is SealShape.ELLIPSE:
        return np.asarray(np.hypot(u, v) < 0.92, np.bool_)
    return np.asarray(np.maximum(np.abs(u), np.abs(v)) < 0.84, np.bool_)


def _turns(
    reference: Impression,
    fixed: InkAmount,
    moving: InkAmount,
    centre: tuple[float, float],
    at: float,
) -> list[float]:
    """Return the turns, clockwise, by which the moving ink may have to be turned further."""
    if reference.shape is not SealShape.CIRCLE:
        step = 90 if reference.shape is SealShape.SQUARE else 180
        return [float(turn) for turn in range(0, 360, step)]
    radius = reference.size_px[0] * at / 2
    polar = [_polar(ink, centre, radius) for ink in (fixed, moving)]
    spectrum = np.conj(np.fft.rfft(polar[1], axis=0)) * np.fft.rfft(polar[0], axis=0)
    match = np.fft.irfft(spectrum.sum(1), n=_ANGLES)
    turns = [0.0]
    for _ in range(_CANDIDATES):
        peak = int(np.argmax(match))
        turns.append(peak * 360 / _ANGLES)
        match[np.arange(peak - 12, peak + 13) % _ANGLES] = -np.inf
    return turns


def _polar(ink: InkAmount, centre: tuple[float, float], radius: float) -> NDArray[np.float64]:
    """Return the text annulus over angle (rows, clockwise) and radius, without its mean, by length of arc."""
    theta = np.linspace(0, 2 * math.pi, _ANGLES, endpoint=False)
    r = np.arange(0.42 * radius, 0.92 * radius)
    x = (centre[0] - 0.5 + np.outer(np.cos(theta), r)).astype(np.float32)
    y = (centre[1] - 0.5 + np.outer(np.sin(theta), r)).astype(np.float32)
    rolled = cv2.remap(ink, x, y, cv2.INTER_LINEAR, borderValue=0).astype(np.float64)
    return np.asarray((rolled - rolled.mean(0)) * np.sqrt(r)[None], np.float64)


def _refined(fixed: InkAmount, rough: InkAmount, *, scale_px: float) -> InkAmount:
    """Return the rough ink turned and shifted for the best correlation; as it is when ECC finds none."""
    matrix = np.eye(2, 3, dtype=np.float32)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 60, 1e-5)
    try:
        for sigma in (3.0 * scale_px, 1.2 * scale_px):
            _, matrix = cv2.findTransformECC(
                cv2.GaussianBlur(fixed, (0, 0), sigma),
                cv2.GaussianBlur(rough, (0, 0), sigma),
                matrix,
                cv2.MOTION_EUCLIDEAN,
                stop,
                None,
                1,
            )
    except cv2.error:
        return rough
    size = (rough.shape[1], rough.shape[0])
    moved = cv2.warpAffine(rough, matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderValue=0)
    return np.asarray(np.clip(moved, 0, 1), np.float32)
