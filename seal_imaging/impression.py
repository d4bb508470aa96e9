"""What is known of one seal impression: where it lies, its ink, its size, its worth."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

RgbImage = NDArray[np.uint8]
"""(H, W, 3), sRGB."""
RgbaImage = NDArray[np.uint8]
"""(H, W, 4), sRGB with straight alpha."""
InkAmount = NDArray[np.float32]
"""(H, W), 0 = paper, 1 = solid ink."""
Box = tuple[int, int, int, int]
"""x, y, w, h in whole pixels."""


class SealShape(StrEnum):
    """The outline of a seal."""

    CIRCLE = "circle"
    ELLIPSE = "ellipse"
    SQUARE = "square"
    RECTANGLE = "rectangle"
    FREEFORM = "freeform"


class InkColour(StrEnum):
    """The family of an ink, as people name it."""

    RED = "red"
    BLUE = "blue"
    PURPLE = "purple"
    BLACK = "black"


class Reason(StrEnum):
    """Why an impression is worth less, or must not be used; the catalogue operators know."""

    OTHER_TEXT = "其他文字"
    FAINT = "缺墨"
    DOUBLE_STRIKE = "重影"
    INCOMPLETE = "不全"
    FEWER_THAN_THREE = "少于3枚"
    TILTED = "倾斜"
    GLARE = "反光阴影"
    COLOUR = "颜色"
    SCALE_UNKNOWN = "尺寸未知"
    GREY_COPY = "复印件"
    NAME_MISMATCH = "名称不符"
    FORM_MISMATCH = "表型不符"
    FORMAT_SIZE = "格式大小"
    SMEARED = "洇墨"


@dataclass(frozen=True)
class Quality:
    """How good an impression is; every figure is 0..1.

    Attributes:
        score: what ranks impressions of one seal, 1 is best.
        outline: share of the outline's length that carries ink.
        coverage: share of the strokes that carry full ink.
        sharpness: steepness of the stroke edges.
        foreign_ink: share of the impression's area under black print or writing.
        smear: share of the room between strokes that stray ink fills (over-inking, smearing).
        double: how strongly a second, shifted strike shows.
        glare: share of the impression's area where light or shadow hides it.
        sectors: share of the strokes that carry ink in each sector of the upright seal, clockwise from
            its top; empty when not measured.
        reasons: what an operator would say against it; empty when nothing is.
    """

    score: float
    outline: float
    coverage: float
    sharpness: float
    foreign_ink: float
    smear: float = 0.0
    double: float = 0.0
    glare: float = 0.0
    sectors: tuple[float, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, eq=False)
class Impression:
    """One seal impression read off a page, or several fused into one.

    Attributes:
        box_px: x, y, w, h on the page it was read from, whole pixels.
        ink: (h, w), the ink over that box, as it lay on the page (not yet upright).
        size_mm: w, h of the upright seal; None when the page's scale is unknown.
        angle_deg: how far the seal is turned clockwise on the page; turning the ink by -angle_deg
            (counter-clockwise) makes it upright.
        centre_px: x, y of the fitted outline's centre, in the box (0, 0 = outer corner of its first pixel).
        size_px: w, h of the upright seal in page pixels, from the fitted outline.
        px_per_mm: the page's scale; None when unknown.
        ink_rgb: the colour of solid ink on white paper.
        flatten: None for a flat scan. For a seal seen at an angle, the 3 × 3 matrix, row by row, that
            leads from pixels of the box to the squared-up pixels in which centre, size and angle are.
        strength: (h, w) like `ink`, the density of the ink in units of solid ink, as a natural-looking
            seal needs it; None when not kept.
        covered: (h, w) like `ink`, how far black print or writing hides what lies there, 0..1; there the
            ink is a guess, and another impression's clear ink is better. None when not kept.
        angle_confidence: 0..1, how sure the angle is; below one half let the text decide.
        other_angles_deg: what else the angle may be, likeliest first.
    """

    box_px: tuple[int, int, int, int]
    ink: InkAmount
    size_mm: tuple[float, float] | None
    shape: SealShape
    angle_deg: float
    colour: InkColour
    quality: Quality
    centre_px: tuple[float, float]
    size_px: tuple[float, float]
    px_per_mm: float | None
    ink_rgb: tuple[int, int, int]
    flatten: tuple[float, ...] | None = None
    strength: InkAmount | None = None
    covered: InkAmount | None = None
    angle_confidence: float = 1.0
    other_angles_deg: tuple[float, ...] = ()
