"""Draws the sample seals of the filled-in example form (填写样例), each saying that it is a sample."""

import math

import pymupdf

from seal_imaging.form import BoxMm, FormRow, SealKind
from seal_imaging.units import pt_from_mm

RED = (0.80, 0.10, 0.12)
BLUE = (0.10, 0.20, 0.62)
BLACK = (0.10, 0.10, 0.12)
_LINE_MM = 1.0
_TILTS_DEG = (-3.0, 0.0, 2.0)
"""Hands never stamp quite straight."""


def draw_samples(page: pymupdf.Page, row: FormRow, *, font: str) -> None:
    """Draw one sample in each box of a row.

    Args:
        font: a CJK font inserted into the page under this name.
    """
    for box, tilt_deg in zip(row.boxes, _TILTS_DEG, strict=True):
        centre = _middle(box)
        match row.kind:
            case SealKind.OFFICIAL:
                _round(page, centre, 40.0, tilt_deg, font)
            case SealKind.LEGAL_REPRESENTATIVE:
                _square(page, centre, 20.0, tilt_deg, font)
            case SealKind.PROFESSIONAL:
                _oval(page, centre, (45.0, 30.0), tilt_deg, font)
            case SealKind.SIGNATURE:
                _text(page, centre, "样例签字", 9.0, tilt_deg * 2, font, BLACK)


def _middle(box: BoxMm) -> pymupdf.Point:
    x, y, w, h = box
    return pymupdf.Point(pt_from_mm(x + w / 2), pt_from_mm(y + h / 2))


def _round(page: pymupdf.Page, centre: pymupdf.Point, width_mm: float, tilt_deg: float, font: str) -> None:
    radius = pt_from_mm(width_mm - _LINE_MM) / 2
    page.draw_circle(centre, radius, color=RED, width=pt_from_mm(_LINE_MM))
    _star(page, centre, pt_from_mm(6.0), tilt_deg)
    word = "填写样例不作印模"
    for number, character in enumerate(word):
        angle_deg = tilt_deg + (number - (len(word) - 1) / 2) * 30
        turn = math.radians(angle_deg)
        away = radius - pt_from_mm(4.5)
        at = centre + pymupdf.Point(math.sin(turn) * away, -math.cos(turn) * away)
        _text(page, at, character, 5.0, angle_deg, font, RED)
    below = centre + pymupdf.Point(0, radius * 0.62)
    _text(page, below, "SAMPLE", 3.6, tilt_deg, font, RED)


def _square(page: pymupdf.Page, centre: pymupdf.Point, side_mm: float, tilt_deg: float, font: str) -> None:
    half = pt_from_mm(side_mm - _LINE_MM) / 2
    corners = [centre + pymupdf.Point(x * half, y * half) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    turn = pymupdf.Matrix(-tilt_deg)
    page.draw_polyline(
        [*corners, corners[0]],
        color=RED,
        width=pt_from_mm(_LINE_MM),
        closePath=True,
        morph=(centre, turn),
    )
    up, down = (centre + pymupdf.Point(0, pt_from_mm(y)) for y in (-4.2, 4.2))
    _text(page, up, "样例", 7.0, tilt_deg, font, RED, about=centre)
    _text(page, down, "之印", 7.0, tilt_deg, font, RED, about=centre)


def _oval(
    page: pymupdf.Page,
    centre: pymupdf.Point,
    size_mm: tuple[float, float],
    tilt_deg: float,
    font: str,
) -> None:
    half_w, half_h = (pt_from_mm(side) / 2 for side in size_mm)
    outline = pymupdf.Rect(centre.x - half_w, centre.y - half_h, centre.x + half_w, centre.y + half_h)
    page.draw_oval(outline, color=BLUE, width=pt_from_mm(_LINE_MM))
    for text, down_mm, height_mm in (("填写样例", -5.0, 5.5), ("SAMPLE", 2.5, 4.5), ("不作印模", 9.0, 4.0)):
        at = centre + pymupdf.Point(0, pt_from_mm(down_mm))
        _text(page, at, text, height_mm, tilt_deg, font, BLUE, about=centre)


def _star(page: pymupdf.Page, centre: pymupdf.Point, radius_pt: float, tilt_deg: float) -> None:
    points = []
    for corner in range(10):
        reach = radius_pt * (1.0 if corner % 2 == 0 else 0.382)
        turn = math.radians(tilt_deg + 36 * corner)
        points.append(centre + pymupdf.Point(math.sin(turn) * reach, -math.cos(turn) * reach))
    page.draw_polyline([*points, points[0]], color=RED, fill=RED, width=0, closePath=True)


def _text(
    page: pymupdf.Page,
    middle: pymupdf.Point,
    text: str,
    height_mm: float,
    turn_deg: float,
    font: str,
    colour: tuple[float, float, float],
    *,
    about: pymupdf.Point | None = None,
) -> None:
    """Write a line with its middle at a point, turned clockwise about that point or another."""
    size_pt = pt_from_mm(height_mm)
    width_pt = pymupdf.Font("cjk").text_length(text, fontsize=size_pt)
    at = middle + pymupdf.Point(-width_pt / 2, 0.36 * size_pt)
    turn = pymupdf.Matrix(-turn_deg)
    page.insert_text(at, text, fontname=font, fontsize=size_pt, color=colour, morph=(about or middle, turn))
