"""Round marks that are seals, and round marks that are not."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seal_imaging import read_impressions

PX_PER_MM = 8.0
RED = (214, 40, 44)
_MIDDLE = (250, 250)


def _sheet() -> NDArray[np.uint8]:
    return np.full((500, 500, 3), 248, np.uint8)


def _letters(page: NDArray[np.uint8], radius_mm: float, count: int) -> None:
    """Put characters of three strokes along the upper part of a circle."""
    for number in range(count):
        theta = math.radians(-125 + 250 * number / (count - 1))
        out = np.array([math.sin(theta), -math.cos(theta)])
        along = np.array([-out[1], out[0]])
        for off in (-1.0, 0.0, 1.0):
            low, high = (
                (np.array(_MIDDLE) + PX_PER_MM * ((radius_mm + depth) * out + off * along)) * 16
                for depth in (-1.6, 1.6)
            )
            ends = [tuple(int(v) for v in end) for end in (low, high)]
            cv2.line(page, ends[0], ends[1], RED, 3, cv2.LINE_AA, 4)


@pytest.mark.parametrize("side_mm", [38.0, 42.0, 50.0])
def test_a_round_seal_with_an_empty_middle_is_a_seal(side_mm: float) -> None:
    page = _sheet()
    radius = side_mm / 2 * PX_PER_MM
    cv2.circle(page, _MIDDLE, round(radius - 0.5 * PX_PER_MM), RED, round(PX_PER_MM), cv2.LINE_AA)
    _letters(page, side_mm / 2 * 0.83, 12)
    (found,) = read_impressions(page, PX_PER_MM)
    assert found.size_mm == pytest.approx((side_mm, side_mm), abs=0.3)


def test_an_empty_ring_is_no_seal() -> None:
    page = _sheet()
    cv2.circle(page, _MIDDLE, 160, RED, 8, cv2.LINE_AA)
    cv2.circle(page, (250, 270), 16, RED, -1, cv2.LINE_AA)
    assert read_impressions(page, PX_PER_MM) == []


@given(off=st.floats(0.15, 0.3), turn=st.floats(0, 2 * math.pi))
@settings(max_examples=15, deadline=None)
def test_a_crescent_emblem_is_no_seal(off: float, turn: float) -> None:
    page = _sheet()
    cv2.circle(page, _MIDDLE, 90, RED, -1, cv2.LINE_AA)
    hole = (round(250 + off * 90 * math.cos(turn)), round(250 + off * 90 * math.sin(turn)))
    cv2.circle(page, hole, 62, (248, 248, 248), -1, cv2.LINE_AA)
    cv2.line(page, (hole[0] - 20, hole[1]), (hole[0] + 20, hole[1]), RED, 6)
    assert read_impressions(page, PX_PER_MM) == []


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_a_ring_drawn_by_hand_round_two_characters_is_no_seal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    page = _sheet()
    theta = np.linspace(0, 2 * math.pi, 90)
    waves = sum(
        rng.normal(0, 0.8) * np.cos(order * theta + rng.uniform(0, 6)) / order for order in (2, 3, 4, 5)
    )
    radius = (15 + waves) * PX_PER_MM
    ring = np.stack([250 + 1.3 * radius * np.cos(theta), 250 + radius * np.sin(theta)], 1)
    cv2.polylines(page, [np.round(ring * 16).astype(np.int32)], False, RED, 4, cv2.LINE_AA, 4)
    for x in (215, 260):
        cv2.putText(page, "A", (x, 270), cv2.FONT_HERSHEY_SIMPLEX, 1.6, RED, 4, cv2.LINE_AA)
    assert all(one.quality.outline >= 0.9 for one in read_impressions(page, PX_PER_MM))
