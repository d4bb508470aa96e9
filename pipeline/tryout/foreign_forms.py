"""Draws seal specimen forms that are not ours, with what people put on them beside seals.

Every mark a reader might take for a seal is a `Stranger`; the truths name the seals alone.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.tryout.artwork import Artwork, draw_fingerprint, draw_round_seal, draw_signature
from pipeline.tryout.printing import print_text
from pipeline.tryout.specimens import CLEAN, SCAN_PX_PER_MM, PageLook, SpecimenPage, stamp_and_scan
from seal_imaging import form

Light = NDArray[np.float32]
"""(H, W, 3), light that comes back, 0..1."""

_TABLE_LEFT_MM, _TABLE_TOP_MM, _LABEL_MM, _BOX_MM, _ROW_MM = 11.0, 42.0, 14.0, 58.0, 50.0
_RED = (0.80, 0.12, 0.14)
_CARD_MM = (85.6, 54.0)
_BELOW_MM = 205.0


class Stranger(StrEnum):
    """What lies on a form and is no impression of it."""

    RED_HEADLINE = "red_headline"
    RED_TABLE = "red_table"
    FINGERPRINT = "fingerprint"
    ID_COPY = "id_copy"
    EMBLEM = "emblem"
    RED_QR = "red_qr"
    RED_WRITING = "red_writing"
    HIGHLIGHTER = "highlighter"
    BLACK_WRITING = "black_writing"
    BLACK_QR = "black_qr"
    BLACK_LOGO = "black_logo"


ALL_STRANGERS = frozenset(Stranger)


def draw_foreign_form(
    seals: Sequence[Artwork],
    rng: np.random.Generator,
    font: bytes,
    *,
    strangers: Collection[Stranger] = ALL_STRANGERS,
    look: PageLook = CLEAN,
    px_per_mm: float = SCAN_PX_PER_MM,
) -> SpecimenPage:
    """Return an A4 form with a ruled table, three impressions of each seal in a row, two of a wide one.

    Args:
        seals: at most three, one a row; a wide one runs over the lines.
    """
    canvas = np.ones((*(round(side * px_per_mm) for side in form.PAGE_MM[::-1]), 3), np.float32)
    red_rules = Stranger.RED_TABLE in strangers
    for index in range(3):
        _rule_row(canvas, index, font, px_per_mm, _RED if red_rules else (0.2, 0.2, 0.2))
    is_red = Stranger.RED_HEADLINE in strangers
    _write(
        canvas, "江南示例省电子签章采集表", (35, 20), 11.0, font, px_per_mm, _RED if is_red else (0.1,) * 3
    )
    if is_red:
        for y_mm, thick_mm in ((32.0, 0.9), (33.6, 0.4)):
            _fill(canvas, (15, y_mm, 180, thick_mm), px_per_mm, _RED)
    places: list[tuple[Artwork, int, tuple[float, float]]] = []
    for index, artwork in enumerate(seals):
        columns = (0.0, 1.0, 2.0) if artwork.size_mm[0] < _BOX_MM - 4 else (0.1, 1.6)
        for column in columns:
            x_mm = _TABLE_LEFT_MM + _LABEL_MM + (column + 0.5) * _BOX_MM + float(rng.uniform(-1.5, 1.5))
            y_mm = _TABLE_TOP_MM + index * _ROW_MM + _ROW_MM / 2 - 2 + float(rng.uniform(-1, 1))
            places.append((artwork, index, (x_mm, y_mm)))
    seal_count = len(seals)
    places += _strangers(canvas, strangers, rng, font, px_per_mm, seal_count)
    drawn = stamp_and_scan(canvas, places, rng=rng, font=font, px_per_mm=px_per_mm, look=look)
    truths = tuple(truth for truth in drawn.truths if truth.seal_index < seal_count)
    return SpecimenPage(drawn.page, truths, drawn.px_per_mm)


def _rule_row(
    canvas: Light, index: int, font: bytes, px_per_mm: float, rgb: tuple[float, float, float]
) -> None:
    top_mm = _TABLE_TOP_MM + index * _ROW_MM
    width_mm = _LABEL_MM + 3 * _BOX_MM
    for y_mm in (top_mm, top_mm + _ROW_MM - 0.3):
        _fill(canvas, (_TABLE_LEFT_MM, y_mm, width_mm, 0.3), px_per_mm, rgb)
    for x_mm in (0.0, *(_LABEL_MM + k * _BOX_MM for k in range(4))):
        _fill(canvas, (_TABLE_LEFT_MM + x_mm, top_mm, 0.3, _ROW_MM), px_per_mm, rgb)
    for row, word in enumerate(("印", "章", "样", "式")):
        _write(canvas, word, (_TABLE_LEFT_MM + 6, top_mm + 12 + 8 * row), 5.0, font, px_per_mm)
    for column, word in enumerate(("第一枚", "第二枚", "第三枚")):
        x_mm = _TABLE_LEFT_MM + _LABEL_MM + column * _BOX_MM + 22
        _write(canvas, word, (x_mm, top_mm + _ROW_MM - 3.5), 3.5, font, px_per_mm)


def _strangers(
    canvas: Light,
    strangers: Collection[Stranger],
    rng: np.random.Generator,
    font: bytes,
    px_per_mm: float,
    index: int,
) -> list[tuple[Artwork, int, tuple[float, float]]]:
    """Draw what is printed and pasted, in place; return what is to be stamped, numbered from `index`."""
    stamped: list[tuple[Artwork, int, tuple[float, float]]] = []
    if Stranger.ID_COPY in strangers:
        _paste_card(canvas, (14.0, _BELOW_MM + 2), rng, font, px_per_mm)
        stamp = draw_round_seal("虚构市公安局某某分局", font, diameter_mm=30.0, ink_rgb=(200, 70, 70))
        stamped.append((stamp, index, (78.0, _BELOW_MM + 36)))
    if Stranger.FINGERPRINT in strangers:
        stamped += [(draw_fingerprint(int(rng.integers(1 << 30))), index, (x, 230.0)) for x in (125.0, 148.0)]
    if Stranger.RED_WRITING in strangers:
        pen = draw_signature(int(rng.integers(1 << 30)), ink_rgb=(205, 45, 50), w_mm=36.0)
        stamped.append((pen, index, (130.0, 252.0)))
        _tick(canvas, (168.0, 262.0), px_per_mm)
    if Stranger.BLACK_WRITING in strangers:
        stamped.append((draw_signature(int(rng.integers(1 << 30))), index, (135.0, 275.0)))
    if Stranger.EMBLEM in strangers:
        _emblem(canvas, (182.0, 222.0), 9.0, px_per_mm, _RED, (0.95, 0.85, 0.3))
    if Stranger.BLACK_LOGO in strangers:
        _emblem(canvas, (182.0, 285.0), 8.0, px_per_mm, (0.1, 0.1, 0.1), (1.0, 1.0, 1.0))
    if Stranger.RED_QR in strangers:
        _code(canvas, (172.0, 236.0, 20.0, 20.0), px_per_mm, _RED)
    if Stranger.BLACK_QR in strangers:
        _code(canvas, (14.0, 266.0, 22.0, 22.0), px_per_mm, (0.1, 0.1, 0.1))
    if Stranger.HIGHLIGHTER in strangers:
        _fill(canvas, (45.0, 278.0, 50.0, 8.0), px_per_mm, (0.98, 0.55, 0.72))
        _write(canvas, "请勿压线", (50, 282), 5.0, font, px_per_mm)
    return stamped


def _band(canvas: Light, box_mm: tuple[float, float, float, float], px_per_mm: float) -> Light:
    x0, y0, x1, y1 = (
        round(v * px_per_mm) for v in (box_mm[0], box_mm[1], box_mm[0] + box_mm[2], box_mm[1] + box_mm[3])
    )
    return canvas[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]


def _fill(
    canvas: Light,
    box_mm: tuple[float, float, float, float],
    px_per_mm: float,
    rgb: tuple[float, float, float],
) -> None:
    band = _band(canvas, box_mm, px_per_mm)
    band *= np.array(rgb, np.float32)


def _write(
    canvas: Light,
    text: str,
    at_mm: tuple[float, float],
    height_mm: float,
    font: bytes,
    px_per_mm: float,
    rgb: tuple[float, ...] = (0.1, 0.1, 0.1),
) -> None:
    """Print a line of text in any colour, its middle left at `at_mm`."""
    top, bottom = ((at_mm[1] + side * height_mm) * px_per_mm for side in (-1, 1))
    band = canvas[max(0, round(top)) : round(bottom)]
    black = np.ones_like(band)
    print_text(
        black,
        text,
        font=font,
        left_px=at_mm[0] * px_per_mm,
        middle_px=at_mm[1] * px_per_mm - max(0, round(top)),
        height_px=height_mm * px_per_mm,
        transmittance=0.0,
    )
    band *= black + (1 - black) * np.array(rgb, np.float32)


def _paste_card(
    canvas: Light, at_mm: tuple[float, float], rng: np.random.Generator, font: bytes, px_per_mm: float
) -> None:
    """Paste the colour copy of an identity card: tinted, waved with fine lines, with a portrait."""
    band = _band(canvas, (*at_mm, *_CARD_MM), px_per_mm)
    height, width = band.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32) / px_per_mm
    tint = np.array([0.80, 0.86, 0.90], np.float32) + 0.03 * np.sin(
        columns[..., None] / 9 + np.array([0, 1, 2], np.float32)
    )
    waves = 0.05 * np.sin(2 * np.pi * (rows + 2 * np.sin(columns / 7)) / 1.6)
    card = tint - waves[..., None] * np.array([0.4, 1.0, 0.8], np.float32)
    left, top = round(0.64 * width), round(0.12 * height)
    face_h, face_w = round(0.62 * height), round(0.30 * width)
    patches = cv2.resize(rng.uniform(0.2, 0.9, (7, 5, 3)).astype(np.float32), (face_w, face_h))
    card[top : top + face_h, left : left + face_w] = patches
    band *= card
    for row, text in enumerate(
        ("姓名 张三示例", "性别 男 民族 汉", "出生 1980 年 1 月 1 日", "住址 虚构市某某路")
    ):
        _write(canvas, text, (at_mm[0] + 5, at_mm[1] + 9 + 8 * row), 3.6, font, px_per_mm)


def _emblem(
    canvas: Light,
    centre_mm: tuple[float, float],
    radius_mm: float,
    px_per_mm: float,
    rgb: tuple[float, float, float],
    star_rgb: tuple[float, float, float],
) -> None:
    """Print a filled round emblem with a star in it."""
    cx, cy = (v * px_per_mm for v in centre_mm)
    cv2.circle(canvas, (round(cx), round(cy)), round(radius_mm * px_per_mm), rgb, -1, cv2.LINE_AA)
    turn = np.pi / 5 * np.arange(10)
    radius = np.where(np.arange(10) % 2 == 0, 0.7, 0.27) * radius_mm * px_per_mm
    star = np.stack([cx + radius * np.sin(turn), cy - radius * np.cos(turn)], 1)
    cv2.fillPoly(canvas, [np.round(star).astype(np.int32)], star_rgb, cv2.LINE_AA)


def _code(
    canvas: Light,
    box_mm: tuple[float, float, float, float],
    px_per_mm: float,
    rgb: tuple[float, float, float],
) -> None:
    band = _band(canvas, box_mm, px_per_mm)
    code = cv2.QRCodeEncoder.create().encode("https://example.invalid/forms/18")
    grown = cv2.resize(code, band.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    band *= np.where(grown[..., None] > 127, np.float32(1), np.array(rgb, np.float32))


def _tick(canvas: Light, at_mm: tuple[float, float], px_per_mm: float) -> None:
    corners = np.array([[0, 5], [4, 10], [13, -4]], np.float64) + at_mm
    line = np.round(corners * px_per_mm).astype(np.int32)
    cv2.polylines(canvas, [line], False, _RED, max(1, round(0.8 * px_per_mm)), cv2.LINE_AA)
