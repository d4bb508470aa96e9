"""Lays impressions of one seal exactly over each other, or tells that they are not of one seal."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.agreement import NEAR_LARGE, agreement_map, likeness, overlap, text_mask, worst_share
from seal_imaging.align import Motion, align
from seal_imaging.impression import Impression, InkAmount, SealShape
from seal_imaging.warping import Matrix, box_from_target, lay, lay_ink

SIZE_TOLERANCE = 0.045
"""Impressions of one seal differ by less in width and height."""
_COARSE_SIDE_PX = 240
_FINE_SIDE_PX = 500
"""Longest sides at which impressions are laid over each other; 42 mm at 300 dpi are 500 px."""
_ANGLES = 720
_PEAKS = 4
_REFINED = 3
"""Turns a polar picture suggests, and how many of them are looked at closely."""
_MAX_SHIFT = 0.06
_PLACE = 0.014
_PLACE_SQUARE = 0.02
"""Sigma of the places compared, as a share of the frame; name seals have few and large characters."""
_DOUBTFUL = 0.10
_WORST = 0.02
"""Shares of the ink that may agree less than the agreement, and than the worst of it."""


@dataclass(frozen=True, eq=False)
class Registered:
    """An impression laid over another.

    Attributes:
        box_from_flat: the map from pixels of the reference's flat frame to the moving one's box.
        ink: the moving ink over it.
        agreement: how far the characters agree, but for a tenth of their ink, 0..1.
        worst: how far they agree, but for a fiftieth.
    """

    box_from_flat: Matrix
    ink: InkAmount
    agreement: float
    worst: float


def frame_of(reference: Impression) -> tuple[int, int]:
    """Return w, h of the flat frame an impression's own figures are in."""
    if reference.flatten is None:
        return reference.box_px[2], reference.box_px[3]
    return (
        math.ceil(reference.centre_px[0] * 2),
        math.ceil(reference.centre_px[1] * 2),
    )


def box_from_own_flat(impression: Impression) -> Matrix:
    """Return the map from an impression's flat frame to its box."""
    if impression.flatten is None:
        return np.eye(3)
    return np.asarray(np.linalg.inv(np.array(impression.flatten).reshape(3, 3)), np.float64)


def may_be_one_seal(a: Impression, b: Impression) -> bool:
    """Tell whether shape, colour and size allow two impressions to be of one seal."""
    if a.shape is not b.shape or a.colour is not b.colour:
        return False
    sizes = (a.size_mm, b.size_mm) if a.size_mm and b.size_mm else (a.size_px, b.size_px)
    return all(abs(p - q) <= SIZE_TOLERANCE * max(p, q) for p, q in zip(*sizes, strict=True))


def register(reference: Impression, moving: Impression, *, motion: Motion | None = None) -> Registered:
    """Return `moving` laid over `reference`.

    The turns that shape and text allow are tried on small pictures, each shifted into place by
    phase correlation; those whose text agrees best are refined, the best of these to the end. A star
    and a ring look alike after a fifth of a turn: only what lies between them is compared.

    Args:
        motion: what the seal may do; unless given it keeps its size when both scales are known.
    """
    has_scales = reference.px_per_mm is not None and moving.px_per_mm is not None
    motion = motion or (Motion.RIGID if has_scales else Motion.SIMILAR)
    coarse = _View(reference, moving, _COARSE_SIDE_PX)
    tried = sorted((coarse.shifted(turn) for turn in _turns(coarse)), key=lambda guess: -guess[0])
    closer = [coarse.refined(matrix, Motion.RIGID, (3.0, 1.5)) for _, matrix in tried[:_REFINED]]
    start = max([*closer, tried[0][1]], key=coarse.standing)
    fine = _View(reference, moving, _FINE_SIDE_PX)
    found = fine.refined(start, motion, (2.5, 1.0))
    agreement, worst, _ = fine.agreement(found)
    return Registered(found, lay_ink(moving, found, frame_of(reference)), agreement, worst)


