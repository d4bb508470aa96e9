"""Reading tells which way is up where the outline cannot."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.tryout.artwork import Artwork
from seal_imaging import RapidReader
from seal_imaging.upright_by_reading import upright_by_reading
from tests.seal_imaging.readers import ScriptedReader
from tests.seal_imaging.test_text import impression_of


@pytest.fixture(scope="module")
def reader() -> RapidReader:
    return RapidReader()


@pytest.mark.parametrize("turn_deg", [90.0, 180.0, -90.0])
def test_a_name_seal_taken_for_turned_is_set_right(
    reader: RapidReader, square_seal: Artwork, turn_deg: float
) -> None:
    best = upright_by_reading(impression_of(square_seal, angle_deg=turn_deg), reader)[0]
    assert abs(best.angle_deg) == pytest.approx(0.0, abs=1e-6)
    assert best.text.name is not None
    assert best.text.name.text == "张三之印"


@pytest.mark.parametrize("kind", ["oval_seal", "rectangle_seal"])
def test_a_seal_upside_down_is_set_right(
    reader: RapidReader, request: pytest.FixtureRequest, kind: str
) -> None:
    seal: Artwork = request.getfixturevalue(kind)
    best = upright_by_reading(impression_of(seal, angle_deg=180.0), reader)[0]
    assert abs(best.angle_deg) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("turn_deg", [-150.0, -60.0, 90.0, 180.0])
def test_a_round_seal_is_set_right_to_a_point_of_its_star(
    reader: RapidReader, finance_seal: Artwork, turn_deg: float
) -> None:
    """The star fixes the turn to fifths; reading picks the fifth, and keeps the star's rest."""
    best = upright_by_reading(impression_of(finance_seal, angle_deg=turn_deg), reader)[0]
    assert abs(best.angle_deg) <= 36.0
    assert (best.angle_deg - turn_deg) % 72 == pytest.approx(0.0, abs=1e-6) or abs(best.angle_deg) < 3.0


def test_of_turns_that_read_alike_the_supposed_one_comes_first(square_seal: Artwork) -> None:
    whole = impression_of(square_seal, angle_deg=12.0)
    turns = upright_by_reading(replace(whole, ink=np.zeros_like(whole.ink)), ScriptedReader())
    assert turns[0].angle_deg == 12.0
    assert [turn.confidence for turn in turns] == [0.0] * 4
