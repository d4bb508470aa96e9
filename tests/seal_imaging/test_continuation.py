"""Strokes of ink go on under what hides them, in the direction they arrive."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_imaging.continuation import continue_strokes

SIDE_PX = 121
PX_PER_MM = 12.0


def _line(
    angle_deg: float, wide_px: float, shift_px: float = 0.0
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return a line through the middle of the picture, shifted along its normal."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] - SIDE_PX // 2
    t = math.radians(angle_deg)
    return np.asarray(np.abs(x * math.sin(t) - y * math.cos(t) - shift_px) <= wide_px / 2)


@given(
    angle_deg=st.floats(0, 180),
    crossing_deg=st.floats(50, 130),
    print_px=st.floats(3, 9),
    ink_px=st.floats(6, 20),
)
def test_a_stroke_goes_on_under_a_stroke_that_crosses_it(
    angle_deg: float, crossing_deg: float, print_px: float, ink_px: float
) -> None:
    ink = _line(angle_deg, ink_px)
    hidden = _line(angle_deg + crossing_deg, print_px)
    guess = continue_strokes(ink & ~hidden, hidden, hidden, px_per_mm=PX_PER_MM) > 0.5
    inner, outer = _line(angle_deg, ink_px - 4), _line(angle_deg, ink_px + 5)
    # Near the ends of the stroke the picture's edge hides where it comes from.
    middle = np.zeros_like(ink)
    cv2.circle(middle.view(np.uint8), (SIDE_PX // 2, SIDE_PX // 2), 30, 1, -1)
    assert (guess & inner & hidden & middle).sum() >= 0.9 * (inner & hidden & middle).sum()
    assert (guess & ~outer & middle).sum() <= 0.02 * hidden[middle].sum()


def test_print_between_nothing_but_paper_hides_no_ink() -> None:
    far = np.zeros((SIDE_PX, SIDE_PX), np.bool_)
    far[:10] = True
    hidden = _line(0, 5)
    assert not continue_strokes(far, hidden, hidden, px_per_mm=PX_PER_MM).any()


def test_a_thin_gap_between_strokes_stays_open_under_print_across_it() -> None:
    ink = ~_line(90, 7)
    hidden = _line(0, 5)
    guess = continue_strokes(ink & ~hidden, hidden, hidden, px_per_mm=PX_PER_MM)
    middle = SIDE_PX // 2
    assert guess[middle, middle] < 0.5
    assert guess[middle, middle - 12] > 0.5
    assert guess[middle, middle + 12] > 0.5


def test_only_what_is_asked_for_is_answered() -> None:
    ink, hidden = _line(90, 12), _line(0, 5)
    asked = hidden.copy()
    asked[:, : SIDE_PX // 2] = False
    guess = continue_strokes(ink & ~hidden, hidden, asked, px_per_mm=PX_PER_MM)
    assert guess[asked].any()
    assert not guess[~asked].any()


@pytest.mark.parametrize("px_per_mm", [6.0, 12.0, 24.0, 48.0])
def test_the_scale_of_the_page_does_not_matter(px_per_mm: float) -> None:
    zoom = px_per_mm / PX_PER_MM
    size = (round(SIDE_PX * zoom), round(SIDE_PX * zoom))
    ink, hidden = (
        cv2.resize(part.view(np.uint8), size, interpolation=cv2.INTER_NEAREST).view(np.bool_)
        for part in (_line(75, 12), _line(0, 6))
    )
    guess = continue_strokes(ink & ~hidden, hidden, hidden, px_per_mm=px_per_mm) > 0.5
    assert (guess & ink & hidden).sum() >= 0.85 * (ink & hidden).sum()
    assert (guess & ~ink).sum() <= 0.15 * (ink & hidden).sum()
