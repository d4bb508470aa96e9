"""Prints a seal image on paper with text over it and scans it again, as office machines do."""

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.tryout.printing import print_text

PRINT_PX_PER_MM = 600 / 25.4
_SCREEN_DEG = {0: 15.0, 1: 75.0, 2: 0.0}
_SCREEN_LPI = 106.0
_PAGE_MM = 84.0

Rgb = NDArray[np.uint8]


@dataclass(frozen=True)
class Machines:
    """How a page is printed and scanned.

    Attributes:
        screen: "laser" sets round dots in a screen, "inkjet" scatters them.
        gain_px: blur of a printed dot at 600 dpi, which then is larger than it was meant.
        stretch: the scan's scale over the true one.
        lines_of_text: black lines printed over the seal.
    """

    screen: Literal["laser", "inkjet"] = "laser"
    gain_px: float = 0.6
    turn_deg: float = 0.0
    stretch: float = 1.0
    dpi: float = 300.0
    blur_px: float = 0.6
    noise: float = 2.0
    jpeg_quality: int = 85
    lines_of_text: int = 0


def print_and_scan(seal: Rgb, machines: Machines, *, font: bytes, rng: np.random.Generator) -> Rgb:
    """Return the scan of a page of 84 × 84 mm with the seal in its middle.

    Args:
        seal: (1400, 1400, 4).
    """
    side = round(_PAGE_MM * PRINT_PX_PER_MM)
    light = np.ones((side, side, 3), np.float32)
    if machines.lines_of_text:
        pitch_mm = 34 / machines.lines_of_text
        for line in range(machines.lines_of_text):
            print_text(
                light,
                "投标人单位盖章法定代表人签字日期年月日" * 2,
                font=font,
                left_px=8 * PRINT_PX_PER_MM,
                middle_px=(25 + (line + 0.5) * pitch_mm) * PRINT_PX_PER_MM,
                height_px=3.7 * PRINT_PX_PER_MM,
                transmittance=0.05,
            )
    shift = rng.uniform(0, 1, 2)
    scale = PRINT_PX_PER_MM / 20
    offset = (_PAGE_MM - 70) / 2 * PRINT_PX_PER_MM
    to_page = np.array([[scale, 0, offset + shift[0]], [0, scale, offset + shift[1]]])
    ink = cv2.warpAffine(seal, to_page, (side, side), flags=cv2.INTER_LINEAR).astype(np.float32) / 255
    wanted = 1 - ink[..., 3:] * (1 - ink[..., :3] / np.maximum(ink[..., :3].max(), 1e-6) * ink[..., :3].max())
    paper = _halftone(1 - wanted, machines, rng) * light
    return _scan(paper, machines, rng)


def _halftone(
    amount: NDArray[np.float32], machines: Machines, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the light that dots of three inks let pass, with their gain."""
    rows, columns = np.mgrid[0 : amount.shape[0], 0 : amount.shape[1]].astype(np.float32)
    passed = np.ones_like(amount)
    for channel in range(3):
        if machines.screen == "laser":
            turn, period = math.radians(_SCREEN_DEG[channel]), 600 / _SCREEN_LPI
            u = (columns * math.cos(turn) + rows * math.sin(turn)) * 2 * math.pi / period
            v = (rows * math.cos(turn) - columns * math.sin(turn)) * 2 * math.pi / period
            level = 0.5 + 0.25 * (np.cos(u) + np.cos(v))
            # The share of a screen's cell above a level, as a table: a dot of the wanted area.
            table = np.sort(level[:200, :200].ravel())
            limit = table[
                np.clip(((1 - amount[..., channel]) * (len(table) - 1)).astype(int), 0, len(table) - 1)
            ]
            dots = (level > limit) | (amount[..., channel] > 0.995)
        else:
            dots = amount[..., channel] > rng.random(amount.shape[:2], dtype=np.float32)
        dots = np.where(amount[..., channel] < 0.01, 0, dots).astype(np.float32)
        soft = cv2.GaussianBlur(dots, (0, 0), machines.gain_px)
        grown = np.clip(soft * 1.35, 0, 1)
        passed[..., channel] = 1 - 0.97 * grown
    return passed


def _scan(paper: NDArray[np.float32], machines: Machines, rng: np.random.Generator) -> Rgb:
    scale = machines.dpi / 600 * machines.stretch
    side = round(paper.shape[0] * scale)
    seen = cv2.GaussianBlur(paper, (0, 0), max(0.3, 0.45 / scale))
    turn = math.radians(machines.turn_deg)
    cos, sin, c, m = math.cos(turn), math.sin(turn), paper.shape[0] / 2, side / 2
    to_scan = np.array(
        [
            [scale * cos, -scale * sin, m - scale * (cos * c - sin * c)],
            [scale * sin, scale * cos, m - scale * (sin * c + cos * c)],
        ]
    )
    page = cv2.warpAffine(seen, to_scan, (side, side), flags=cv2.INTER_LINEAR, borderValue=(1, 1, 1))
    page = cv2.GaussianBlur(page, (0, 0), machines.blur_px)
    page = page * 250 + rng.normal(0, machines.noise, page.shape)
    scanned = np.clip(np.round(page), 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, machines.jpeg_quality]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(scanned, cv2.COLOR_RGB2BGR), quality)
    back = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(back, cv2.COLOR_BGR2RGB), np.uint8)
