"""Two seals are compared: the same, another company's, one cut anew, one stretched or bent."""

import cv2
import numpy as np
import pytest

from pipeline.tryout.artwork import Artwork, draw_round_seal
from pipeline.tryout.specimens import PRINTED_OVER
from seal_imaging import (
    Difference,
    ImpressionUnusable,
    Kinship,
    compare,
    compose,
    impression_of_image,
    read_impressions,
)
from tests.seal_imaging.conftest import Draw
from tests.seal_imaging.stamped import frame_from_seal, stamp

SCALE = 12.0


@pytest.mark.parametrize("stretch", [(1.01, 1.0), (1.0, 0.99), (1.01, 1.01)])
def test_a_stretch_of_one_percent_is_measured(round_seal: Artwork, stretch: tuple[float, float]) -> None:
    one = stamp(round_seal, frame_from_seal(SCALE), SCALE)
    other = stamp(round_seal, frame_from_seal(20.0, stretch=stretch), 20.0, missing=0.15)
    found = compare(one, other)
    assert found.answer is Kinship.SAME
    assert found.stretch_percent == pytest.approx([100 * (v - 1) for v in stretch], abs=0.2)
    assert found.size_difference_mm == pytest.approx([42 * (v - 1) for v in stretch], abs=0.08)
    assert found.deformation_percent < 0.1


def test_a_bent_impression_shows_its_deformation(round_seal: Artwork) -> None:
    frame = frame_from_seal(SCALE)
    one = stamp(round_seal, frame, SCALE)
    rows, columns = np.mgrid[0 : round_seal.ink.shape[0], 0 : round_seal.ink.shape[1]].astype(np.float32)
    wave = 0.25 * 30 * np.sin(columns / round_seal.ink.shape[1] * 3 * np.pi, dtype=np.float32)
    bent_ink = cv2.remap(round_seal.ink, columns, rows + wave, cv2.INTER_LINEAR)
    bent = stamp(
        Artwork("", round_seal.row, round_seal.shape, round_seal.size_mm, bent_ink, round_seal.ink_rgb),
        frame,
        SCALE,
    )
    assert compare(one, bent).deformation_percent > 0.2


def test_another_companys_seal_is_different(round_seal: Artwork, font: bytes) -> None:
    other = draw_round_seal("塞北虚构建设工程有限公司", font, code="3201040067890")
    found = compare(
        stamp(round_seal, frame_from_seal(SCALE), SCALE), stamp(other, frame_from_seal(SCALE), SCALE)
    )
    assert found.answer is Kinship.DIFFERENT
    assert Difference.TEXT in found.reasons


def test_a_seal_cut_anew_with_a_smaller_star_and_another_code_is_different(
    round_seal: Artwork, font: bytes
) -> None:
    anew = draw_round_seal(
        "江南示例建设工程有限公司", font, border_mm=0.9, star_mm=12.5, code="3201040067890"
    )
    found = compare(
        stamp(round_seal, frame_from_seal(SCALE), SCALE), stamp(anew, frame_from_seal(SCALE), SCALE)
    )
    assert found.answer is Kinship.DIFFERENT


def test_seals_of_other_shapes_are_different(round_seal: Artwork, square_seal: Artwork) -> None:
    found = compare(
        stamp(round_seal, frame_from_seal(SCALE), SCALE), stamp(square_seal, frame_from_seal(SCALE), SCALE)
    )
    assert found.answer is Kinship.DIFFERENT
    assert found.reasons == (Difference.SHAPE,)


def test_a_finished_image_is_the_same_as_an_impression_printed_over(
    draw: Draw, round_seal: Artwork, square_seal: Artwork
) -> None:
    for seal in (round_seal, square_seal):
        printed = draw([seal], look=PRINTED_OVER, copies=2)
        one, other = read_impressions(printed.page, printed.px_per_mm)
        found = compare(impression_of_image(compose(one)), other)
        assert found.answer is Kinship.SAME


def test_the_picture_shows_what_only_one_seal_has(round_seal: Artwork, font: bytes) -> None:
    with_line = draw_round_seal("江南示例建设工程有限公司", font, code="3201040012345", bottom_text="专用章")
    one = stamp(round_seal, frame_from_seal(SCALE), SCALE)
    other = stamp(with_line, frame_from_seal(SCALE), SCALE)
    picture = compare(one, other).picture.astype(int)
    blue = (picture[..., 2] - picture[..., 0]) > 80
    red = (picture[..., 0] - picture[..., 2]) > 80
    assert blue.mean() > 0.005
    assert red.mean() < 0.002


def test_a_picture_without_alpha_or_without_ink_is_no_seal() -> None:
    with pytest.raises(ImpressionUnusable, match="RGBA"):
        impression_of_image(np.zeros((100, 100, 3), np.uint8))
    with pytest.raises(ImpressionUnusable, match="no ink"):
        impression_of_image(np.zeros((100, 100, 4), np.uint8))
