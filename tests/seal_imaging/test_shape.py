"""Outlines fitted to drawn ink of known size: which shape, how large, however it was stamped."""

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seal_imaging.impression import SealShape
from seal_imaging.outline import Outline, Points
from seal_imaging.shape import fit_outline, fit_outlines

PX_PER_MM = 300 / 25.4
FINE = 4
"""Drawn this many times as fine, then averaged down."""

Ink = NDArray[np.float32]
DrawMm = Callable[[NDArray[np.uint8], Callable[[Points], Points], float], None]


def _sheet(
    draw_mm: DrawMm,
    *,
    px_per_mm: float = PX_PER_MM,
    turn_deg: float = 0.0,
    at_mm: tuple[float, float] = (40.0, 40.0),
    side_mm: float = 80.0,
) -> Ink:
    """Return ink over a square sheet; the drawing is in mm from the seal's middle, turned clockwise."""
    scale = px_per_mm * FINE
    canvas = np.zeros((round(side_mm * px_per_mm) * FINE,) * 2, np.uint8)
    t = math.radians(turn_deg)
    matrix = np.array([[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]])

    def place(points: Points) -> Points:
        return np.asarray((points @ matrix.T + at_mm) * scale - 0.5)

    draw_mm(canvas, place, scale)
    small = cv2.resize(canvas, None, fx=1 / FINE, fy=1 / FINE, interpolation=cv2.INTER_AREA)
    return np.asarray(small / np.float32(255), np.float32)


def _fill(canvas: NDArray[np.uint8], points: Points, value: int) -> None:
    cv2.fillPoly(canvas, [np.round(points * 256).astype(np.int32)], value, shift=8)


def _ring(w_mm: float, h_mm: float, border_mm: float) -> DrawMm:
    def draw(canvas: NDArray[np.uint8], place: Callable[[Points], Points], _: float) -> None:
        t = np.linspace(0, 2 * math.pi, 720, endpoint=False)
        for less, value in ((0.0, 255), (border_mm, 0)):
            _fill(
                canvas,
                place(np.stack([(w_mm / 2 - less) * np.cos(t), (h_mm / 2 - less) * np.sin(t)], 1)),
                value,
            )

    return draw


def _frame(w_mm: float, h_mm: float, border_mm: float, corner_mm: float = 0.0) -> DrawMm:
    def draw(canvas: NDArray[np.uint8], place: Callable[[Points], Points], _: float) -> None:
        for less, value in ((0.0, 255), (border_mm, 0)):
            w, h, r = w_mm / 2 - less, h_mm / 2 - less, max(0.0, corner_mm - less)
            points = []
            for start, (x, y) in zip((0, 90, 180, 270), ((w, h), (-w, h), (-w, -h), (w, -h)), strict=True):
                for t in np.radians(np.linspace(start, start + 90, 12)):
                    points.append(
                        (
                            math.copysign(abs(x) - r, x) + r * math.cos(t),
                            math.copysign(abs(y) - r, y) + r * math.sin(t),
                        )
                    )
            _fill(canvas, place(np.array(points)), value)

    return draw


def _polygon(corners: int, radius_mm: float, border_mm: float) -> DrawMm:
    def draw(canvas: NDArray[np.uint8], place: Callable[[Points], Points], _: float) -> None:
        t = np.arange(corners) * 2 * math.pi / corners
        for less, value in ((0.0, 255), (border_mm, 0)):
            _fill(canvas, place((radius_mm - less) * np.stack([np.sin(t), -np.cos(t)], 1)), value)

    return draw


def _both(*drawings: DrawMm) -> DrawMm:
    def draw(canvas: NDArray[np.uint8], place: Callable[[Points], Points], scale: float) -> None:
        for drawing in drawings:
            layer = np.zeros_like(canvas)
            drawing(layer, place, scale)
            np.maximum(canvas, layer, out=canvas)

    return draw


def _moved(drawing: DrawMm, x_mm: float, y_mm: float) -> DrawMm:
    def draw(canvas: NDArray[np.uint8], place: Callable[[Points], Points], scale: float) -> None:
        drawing(canvas, lambda points: place(points + np.array([x_mm, y_mm])), scale)

    return draw


