"""Says how good an impression is, with reasons an operator knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import cv2
import numpy as np

from seal_imaging.impression import InkAmount, InkColour, Quality, Reason, RgbImage, SealShape
from seal_imaging.lighting import hidden_share
from seal_imaging.separate import Separation
from seal_imaging.shape import Outline
from seal_imaging.strikes import second_strike
from seal_imaging.strokes import core_of, coverage_of, evenness_of, sectors_of, sharpness_of, smear_of

FAINT_BELOW = 0.75
FAINT_SECTOR_BELOW = 0.4
UNEVEN_BELOW = 0.68
"""Density of the palest part as a share of the densest, below which one side was not pressed."""
INCOMPLETE_BELOW = 0.85
FOREIGN_ABOVE = 0.015
FAINT_DENSITY = 0.95
"""Optical density of solid strokes below which an impression is pale all over."""
SMEARED_ABOVE = 0.3
DOUBLE_ABOVE = 0.4
GLARE_ABOVE = 0.04
TILTED_ABOVE_DEG = 10.0


class Verdict(StrEnum):
    """What may become of an impression."""

    USABLE = "usable"
    DOUBTFUL = "doubtful"
    REFUSED = "refused"


REFUSING: frozenset[Reason] = frozenset({Reason.GREY_COPY, Reason.NAME_MISMATCH})
"""Whatever its figures, an impression of which one of these is said must not be made into a seal."""


@dataclass(frozen=True)
class Limit:
    """From where a measure refuses: below it, or above it."""

    measure: str
    refused: float
    is_upwards: bool
    """More of the measure is worse."""


REFUSED_AT: Mapping[Reason, Limit] = MappingProxyType(
    {
        Reason.INCOMPLETE: Limit("outline", 0.5, is_upwards=False),
        Reason.FAINT: Limit("coverage", 0.35, is_upwards=False),
        Reason.DOUBLE_STRIKE: Limit("double", 0.8, is_upwards=True),
        Reason.GLARE: Limit("glare", 0.3, is_upwards=True),
        Reason.OTHER_TEXT: Limit("foreign_ink", 0.35, is_upwards=True),
    }
)
"""Reasons that warn first and refuse where the measure is worse than this.

