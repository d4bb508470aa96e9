"""Seals of a page that lies on its side or upside down are turned upright by what they say."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pymupdf
import pytest

from pipeline.tryout.artwork import Artwork, draw_oval_seal, draw_round_seal, draw_square_seal
from pipeline.tryout.specimens import draw_specimen_page
from seal_imaging import Impression, RapidReader, SealShape
from seal_imaging.errors import ReaderUnavailable
from seal_imaging.reader import ReadLine, Strip
from stages.extract import extract
from stages.scans import ScannedPage
from stages.seal_turns import turn_upright
from tests.seal_imaging.readers import ScriptedReader
from tests.seal_imaging.test_text import impression_of

PX_PER_MM = 200 / 25.4


@pytest.fixture(scope="module")
def font() -> bytes:
    return bytes(pymupdf.Font("cjk").buffer)


@pytest.fixture(scope="module")
def reader() -> RapidReader:
    return RapidReader()


@pytest.fixture(scope="module")
def round_seal(font: bytes) -> Artwork:
    return draw_round_seal("滨河路桥工程有限公司", font)


@pytest.fixture(scope="module")
def name_seal(font: bytes) -> Artwork:
    return draw_square_seal("李四之印", font)


@pytest.fixture(scope="module")
def oval_seal(font: bytes) -> Artwork:
    return draw_oval_seal("注册建造师执业印章", font, lines=("王小明",))


def lying(seal: Artwork, lies_deg: float, *, supposed_deg: float = 0.0) -> Impression:
    """Return a perfect impression that lies turned by quarters, while another angle is believed of it."""
    upright = impression_of(seal)
    quarters = round(lies_deg / 90)
    ink = np.ascontiguousarray(np.rot90(upright.ink, -quarters))
    height, width = ink.shape
    size_px, size_mm = upright.size_px, upright.size_mm
    if (quarters + round(supposed_deg / 90)) % 2 and size_mm is not None:
        size_px, size_mm = size_px[::-1], size_mm[::-1]
    return replace(
        upright,
        ink=ink,
        box_px=(0, 0, width, height),
        centre_px=(width / 2, height / 2),
        size_px=size_px,
        size_mm=size_mm,
        angle_deg=supposed_deg,
        angle_confidence=0.6,
    )


def off(angle_deg: float, to_deg: float) -> float:
    return abs((angle_deg - to_deg + 180) % 360 - 180)


@pytest.mark.parametrize("lies_deg", [0.0, 90.0, 180.0, 270.0])
def test_a_name_seal_tells_how_its_page_lies(
    reader: RapidReader, name_seal: Artwork, lies_deg: float
) -> None:
    (turned,), quarter = turn_upright(
        [lying(name_seal, lies_deg)], reader, members_deg=[[1.0, -2.0, 3.0]], page_turn_deg=0.0, is_form=False
    )
    assert off(turned.seal.angle_deg, lies_deg) < 1
    assert off(quarter, lies_deg) < 1
    assert turned.text is not None
    assert turned.text.name is not None
    assert turned.text.name.text == "李四之印"


def test_an_oval_upside_down_is_turned(reader: RapidReader, oval_seal: Artwork) -> None:
    (turned,), quarter = turn_upright(
        [lying(oval_seal, 180.0)], reader, members_deg=[[1.0, -2.0]], page_turn_deg=0.0, is_form=False
    )
    assert off(turned.seal.angle_deg, 180.0) < 1
    assert off(quarter, 180.0) < 1
    assert turned.seal.size_mm == oval_seal.size_mm


def test_what_cannot_be_read_lies_as_the_round_seal_beside_it_does(
    round_seal: Artwork, name_seal: Artwork
) -> None:
    beside = replace(lying(round_seal, 90.0, supposed_deg=88.0), angle_confidence=1.0)
    pen = replace(lying(name_seal, 0.0), shape=SealShape.FREEFORM, size_px=(90.0, 30.0), size_mm=(9.0, 3.0))
    (first, second, third), quarter = turn_upright(
        [beside, lying(name_seal, 90.0), pen],
        ScriptedReader(),
        members_deg=[[88.0, 95.0], [0.0], [0.0]],
        page_turn_deg=1.0,
        is_form=False,
    )
    assert quarter == 90.0
    assert first.seal.angle_deg == 88.0
    assert second.seal.angle_deg == 90.0
    assert third.seal.angle_deg == 90.0
    assert (third.seal.size_px, third.seal.size_mm) == ((30.0, 90.0), (3.0, 9.0))


def test_without_a_text_or_a_round_seal_nothing_is_turned(name_seal: Artwork) -> None:
    (turned,), quarter = turn_upright(
        [lying(name_seal, 90.0)], ScriptedReader(), members_deg=[[0.0, 0.0]], page_turn_deg=0.0, is_form=False
    )
    assert (turned.seal.angle_deg, turned.turn_deg, quarter) == (0.0, None, 0.0)


def test_round_seals_that_disagree_tell_nothing_of_the_page(round_seal: Artwork, name_seal: Artwork) -> None:
    pair = [
        replace(lying(round_seal, turn, supposed_deg=turn), angle_confidence=1.0) for turn in (90.0, 180.0)
    ]
    turned, quarter = turn_upright(
        [*pair, lying(name_seal, 90.0)],
        ScriptedReader(),
        members_deg=[[90.0], [180.0], [0.0]],
        page_turn_deg=0.0,
        is_form=False,
    )
    assert (turned[2].seal.angle_deg, quarter) == (0.0, 0.0)


def test_one_seal_stamped_sideways_says_nothing_of_its_page(round_seal: Artwork, name_seal: Artwork) -> None:
    sideways = replace(lying(round_seal, -90.0, supposed_deg=-94.0), angle_confidence=1.0)
    turned, quarter = turn_upright(
        [sideways, lying(name_seal, 0.0)],
        ScriptedReader(),
        members_deg=[[-94.0], [0.0]],
        page_turn_deg=0.0,
        is_form=False,
    )
    assert [one.seal.angle_deg for one in turned] == [-94.0, 0.0]
    assert quarter == 0.0


class NotAsked:
    """A reader nobody should need."""

    def read(self, strips: Sequence[Strip], *, alphabet: str = "") -> list[ReadLine]:
        raise AssertionError(strips)


def test_on_our_form_the_marks_tell_and_nothing_is_read_twice(name_seal: Artwork) -> None:
    (turned,), quarter = turn_upright(
        [lying(name_seal, 0.0)], NotAsked(), members_deg=[[0.0]], page_turn_deg=90.0, is_form=True
    )
    assert (turned.seal.angle_deg, quarter) == (0.0, 0.0)


class NoReader:
    """An engine that is not there."""

    def read(self, strips: Sequence[Strip], *, alphabet: str = "") -> list[ReadLine]:
        raise ReaderUnavailable("no model", zh="没有模型")


def test_a_missing_engine_is_said(name_seal: Artwork) -> None:
    with pytest.raises(ReaderUnavailable):
        turn_upright(
            [lying(name_seal, 0.0)], NoReader(), members_deg=[[0.0]], page_turn_deg=0.0, is_form=False
        )


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_sheet_that_lies_on_its_side_gives_upright_seals(
    name_seal: Artwork, font: bytes, reader: RapidReader, quarters: int, tmp_path: Path
) -> None:
    drawn = draw_specimen_page(
        [name_seal],
        rng=np.random.default_rng(8),
        font=font,
        px_per_mm=PX_PER_MM,
        page_mm=(100, 40),
        copies=2,
    )
    page = np.ascontiguousarray(np.rot90(drawn.page, -quarters))
    extracted = extract([ScannedPage(0, page, PX_PER_MM, "dpi")], tmp_path, reader=reader)
    (seal,) = extracted.seals
    assert seal.reading is not None
    assert seal.reading.text.name is not None
    assert seal.reading.text.name.text == "李四之印"
    assert all(off(one.angle_deg, 90 * quarters) < 20 for one in extracted.impressions)
    assert off(extracted.pages[0].turn_deg, 90 * quarters) < 5
