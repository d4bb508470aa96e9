"""What spoils a drawn page does so where it says, and the page's truth knows of it."""

from dataclasses import replace

import numpy as np
import pymupdf
import pytest
from numpy.typing import NDArray

from pipeline.tryout.artwork import Artwork, draw_fingerprint, draw_square_seal
from pipeline.tryout.degradations import add_folds, displace_red, let_print_through, stretch_contrast
from pipeline.tryout.specimens import (
    CLEAN,
    ENHANCED,
    PRINTED_OVER,
    PageLook,
    SpecimenPage,
    draw_specimen_page,
)
from seal_imaging.impression import SealShape


@pytest.fixture(scope="module")
def font() -> bytes:
    return bytes(pymupdf.Font("cjk").buffer)


@pytest.fixture(scope="module")
def seal(font: bytes) -> Artwork:
    return draw_square_seal("张三之印", font)


def _page(seal: Artwork, font: bytes, look: PageLook, *, seed: int = 5) -> SpecimenPage:
    rng = np.random.default_rng(seed)
    return draw_specimen_page([seal], rng=rng, font=font, px_per_mm=6.0, look=look, page_mm=(120.0, 40.0))


def _sheet() -> NDArray[np.float32]:
    return np.ones((240, 180, 3), np.float32)


def test_folds_darken_a_line_and_leave_paper_elsewhere() -> None:
    canvas = _sheet()
    add_folds(canvas, 1, px_per_mm=6.0, rng=np.random.default_rng(1))
    assert 0.7 < float(canvas.min()) < 0.9
    assert float(np.median(canvas)) > 0.9


def test_print_on_the_other_side_takes_no_more_light_than_said(font: bytes) -> None:
    canvas = _sheet()
    let_print_through(canvas, 0.1, font=font, px_per_mm=6.0, rng=np.random.default_rng(1))
    assert float(canvas.min()) == pytest.approx(0.9, abs=0.02)
    assert float(canvas.max()) == pytest.approx(1.0)


def test_enhancing_clips_white_and_black() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, 2)
    stretched = stretch_contrast(grey)
    assert (stretched[0, :70] == 0).all()
    assert (stretched[0, 206:] == 255).all()


def test_displaced_red_colours_the_rims_of_black_only() -> None:
    canvas = _sheet()
    canvas[60:90, 60:90] = 0.1
    seen = displace_red(canvas, 1.0)
    chroma = np.ptp(seen, axis=2)
    assert float(chroma[:, 59:61].max()) > 0.3
    assert float(chroma[70:80, 70:80].max()) < 1e-6


def test_an_enhanced_page_has_white_paper(seal: Artwork, font: bytes) -> None:
    assert float((_page(seal, font, ENHANCED).page.min(2) == 255).mean()) > 0.5


def test_the_truth_knows_what_is_printed_over_an_impression(seal: Artwork, font: bytes) -> None:
    plain, over = (_page(seal, font, look) for look in (CLEAN, PRINTED_OVER))
    assert not any(truth.printed.any() for truth in plain.truths)
    for truth in over.truths:
        assert truth.printed.shape == truth.mask.shape
        x, y, w, h = truth.box_px
        black = over.page[y : y + h, x : x + w].max(2)
        assert float(black[truth.printed].mean()) < 110
        assert 0.05 < float(truth.printed.mean()) < 0.5


def test_at_least_so_much_is_missing_as_the_look_says(seal: Artwork, font: bytes) -> None:
    weak = replace(CLEAN, least_missing=0.3, missing=0.35)
    for truth in _page(seal, font, weak).truths:
        assert 0.5 < truth.mask.sum() / truth.design.sum() < 0.85


def test_a_fingerprint_is_ridges_and_the_same_each_time() -> None:
    one = draw_fingerprint(3)
    assert one.shape is SealShape.FREEFORM
    assert 0.15 < float((one.ink > 0.5).mean()) < 0.6
    assert np.array_equal(one.ink, draw_fingerprint(3).ink)
