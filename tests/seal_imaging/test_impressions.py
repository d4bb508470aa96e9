"""A page goes in, its impressions come out: drawn pages with known truth, and real ones."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.tryout.artwork import Artwork
from pipeline.tryout.specimens import (
    CLEAN,
    FAINT,
    PHOTO,
    PRINTED_OVER,
    SCAN_PX_PER_MM,
    PageLook,
    draw_filled_form,
    photograph,
)
from seal_imaging import (
    ImpressionUnusable,
    InkColour,
    Reason,
    SealShape,
    cut_out,
    impressions,
    read_impressions,
    with_size,
)
from tests.seal_imaging.conftest import Draw
from tests.seal_imaging.truth import angle_error, ink_dice, pairs, size_error


@pytest.mark.parametrize(
    ("look", "least_mean_dice"),
    [(CLEAN, 0.97), (PRINTED_OVER, 0.95), (FAINT, 0.95), (PHOTO, 0.95)],
    ids=["clean", "printed_over", "faint", "photo"],
)
def test_every_seal_is_found_with_its_ink_size_and_turn(
    draw: Draw,
    round_seal: Artwork,
    purple_seal: Artwork,
    rectangle_seal: Artwork,
    look: PageLook,
    least_mean_dice: float,
) -> None:
    drawn = draw([round_seal, purple_seal, rectangle_seal], look=look, seed=7)
    matched = pairs(drawn.truths, read_impressions(drawn.page, drawn.px_per_mm))
    shape = (drawn.page.shape[0], drawn.page.shape[1])
    assert np.mean([ink_dice(truth, found, shape) for truth, found in matched]) >= least_mean_dice
    errors = [size_error(truth, found) for truth, found in matched]
    assert np.median(errors) <= 0.1
    assert max(errors) <= 0.25
    assert max(angle_error(truth, found) for truth, found in matched) <= 2.0
    expected = (SealShape.CIRCLE, SealShape.ELLIPSE, SealShape.RECTANGLE)
    colours = (InkColour.RED, InkColour.PURPLE, InkColour.RED)
    for truth, found in matched:
        assert found.shape is expected[truth.seal_index]
        assert found.colour is colours[truth.seal_index]
        assert found.ink.shape == found.box_px[3:1:-1]
        assert found.ink.dtype == np.float32
        assert float(found.ink.min()) >= 0
        assert float(found.ink.max()) <= 1


def test_blue_and_square_seals_are_found(draw: Draw, oval_seal: Artwork, square_seal: Artwork) -> None:
    drawn = draw([oval_seal, square_seal], seed=3)
    for truth, found in pairs(drawn.truths, read_impressions(drawn.page, drawn.px_per_mm)):
        assert found.shape is (SealShape.ELLIPSE, SealShape.SQUARE)[truth.seal_index]
        assert found.colour is (InkColour.BLUE, InkColour.RED)[truth.seal_index]
        assert size_error(truth, found) <= 0.1
        assert angle_error(truth, found) <= 1.0


def test_impressions_come_in_reading_order(draw: Draw, round_seal: Artwork, square_seal: Artwork) -> None:
    drawn = draw([round_seal, square_seal], seed=4)
    found = read_impressions(drawn.page, drawn.px_per_mm)
    assert [one.shape for one in found] == [SealShape.CIRCLE] * 3 + [SealShape.SQUARE] * 3
    for row in (found[:3], found[3:]):
        assert [one.box_px[0] for one in row] == sorted(one.box_px[0] for one in row)


def test_our_form_tells_its_own_scale(font: bytes, round_seal: Artwork, square_seal: Artwork) -> None:
    drawn = draw_filled_form("AC2021111313", [round_seal, square_seal], np.random.default_rng(2), font)
    for truth, found in pairs(drawn.truths, read_impressions(drawn.page, None)):
        assert found.px_per_mm == pytest.approx(SCAN_PX_PER_MM, rel=0.001)
        assert size_error(truth, found) <= 0.1
        assert found.quality.reasons == ()


def test_a_form_scanned_upside_down_reads_the_same(
    font: bytes, round_seal: Artwork, oval_seal: Artwork
) -> None:
    drawn = draw_filled_form("AC1", [round_seal, oval_seal], np.random.default_rng(2), font)
    found = read_impressions(np.ascontiguousarray(drawn.page[::-1, ::-1]), None)
    height, width = drawn.page.shape[:2]
    turned = []
    for truth in drawn.truths:
        x, y, w, h = truth.box_px
        turned.append(replace(truth, box_px=(width - x - w, height - y - h, w, h)))
    for truth, one in pairs(turned, found):
        assert abs((one.angle_deg - truth.angle_deg) % 360 - 180) <= 2.0


def test_a_form_photographed_at_an_angle_measures_true(font: bytes, round_seal: Artwork) -> None:
    drawn = draw_filled_form("AC1", [round_seal], np.random.default_rng(2), font)
    photo, to_photo = photograph(drawn.page, np.random.default_rng(3))
    moved = []
    for truth in drawn.truths:
        x, y, w, h = truth.box_px
        mask = np.zeros(drawn.page.shape[:2], np.uint8)
        mask[y : y + h, x : x + w] = truth.mask
        seen = cv2.warpPerspective(mask, to_photo, (photo.shape[1], photo.shape[0]))
        box = cv2.boundingRect(seen)
        part = seen[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] > 0
        moved.append(replace(truth, box_px=(box[0], box[1], box[2], box[3]), mask=part))
    shape = (photo.shape[0], photo.shape[1])
    for truth, found in pairs(moved, read_impressions(photo, None)):
        assert size_error(truth, found) <= 0.15
        assert ink_dice(truth, found, shape) >= 0.9
        assert found.ink.shape == found.box_px[3:1:-1]
        assert found.flatten is not None


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    turn=st.floats(-40, 40),
    dpi=st.sampled_from([200, 300, 400, 600]),
    seed=st.integers(0, 1000),
    kind=st.integers(0, 3),
)
def test_turn_place_and_resolution_do_not_change_the_size(
    draw: Draw,
    finance_seal: Artwork,
    oval_seal: Artwork,
    square_seal: Artwork,
    rectangle_seal: Artwork,
    turn: float,
    dpi: int,
    seed: int,
    kind: int,
) -> None:
    seal = (finance_seal, oval_seal, square_seal, rectangle_seal)[kind]
    drawn = draw([seal], seed=seed, dpi=dpi, copies=1)
    height, width = drawn.page.shape[:2]
    side = int(np.hypot(height, width)) + 40
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0)
    matrix[:, 2] += (side / 2 - width / 2, side / 2 - height / 2)
    page = cv2.warpAffine(
        drawn.page, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    (found,) = read_impressions(page, drawn.px_per_mm)
    assert size_error(drawn.truths[0], found) <= 0.25


def test_two_runs_give_the_same_bytes(draw: Draw, finance_seal: Artwork) -> None:
    drawn = draw([finance_seal], look=PRINTED_OVER)
    first, second = (read_impressions(drawn.page, drawn.px_per_mm) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert a.ink.tobytes() == b.ink.tobytes()
        assert replace(a, ink=b.ink) == replace(b, ink=b.ink) or vars(a).keys() == vars(b).keys()
        assert (a.box_px, a.size_mm, a.angle_deg, a.quality) == (b.box_px, b.size_mm, b.angle_deg, b.quality)


def test_the_page_is_not_written_to(draw: Draw, square_seal: Artwork) -> None:
    drawn = draw([square_seal], copies=1)
    before = drawn.page.copy()
    drawn.page.setflags(write=False)
    read_impressions(drawn.page, drawn.px_per_mm)
    assert np.array_equal(before, drawn.page)


def _white(height: int = 900, width: int = 700) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 250, np.uint8)


def _with_headline() -> NDArray[np.uint8]:
    page = _white()
    cv2.putText(page, "RED HEADLINE 2026", (40, 120), cv2.FONT_HERSHEY_DUPLEX, 1.8, (210, 20, 20), 5)
    cv2.line(page, (30, 160), (670, 160), (210, 20, 20), 4)
    return page


def _with_noise() -> NDArray[np.uint8]:
    noise = np.random.default_rng(1).normal(235, 12, (900, 700, 3))
    return np.clip(noise, 0, 255).astype(np.uint8)


def _with_writing() -> NDArray[np.uint8]:
    page = _white()
    for row in range(5):
        cv2.putText(
            page, "handwriting", (60, 150 + 120 * row), cv2.FONT_HERSHEY_SCRIPT_COMPLEX, 3, (35, 30, 30), 4
        )
    return page


def _with_ring() -> NDArray[np.uint8]:
    page = _white()
    cv2.circle(page, (300, 400), 130, (215, 30, 30), 5, cv2.LINE_AA)
    return page


def _with_button() -> NDArray[np.uint8]:
    page = _white()
    cv2.rectangle(page, (300, 400), (460, 480), (40, 90, 220), -1)
    return page


@pytest.mark.parametrize("px_per_mm", [None, 5.9])
@pytest.mark.parametrize(
    "page",
    [
        _white(),
        _with_headline(),
        _with_noise(),
        _with_writing(),
        _with_ring(),
        _with_button(),
        np.zeros((300, 300, 3), np.uint8),
    ],
    ids=["white", "headline", "noise", "writing", "ring", "button", "black"],
)
def test_what_is_no_seal_is_not_read_as_one(page: NDArray[np.uint8], px_per_mm: float | None) -> None:
    assert read_impressions(page, px_per_mm) == []


@pytest.mark.parametrize(
    "page",
    [
        np.zeros((100, 100), np.uint8),
        np.zeros((100, 100, 4), np.uint8),
        np.zeros((100, 100, 3), np.float32),
        np.zeros((4, 100, 3), np.uint8),
    ],
    ids=["grey", "rgba", "float", "tiny"],
)
def test_what_is_no_page_is_refused(page: NDArray[np.uint8]) -> None:
    with pytest.raises(ImpressionUnusable) as refused:
        read_impressions(page, None)
    assert refused.value.zh


def test_a_page_over_the_pixel_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impressions, "MAX_PIXELS", 9_999)
    with pytest.raises(ImpressionUnusable, match="100 x 100"):
        read_impressions(np.zeros((100, 100, 3), np.uint8), None)


@pytest.mark.parametrize("px_per_mm", [0.0, -3.0, float("nan"), 1e9])
def test_a_senseless_scale_is_refused(px_per_mm: float) -> None:
    with pytest.raises(ImpressionUnusable, match="px/mm"):
        read_impressions(_white(), px_per_mm)


def test_without_a_scale_sizes_are_unknown_until_stated(draw: Draw, finance_seal: Artwork) -> None:
    drawn = draw([finance_seal], copies=1)
    (found,) = read_impressions(drawn.page, None)
    assert found.size_mm is None
    assert Reason.SCALE_UNKNOWN in found.quality.reasons
    stated = with_size(found, 38.0)
    assert stated.size_mm == pytest.approx((38.0, 38.0), abs=0.01)
    assert stated.px_per_mm == pytest.approx(drawn.px_per_mm, rel=0.005)
    assert Reason.SCALE_UNKNOWN not in stated.quality.reasons
    with pytest.raises(ImpressionUnusable, match="wide"):
        with_size(found, 0.0)


def test_print_over_a_seal_and_paleness_are_said(draw: Draw, finance_seal: Artwork) -> None:
    over = draw([finance_seal], look=PRINTED_OVER, copies=1)
    (found,) = read_impressions(over.page, over.px_per_mm)
    assert Reason.OTHER_TEXT in found.quality.reasons
    pale = draw([finance_seal], look=FAINT, copies=1)
    (found,) = read_impressions(pale.page, pale.px_per_mm)
    assert Reason.FAINT in found.quality.reasons


def test_a_seal_running_off_the_page_is_incomplete(draw: Draw, finance_seal: Artwork) -> None:
    drawn = draw([finance_seal], copies=1)
    x, _, w, _ = drawn.truths[0].box_px
    (found,) = read_impressions(drawn.page[:, x + w // 6 :], drawn.px_per_mm)
    assert Reason.INCOMPLETE in found.quality.reasons


def test_a_cut_out_shows_the_page_where_ink_is(draw: Draw, square_seal: Artwork) -> None:
    drawn = draw([square_seal], copies=1)
    (found,) = read_impressions(drawn.page, drawn.px_per_mm)
    picture = cut_out(drawn.page, found)
    x, y, w, h = found.box_px
    assert picture.shape == (h, w, 4)
    assert np.array_equal(picture[..., :3], drawn.page[y : y + h, x : x + w])
    assert np.array_equal(picture[..., 3] > 127, found.ink > 0.5)
    with pytest.raises(ImpressionUnusable, match="does not lie"):
        cut_out(drawn.page[:50, :50], found)


def _real(shared: Path, name: str) -> NDArray[np.uint8]:
    picture = cv2.imread(str(shared / "real" / name), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8)


@pytest.mark.needs_shared
@pytest.mark.parametrize("name", ["page_sealcut.png", "page_getseally.png"])
def test_the_real_specimen_sheet_holds_two_circles_and_a_square(shared: Path, name: str) -> None:
    found = read_impressions(_real(shared, name), None)
    assert sorted(one.shape for one in found) == [SealShape.CIRCLE, SealShape.CIRCLE, SealShape.SQUARE]
    assert {one.colour for one in found} == {InkColour.RED}
    assert all(one.size_mm is None for one in found)
    star = max(found, key=lambda one: one.size_px[0])
    assert star.angle_deg == pytest.approx(10.4, abs=2)


@pytest.mark.needs_shared
def test_the_real_form_with_table_and_text_holds_one_circle(shared: Path) -> None:
    (found,) = read_impressions(_real(shared, "page_vapril3.png"), None)
    assert found.shape is SealShape.CIRCLE
    assert Reason.OTHER_TEXT in found.quality.reasons


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    "name",
    [
        "round_getseal.png",
        "round_sealcut_gz.png",
        "round_vapril1.png",
        "round_vapril2a.png",
        "round_vapril3.png",
        "round_vapril5.png",
    ],
)
def test_each_real_cutting_of_a_round_seal_holds_one_circle(shared: Path, name: str) -> None:
    (found,) = read_impressions(_real(shared, name), None)
    assert found.shape is SealShape.CIRCLE


@pytest.mark.needs_shared
def test_real_handwriting_is_no_seal(shared: Path) -> None:
    assert read_impressions(_real(shared, "sign_sealcut.png"), None) == []
