"""Draws marks that nobody owns, upright and true to size, for the demo and for tests with known truth."""

import math
from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from seal_imaging.form import SealKind
from seal_imaging.impression import InkAmount, SealShape

RED: tuple[int, int, int] = (205, 38, 45)
BLUE: tuple[int, int, int] = (38, 58, 150)
PURPLE: tuple[int, int, int] = (108, 42, 136)
BLACK: tuple[int, int, int] = (42, 42, 46)

ARTWORK_PX_PER_MM = 30.0
_DRAWN_PX_PER_MM = 60.0
"""Drawn hard-edged at twice the resolution, then averaged down."""


@dataclass(frozen=True, eq=False)
class Artwork:
    """One seal as its maker cut it.

    Attributes:
        ink: the upright seal at ARTWORK_PX_PER_MM; its outermost ink touches the array's edges.
        size_mm: w, h.
        ink_rgb: colour of solid ink on white paper.
        row: which row of the form it belongs in.
    """

    name: str
    row: SealKind
    shape: SealShape
    size_mm: tuple[float, float]
    ink: InkAmount
    ink_rgb: tuple[int, int, int]


class _Sheet:
    """A hard-edged drawing in mm with its origin in the middle, y down."""

    def __init__(self, w_mm: float, h_mm: float, font: bytes) -> None:
        self.scale = _DRAWN_PX_PER_MM
        self.picture = Image.new("L", (round(w_mm * self.scale), round(h_mm * self.scale)), 0)
        self.draw = ImageDraw.Draw(self.picture)
        self.font = font
        self.cx, self.cy = self.picture.width / 2, self.picture.height / 2

    def ellipse(self, a_mm: float, b_mm: float, border_mm: float) -> None:
        for shrink, fill in ((0.0, 255), (border_mm, 0)):
            a, b = (a_mm - shrink) * self.scale, (b_mm - shrink) * self.scale
            self.draw.ellipse((self.cx - a, self.cy - b, self.cx + a - 1, self.cy + b - 1), fill=fill)

    def frame(self, w_mm: float, h_mm: float, border_mm: float) -> None:
        for shrink, fill in ((0.0, 255), (border_mm, 0)):
            w, h = (w_mm / 2 - shrink) * self.scale, (h_mm / 2 - shrink) * self.scale
            self.draw.rectangle((self.cx - w, self.cy - h, self.cx + w - 1, self.cy + h - 1), fill=fill)

    def star(self, diameter_mm: float) -> None:
        outer = diameter_mm / 2 * self.scale
        inner = outer * math.sin(math.radians(18)) / math.sin(math.radians(54))
        corners = [
            (
                self.cx + radius * math.sin(math.radians(36 * k)),
                self.cy - radius * math.cos(math.radians(36 * k)),
            )
            for k, radius in enumerate([outer, inner] * 5)
        ]
        self.draw.polygon(corners, fill=255)

    def glyph(self, text: str, w_mm: float, h_mm: float, weight_mm: float = 0.12) -> Image.Image:
        """Return a character or word, trimmed and stretched to w × h."""
        points = round(h_mm * self.scale)
        font = ImageFont.truetype(BytesIO(self.font), points)
        box = font.getbbox(text)
        picture = Image.new(
            "L", (math.ceil(box[2] - box[0]) + points // 2, math.ceil(box[3] - box[1]) + points // 2), 0
        )
        ImageDraw.Draw(picture).text(
            (points // 4 - box[0], points // 4 - box[1]),
            text,
            fill=255,
            font=font,
            stroke_width=round(weight_mm * self.scale),
        )
        trimmed = picture.crop(picture.getbbox() or (0, 0, 1, 1))
        size = (max(1, round(w_mm * self.scale)), max(1, round(h_mm * self.scale)))
        return trimmed.resize(size, Image.Resampling.BILINEAR)

    def put(self, picture: Image.Image, x_mm: float, y_mm: float) -> None:
        """Lay a picture with its middle at x, y, ink over ink."""
        left = round(self.cx + x_mm * self.scale - picture.width / 2)
        top = round(self.cy + y_mm * self.scale - picture.height / 2)
        self.picture.paste(255, (left, top), picture)

    def arc_text(
        self,
        text: str,
        *,
        a_mm: float,
        b_mm: float,
        w_mm: float,
        h_mm: float,
        span_deg: float,
        bottom: bool = False,
    ) -> None:
        """Set characters along an ellipse: over the top reading clockwise, or along the bottom."""
        step = span_deg / max(1, len(text) - 1)
        for k, character in enumerate(text):
            turn = -span_deg / 2 + k * step
            angle = math.radians(turn)
            down = -1.0 if bottom else 1.0
            x, y = a_mm * math.sin(angle), -b_mm * math.cos(angle) * down
            normal = math.degrees(math.atan2(math.sin(angle) / a_mm, math.cos(angle) / b_mm))
            picture = self.glyph(character, w_mm, h_mm).rotate(
                -normal * down, resample=Image.Resampling.BILINEAR, expand=True
            )
            self.put(picture, x, y)

    def ink(self) -> InkAmount:
        """Return the drawing trimmed to its ink, at ARTWORK_PX_PER_MM."""
        drawn = np.asarray(self.picture, dtype=np.float32) / 255
        factor = ARTWORK_PX_PER_MM / self.scale
        size = (round(drawn.shape[1] * factor), round(drawn.shape[0] * factor))
        return np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def draw_round_seal(
    name: str,
    font: bytes,
    *,
    diameter_mm: float = 42.0,
    border_mm: float = 1.2,
    star_mm: float = 14.0,
    bottom_text: str = "",
    code: str = "",
    ink_rgb: tuple[int, int, int] = RED,
) -> Artwork:
    """Return a company seal: ring, name over the top, star, and if given a line below it and a code.

    Args:
        font: an OpenType or TrueType font file with Chinese characters.
    """
    radius = diameter_mm / 2
    sheet = _Sheet(diameter_mm, diameter_mm, font)
    sheet.ellipse(radius, radius, border_mm)
    sheet.star(star_mm)
    height = diameter_mm * 0.125
    path = radius - border_mm - diameter_mm * 0.03 - height / 2
    span = min(250.0, 26.0 * max(1, len(name) - 1))
    pitch = math.radians(span / max(1, len(name) - 1)) * (path - height / 2)
    width = min(height * 0.85, pitch * 0.86)
    sheet.arc_text(name, a_mm=path, b_mm=path, w_mm=width, h_mm=height, span_deg=span)
    if bottom_text:
        w_mm = diameter_mm * 0.095 * len(bottom_text)
        sheet.put(sheet.glyph(bottom_text, w_mm, diameter_mm * 0.1), 0, diameter_mm * 0.27)
    if code:
        path = radius - border_mm - 1.6
        sheet.arc_text(
            code, a_mm=path, b_mm=path, w_mm=0.8, h_mm=1.4, span_deg=4.5 * (len(code) - 1), bottom=True
        )
    return Artwork(
        name, SealKind.OFFICIAL, SealShape.CIRCLE, (diameter_mm, diameter_mm), sheet.ink(), ink_rgb
    )


def draw_oval_seal(
    name: str,
    font: bytes,
    *,
    lines: tuple[str, ...] = (),
    size_mm: tuple[float, float] = (50.0, 36.0),
    border_mm: float = 1.0,
    ink_rgb: tuple[int, int, int] = BLUE,
) -> Artwork:
    """Return a practitioner's oval seal: ring, a title over the top, lines in the middle."""
    a, b = size_mm[0] / 2, size_mm[1] / 2
    sheet = _Sheet(*size_mm, font)
    sheet.ellipse(a, b, border_mm)
    height = size_mm[1] * 0.13
    inset = border_mm + 1.2 + height / 2
    sheet.arc_text(
        name,
        a_mm=a - inset,
        b_mm=b - inset,
        w_mm=height * 0.75,
        h_mm=height,
        span_deg=min(200.0, 20.0 * len(name)),
    )
    for k, line in enumerate(lines):
        h_mm = size_mm[1] * 0.11
        w_mm = min(size_mm[0] * 0.62, h_mm * 0.8 * len(line))
        sheet.put(sheet.glyph(line, w_mm, h_mm), 0, (k - (len(lines) - 1) / 2) * h_mm * 1.5 + 2.0)
    return Artwork(name, SealKind.PROFESSIONAL, SealShape.ELLIPSE, size_mm, sheet.ink(), ink_rgb)


def draw_square_seal(
    name: str, font: bytes, *, side_mm: float = 20.0, ink_rgb: tuple[int, int, int] = RED
) -> Artwork:
    """Return a name seal of up to four characters in two columns, read from the right."""
    sheet = _Sheet(side_mm, side_mm, font)
    border_mm = side_mm * 0.055
    sheet.frame(side_mm, side_mm, border_mm)
    half, cell = side_mm * 0.21, side_mm * 0.38
    places = ((half, -half), (half, half), (-half, -half), (-half, half))
    for character, (x, y) in zip(name, places, strict=False):
        sheet.put(sheet.glyph(character, cell, cell, weight_mm=0.25), x, y)
    return Artwork(
        name, SealKind.LEGAL_REPRESENTATIVE, SealShape.SQUARE, (side_mm, side_mm), sheet.ink(), ink_rgb
    )


def draw_rectangle_seal(
    lines: tuple[str, ...],
    font: bytes,
    *,
    size_mm: tuple[float, float] = (63.0, 28.0),
    line_mm: float = 0.6,
    ink_rgb: tuple[int, int, int] = RED,
) -> Artwork:
    """Return a practitioner's framed seal with lines of text and a rule between them."""
    sheet = _Sheet(*size_mm, font)
    sheet.frame(*size_mm, line_mm)
    pitch = size_mm[1] / max(1, len(lines))
    for k, line in enumerate(lines):
        y_mm = (k - (len(lines) - 1) / 2) * pitch
        h_mm = pitch * 0.5
        sheet.put(sheet.glyph(line, min(size_mm[0] * 0.85, h_mm * len(line)), h_mm), 0, y_mm)
    return Artwork(lines[0], SealKind.PROFESSIONAL, SealShape.RECTANGLE, size_mm, sheet.ink(), ink_rgb)


def draw_signature(seed: int, *, ink_rgb: tuple[int, int, int] = (30, 30, 34), w_mm: float = 42.0) -> Artwork:
    """Return a scrawl of one pen stroke: a smooth walk to the right, its width changing with its speed."""
    rng = np.random.default_rng(seed)
    knots = 16
    x = np.cumsum(rng.uniform(-0.3, 1.0, knots))
    y = rng.uniform(-1, 1, knots) * np.linspace(1.0, 0.5, knots)
    t = np.linspace(0, knots - 1, 1600)
    kernel = np.hanning(241) / np.hanning(241).sum()
    path_x = np.convolve(np.pad(np.interp(t, np.arange(knots), x), 120, mode="edge"), kernel, "valid")
    path_y = np.convolve(np.pad(np.interp(t, np.arange(knots), y), 120, mode="edge"), kernel, "valid")
    scale = w_mm / float(np.ptp(path_x))
    h_mm = float(np.ptp(path_y)) * w_mm * 0.28 + 2.0
    picture = np.zeros(
        (round((h_mm + 2) * ARTWORK_PX_PER_MM), round((w_mm + 2) * ARTWORK_PX_PER_MM)), np.uint8
    )
    px = ((path_x - path_x.min()) * scale + 1) * ARTWORK_PX_PER_MM
    py = ((path_y - path_y.min()) * w_mm * 0.28 + 2) * ARTWORK_PX_PER_MM
    speed = np.hypot(np.gradient(px), np.gradient(py))
    width = np.clip(0.75 - speed / speed.max() * 0.45, 0.25, 0.75) * ARTWORK_PX_PER_MM
    for cx, cy, diameter in zip(px, py, width, strict=True):
        cv2.circle(picture, (round(cx * 16), round(cy * 16)), round(diameter * 8), 255, -1, cv2.LINE_AA, 4)
    left, top, w, h = cv2.boundingRect(picture)
    ink = (picture[top : top + h, left : left + w] / 255).astype(np.float32)
    size_mm = (w / ARTWORK_PX_PER_MM, h / ARTWORK_PX_PER_MM)
    return Artwork("签字", SealKind.SIGNATURE, SealShape.FREEFORM, size_mm, ink, ink_rgb)


def draw_fingerprint(seed: int, *, size_mm: tuple[float, float] = (15.0, 21.0)) -> Artwork:
    """Return a red fingerprint: ridges half a millimetre apart round a core, torn at the rim."""
    rng = np.random.default_rng(seed)
    width, height = (round(v * ARTWORK_PX_PER_MM) for v in size_mm)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = (columns / width - 0.5) * 2, (rows / height - 0.5) * 2
    core_u, core_v = rng.uniform(-0.15, 0.15), rng.uniform(-0.1, 0.2)
    bends = [
        cv2.resize(
            rng.standard_normal((6, 5)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
        for _ in range(2)
    ]
    away_mm = np.hypot((u - core_u) * size_mm[0] / 2, (v - core_v) * size_mm[1] / 2 * 0.8) + 0.35 * bends[0]
    ridges = 0.5 + 0.5 * np.sin(2 * math.pi * away_mm / 0.55)
    pressed = np.clip((1.0 - np.hypot(u, v)) * 5, 0, 1) * np.clip(0.9 + 0.25 * bends[1], 0, 1)
    ink = np.asarray(np.clip((ridges - 0.35) * 3, 0, 1) * pressed, np.float32)
    return Artwork("指印", SealKind.SIGNATURE, SealShape.FREEFORM, size_mm, ink, (214, 52, 50))
