"""Compares two seals: whether they are one, how far one is stretched or bent, and where they differ."""

import math
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.align import Motion
from seal_imaging.canvas import check_rgba
from seal_imaging.deform import displacement
from seal_imaging.errors import ImpressionUnusable
from seal_imaging.group import Kinship, kinship
from seal_imaging.impression import Impression, InkAmount, Quality, RgbaImage, RgbImage, SealShape
from seal_imaging.lifting import TYPICAL_SEAL_MM
from seal_imaging.register import box_from_own_flat, frame_of, register
from seal_imaging.separate import colour_of
from seal_imaging.shape import fit_outline
from seal_imaging.units import SEAL_PX_PER_MM
from seal_imaging.warping import Matrix, lay, lay_ink

MAX_STRETCH_PERCENT = 1.5
"""Rubber, paper and scanners stretch a seal by less."""
MAX_DEFORMATION_PERCENT = 0.2
WELL_INKED = 0.9
"""Outline from which small differences, as of a code's digits, are told from missing ink."""
MAX_UNSHARED = 0.035
"""Share of the ink of two well inked impressions of one seal that only one of them may have."""
_SLACK_MM = 0.16
_SIDE_PX = 500
_ONLY_A = (208, 52, 44)
_ONLY_B = (36, 92, 200)
_BOTH = (40, 40, 44)