| reason | said when | refused when |
|---|---|---|
| 其他文字 | more than 1.5 % of the area under print or writing | more than 35 % |
| 缺墨 | under 75 % of strokes full, 40 % of a sector; one side a third paler; pale | coverage below 35 % |
| 不全 | less than 85 % of the outline inked, or cut off by the page | less than 50 % |
| 洇墨 | smear above 0.3 | never: some seals are set in type as bold |
| 重影 | a second strike shows by more than 0.4 | more than 0.8 |
| 反光阴影 | more than 4 % of the area hidden | more than 30 % |
| 倾斜 | turned by more than 10 degrees against the page | never: it is turned upright |
| 颜色 | black ink | never: some seals are black |
| 格式大小 | longest side no seal of its shape has | never: some seals are odd |
| 尺寸未知 | no scale | never here: no seal is made without a size |
| 表型不符 | unusual row, outside the boxes, another order's form | the last, by whoever reads the form |
| 复印件, 名称不符 | as their readers say | always |
"""


def judge(quality: Quality) -> Verdict:
    """Return what may become of an impression, by its reasons and how far they go."""
    if refusals(quality):
        return Verdict.REFUSED
    return Verdict.DOUBTFUL if quality.reasons else Verdict.USABLE


def refusals(quality: Quality) -> tuple[Reason, ...]:
    """Return the reasons that forbid making a seal, of all that speak against an impression."""
    return tuple(reason for reason in quality.reasons if _refuses(reason, quality))


def _refuses(reason: Reason, quality: Quality) -> bool:
    if reason in REFUSING:
        return True
    limit = REFUSED_AT.get(reason)
    if limit is None:
        return False
    value = float(getattr(quality, limit.measure))
    return value > limit.refused if limit.is_upwards else value < limit.refused


def grade(
    picture: RgbImage,
    separation: Separation,
    ink: InkAmount,
    outline: Outline,
    *,
    colour: InkColour,
    px_per_mm: float,
    scale_is_known: bool,
    is_cut_off: bool,
    angle_deg: float,
    page_turn_deg: float,
) -> Quality:
    """Return the measures of one impression and what speaks against it.

    Args:
        picture: the part of the page that was separated.
        ink: the impression's own ink, over the same box as the separation.
        px_per_mm: the scale, or a guess of it.
        is_cut_off: the page ends before the seal does.
        angle_deg: how far the seal is turned clockwise.
        page_turn_deg: how far the page is, as far as known.
    """
    strokes = ink > 0.5
    inside = outline.mask((ink.shape[0], ink.shape[1]), margin_px=0.0)
    core = core_of(separation, strokes)
    coverage = coverage_of(separation, core)
    sharpness = sharpness_of(ink, px_per_mm)
    black = cv2.morphologyEx(
        ((separation.black > 0.45) & inside).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)
    )
    foreign = float(black.sum()) / max(1, int(inside.sum()))
    support = 1.0 if outline.shape is SealShape.FREEFORM else min(1.0, outline.support)
    density = min(1.0, separation.stains.solid / (1.5 * FAINT_DENSITY))
    smear = smear_of(strokes, outline, px_per_mm=px_per_mm)
    inked = strokes | (separation.ink > 0.5) | ((separation.strength > 0.3) & (separation.black < 0.2))
    double = second_strike(inked, outline, px_per_mm=px_per_mm)
    glare = hidden_share(picture, inside, px_per_mm=px_per_mm)
    sectors = sectors_of(separation, strokes, core, outline, angle_deg=angle_deg)
    evenness = evenness_of(separation, core, outline)
    complete = float(np.mean(sectors)) if sectors else coverage
    weakest = float(np.mean(sorted(sectors)[:3])) if sectors else coverage
    score = (
        0.40 * complete
        + 0.15 * weakest
        + 0.10 * support
        + 0.10 * coverage
        + 0.05 * density
        + 0.05 * evenness
        + 0.05 * sharpness
        + 0.10 * max(0.0, 1 - foreign / 0.06)
    ) * ((1 - 0.5 * smear) * (1 - 0.5 * double) * max(0.1, 1 - 1.5 * glare))
    off = _off_page(angle_deg, page_turn_deg)
    is_pale = min(sectors, default=1.0) < FAINT_SECTOR_BELOW or evenness < UNEVEN_BELOW
    reasons = [
        (Reason.OTHER_TEXT, foreign > FOREIGN_ABOVE),
        (
            Reason.FAINT,
            coverage < FAINT_BELOW or separation.stains.solid < FAINT_DENSITY or (is_pale and not is_cut_off),
        ),
        (Reason.DOUBLE_STRIKE, double > DOUBLE_ABOVE),
        (Reason.INCOMPLETE, is_cut_off or support < INCOMPLETE_BELOW),
        (Reason.TILTED, _has_upright(outline) and off > TILTED_ABOVE_DEG),
        (Reason.GLARE, glare > GLARE_ABOVE),
        (Reason.COLOUR, colour is InkColour.BLACK),
        (Reason.SCALE_UNKNOWN, not scale_is_known),
        (Reason.SMEARED, smear > SMEARED_ABOVE),
    ]
    return Quality(
        score=float(np.clip(score, 0, 1)),
        outline=support,
        coverage=coverage,
        sharpness=sharpness,
        foreign_ink=float(np.clip(foreign, 0, 1)),
        smear=smear,
        double=double,
        glare=glare,
        sectors=sectors,
        reasons=tuple(reason for reason, holds in reasons if holds),
    )


def _off_page(angle_deg: float, page_turn_deg: float) -> float:
    """Return by how many degrees a seal is turned against the nearest edge of its page, 0..45.

    A sheet may lie on the scanner on any of its sides.
    """
    return abs((angle_deg - page_turn_deg + 45) % 90 - 45)


def _has_upright(outline: Outline) -> bool:
    """Tell whether a seal of this outline shows which way is up: an ellipse almost round does not."""
    if outline.shape is SealShape.FREEFORM:
        return False
    return outline.shape is not SealShape.ELLIPSE or max(outline.size_px) > 1.15 * min(outline.size_px)
