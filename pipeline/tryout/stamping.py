"""Stamps impressions onto a page of light: how the ink leaves the seal and arrives."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.tryout.artwork import ARTWORK_PX_PER_MM, Artwork
from pipeline.tryout.looks import PageLook

_SUPERSAMPLING = 3
_DRAG_STEPS = 12
_DRAGGED_INK = 0.85
_SECOND_TURN_DEG = 1.2
_SECOND_DENSITY = (0.55, 0.95)
_ROOM_MM = 1.1
"""Between strokes farther apart than twice this, ink does not run together."""

Layer = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ImpressionTruth:
    """All there is to know of one impression drawn.

    Attributes:
        seal_index: which of the seals handed in.
        box_px: x, y, w, h around the seal on the page; beyond the page where the seal is cut off.
        angle_deg: clockwise turn on the page.
        centre_px: x, y on the page (0, 0 = outer corner of the first pixel).
        mask: (h, w) over box_px, where the ink went.
        design: (h, w) over box_px, where a perfect impression would have ink.
        printed: (h, w) over box_px, where print or writing lies over the impression.
    """

    seal_index: int
    box_px: tuple[int, int, int, int]
    size_mm: tuple[float, float]
    angle_deg: float
    centre_px: tuple[float, float]
    mask: NDArray[np.bool_]
    design: NDArray[np.bool_]
    printed: NDArray[np.bool_]


@dataclass(frozen=True)
class _Patch:
    """The part of the page under one seal: its box on the page, and the seal's turn and place in it."""

    x: int
    y: int
    w: int
    h: int
    centre_px: tuple[float, float]
    scale: float

    def lay(self, drawing: Layer, angle_deg: float, moved_px: tuple[float, float] = (0.0, 0.0)) -> Layer:
        """Return the drawing turned and in place, supersampled."""
        height, width = drawing.shape
        theta = math.radians(angle_deg)
        cos, sin = math.cos(theta), math.sin(theta)
        fine = self.scale * _SUPERSAMPLING
        cx, cy = self.centre_px[0] + moved_px[0], self.centre_px[1] + moved_px[1]
        to_patch = np.array(
            [
                [
                    fine * cos,
                    -fine * sin,
                    (cx - self.x) * _SUPERSAMPLING - 0.5 - fine * (cos * width - sin * height) / 2,
                ],
                [
                    fine * sin,
                    fine * cos,
                    (cy - self.y) * _SUPERSAMPLING - 0.5 - fine * (sin * width + cos * height) / 2,
                ],
            ]
        )
        size = (self.w * _SUPERSAMPLING, self.h * _SUPERSAMPLING)
        return np.asarray(cv2.warpAffine(drawing, to_patch, size, flags=cv2.INTER_LINEAR), np.float32)

    def rest(self, fine: Layer) -> Layer:
        """Return a supersampled layer at the page's own resolution."""
        return np.asarray(cv2.resize(fine, (self.w, self.h), interpolation=cv2.INTER_AREA), np.float32)


def stamp(
    canvas: Layer,
    artwork: Artwork,
    index: int,
    *,
    centre_mm: tuple[float, float],
    px_per_mm: float,
    look: PageLook,
    rng: np.random.Generator,
) -> ImpressionTruth:
    """Stamp one impression: take light from `canvas` (H, W, 3; 0..1), in place. Return what was done."""
    angle_deg = _turn(look, rng)
    density = float(rng.uniform(*look.density))
    centre = (centre_mm[0] * px_per_mm, centre_mm[1] * px_per_mm)
    patch = _patch_under(artwork, angle_deg, centre, px_per_mm, look)
    x, y, w, h = patch.x, patch.y, patch.w, patch.h
    drawn = patch.lay(artwork.ink, angle_deg)
    design = patch.rest(drawn)
    coverage = patch.rest(_arrived(drawn, px_per_mm, rng))
    if look.missing > 0:
        blotches = smooth_noise(rng, (h, w), 3.0 * px_per_mm)
        limit = float(np.quantile(blotches, float(rng.uniform(look.least_missing, look.missing))))
        coverage = coverage * np.clip((blotches - limit) * 6 + 0.5, 0, 1)
    if look.spread_mm > 0:
        coverage = np.maximum(coverage, _run_out(design, look, px_per_mm, rng))
    if look.drag_mm > 0:
        coverage = _dragged(coverage, look.drag_mm * px_per_mm, float(rng.uniform(0, 2 * math.pi)))
    grain = np.clip(1 + 0.12 * smooth_noise(rng, (h, w), 0.3 * px_per_mm), 0.5, 1.4)
    if look.pressure > 0:
        lost = look.pressure * _ramp((h, w), float(rng.uniform(0, 2 * math.pi)))
        grain = grain * (1 - lost)
        holes = smooth_noise(rng, (h, w), 0.8 * px_per_mm)
        coverage = coverage * np.clip((holes + 3.0 - 2.6 * lost) * 6 + 0.5, 0, 1)
    optical = -np.log(np.array(artwork.ink_rgb, np.float32) / 255)
    passed = 1 - coverage[..., None] * (1 - np.exp(-density * grain[..., None] * optical))
    if look.second_strike_mm > 0:
        second = _second_strike(patch, artwork, angle_deg, px_per_mm, look, rng)
        weaker = density * float(rng.uniform(*_SECOND_DENSITY))
        passed *= 1 - second[..., None] * (1 - np.exp(-weaker * grain[..., None] * optical))
        coverage = np.maximum(coverage, second)
    top, left = max(0, y), max(0, x)
    bottom, right = min(canvas.shape[0], y + h), min(canvas.shape[1], x + w)
    canvas[top:bottom, left:right] *= passed[top - y : bottom - y, left - x : right - x].astype(np.float32)
    u, v, w, h = cv2.boundingRect((design > 0.5).astype(np.uint8))
    tight = (slice(v, v + h), slice(u, u + w))
    return ImpressionTruth(
        index,
        (x + u, y + v, w, h),
        artwork.size_mm,
        angle_deg,
        centre,
        np.asarray(coverage[tight] > 0.5),
        np.asarray(design[tight] > 0.5),
        np.zeros((h, w), np.bool_),
    )


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], cell_px: float) -> Layer:
    """Return noise with patches of about `cell_px`, sigma about 1."""
    small = rng.standard_normal((math.ceil(shape[0] / cell_px) + 3, math.ceil(shape[1] / cell_px) + 3))
    grown = cv2.resize(small.astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown / 0.7, dtype=np.float32)


