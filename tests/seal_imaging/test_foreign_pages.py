"""Forms of other makers: every seal found, nothing else taken for one, whatever lies beside them."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.tryout.artwork import Artwork
from pipeline.tryout.foreign_forms import ALL_STRANGERS, Stranger, draw_foreign_form
from pipeline.tryout.specimens import (
    CLEAN,
    FAINT,
    PHOTO,
    PRINTED_OVER,
    PageLook,
    SpecimenPage,
    stamp_and_scan,
)
from seal_imaging import InkColour, Reason, SealShape, read_page
from seal_imaging.ruling import find_turn
from tests.seal_imaging.truth import ink_dice, pairs, size_error

DPI = 170.0


def _form(
    font: bytes,
    seals: list[Artwork],
    look: PageLook = CLEAN,
    seed: int = 5,
    strangers: frozenset[Stranger] = ALL_STRANGERS,
) -> SpecimenPage:
    rng = np.random.default_rng(seed)
    return draw_foreign_form(seals, rng, font, look=look, strangers=strangers, px_per_mm=DPI / 25.4)


def _turned(page: NDArray[np.uint8], turn_deg: float) -> NDArray[np.uint8]:
    height, width = page.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -turn_deg, 0.8)
    turned = cv2.warpAffine(
        page, matrix, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(turned, np.uint8)


def _grey(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)


@pytest.mark.parametrize("look", [PRINTED_OVER, PHOTO, FAINT], ids=["over", "photo", "faint"])
def test_seals_are_told_from_all_that_lies_beside_them(
    font: bytes, round_seal: Artwork, rectangle_seal: Artwork, square_seal: Artwork, look: PageLook
) -> None:
    drawn = _form(font, [round_seal, rectangle_seal, square_seal], look)
    for truth, found in pairs(drawn.truths, list(read_page(drawn.page, drawn.px_per_mm).impressions)):
        assert size_error(truth, found) <= 0.25


@pytest.mark.parametrize("stranger", sorted(ALL_STRANGERS))
def test_no_stranger_is_a_seal(font: bytes, stranger: Stranger) -> None:
    drawn = _form(font, [], strangers=frozenset({stranger}), seed=8)
    assert read_page(drawn.page, drawn.px_per_mm).impressions == ()
    assert read_page(_grey(drawn.page), drawn.px_per_mm).impressions == ()


@pytest.mark.parametrize("turn_deg", [0.0, 4.5, -31.0, 44.0])
def test_ruled_lines_tell_a_pages_turn(font: bytes, turn_deg: float) -> None:
    page = _form(font, [], strangers=frozenset()).page
    assert find_turn(_turned(page, turn_deg), 0.8 * DPI / 25.4) == pytest.approx(turn_deg, abs=0.15)


def test_a_page_without_rules_tells_no_turn(font: bytes) -> None:
    assert find_turn(np.full((900, 700, 3), 245, np.uint8)) is None


def test_a_square_seal_on_a_turned_page_is_upright_with_the_page(font: bytes, square_seal: Artwork) -> None:
    drawn = _form(font, [square_seal], strangers=frozenset())
    reading = read_page(_turned(drawn.page, 38.0), 0.8 * drawn.px_per_mm)
    assert reading.turn_deg == pytest.approx(38.0, abs=0.15)
    for truth, found in zip(
        drawn.truths, sorted(reading.impressions, key=lambda one: one.box_px[0]), strict=True
    ):
        assert found.angle_deg == pytest.approx(truth.angle_deg + 38.0, abs=1.5)


def test_a_grey_copy_yields_its_seals_marked_and_ranked_low(
    font: bytes, round_seal: Artwork, square_seal: Artwork
) -> None:
    drawn = _form(font, [round_seal, square_seal])
    page = _grey(drawn.page)
    for truth, found in pairs(drawn.truths, list(read_page(page, drawn.px_per_mm).impressions)):
        assert Reason.GREY_COPY in found.quality.reasons
        assert found.quality.score <= 0.5
        assert found.colour is InkColour.BLACK
        assert size_error(truth, found) <= 0.25
        assert ink_dice(truth, found, (page.shape[0], page.shape[1])) >= 0.9


def test_black_ink_on_a_colour_page_is_said(font: bytes, finance_seal: Artwork) -> None:
    drawn = _form(font, [replace(finance_seal, ink_rgb=(42, 42, 46))])
    for _, found in pairs(drawn.truths, list(read_page(drawn.page, drawn.px_per_mm).impressions)):
        assert found.shape is SealShape.CIRCLE
        assert Reason.COLOUR in found.quality.reasons
        assert Reason.GREY_COPY not in found.quality.reasons


@pytest.mark.parametrize("gap_mm", [3.4, 5.0])
def test_borders_of_two_seals_in_one_line_are_no_ruled_line(
    font: bytes, rectangle_seal: Artwork, gap_mm: float
) -> None:
    px_per_mm = 200 / 25.4
    canvas = np.ones((round(90 * px_per_mm), round(200 * px_per_mm), 3), np.float32)
    pitch_mm = rectangle_seal.size_mm[0] + gap_mm
    places = [(rectangle_seal, 0, (40 + column * pitch_mm, 45.0)) for column in range(2)]
    drawn = stamp_and_scan(
        canvas,
        places,
        rng=np.random.default_rng(3),
        font=font,
        px_per_mm=px_per_mm,
        look=replace(CLEAN, turn_deg=0.0),
    )
    for truth, found in pairs(drawn.truths, list(read_page(drawn.page, px_per_mm).impressions)):
        assert found.shape is SealShape.RECTANGLE
        assert size_error(truth, found) <= 0.1
