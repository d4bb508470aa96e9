"""Seals drawn with known words are read back."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.tryout.artwork import ARTWORK_PX_PER_MM, Artwork
from seal_imaging import Impression, InkColour, Quality
from seal_imaging.ocr_rapid import RapidReader
from seal_imaging.text import read_text
from tests.seal_imaging.readers import ScriptedReader


@pytest.fixture(scope="module")
def reader() -> RapidReader:
    return RapidReader()


def impression_of(seal: Artwork, *, angle_deg: float = 0.0) -> Impression:
    """Return a perfect impression of a seal, lying upright."""
    height, width = seal.ink.shape
    return Impression(
        box_px=(0, 0, width, height),
        ink=seal.ink,
        size_mm=seal.size_mm,
        shape=seal.shape,
        angle_deg=angle_deg,
        colour=InkColour.RED,
        quality=Quality(1.0, 1.0, 1.0, 1.0, 0.0),
        centre_px=(width / 2, height / 2),
        size_px=(width, height),
        px_per_mm=ARTWORK_PX_PER_MM,
        ink_rgb=seal.ink_rgb,
    )


def test_a_company_seal_is_read_with_its_code(reader: RapidReader, round_seal: Artwork) -> None:
    text = read_text(impression_of(round_seal), reader)
    assert text.name is not None
    assert text.name.text == round_seal.name
    assert text.code is not None
    assert text.code.text == "3201040012345"
    assert text.lines == ()
    assert text.confidence > 0.9


def test_the_line_below_the_star_is_read(reader: RapidReader, finance_seal: Artwork) -> None:
    text = read_text(impression_of(finance_seal), reader)
    assert text.name is not None
    assert text.name.text == finance_seal.name
    assert [line.text for line in text.lines] == ["财务专用章"]
    assert text.code is None
    x, y, w, h = text.lines[0].box
    assert 0.2 < x < 0.3
    assert 0.65 < y < 0.75
    assert 0.4 < w < 0.55
    assert 0.05 < h < 0.15


@pytest.mark.parametrize("turn_deg", [-144.0, 72.0])
def test_a_seal_whose_angle_is_a_point_of_its_star_off_is_read_and_set_right(
    reader: RapidReader, finance_seal: Artwork, turn_deg: float
) -> None:
    text = read_text(impression_of(finance_seal, angle_deg=turn_deg), reader)
    assert text.name is not None
    assert text.name.text == finance_seal.name
    assert text.angle_deg == pytest.approx(0.0, abs=1e-6)
    assert [line.text for line in text.lines] == ["财务专用章"]


def test_an_oval_seal_is_read_with_its_lines(reader: RapidReader, oval_seal: Artwork) -> None:
    text = read_text(impression_of(oval_seal), reader)
    assert text.name is not None
    assert text.name.text == oval_seal.name
    assert [line.text for line in text.lines] == ["张三示例", "苏132000000001"]


def test_a_name_seal_is_read_from_the_right(reader: RapidReader, square_seal: Artwork) -> None:
    text = read_text(impression_of(square_seal), reader)
    assert text.name is not None
    assert text.name.text == "张三之印"


def test_a_name_seal_with_sunk_characters_is_read(reader: RapidReader, square_seal: Artwork) -> None:
    raised = impression_of(square_seal)
    sunk = replace(raised, ink=np.asarray(1 - raised.ink, np.float32))
    text = read_text(sunk, reader)
    assert text.name is not None
    assert text.name.text == "张三之印"


def test_the_lines_of_a_rectangular_seal_are_read(reader: RapidReader, rectangle_seal: Artwork) -> None:
    text = read_text(impression_of(rectangle_seal), reader)
    assert text.name is not None
    read = [line.text.replace(" ", "") for line in (text.name, *text.lines)]
    assert read == ["一级注册结构工程师", "姓名李四", "编号3200001-S001"]


def test_a_seal_that_cannot_be_read_says_nothing(round_seal: Artwork) -> None:
    text = read_text(impression_of(round_seal), ScriptedReader())
    assert text.name is None
    assert text.lines == ()
    assert text.code is None
    assert text.confidence == 0


def test_a_seal_without_ink_says_nothing(round_seal: Artwork, square_seal: Artwork) -> None:
    for seal in (round_seal, square_seal):
        whole = impression_of(seal)
        text = read_text(replace(whole, ink=np.zeros_like(whole.ink)), ScriptedReader("甲"))
        assert text.name is None