def _outer(ink: Ink) -> Points:
    """Return what a search for seals hands over: the outside of the ink, seen coarsely."""
    small = cv2.resize(ink, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    contours, _ = cv2.findContours((small > 0.3).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate([contour.reshape(-1, 2) for contour in contours]).astype(np.float64)
    return np.asarray((points + 0.5) / 0.4)


def _fit(ink: Ink, px_per_mm: float = PX_PER_MM) -> Outline:
    outline = fit_outline(ink, _outer(ink), px_per_mm=px_per_mm)
    assert outline is not None
    return outline


def _worn(ink: Ink, share: float, seed: int, px_per_mm: float = PX_PER_MM) -> Ink:
    """Return the ink with patches of some mm missing, that share of the sheet in all."""
    rng = np.random.default_rng(seed)
    cells = math.ceil(ink.shape[0] / (3 * px_per_mm)) + 1
    noise = cv2.resize(rng.standard_normal((cells, cells)), ink.shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(ink * (noise > np.quantile(noise, share)), np.float32)


SHAPES: tuple[tuple[str, SealShape, tuple[float, float], DrawMm], ...] = (
    ("circle 42", SealShape.CIRCLE, (42.0, 42.0), _ring(42, 42, 1.2)),
    ("contract circle 58", SealShape.CIRCLE, (58.0, 58.0), _ring(58, 58, 1.2)),
    ("thick circle 38", SealShape.CIRCLE, (38.0, 38.0), _ring(38, 38, 2.4)),
    ("double circle 45", SealShape.CIRCLE, (45.0, 45.0), _both(_ring(45, 45, 1.0), _ring(42, 42, 0.4))),
    ("invoice oval", SealShape.ELLIPSE, (40.0, 30.0), _ring(40, 30, 1.0)),
    ("oval 45x30", SealShape.ELLIPSE, (45.0, 30.0), _ring(45, 30, 1.0)),
    ("double oval", SealShape.ELLIPSE, (50.0, 36.0), _both(_ring(50, 36, 1.0), _ring(47, 33, 0.4))),
    ("square 18", SealShape.SQUARE, (18.0, 18.0), _frame(18, 18, 1.0)),
    ("rounded square 22", SealShape.SQUARE, (22.0, 22.0), _frame(22, 22, 1.2, corner_mm=2.0)),
    ("double square 25", SealShape.SQUARE, (25.0, 25.0), _both(_frame(25, 25, 1.0), _frame(22, 22, 0.4))),
    ("rectangle 63x28", SealShape.RECTANGLE, (63.0, 28.0), _frame(63, 28, 0.6)),
    ("rectangle 45x20", SealShape.RECTANGLE, (45.0, 20.0), _frame(45, 20, 0.8)),
)
EVERY = pytest.mark.parametrize(
    ("shape", "size_mm", "drawing"), [s[1:] for s in SHAPES], ids=[s[0] for s in SHAPES]
)


@EVERY
def test_each_shape_is_told_and_true_to_size(
    shape: SealShape, size_mm: tuple[float, float], drawing: DrawMm
) -> None:
    found = _fit(_sheet(drawing, turn_deg=7.3))
    assert found.shape is shape
    assert np.array(found.size_px) / PX_PER_MM == pytest.approx(size_mm, abs=0.05)
    assert np.array(found.centre_px) / PX_PER_MM == pytest.approx((40.0, 40.0), abs=0.05)
    if shape is not SealShape.CIRCLE:
        assert found.angle_deg == pytest.approx(7.3, abs=0.3)


@EVERY
@pytest.mark.parametrize("seed", [1, 2])
def test_a_quarter_of_the_ink_missing_changes_neither_shape_nor_size(
    shape: SealShape, size_mm: tuple[float, float], drawing: DrawMm, seed: int
) -> None:
    found = _fit(_worn(_sheet(drawing, turn_deg=-11.0), 0.28, seed))
    assert found.shape is shape
    assert np.array(found.size_px) / PX_PER_MM == pytest.approx(size_mm, abs=0.25)


@settings(max_examples=25, deadline=None)
@given(
    number=st.integers(0, len(SHAPES) - 1),
    turn=st.floats(-180, 180),
    dpi=st.sampled_from([150, 200, 240, 300, 400]),
    x=st.floats(-1, 1),
    y=st.floats(-1, 1),
)
def test_turn_place_and_dpi_do_not_change_shape_or_size(
    number: int, turn: float, dpi: int, x: float, y: float
) -> None:
    _, shape, size_mm, drawing = SHAPES[number]
    px_per_mm = dpi / 25.4
    found = _fit(_sheet(drawing, px_per_mm=px_per_mm, turn_deg=turn, at_mm=(40 + x, 40 + y)), px_per_mm)
    assert found.shape is shape
    assert np.array(found.size_px) / px_per_mm == pytest.approx(size_mm, abs=0.1)


@pytest.mark.parametrize("oval_share", [0.01, 0.02])
def test_a_circle_seen_slightly_askew_is_still_a_circle(oval_share: float) -> None:
    found = _fit(_sheet(_ring(42 * (1 + oval_share / 2), 42 * (1 - oval_share / 2), 1.2)))
    assert found.shape is SealShape.CIRCLE
    assert found.size_px[0] / PX_PER_MM == pytest.approx(42.0, abs=0.1)


@pytest.mark.parametrize("turn_deg", [-4.0, 0.0, 1.5])
def test_a_well_inked_rectangle_may_be_nearly_three_times_as_wide_as_high(turn_deg: float) -> None:
    found = _fit(_sheet(_frame(58, 20, 0.6), turn_deg=turn_deg))
    assert found.shape is SealShape.RECTANGLE
    assert np.array(found.size_px) / PX_PER_MM == pytest.approx((58.0, 20.0), abs=0.05)


def test_half_an_outer_ring_is_still_the_edge() -> None:
    outer = _sheet(_ring(45, 45, 0.8))
    rows, columns = np.mgrid[: outer.shape[0], : outer.shape[1]]
    middle = 40 * PX_PER_MM
    kept = (np.degrees(np.arctan2(rows - middle, columns - middle)) // 30) % 2 == 0
    found = _fit(np.maximum(outer * kept, _sheet(_ring(42, 42, 0.8))).astype(np.float32))
    assert found.size_px[0] / PX_PER_MM == pytest.approx(45.0, abs=0.1)


def test_ink_spread_beside_one_side_does_not_move_it() -> None:
    ink = _sheet(_frame(20, 20, 1.0))
    left, top = round(30 * PX_PER_MM), round(34 * PX_PER_MM)
    ink[top : top + round(3 * PX_PER_MM), left - round(2 * PX_PER_MM) : left] = 1
    found = _fit(ink)
    assert found.shape is SealShape.SQUARE
    assert np.array(found.size_px) / PX_PER_MM == pytest.approx((20.0, 20.0), abs=0.1)


@pytest.mark.parametrize("corners", [3, 5, 8])
def test_a_polygon_is_never_taken_for_a_well_inked_seal_of_another_shape(corners: int) -> None:
    ink = _sheet(_polygon(corners, 20.0, 1.0), turn_deg=5.0)
    found = fit_outline(ink, _outer(ink), px_per_mm=PX_PER_MM)
    assert found is None or found.support < 0.75


def test_two_rectangles_that_touch_are_two() -> None:
    pair = _both(_moved(_frame(30, 16, 0.8), -15.5, -6), _moved(_frame(30, 16, 0.8), 14.8, 3))
    ink = _sheet(pair, turn_deg=4.0)
    found = fit_outlines(ink, _outer(ink), px_per_mm=PX_PER_MM)
    assert [one.shape for one in found] == [SealShape.RECTANGLE] * 2
    for one in found:
        assert np.array(one.size_px) / PX_PER_MM == pytest.approx((30.0, 16.0), abs=0.15)


def test_three_circles_in_a_row_are_three() -> None:
    row = _both(*(_moved(_ring(24, 24, 1.0), x, 0) for x in (-23.5, 0.0, 23.5)))
    ink = _sheet(row)
    found = fit_outlines(ink, _outer(ink), px_per_mm=PX_PER_MM)
    assert sorted(round(one.centre_px[0] / PX_PER_MM, 1) for one in found) == pytest.approx(
        [16.5, 40, 63.5], abs=0.11
    )
    assert all(one.size_px[0] / PX_PER_MM == pytest.approx(24.0, abs=0.1) for one in found)


def test_no_outline_is_made_of_a_few_specks() -> None:
    ink = np.zeros((200, 200), np.float32)
    ink[50:53, 60:63] = ink[120:123, 140:143] = 1
    assert fit_outline(ink, _outer(ink), px_per_mm=PX_PER_MM) is None
    assert fit_outlines(ink, _outer(ink), px_per_mm=PX_PER_MM) == []


def test_points_within_an_outline_are_told_from_those_without() -> None:
    oval = Outline(SealShape.ELLIPSE, (10.0, 10.0), (12.0, 6.0), 90.0, 1.0)
    assert oval.holds(np.array([[10.0, 15.5], [15.5, 10.0]])).tolist() == [True, False]
    square = Outline(SealShape.SQUARE, (10.0, 10.0), (6.0, 6.0), 45.0, 1.0)
    assert square.holds(np.array([[14.0, 10.0], [12.5, 12.5]])).tolist() == [True, False]
    assert square.holds(np.array([[12.5, 12.5]]), grown=1.3).tolist() == [True]