class _View:
    """Two impressions seen at one resolution over the reference's flat frame."""

    def __init__(self, reference: Impression, moving: Impression, side_px: int) -> None:
        self.reference, self.moving = reference, moving
        width, height = frame_of(reference)
        self.at = min(1.0, side_px / max(width, height))
        self.size = (max(8, round(width * self.at)), max(8, round(height * self.at)))
        self.flat_from_view = np.diag([1 / self.at, 1 / self.at, 1.0])
        self.fixed = self._seen(reference, box_from_own_flat(reference))
        self.calm = _calm(self.fixed)
        self.fixed_trust = self._clear(reference, box_from_own_flat(reference))
        self.text = text_mask(reference, (self.size[1], self.size[0]), self.at)

    def seen(self, box_from_flat: Matrix) -> InkAmount:
        """Return the moving ink."""
        return self._seen(self.moving, box_from_flat)

    def _seen(self, impression: Impression, box_from_flat: Matrix) -> InkAmount:
        return lay_ink(impression, box_from_flat @ self.flat_from_view, self.size)

    def _clear(self, impression: Impression, box_from_flat: Matrix) -> NDArray[np.float32]:
        """Return where no print hides the ink, 0..1."""
        if impression.covered is None:
            return np.ones(self.size[::-1], np.float32)
        covered = lay(impression.covered, box_from_flat @ self.flat_from_view, self.size)
        near = cv2.dilate(covered, np.ones((3, 3), np.uint8))
        return np.asarray(1 - np.clip(2 * near, 0, 1), np.float32)

    def placed(self, turn_deg: float, shift_px: tuple[float, float] = (0.0, 0.0)) -> Matrix:
        """Return the map from flat reference to moving box by the figures both came with."""
        reference, moving = self.reference, self.moving
        scale = reference.px_per_mm or 1.0
        moving_scale = moving.px_per_mm
        if reference.px_per_mm is None or moving_scale is None:
            moving_scale = scale * moving.size_px[0] / reference.size_px[0]
        centre = reference.centre_px
        return box_from_target(
            moving,
            target_px_per_mm=scale,
            target_centre=(centre[0] + shift_px[0] / self.at, centre[1] + shift_px[1] / self.at),
            target_turn_deg=reference.angle_deg + turn_deg,
            px_per_mm=moving_scale,
        )

    def shifted(self, turn_deg: float) -> tuple[float, Matrix]:
        """Return the likeness after a turn and the best shift, and the map."""
        matrix = self.placed(turn_deg)
        tried = _calm(self.seen(matrix))
        best = (likeness(self.calm, tried, self.text), matrix)
        (dx, dy), _ = cv2.phaseCorrelate(self.calm, tried, cv2.createHanningWindow(self.size, cv2.CV_32F))
        if math.hypot(dx, dy) < _MAX_SHIFT * max(self.size):
            matrix = self.placed(turn_deg, (-dx, -dy))
            moved = likeness(self.calm, _calm(self.seen(matrix)), self.text)
            if moved > best[0]:
                best = (moved, matrix)
        return best

    def refined(self, box_from_flat: Matrix, motion: Motion, sigmas_px: tuple[float, ...]) -> Matrix:
        """Return the map after alignment, from the coarsest smoothing to the finest."""
        view_from_flat = np.linalg.inv(self.flat_from_view)
        for sigma_px in sigmas_px:
            moving = self.seen(box_from_flat)
            trust = self.fixed_trust * self._clear(self.moving, box_from_flat)
            found = align(self.fixed, moving, trust, motion=motion, sigma_px=sigma_px)
            box_from_flat = box_from_flat @ self.flat_from_view @ found @ view_from_flat
        return box_from_flat

    def standing(self, box_from_flat: Matrix) -> float:
        """Return what tells the right turn from others: agreement, and that much ink agrees."""
        least, _, shared = self.agreement(box_from_flat)
        return least * shared

    def agreement(self, box_from_flat: Matrix) -> tuple[float, float, float]:
        """Return how far the texts agree, but for a tenth and for a fiftieth of their ink; their overlap."""
        is_square = self.reference.shape is SealShape.SQUARE
        place_px = (_PLACE_SQUARE if is_square else _PLACE) * max(self.size)
        trust = self.fixed_trust * self._clear(self.moving, box_from_flat)
        moving = self.seen(box_from_flat)
        near = {"near": NEAR_LARGE} if is_square else {}
        local, evidence = agreement_map(self.fixed, moving, trust, place_px=place_px, **near)
        least, worst = (worst_share(local, evidence, self.text, share) for share in (_DOUBTFUL, _WORST))
        return least, worst, overlap(self.fixed, moving, np.where(self.text, trust, np.float32(0)))


def flat_ink(impression: Impression) -> InkAmount:
    """Return an impression's ink over its own flat frame."""
    if impression.flatten is None:
        return impression.ink
    return lay_ink(impression, box_from_own_flat(impression), frame_of(impression))


def _calm(ink: InkAmount) -> InkAmount:
    return np.asarray(cv2.GaussianBlur(ink, (0, 0), 1.2), np.float32)


def _turns(view: _View) -> list[float]:
    """Return the turns, clockwise, by which the moving ink may have to be turned further."""
    reference = view.reference
    if reference.shape is SealShape.FREEFORM:
        return [0.0]
    if reference.shape is not SealShape.CIRCLE:
        step = 90 if reference.shape is SealShape.SQUARE else 180
        return [float(turn) for turn in range(0, 360, step)]
    centre = (reference.centre_px[0] * view.at, reference.centre_px[1] * view.at)
    radius = reference.size_px[0] * view.at / 2
    polar = [_polar(ink, centre, radius) for ink in (view.calm, _calm(view.seen(view.placed(0.0))))]
    spectrum = np.conj(np.fft.rfft(polar[1], axis=0)) * np.fft.rfft(polar[0], axis=0)
    match = np.fft.irfft(spectrum.sum(1), n=_ANGLES)
    turns = [0.0]
    for _ in range(_PEAKS):
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
