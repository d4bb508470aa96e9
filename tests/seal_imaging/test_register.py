"""Impressions of one seal are laid over each other where they truly lie."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tryout.artwork import Artwork
from seal_imaging import Impression
from seal_imaging.register import register
from tests.seal_imaging.stamped import frame_from_seal, stamp

MAX_ERROR_MM = 0.03


def _error_mm(
    one: Impression, other: Impression, one_from_seal: np.ndarray, other_from_seal: np.ndarray
) -> float:
    """Return by how much register misses, RMS over a ring of the seal."""
    laid = register(one, other)
    theta = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    seal = np.stack([8 * np.cos(theta), 8 * np.sin(theta), np.ones(16)])
    on_one = (one_from_seal @ seal)[:2] - np.array(one.box_px[:2])[:, None]
    on_other = (other_from_seal @ seal)[:2] - np.array(other.box_px[:2])[:, None]
    mapped = laid.box_from_flat @ np.vstack([on_one, np.ones(16)])
    off = mapped[:2] / mapped[2] - on_other
    scale = other.px_per_mm or 1.0
    return float(np.sqrt((off**2).sum(0).mean())) / scale


@settings(max_examples=6, deadline=None, derandomize=True)
@given(
    turn_deg=st.floats(-180, 180),
    shift_mm=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    scale=st.sampled_from([150 / 25.4, 300 / 25.4, 600 / 25.4]),
    seed=st.integers(0, 99),
)
def test_a_round_seal_is_found_at_any_turn_and_dpi(
    round_seal: Artwork, turn_deg: float, shift_mm: tuple[float, float], scale: float, seed: int
) -> None:
    straight = frame_from_seal(12.0, turn_deg=4.0)
    moved = frame_from_seal(scale, turn_deg=turn_deg, shift_mm=shift_mm)
    one = stamp(round_seal, straight, 12.0, missing=0.2, seed=seed)
    other = stamp(round_seal, moved, scale, missing=0.2, seed=seed + 1)
    assert _error_mm(one, other, straight, moved) < MAX_ERROR_MM


@pytest.mark.parametrize("turn_deg", [90.0, 180.0, 270.0])
def test_a_square_seal_is_found_after_quarter_turns(square_seal: Artwork, turn_deg: float) -> None:
    straight, moved = frame_from_seal(12.0), frame_from_seal(12.0, turn_deg=turn_deg + 3)
    one = stamp(square_seal, straight, 12.0)
    other = stamp(square_seal, moved, 12.0, missing=0.2)
    assert _error_mm(one, other, straight, moved) < MAX_ERROR_MM


def test_an_oval_and_a_rectangle_are_found_after_half_a_turn(
    oval_seal: Artwork, rectangle_seal: Artwork
) -> None:
    for seal in (oval_seal, rectangle_seal):
        straight, moved = frame_from_seal(12.0), frame_from_seal(12.0, turn_deg=182.0)
        one = stamp(seal, straight, 12.0, missing=0.2)
        other = stamp(seal, moved, 12.0, missing=0.2, seed=5)
        assert _error_mm(one, other, straight, moved) < MAX_ERROR_MM
