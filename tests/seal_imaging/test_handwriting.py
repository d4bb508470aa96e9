"""Signatures come out of the boxes of our form, and of boxes that a caller names; of no other place."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.tryout.artwork import Artwork, draw_signature
from pipeline.tryout.specimens import (
    CLEAN,
    PHOTO,
    SHOW_THROUGH,
    PageLook,
    draw_filled_form,
    draw_specimen_page,
    photograph,
)
from seal_imaging import InkColour, Reason, SealShape, read_page
from seal_imaging import form as form_geometry
from tests.seal_imaging.truth import ink_dice, overlap

DPI = 200.0
PENS = [
    ((30, 30, 34), InkColour.BLACK, CLEAN),
    ((40, 60, 165), InkColour.BLUE, SHOW_THROUGH),
    ((200, 40, 50), InkColour.RED, PHOTO),
]


@pytest.mark.parametrize(("rgb", "colour", "look"), PENS, ids=["black", "blue", "red"])
def test_each_box_of_the_form_yields_one_signature(
    font: bytes, square_seal: Artwork, rgb: tuple[int, int, int], colour: InkColour, look: PageLook
) -> None:
    pen = draw_signature(11, ink_rgb=rgb)
    rng = np.random.default_rng(4)
    drawn = draw_filled_form("A1", [square_seal, pen], rng, font, look=look, px_per_mm=DPI / 25.4)
    found = read_page(drawn.page, None).impressions
    signatures = [one for one in found if one.shape is SealShape.FREEFORM]
    assert len(found) == 6
    assert len(signatures) == 3
    truths = [truth for truth in drawn.truths if truth.seal_index == 1]
    for truth, one in zip(truths, signatures, strict=True):
        assert one.colour is colour
        assert one.angle_deg == pytest.approx(0, abs=0.5)
        assert ink_dice(truth, one, (drawn.page.shape[0], drawn.page.shape[1])) >= 0.93
        assert one.size_mm is not None
        width, height = (side / drawn.px_per_mm for side in truth.box_px[2:])
        assert one.size_mm == pytest.approx((width, height), abs=0.5)
        assert Reason.COLOUR not in one.quality.reasons


def test_an_empty_form_holds_nothing(font: bytes) -> None:
    drawn = draw_filled_form("A1", [], np.random.default_rng(1), font, px_per_mm=DPI / 25.4)
    assert read_page(drawn.page, None).impressions == ()


def test_a_photographed_form_yields_its_signatures(font: bytes) -> None:
    rng = np.random.default_rng(2)
    drawn = draw_filled_form("A1", [draw_signature(5)], rng, font)
    photo, _ = photograph(drawn.page, rng)
    found = read_page(photo, None).impressions
    assert [one.shape for one in found] == [SealShape.FREEFORM] * 3
    assert all(one.flatten is not None for one in found)


def test_a_seal_in_a_signature_box_is_a_seal(font: bytes, square_seal: Artwork) -> None:
    moved = replace(square_seal, row=form_geometry.SealKind.SIGNATURE)
    drawn = draw_filled_form("A1", [moved], np.random.default_rng(3), font, px_per_mm=DPI / 25.4)
    assert [one.shape for one in read_page(drawn.page, None).impressions] == [SealShape.SQUARE] * 3


def test_writing_is_read_only_where_it_is_asked_for(font: bytes) -> None:
    pen = draw_signature(7)
    rng = np.random.default_rng(5)
    drawn = draw_specimen_page([pen], rng=rng, font=font, px_per_mm=DPI / 25.4, page_mm=(210.0, 80.0))
    assert read_page(drawn.page, drawn.px_per_mm).impressions == ()
    x, y, w, h = drawn.truths[1].box_px
    asked = (x - 20, y - 20, w + 40, h + 40)
    (found,) = read_page(drawn.page, drawn.px_per_mm, signed_boxes_px=[asked]).impressions
    assert found.shape is SealShape.FREEFORM
    assert overlap(found.box_px, drawn.truths[1].box_px) > 0.9


def test_a_signature_over_the_edge_of_its_box_is_incomplete(font: bytes) -> None:
    pen = draw_signature(7)
    rng = np.random.default_rng(5)
    drawn = draw_specimen_page([pen], rng=rng, font=font, px_per_mm=DPI / 25.4, page_mm=(210.0, 80.0))
    x, y, w, h = drawn.truths[1].box_px
    asked = (x - 20, y + h // 3, w + 40, h)
    (found,) = read_page(drawn.page, drawn.px_per_mm, signed_boxes_px=[asked]).impressions
    assert Reason.INCOMPLETE in found.quality.reasons
