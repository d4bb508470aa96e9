"""Puts print and handwriting over impressions that are on the page already."""

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.tryout.artwork import ARTWORK_PX_PER_MM, draw_signature
from pipeline.tryout.printing import print_text
from pipeline.tryout.stamping import ImpressionTruth

_PEN_DENSITY = 0.85


def print_over(
    canvas: NDArray[np.float32],
    truth: ImpressionTruth,
    *,
    font: bytes,
    px_per_mm: float,
    transmittance: float,
    rng: np.random.Generator,
) -> ImpressionTruth:
    """Print two lines of text and a table line across one impression, in place; tell the truth of it."""
    x, y, w, h = truth.box_px
    before = _under(canvas, truth).copy()
    lines = ("投标人（盖单位章）法定代表人或其委托代理人", "日期 2026年11月18日 项目编号 SL-2026-0032")
    for line, at in zip(lines, (0.38, 0.62), strict=True):
        size_px = 4.2 * px_per_mm
        print_text(
            canvas,
            line,
            font=font,
            left_px=x - rng.uniform(2, 8) * px_per_mm,
            middle_px=y + at * h,
            height_px=size_px,
            transmittance=transmittance,
        )
    row = round(y + h * rng.uniform(0.2, 0.8))
    thick = max(1, round(0.3 * px_per_mm))
    left, right = max(0, x - w // 4), min(canvas.shape[1], x + w + w // 4)
    canvas[row : row + thick, left:right] *= transmittance
    darker = _under(canvas, truth).sum(2) < 0.5 * before.sum(2)
    return _with_printed(truth, darker)


def write_over(
    canvas: NDArray[np.float32],
    truth: ImpressionTruth,
    *,
    pen_rgb: tuple[int, int, int],
    px_per_mm: float,
    rng: np.random.Generator,
) -> ImpressionTruth:
    """Write a name across one impression with a pen, in place; tell the truth of it."""
    x, y, w, h = truth.box_px
    writing = draw_signature(int(rng.integers(1 << 30)), w_mm=max(14.0, 0.8 * w / px_per_mm)).ink
    scale = px_per_mm / ARTWORK_PX_PER_MM
    turn = math.degrees(float(rng.uniform(-0.15, 0.15)))
    height, width = writing.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale)
    matrix[:, 2] += (w / 2 - width / 2, h * float(rng.uniform(0.4, 0.6)) - height / 2)
    calm = cv2.GaussianBlur(writing, (0, 0), max(0.3, 0.4 / scale))
    stroke = np.clip(cv2.warpAffine(calm, matrix, (w, h)), 0, 1)
    optical = -_PEN_DENSITY * np.log(np.array(pen_rgb, np.float32) / 255)
    here = _under(canvas, truth)
    top, left = max(0, -y), max(0, -x)
    seen = stroke[top : top + here.shape[0], left : left + here.shape[1]]
    here *= 1 - seen[..., None] * (1 - np.exp(-optical))
    return _with_printed(truth, np.asarray(seen > 0.5))


def _under(canvas: NDArray[np.float32], truth: ImpressionTruth) -> NDArray[np.float32]:
    """Return the part of the page an impression lies on, as a view."""
    x, y, w, h = truth.box_px
    return canvas[max(0, y) : max(0, y + h), max(0, x) : max(0, x + w)]


def _with_printed(truth: ImpressionTruth, seen: NDArray[np.bool_]) -> ImpressionTruth:
    x, y, w, h = truth.box_px
    printed = np.zeros((h, w), np.bool_)
    top, left = max(0, -y), max(0, -x)
    printed[top : top + seen.shape[0], left : left + seen.shape[1]] = seen
    return replace(truth, printed=printed | truth.printed)