class Difference(StrEnum):
    """What speaks against two impressions being of one seal."""

    SHAPE = "形状不同"
    SIZE = "尺寸不同"
    TEXT = "印文不同"
    DETAIL = "细部不同"
    DEFORMED = "变形"
    TOO_LITTLE_INK = "印迹不足"


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two seals laid over each other.

    Attributes:
        reasons: what speaks against one seal; empty when nothing does.
        likeness: how far their characters agree, 0..1.
        stretch_percent: by how much b is longer than a along a's width and height.
        size_difference_mm: the same in mm; None when a scale is unknown.
        deformation_percent: RMS of what is left of displacement after shift, turn and stretch, as a share
            of a's longer side.
        picture: a's frame: ink only in a red, only in b blue, in both dark, on white.
    """

    answer: Kinship
    reasons: tuple[Difference, ...]
    likeness: float
    stretch_percent: tuple[float, float]
    size_difference_mm: tuple[float, float] | None
    deformation_percent: float
    picture: RgbImage


def compare(a: Impression, b: Impression) -> Comparison:
    """Compare two impressions, whatever their scales; seal images come in by `impression_of_image`."""
    if not _may_share_shape(a.shape, b.shape):
        return _of_other_shapes(a, b)
    laid = register(a, b, motion=Motion.AFFINE)
    stretch = _stretch(a, b, laid.box_from_flat)
    size_px = frame_of(a)
    at = min(1.0, _SIDE_PX / max(size_px))
    view = (max(8, round(size_px[0] * at)), max(8, round(size_px[1] * at)))
    to_flat = np.diag([1 / at, 1 / at, 1.0])
    fixed = lay_ink(a, box_from_own_flat(a) @ to_flat, view)
    moving = lay_ink(b, laid.box_from_flat @ to_flat, view)
    trust = _clear(a, box_from_own_flat(a) @ to_flat, view) * _clear(b, laid.box_from_flat @ to_flat, view)
    moved, evidence = displacement(fixed, moving, trust)
    deformation = 100 * _rms(moved, evidence) / (max(a.size_px) * at)
    percent = (100 * (stretch[0] - 1), 100 * (stretch[1] - 1))
    size_mm = None
    if a.size_mm is not None and b.size_mm is not None:
        size_mm = (a.size_mm[0] * (stretch[0] - 1), a.size_mm[1] * (stretch[1] - 1))
    about_px_per_mm = a.px_per_mm or max(a.size_px) / TYPICAL_SEAL_MM
    unshared = _unshared(fixed, moving, trust, slack_px=_SLACK_MM * about_px_per_mm * at)
    reasons: list[Difference] = []
    kin = kinship(a, b, laid)
    well_inked = min(a.quality.outline, b.quality.outline) >= WELL_INKED
    if kin is not Kinship.SAME:
        reasons.append(Difference.TEXT if kin is Kinship.DIFFERENT else Difference.TOO_LITTLE_INK)
    if max(abs(v) for v in percent) > MAX_STRETCH_PERCENT:
        reasons.append(Difference.SIZE)
    if kin is not Kinship.DIFFERENT and well_inked and unshared > MAX_UNSHARED:
        reasons.append(Difference.DETAIL)
    if deformation > MAX_DEFORMATION_PERCENT:
        reasons.append(Difference.DEFORMED)
    return Comparison(
        answer=_answer(reasons),
        reasons=tuple(reasons),
        likeness=laid.agreement,
        stretch_percent=percent,
        size_difference_mm=size_mm,
        deformation_percent=deformation,
        picture=_difference_picture(fixed, moving),
    )


def impression_of_image(rgba: RgbaImage, px_per_mm: float = SEAL_PX_PER_MM) -> Impression:
    """Return a finished seal image as an impression, so that others can be compared with it.

    Raises:
        ImpressionUnusable: not an 8-bit RGBA picture, or one without a seal on it.
    """
    check_rgba(rgba)
    alpha = rgba[..., 3]
    inked = (alpha > 127).astype(np.uint8)
    if not inked.any():
        raise ImpressionUnusable(
            "the seal image holds no ink; make it anew", zh="印章图像没有印迹，请重新制作"
        )
    left, top, width, height = cv2.boundingRect(inked)
    margin = max(1, round(0.35 * px_per_mm))
    x0, y0 = max(0, left - margin), max(0, top - margin)
    x1, y1 = min(alpha.shape[1], left + width + margin), min(alpha.shape[0], top + height + margin)
    ink = np.asarray(alpha[y0:y1, x0:x1] / 255, np.float32)
    outline = fit_outline(ink, _hull(inked[y0:y1, x0:x1]), px_per_mm=px_per_mm)
    if outline is None:
        shape, support, turn = SealShape.FREEFORM, 1.0, 0.0
        centre = (left - x0 + width / 2, top - y0 + height / 2)
        size_px = (float(width), float(height))
    else:
        shape, support, turn = outline.shape, min(1.0, outline.support), outline.angle_deg
        centre, size_px = outline.centre_px, outline.size_px
    rgb = np.median(rgba[alpha > 127][:, :3], axis=0)
    density = np.asarray(-np.log((rgb + 2) / 257), np.float32)
    red, green, blue = (round(float(v)) for v in rgb)
    return Impression(
        box_px=(x0, y0, x1 - x0, y1 - y0),
        ink=ink,
        size_mm=(size_px[0] / px_per_mm, size_px[1] / px_per_mm),
        shape=shape,
        angle_deg=0.0 if shape is SealShape.CIRCLE else turn,
        colour=colour_of(density),
        quality=Quality(score=support, outline=support, coverage=1.0, sharpness=1.0, foreign_ink=0.0),
        centre_px=centre,
        size_px=size_px,
        px_per_mm=px_per_mm,
        ink_rgb=(red, green, blue),
    )


def _hull(inked: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return points on the outside of the ink."""
    contours, _ = cv2.findContours(inked, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate([contour.reshape(-1, 2) for contour in contours]).astype(np.float64) + 0.5
    hull = cv2.convexHull(points.astype(np.float32)).reshape(-1, 2).astype(np.float64)
    closed = np.vstack([hull, hull[:1]])
    steps = np.maximum(1, np.hypot(*np.diff(closed, axis=0).T).astype(int))
    along = np.concatenate([[0], np.cumsum(steps)])
    at = np.arange(along[-1])
    return np.stack([np.interp(at, along, closed[:, k]) for k in (0, 1)], 1)


def _may_share_shape(a: SealShape, b: SealShape) -> bool:
    round_ones, framed = {SealShape.CIRCLE, SealShape.ELLIPSE}, {SealShape.SQUARE, SealShape.RECTANGLE}
    return a is b or {a, b} <= round_ones or {a, b} <= framed


def _of_other_shapes(a: Impression, b: Impression) -> Comparison:
    """Return what is to say of seals whose outlines alone tell them apart."""
    fixed = lay_ink(a, box_from_own_flat(a), frame_of(a))
    size_mm = None
    if a.size_mm is not None and b.size_mm is not None:
        size_mm = (b.size_mm[0] - a.size_mm[0], b.size_mm[1] - a.size_mm[1])
    picture = _difference_picture(fixed, np.zeros_like(fixed))
    reasons = (Difference.SHAPE,)
    return Comparison(Kinship.DIFFERENT, reasons, 0.0, (0.0, 0.0), size_mm, 0.0, picture)


def _answer(reasons: list[Difference]) -> Kinship:
    if {Difference.TEXT, Difference.SIZE, Difference.DETAIL} & set(reasons):
        return Kinship.DIFFERENT
    return Kinship.UNCERTAIN if reasons else Kinship.SAME


def _stretch(a: Impression, b: Impression, box_from_flat: Matrix) -> tuple[float, float]:
    """Return by what factor b is wider and higher than a, along a's own width and height."""
    flat = np.eye(3) if b.flatten is None else np.array(b.flatten).reshape(3, 3)
    matrix = flat @ box_from_flat

    def across(u: float, v: float) -> float:
        turn = math.radians(a.angle_deg)
        cos, sin = math.cos(turn), math.sin(turn)
        half_w, half_h = u * a.size_px[0] / 2, v * a.size_px[1] / 2
        offset = np.array([half_w * cos - half_h * sin, half_w * sin + half_h * cos])
        ends = [matrix @ np.append(np.array(a.centre_px) + sign * offset, 1.0) for sign in (1, -1)]
        return math.dist(ends[0][:2] / ends[0][2], ends[1][:2] / ends[1][2])

    scale = b.size_px[0] / a.size_px[0]
    if a.px_per_mm is not None and b.px_per_mm is not None:
        scale = b.px_per_mm / a.px_per_mm
    return across(1, 0) / (a.size_px[0] * scale), across(0, 1) / (a.size_px[1] * scale)


def _clear(impression: Impression, box_from_view: Matrix, size_px: tuple[int, int]) -> NDArray[np.float32]:
    if impression.covered is None:
        return np.ones(size_px[::-1], np.float32)
    return np.asarray(1 - np.clip(2 * lay(impression.covered, box_from_view, size_px), 0, 1), np.float32)


def _unshared(a: InkAmount, b: InkAmount, trust: NDArray[np.float32], *, slack_px: float) -> float:
    """Return the share of all ink that lies farther than the slack from the other's, 0..1."""
    side = 2 * max(1, round(slack_px)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    only = [np.maximum(p - cv2.dilate(q, kernel), 0) for p, q in ((a, b), (b, a))]
    every = float(((a + b) * trust).sum())
    return float(((only[0] + only[1]) * trust).sum()) / every if every > 0 else 0.0


def _rms(moved: NDArray[np.float32], evidence: NDArray[np.float32]) -> float:
    total = float(evidence.sum())
    return math.sqrt(float(((moved**2).sum(2) * evidence).sum()) / total) if total > 0 else 0.0


def _difference_picture(fixed: InkAmount, moving: InkAmount) -> RgbImage:
    """Return ink only in the first, only in the second and in both, each in its colour, on white."""
    both = np.minimum(fixed, moving)
    layers = ((fixed - both, _ONLY_A), (moving - both, _ONLY_B), (both, _BOTH))
    picture = np.full((*fixed.shape, 3), 255.0, np.float32)
    for amount, rgb in layers:
        picture -= amount[..., None] * (255 - np.array(rgb, np.float32))
    return np.asarray(np.round(np.clip(picture, 0, 255)), np.uint8)
