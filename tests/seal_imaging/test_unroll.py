"""The rim of a seal rolled out flat: where the name stands, where the code, where the foot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tryout.artwork import Artwork
from seal_imaging.unroll import find_code, find_name, roll_out, upright_density, upright_ink
from tests.seal_imaging.test_text import impression_of


def test_the_name_stands_about_the_top(round_seal: Artwork) -> None:
    found = find_name(roll_out(upright_ink(impression_of(round_seal))))
    assert found is not None
    rim, band = found
    assert rim.turn_deg((band.left + band.right) / 2) == pytest.approx(0.0, abs=1.5)
    # 250 degrees between the middles of its first and last character, and half of each beside them
    assert (band.right - band.left) / rim.ink.shape[1] * 360 == pytest.approx(268, abs=8)


@settings(max_examples=12, deadline=None)
@given(turn_deg=st.floats(-180, 180))
def test_the_name_is_found_whichever_way_the_seal_lies(finance_seal: Artwork, turn_deg: float) -> None:
    found = find_name(roll_out(upright_ink(impression_of(finance_seal), turn_deg=turn_deg)))
    assert found is not None
    rim, band = found
    off_deg = rim.turn_deg((band.left + band.right) / 2) + turn_deg
    assert (off_deg + 180) % 360 - 180 == pytest.approx(0.0, abs=2.0)


def test_the_code_stands_at_the_foot(round_seal: Artwork) -> None:
    found = find_name(roll_out(upright_ink(impression_of(round_seal))))
    assert found is not None
    at_foot = find_code(*found)
    assert at_foot is not None
    rim, band = at_foot
    assert abs(rim.turn_deg((band.left + band.right) / 2)) == pytest.approx(180, abs=2)


def test_a_seal_without_a_code_has_none(other_round_seal: Artwork) -> None:
    found = find_name(roll_out(upright_ink(impression_of(other_round_seal))))
    assert found is not None
    assert find_code(*found) is None


def test_a_blank_rim_bears_no_name() -> None:
    assert find_name(roll_out(np.zeros((200, 200), np.float32))) is None


@pytest.mark.parametrize("kind", ["round_seal", "oval_seal"])
def test_the_corners_of_a_band_enclose_the_name(request: pytest.FixtureRequest, kind: str) -> None:
    upright = upright_ink(impression_of(request.getfixturevalue(kind)))
    found = find_name(roll_out(upright))
    assert found is not None
    corners = found[0].outline_of(found[1])
    height, width = upright.shape
    assert corners.min() > 0
    assert corners[:, 0].max() < width
    assert corners[:, 1].max() < height
    assert corners[:, 1].min() < 0.15 * height


def test_a_density_not_kept_is_none(round_seal: Artwork) -> None:
    assert upright_density(impression_of(round_seal)) is None
