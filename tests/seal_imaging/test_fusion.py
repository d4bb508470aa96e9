"""Impressions of one seal become one; impressions of others are told apart."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.tryout.artwork import Artwork
from pipeline.tryout.looks import OVER_INKED, PEN_OVER
from pipeline.tryout.specimens import PRINTED_OVER, PageLook, SpecimenPage
from seal_imaging import (
    Impression,
    ImpressionUnusable,
    Reason,
    compose,
    fuse,
    group_impressions,
    read_impressions,
)
from seal_imaging.fusion import fuse_shown
from seal_imaging.group import MAX_IMPRESSIONS
from tests.seal_imaging.conftest import Draw
from tests.seal_imaging.truth import canvas_dice, dice

WEAK = PageLook(density=(0.3, 0.8), missing=0.35, turn_deg=10.0)


def _read(drawn: SpecimenPage) -> list[Impression]:
    return read_impressions(drawn.page, drawn.px_per_mm)


@pytest.mark.parametrize("look", [WEAK, PRINTED_OVER], ids=["weak", "printed_over"])
def test_the_fused_impression_is_better_than_the_best_single_one(
    draw: Draw, round_seal: Artwork, oval_seal: Artwork, square_seal: Artwork, look: PageLook
) -> None:
    seals = [round_seal, oval_seal, square_seal]
    drawn = draw(seals, look=look, seed=3)
    found = read_impressions(drawn.page, drawn.px_per_mm)
    groups = group_impressions(found)
    assert [sorted(group) for group in groups] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    gains = []
    for seal, group in zip(seals, groups, strict=True):
        singles = [canvas_dice(seal, compose(found[index])) for index in group]
        gains.append(canvas_dice(seal, compose(fuse([found[index] for index in group]))) - max(singles))
    assert min(gains) >= 0
    assert np.mean(gains) >= 0.01


def test_the_order_of_impressions_does_not_matter(draw: Draw, finance_seal: Artwork) -> None:
    drawn = draw([finance_seal], look=WEAK)
    found = read_impressions(drawn.page, drawn.px_per_mm)
    one, other = fuse(found), fuse(found[::-1])
    assert one.box_px == other.box_px
    assert np.allclose(one.ink, other.ink, atol=1e-5)


def test_fusing_twice_gives_the_same_bytes(draw: Draw, finance_seal: Artwork) -> None:
    drawn = draw([finance_seal])
    found = read_impressions(drawn.page, drawn.px_per_mm)
    assert fuse(found).ink.tobytes() == fuse(found).ink.tobytes()


def test_one_impression_comes_back_as_it_is(draw: Draw, square_seal: Artwork) -> None:
    drawn = draw([square_seal], copies=1)
    (found,) = read_impressions(drawn.page, drawn.px_per_mm)
    assert fuse([found]) is found


def test_two_impressions_are_fewer_than_three(draw: Draw, square_seal: Artwork) -> None:
    drawn = draw([square_seal], copies=2)
    found = read_impressions(drawn.page, drawn.px_per_mm)
    assert Reason.FEWER_THAN_THREE in fuse(found).quality.reasons


def test_a_quarter_turn_between_impressions_is_undone(draw: Draw, round_seal: Artwork) -> None:
    drawn = draw([round_seal], copies=1)
    (one,) = read_impressions(drawn.page, drawn.px_per_mm)
    (turned,) = read_impressions(np.ascontiguousarray(np.rot90(drawn.page)), drawn.px_per_mm)
    misled = replace(turned, angle_deg=turned.angle_deg + 72)
    both = fuse([one, misled])
    assert canvas_dice(round_seal, compose(both)) > 0.97


def test_seals_of_the_same_size_with_other_names_are_told_apart(
    draw: Draw, round_seal: Artwork, other_round_seal: Artwork
) -> None:
    drawn = draw([round_seal, other_round_seal], copies=2)
    found = read_impressions(drawn.page, drawn.px_per_mm)
    assert [sorted(group) for group in group_impressions(found)] == [[0, 1], [2, 3]]
    with pytest.raises(ImpressionUnusable, match="not of the same seal"):
        fuse([found[0], found[2]])


def test_seals_of_other_shapes_are_not_fused(draw: Draw, round_seal: Artwork, square_seal: Artwork) -> None:
    drawn = draw([round_seal, square_seal], copies=1)
    with pytest.raises(ImpressionUnusable, match="not of the same seal"):
        fuse(read_impressions(drawn.page, drawn.px_per_mm))


def test_nothing_or_too_much_is_not_fused(draw: Draw, square_seal: Artwork) -> None:
    with pytest.raises(ImpressionUnusable, match="no impression"):
        fuse([])
    drawn = draw([square_seal], copies=1)
    (found,) = read_impressions(drawn.page, drawn.px_per_mm)
    with pytest.raises(ImpressionUnusable, match="more than"):
        fuse([found] * (MAX_IMPRESSIONS + 1))
    with pytest.raises(ImpressionUnusable, match="more than"):
        group_impressions([found] * (MAX_IMPRESSIONS + 1))


def test_impressions_of_unknown_scale_fuse_too(draw: Draw, finance_seal: Artwork) -> None:
    drawn = draw([finance_seal])
    fused = fuse(read_impressions(drawn.page, None))
    assert fused.size_mm is None
    assert Reason.SCALE_UNKNOWN in fused.quality.reasons


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_the_most_complete_impression_of_a_seal_comes_first(
    draw: Draw, finance_seal: Artwork, square_seal: Artwork, seed: int
) -> None:
    drawn = draw([finance_seal, square_seal], look=PageLook(missing=0.15), seed=seed)
    found = read_impressions(drawn.page, drawn.px_per_mm)
    worth = [dice(truth.mask, truth.design) for truth in drawn.truths]
    for group in group_impressions(found):
        assert worth[group[0]] >= max(worth[index] for index in group) - 0.01


def test_impressions_smeared_all_over_still_make_one(draw: Draw, square_seal: Artwork) -> None:
    drawn = draw([square_seal], copies=2)
    smeared = [
        replace(one, quality=replace(one.quality, smear=1.0))
        for one in read_impressions(drawn.page, drawn.px_per_mm)
    ]
    assert float((fuse(smeared).ink > 0.5).sum()) > 0.5 * float((smeared[0].ink > 0.5).sum())


def test_a_smeared_impression_spoils_nothing_where_another_is_clean(draw: Draw, round_seal: Artwork) -> None:
    clean = _read(draw([round_seal], seed=4, copies=2))
    smeared = _read(draw([round_seal], seed=5, look=OVER_INKED, copies=1))
    fused = fuse_shown([*clean, *smeared])
    assert canvas_dice(round_seal, compose(fused.impression)) >= min(
        canvas_dice(round_seal, compose(one)) for one in clean
    )
    assert set(np.unique(fused.sources)) <= {-1, 0, 1}
    assert fused.impression.quality.smear < 0.3
    assert Reason.FEWER_THAN_THREE not in fused.impression.quality.reasons


def test_what_is_written_over_one_of_three_impressions_in_ink_of_its_colour_goes(
    draw: Draw, oval_seal: Artwork
) -> None:
    found = _read(draw([oval_seal], seed=6, look=PEN_OVER))
    assert len(found) == 3
    fused = canvas_dice(oval_seal, compose(fuse(found)))
    assert fused > max(canvas_dice(oval_seal, compose(one)) for one in found) + 0.01