def _turn(look: PageLook, rng: np.random.Generator) -> float:
    turn = float(rng.uniform(-look.turn_deg, look.turn_deg))
    if look.least_turn_deg > 0:
        least = look.least_turn_deg
        turn = math.copysign(least + (look.turn_deg - least) * abs(turn) / look.turn_deg, turn)
    return turn


def _patch_under(
    artwork: Artwork, angle_deg: float, centre: tuple[float, float], px_per_mm: float, look: PageLook
) -> _Patch:
    theta = math.radians(angle_deg)
    height, width = artwork.ink.shape
    cos, sin = math.cos(theta), math.sin(theta)
    scale = px_per_mm / ARTWORK_PX_PER_MM
    strays = math.ceil((3 * look.spread_mm + look.drag_mm + look.second_strike_mm) * px_per_mm)
    half_w = (abs(width * cos) + abs(height * sin)) * scale / 2 + strays
    half_h = (abs(width * sin) + abs(height * cos)) * scale / 2 + strays
    x, y = math.floor(centre[0] - half_w) - 1, math.floor(centre[1] - half_h) - 1
    w, h = math.ceil(centre[0] + half_w) + 1 - x, math.ceil(centre[1] + half_h) + 1 - y
    return _Patch(x, y, w, h, centre, scale)


def _arrived(drawn: Layer, px_per_mm: float, rng: np.random.Generator) -> Layer:
    """Return where ink arrives: rubber lets a drawing's edges grow and shrink by hundredths of a mm."""
    ragged = smooth_noise(rng, (drawn.shape[0], drawn.shape[1]), 0.25 * px_per_mm * _SUPERSAMPLING)
    rough = drawn + 0.16 * np.clip(ragged, -2.2, 2.2)
    rough = cv2.GaussianBlur(rough, (0, 0), 0.03 * px_per_mm * _SUPERSAMPLING)
    return np.asarray(np.clip((rough - 0.5) * 4 + 0.5, 0, 1), np.float32)


def _run_out(design: Layer, look: PageLook, px_per_mm: float, rng: np.random.Generator) -> Layer:
    """Return ink that ran out of the strokes, unevenly, and filled some of the room between them."""
    shape = (design.shape[0], design.shape[1])
    away_mm = cv2.distanceTransform((design < 0.5).astype(np.uint8), cv2.DIST_L2, 5) / px_per_mm
    reach_mm = look.spread_mm * np.clip(1 + 0.45 * smooth_noise(rng, shape, 2.5 * px_per_mm), 0.1, 2.5)
    ran = np.clip((reach_mm - away_mm) / 0.08 + 0.5, 0, 1)
    side = 2 * max(1, round(_ROOM_MM * px_per_mm)) + 1
    between = cv2.morphologyEx(
        (design > 0.5).astype(np.uint8),
        cv2.MORPH_CLOSE,
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)),
    )
    pools = smooth_noise(rng, shape, 4.0 * px_per_mm)
    limit = float(np.quantile(pools, 1 - look.flooded))
    flood = between * np.clip((pools - limit) * 3, 0, 1) * (look.flooded > 0)
    return np.asarray(np.maximum(ran, flood), np.float32)


def _dragged(coverage: Layer, drag_px: float, direction: float) -> Layer:
    """Return the ink with the trail it leaves when the seal slides."""
    smeared = coverage.copy()
    height, width = coverage.shape
    for part in np.linspace(0, 1, _DRAG_STEPS + 1)[1:]:
        dx, dy = (float(part * drag_px * v) for v in (math.cos(direction), math.sin(direction)))
        moved = cv2.warpAffine(coverage, np.array([[1, 0, dx], [0, 1, dy]], np.float64), (width, height))
        smeared = np.maximum(smeared, _DRAGGED_INK * (1 - 0.6 * part) * moved)
    return np.asarray(smeared, np.float32)


def _second_strike(
    patch: _Patch,
    artwork: Artwork,
    angle_deg: float,
    px_per_mm: float,
    look: PageLook,
    rng: np.random.Generator,
) -> Layer:
    direction = float(rng.uniform(0, 2 * math.pi))
    reach = look.second_strike_mm * px_per_mm
    moved = (reach * math.cos(direction), reach * math.sin(direction))
    turned = angle_deg + float(rng.uniform(-_SECOND_TURN_DEG, _SECOND_TURN_DEG))
    return patch.rest(_arrived(patch.lay(artwork.ink, turned, moved), px_per_mm, rng))


def _ramp(shape: tuple[int, int], direction: float) -> Layer:
    """Return a rise from 0 to 1 across a picture."""
    across = np.linspace(0, math.cos(direction), shape[1], dtype=np.float32)[None, :]
    down = np.linspace(0, math.sin(direction), shape[0], dtype=np.float32)[:, None]
    ramp = across + down
    return np.asarray((ramp - ramp.min()) / max(1e-6, float(np.ptp(ramp))), np.float32)
