"""The micro-pattern is found in a print that was scanned, and only there, and only with its key."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.imaging.micro_pattern import image_of
from pipeline.tryout.artwork import Artwork
from seal_imaging import Impression, ImpressionUnusable, ink_box_mm, read_impressions
from seal_imaging.impression import RgbaImage
from seal_imaging.micropattern import (
    DEPTH,
    MIN_LIKENESS,
    PROOF_SCORE,
    PatternScore,
    find_pattern,
    put_pattern,
)
from tests.simulators.print_and_scan import Machines, print_and_scan

KEY = bytes(range(32))
WORN = Machines("inkjet", gain_px=0.8, turn_deg=-2, stretch=1.01, blur_px=0.8, lines_of_text=3)


def _scanned(image: RgbaImage, font: bytes, machines: Machines) -> Impression:
    scan = print_and_scan(image, machines, font=font, rng=np.random.default_rng(3))
    (found,) = read_impressions(scan, machines.dpi / 25.4)
    return found


@pytest.fixture(scope="module")
def marked(round_seal: Artwork) -> RgbaImage:
    return put_pattern(image_of(round_seal), KEY)


@pytest.fixture(scope="module")
def printed(marked: RgbaImage, font: bytes) -> Impression:
    """The marked seal on an office laser printer, turned, under three lines of text."""
    return _scanned(marked, font, Machines("laser", turn_deg=1.7, stretch=0.99, lines_of_text=3))


def test_the_pattern_is_found_in_a_print_that_was_scanned(printed: Impression, marked: RgbaImage) -> None:
    score = find_pattern(printed, marked, KEY)
    assert score.is_found
    assert score.score > 2 * PROOF_SCORE
    assert score.likeness > MIN_LIKENESS
    assert not score.is_absent


def test_a_small_seal_from_an_inkjet_has_it_too(square_seal: Artwork, font: bytes) -> None:
    image = put_pattern(image_of(square_seal), KEY)
    assert find_pattern(_scanned(image, font, WORN), image, KEY).is_found


def test_without_the_pattern_its_absence_is_proved(
    round_seal: Artwork, marked: RgbaImage, font: bytes
) -> None:
    score = find_pattern(_scanned(image_of(round_seal), font, WORN), marked, KEY)
    assert not score.is_found
    assert score.is_absent


def test_other_keys_score_like_fair_coins(printed: Impression, round_seal: Artwork) -> None:
    plain = image_of(round_seal)
    scores = []
    for number in range(12):
        key = number.to_bytes(32)
        scores.append(find_pattern(printed, put_pattern(plain, key), key).score)
    assert max(np.abs(scores)) < 4
    assert abs(np.mean(scores)) < 1.2
    assert 0.4 < np.std(scores) < 1.8


def test_the_wrong_way_round_changes_nothing(printed: Impression, marked: RgbaImage) -> None:
    """The seal's turn is found by its strokes, not taken from how the impression was read."""
    turned = replace(printed, angle_deg=printed.angle_deg + 144)
    assert find_pattern(turned, marked, KEY).score == pytest.approx(
        find_pattern(printed, marked, KEY).score, abs=1.5
    )


def test_another_seal_is_nothing_like_it(printed: Impression, square_seal: Artwork) -> None:
    image = put_pattern(image_of(square_seal), KEY)
    score = find_pattern(printed, image, KEY)
    assert score.likeness < MIN_LIKENESS
    assert not score.is_found


def test_neither_found_nor_absent_is_a_third_answer() -> None:
    score = PatternScore(score=2.0, expected=4.0, likeness=0.9)
    assert not score.is_found
    assert not score.is_absent


def test_a_coarse_scan_is_refused(printed: Impression, marked: RgbaImage) -> None:
    w, h = printed.size_px
    with pytest.raises(ImpressionUnusable, match="dpi") as refused:
        find_pattern(replace(printed, size_px=(w / 2, h / 2)), marked, KEY)
    assert refused.value.zh


def test_the_pattern_changes_neither_colour_nor_size(round_seal: Artwork, marked: RgbaImage) -> None:
    plain = image_of(round_seal)
    assert (marked[..., :3] == plain[..., :3]).all()
    assert ink_box_mm(marked) == pytest.approx(ink_box_mm(plain), abs=0.05)
    assert ((marked[..., 3] > 0) == (plain[..., 3] > 0)).all()
    solid = plain[..., 3] == 255
    assert marked[solid][:, 3].min() >= round(255 * (1 - DEPTH)) - 1
    assert marked[solid][:, 3].max() == 255


def test_the_same_key_makes_the_same_bytes_and_another_one_others(round_seal: Artwork) -> None:
    plain = image_of(round_seal)
    assert put_pattern(plain, KEY).tobytes() == put_pattern(plain, KEY).tobytes()
    assert put_pattern(plain, KEY).tobytes() != put_pattern(plain, KEY[::-1]).tobytes()


def test_a_short_key_is_refused(round_seal: Artwork) -> None:
    with pytest.raises(ImpressionUnusable, match="key"):
        put_pattern(image_of(round_seal), b"short")


@pytest.mark.parametrize("shape", [(100, 100, 4), (100, 90, 4), (100, 100, 3)])
def test_what_is_no_seal_image_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ImpressionUnusable):
        put_pattern(np.zeros(shape, np.uint8), KEY)
