"""Sets an impression upright and true to size on the 70 mm canvas that becomes a seal image."""

import math

import cv2
import numpy as np

from seal_imaging.errors import ImpressionUnusable, ScaleUnknown
from seal_imaging.finish import InkChoice, Rgb, check_colour, natural, sharp_alpha, unified
from seal_imaging.impression import Impression, InkColour, RgbaImage
from seal_imaging.units import CANVAS_MM, SEAL_PX_PER_MM
from seal_imaging.warping import box_from_target, lay, lay_ink

MIN_CANVAS_PX_PER_MM = 1.0
MAX_CANVAS_PX_PER_MM = 60.0
INK_ALPHA = 96
"""Alpha from which a pixel of a seal image counts as ink."""
MIN_SPECK_MM2 = 0.15
"""Ink in smaller pieces says nothing of a seal's extent."""


def compose(
    impression: Impression,
    px_per_mm: float = SEAL_PX_PER_MM,
    *,
    ink: InkChoice = InkChoice.UNIFIED,
    colour: Rgb | InkColour | None = None,
) -> RgbaImage:
    """Return the seal image: 70 mm × 70 mm, the seal upright in its middle at its true size.

    Alpha is the ink; RGB is the ink's colour everywhere, so that transparent pixels do not bleed.

    Args:
        px_per_mm: 20 gives exactly 1400 × 1400 px.
        ink: one colour and density, or the real ink's texture (of `impression.strength`).
        colour: R, G, B, or an ink family by name; without one, as measured.

    Raises:
        ScaleUnknown: the impression was measured in pixels only.
        ImpressionUnusable: the seal is larger than the canvas, or holds no ink; the colour is none.
    """
    solid = impression.ink_rgb if colour is None else check_colour(colour)
    if not (math.isfinite(px_per_mm) and MIN_CANVAS_PX_PER_MM <= px_per_mm <= MAX_CANVAS_PX_PER_MM):
        raise ImpressionUnusable(
            f"a canvas of {px_per_mm} px/mm is outside {MIN_CANVAS_PX_PER_MM}.."
            f"{MAX_CANVAS_PX_PER_MM}; use 20",
            zh=f"画布比例{px_per_mm}像素/毫米超出范围，请使用20",
        )
    if impression.size_mm is None or impression.px_per_mm is None:
        raise ScaleUnknown(
            "the impression's scale is unknown; scan our form with its four marks, or state the dpi "
            "or the seal's width",
            zh="印模尺寸未知：请扫描带四角定位标记的采集表，或指定dpi或印章宽度",
        )
    width_mm, height_mm = impression.size_mm
    if max(width_mm, height_mm) > CANVAS_MM:
        raise ImpressionUnusable(
            f"the seal measures {width_mm:.1f} x {height_mm:.1f} mm, more than the {CANVAS_MM:.0f} mm "
            "canvas; check the dpi",
            zh=f"印章尺寸{width_mm:.1f}×{height_mm:.1f}毫米，超过{CANVAS_MM:.0f}毫米画布，请检查dpi",
        )
    if not (impression.ink > 0.5).any():
        raise ImpressionUnusable("the impression holds no ink; stamp again", zh="印模没有印迹，请重新盖章")
    side = round(CANVAS_MM * px_per_mm)
    box_from_canvas = box_from_target(
        impression, target_px_per_mm=px_per_mm, target_centre=(side / 2, side / 2)
    )
    alpha = sharp_alpha(lay_ink(impression, box_from_canvas, (side, side)), px_per_mm=px_per_mm)
    if ink is InkChoice.UNIFIED:
        return unified(alpha, solid)
    kept = impression.ink if impression.strength is None else impression.strength
    hidden = impression.covered
    return natural(
        alpha,
        lay(kept, box_from_canvas, (side, side)),
        solid,
        px_per_mm=px_per_mm,
        covered=None if hidden is None else lay(hidden, box_from_canvas, (side, side)),
    )


def ink_box_mm(rgba: RgbaImage, px_per_mm: float = SEAL_PX_PER_MM) -> tuple[float, float, float, float]:
    """Return x, y, w, h of the ink on a seal image, in mm from its top left.

    Raises:
        ImpressionUnusable: not an RGBA picture, or one without ink.
    """
    check_rgba(rgba)
    inked = (rgba[..., 3] >= INK_ALPHA).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(inked, connectivity=8)
    pieces = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= MIN_SPECK_MM2 * px_per_mm**2]
    if len(pieces) == 0:
        raise ImpressionUnusable(
            "the seal image holds no ink; make it anew", zh="印章图像没有印迹，请重新制作"
        )
    x0, y0 = (int(v) for v in pieces[:, :2].min(0))
    x1, y1 = (int(v) for v in (pieces[:, :2] + pieces[:, 2:4]).max(0))
    return x0 / px_per_mm, y0 / px_per_mm, (x1 - x0) / px_per_mm, (y1 - y0) / px_per_mm


def check_rgba(image: RgbaImage) -> None:
    """Refuse what is no picture of a seal.

    Raises:
        ImpressionUnusable: not (H, W, 4) of 8 bits.
    """
    if image.ndim != 3 or image.shape[2] != 4 or image.dtype != np.uint8:
        raise ImpressionUnusable(
            "the seal image is not an 8-bit RGBA picture; make it anew",
            zh="印章图像不是8位RGBA图像，请重新制作",
        )
