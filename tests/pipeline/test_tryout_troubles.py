"""Bad stamping and bad light spoil a drawn page where they say, and the page's truth knows of it."""

from dataclasses import replace

import numpy as np
import pymupdf
import pytest

from pipeline.tryout import looks
from pipeline.tryout.artwork import Artwork, draw_square_seal
from pipeline.tryout.degradations import cast_glare, cast_shadow, copy_grey, sharpen
from pipeline.tryout.looks import CLEAN, PageLook
from pipeline.tryout.specimens import SpecimenPage, draw_specimen_page


@pytest.fixture(scope="module")
def font() -> bytes:
    return bytes(pymupdf.Font("cjk").buffer)


@pytest.fixture(scope="module")
def seal(font: bytes) -> Artwork:
    return draw_square_seal("张三之印", font)


def _page(seal: Artwork, font: bytes, look: PageLook, *, cut_off: float = 0.0) -> SpecimenPage:
    return draw_specimen_page(
        [seal],
        rng=np.random.default_rng(5),
        font=font,
        px_per_mm=6.0,
        look=look,
        page_mm=(120.0, 40.0),
        cut_off=cut_off,
    )


@pytest.mark.parametrize("look", [looks.OVER_INKED, looks.DRAGGED, looks.DOUBLE_STRUCK])
def test_too_much_ink_goes_where_the_design_has_none(seal: Artwork, font: bytes, look: PageLook) -> None:
    for truth in _page(seal, font, look).truths:
        stray = float((truth.mask & ~truth.design).sum() / truth.design.sum())
        lacking = float((truth.design & ~truth.mask).sum() / truth.design.sum())
        assert stray > 0.1
        assert lacking < 0.06


def test_a_press_askew_leaves_one_side_pale(seal: Artwork, font: bytes) -> None:
    drawn = _page(seal, font, looks.PRESSED_ASKEW)
    for truth in drawn.truths:
        x, y, w, h = truth.box_px
        inked = np.where(truth.design, drawn.page[y : y + h, x : x + w, 1], np.nan)
        halves = [np.nanmean(part) for part in (*np.array_split(inked, 2), *np.array_split(inked, 2, 1))]
        assert max(halves) - min(halves) > 25


def test_an_impression_is_turned_by_no_less_than_the_look_says(seal: Artwork, font: bytes) -> None:
    for truth in _page(seal, font, looks.TILTED).truths:
        assert 14.0 <= abs(truth.angle_deg) <= 24.0


def test_the_first_impression_runs_off_the_page_when_asked(seal: Artwork, font: bytes) -> None:
    first, *others = _page(seal, font, replace(CLEAN, turn_deg=0.5), cut_off=0.25).truths
    assert first.box_px[0] == pytest.approx(-0.25 * first.box_px[2], abs=3)
    assert all(one.box_px[0] > 0 for one in others)


def test_writing_over_an_impression_is_known_and_has_the_pens_colour(seal: Artwork, font: bytes) -> None:
    drawn = _page(seal, font, looks.PEN_OVER)
    for truth in drawn.truths:
        x, y, w, h = truth.box_px
        clear = truth.printed & ~truth.design
        assert clear.sum() > 20
        red, _, blue = drawn.page[y : y + h, x : x + w][clear].mean(0)
        assert blue > red + 20


def test_each_impression_of_a_seal_may_be_stamped_in_its_own_way(seal: Artwork, font: bytes) -> None:
    drawn = draw_specimen_page(
        [seal],
        rng=np.random.default_rng(5),
        font=font,
        px_per_mm=6.0,
        looks=(CLEAN, looks.OVER_INKED, replace(CLEAN, missing=0.3, least_missing=0.3)),
        page_mm=(120.0, 40.0),
    )
    amounts = sorted(float(truth.mask.sum() / truth.design.sum()) for truth in drawn.truths)
    assert amounts[0] < 0.8
    assert 0.95 < amounts[1] < 1.1
    assert amounts[2] > 1.15


def test_glare_washes_out_its_boxes_only() -> None:
    canvas = np.full((100, 200, 3), 0.5, np.float32)
    cast_glare(canvas, 1.0, boxes_px=[(0, 0, 100, 100)], rng=np.random.default_rng(1))
    assert float(canvas.max()) > 1.1
    assert np.allclose(canvas[:, 110:], 0.5)


def test_shadows_lie_in_bars_with_edges() -> None:
    canvas = np.ones((400, 200, 3), np.float32)
    cast_shadow(canvas, 0.4, px_per_mm=6.0, rng=np.random.default_rng(1))
    assert float(canvas.min()) == pytest.approx(0.6, abs=0.01)
    assert 0.4 < float((canvas < 0.8).mean()) < 0.6


def test_a_photocopy_has_no_colour() -> None:
    page = np.random.default_rng(1).integers(0, 255, (20, 20, 3), dtype=np.uint8)
    assert float(np.ptp(copy_grey(page), axis=2).max()) == 0


def test_sharpening_leaves_halos() -> None:
    step = np.concatenate([np.full((20, 20, 3), 100), np.full((20, 20, 3), 200)], 1).astype(np.float32)
    seen = sharpen(step, 1.0)
    assert float(seen.max()) > 220
    assert float(seen.min()) < 80


@pytest.mark.parametrize("look", [looks.GREY_COPY, looks.PHONE_JPEG, looks.GLARING, looks.SHADOWED])
def test_the_same_seed_gives_the_same_page(seal: Artwork, font: bytes, look: PageLook) -> None:
    assert np.array_equal(_page(seal, font, look).page, _page(seal, font, look).page)
