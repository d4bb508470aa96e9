"""Which way is up in drawn seals, at any turn, worn, with star and without."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.tryout.artwork import Artwork, draw_oval_seal, draw_round_seal
from pipeline.tryout.specimens import PageLook
from seal_imaging import read_impressions
from seal_imaging.impression import SealShape
from seal_imaging.outline import Outline
from seal_imaging.star import find_star
from seal_imaging.upright import SURE, find_angle, unroll
from tests.seal_imaging.conftest import Draw
from tests.seal_imaging.truth import angle_error, pairs

WORN = PageLook(density=(0.3, 0.8), least_missing=0.3, missing=0.40, turn_deg=180.0)
TURNED = PageLook(turn_deg=180.0)


def _outline(artwork: Artwork) -> Outline:
    h, w = artwork.ink.shape
    return Outline(artwork.shape, (w / 2, h / 2), (w, h), 0.0, 1.0)


@pytest.fixture(scope="module")
def no_star(font: bytes) -> Artwork:
    return draw_round_seal("江南示例建设工程有限公司", font, star_mm=0.0)


@pytest.mark.parametrize("look", [TURNED, WORN], ids=["clean", "worn"])
@pytest.mark.parametrize("seed", [11, 12])
def test_a_star_seal_turned_any_way_is_told_within_two_degrees_where_sure(
    draw: Draw, round_seal: Artwork, finance_seal: Artwork, look: PageLook, seed: int
) -> None:
    drawn = draw([round_seal, finance_seal], look=look, seed=seed)
    sure = [
        (truth, found)
        for truth, found in pairs(drawn.truths, read_impressions(drawn.page, drawn.px_per_mm))
        if found.angle_confidence >= SURE
    ]
    assert len(sure) >= 4
    assert max(angle_error(truth, found) for truth, found in sure) <= 2.0


def test_the_other_turns_of_a_star_seal_are_its_alternatives(round_seal: Artwork) -> None:
    found = find_angle(round_seal.ink, _outline(round_seal))
    assert found.angle_deg == pytest.approx(0.0, abs=0.2)
    assert sorted(found.alternatives) == pytest.approx([-144, -72, 72, 144], abs=0.5)


@pytest.mark.parametrize("turn_deg", [-160.0, -70.0, 0.0, 33.0, 120.0])
def test_without_a_star_the_text_tells_the_turn_within_five_degrees(
    no_star: Artwork, turn_deg: float
) -> None:
    h, w = no_star.ink.shape
    matrix = cv2.getRotationMatrix2D((w / 2 - 0.5, h / 2 - 0.5), -turn_deg, 1.0)
    turned = np.asarray(cv2.warpAffine(no_star.ink, matrix, (w, h)), np.float32)
    found = find_angle(turned, _outline(no_star))
    assert abs((found.angle_deg - turn_deg + 180) % 360 - 180) <= 5.0


def test_no_star_is_seen_where_there_is_none(no_star: Artwork, round_seal: Artwork) -> None:
    assert find_star(unroll(no_star.ink, _outline(no_star))) is None
    star = find_star(unroll(round_seal.ink, _outline(round_seal)))
    assert star is not None
    assert star.point_deg % 72 == pytest.approx(0.0, abs=0.2)
    assert star.radius == pytest.approx(14 / 42, abs=0.015)


def test_a_bare_ring_is_unsure(round_seal: Artwork) -> None:
    h, w = round_seal.ink.shape
    rows, columns = np.mgrid[:h, :w]
    away = np.hypot(rows - h / 2 + 0.5, columns - w / 2 + 0.5) / (w / 2)
    ring: NDArray[np.float32] = (round_seal.ink * (away > 0.93)).astype(np.float32)
    assert find_angle(ring, _outline(round_seal)).confidence < SURE


def test_an_oval_upside_down_is_told_by_its_title(font: bytes) -> None:
    oval = draw_oval_seal("中华人民共和国注册建造师", font, lines=("张三示例", "苏132000000001"))
    upside_down = np.ascontiguousarray(oval.ink[::-1, ::-1])
    found = find_angle(upside_down, _outline(oval))
    assert abs(found.angle_deg) == pytest.approx(180.0, abs=0.1)
    assert found.confidence >= SURE


@pytest.mark.parametrize(("shape", "others"), [(SealShape.SQUARE, 3), (SealShape.RECTANGLE, 1)])
def test_four_sided_seals_follow_the_page(shape: SealShape, others: int) -> None:
    ink = np.zeros((100, 100), np.float32)
    outline = Outline(shape, (50.0, 50.0), (60.0, 60.0), 5.0, 1.0)
    found = find_angle(ink, outline, page_turn_deg=178.0)
    assert found.angle_deg == pytest.approx(-175.0, abs=0.01)
    assert len(found.alternatives) == others
