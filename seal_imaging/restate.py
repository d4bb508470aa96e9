"""Says of one impression what its page did not tell, and shows it to people as it lay there."""

import math
from dataclasses import replace

import numpy as np

from seal_imaging.candidates import MIN_SEAL_MM
from seal_imaging.errors import ImpressionUnusable
from seal_imaging.impression import Impression, Reason, RgbaImage, RgbImage
from seal_imaging.units import CANVAS_MM


def with_size(impression: Impression, width_mm: float) -> Impression:
    """Return an impression of unknown scale with its scale stated by its upright width.

    Raises:
        ImpressionUnusable: a width no seal has.
    """
    if not (math.isfinite(width_mm) and MIN_SEAL_MM <= width_mm <= CANVAS_MM):
        raise ImpressionUnusable(
            f"a seal cannot be {width_mm} mm wide; state its true width, "
            f"{MIN_SEAL_MM:.0f} to {CANVAS_MM:.0f} mm",
            zh=f"印章宽度不可能为{width_mm}毫米，请填写真实宽度（{MIN_SEAL_MM:.0f}至{CANVAS_MM:.0f}毫米）",
        )
    px_per_mm = impression.size_px[0] / width_mm
    reasons = tuple(reason for reason in impression.quality.reasons if reason is not Reason.SCALE_UNKNOWN)
    return replace(
        impression,
        px_per_mm=px_per_mm,
        size_mm=(width_mm, impression.size_px[1] / px_per_mm),
        quality=replace(impression.quality, reasons=reasons),
    )


def cut_out(page: RgbImage, impression: Impression) -> RgbaImage:
    """Return one impression as people want to see it: as it lay on the page, the rest transparent.

    Raises:
        ImpressionUnusable: the box does not lie on this page.
    """
    x, y, w, h = impression.box_px
    if x < 0 or y < 0 or x + w > page.shape[1] or y + h > page.shape[0]:
        raise ImpressionUnusable(
            f"box {impression.box_px} does not lie on a page of {page.shape[1]} x {page.shape[0]} px; "
            "hand in the page the impression was read from",
            zh="印模位置不在该页面上，请提供原页面",
        )
    alpha = np.round(np.clip(impression.ink, 0, 1) * 255).astype(np.uint8)
    return np.dstack([page[y : y + h, x : x + w], alpha])
