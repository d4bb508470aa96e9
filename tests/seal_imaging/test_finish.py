"""Finished ink has smooth edges at its true place, and is one colour or the real ink's texture."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.tryout.artwork import Artwork
from seal_imaging import (
    STATED_COLOURS,
    Impression,
    ImpressionUnusable,
    InkChoice,
    InkColour,
    compose,
    read_impressions,
)
from seal_imaging.finish import sharp_alpha
from tests.seal_imaging.conftest import Draw
from tests.seal_imaging.truth import canvas_dice


@pytest.fixture(scope="module")
def scanned(draw: Draw, round_seal: Artwork) -> Impression:
    drawn = draw([round_seal], copies=1, seed=4)
    (found,) = read_impressions(drawn.page, drawn.px_per_mm)
    return found


def _blurred_stroke(width_mm: float, at_mm: float, px_per_mm: float) -> NDArray[np.float32]:
    """Return a vertical stroke as a scanner of px_per_mm sees it, resampled to 20 px/mm."""
    fine = np.zeros((40, 2400), np.float32)
    fine[:, round((at_mm - width_mm / 2) * 240) : round((at_mm + width_mm / 2) * 240)] = 1
    seen = cv2.resize(fine, (round(10 * px_per_mm), 40), interpolation=cv2.INTER_AREA)
    seen = cv2.GaussianBlur(seen, (0, 0), 0.6)
    return np.asarray(cv2.resize(seen, (200, 40), interpolation=cv2.INTER_CUBIC), np.float32)


@settings(max_examples=25, deadline=None)
@given(width_mm=st.floats(0.3, 2.5), at_mm=st.floats(3, 7), px_per_mm=st.floats(11.8, 24))
def test_a_stroke_keeps_its_width_and_its_place(width_mm: float, at_mm: float, px_per_mm: float) -> None:
    alpha = sharp_alpha(_blurred_stroke(width_mm, at_mm, px_per_mm), px_per_mm=20)[20]
    assert alpha.sum() / 20 == pytest.approx(width_mm, abs=0.05)
    middle = float((alpha * (np.arange(200) + 0.5)).sum() / alpha.sum()) / 20
    assert middle == pytest.approx(at_mm, abs=0.03)


def test_edges_are_antialiased_and_strokes_solid() -> None:
    alpha = sharp_alpha(_blurred_stroke(1.0, 5.0, 11.8), px_per_mm=20)[20]
    partly = (alpha > 0.02) & (alpha < 0.98)
    assert 2 <= partly.sum() <= 6  # one to three pixels on either side
    assert alpha.max() == 1


def test_a_slanting_edge_has_no_staircase() -> None:
    """The scan's pixels are 1.7 canvas pixels wide; a straight edge stays straight to a tenth of that."""
    rows, columns = np.mgrid[0:1600, 0:1600].astype(np.float32)
    fine = ((columns - 800) * np.cos(0.1) + (rows - 800) * np.sin(0.1) < 0).astype(np.float32)
    scan = cv2.GaussianBlur(cv2.resize(fine, (118, 118), interpolation=cv2.INTER_AREA), (0, 0), 0.5)
    alpha = sharp_alpha(cv2.resize(scan, (200, 200), interpolation=cv2.INTER_CUBIC), px_per_mm=20)
    edge = alpha[20:180].sum(1)
    line = np.polyval(np.polyfit(np.arange(len(edge)), edge, 1), np.arange(len(edge)))
    assert np.abs(edge - line).max() < 0.2


def test_unified_ink_is_one_colour_and_solid(scanned: Impression) -> None:
    canvas = compose(scanned)
    assert np.unique(canvas[..., :3].reshape(-1, 3), axis=0).tolist() == [list(scanned.ink_rgb)]
    inner = cv2.erode((canvas[..., 3] > 127).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert (canvas[inner][:, 3] == 255).mean() > 0.99


@pytest.mark.parametrize("choice", list(InkChoice))
@pytest.mark.parametrize(
    ("stated", "drawn"), [(InkColour.RED, STATED_COLOURS[InkColour.RED]), ((10, 20, 120), (10, 20, 120))]
)
def test_a_stated_colour_is_what_the_seal_is_drawn_in(
    scanned: Impression, choice: InkChoice, stated: InkColour, drawn: tuple[int, int, int]
) -> None:
    canvas = compose(scanned, 5.0, ink=choice, colour=stated)
    assert (canvas[canvas[..., 3] == 0][:, :3] == drawn).all()


@pytest.mark.parametrize("colour", [(250, 250, 250), (-1, 0, 0), (256, 0, 0)])
def test_an_impossible_colour_is_refused(scanned: Impression, colour: tuple[int, int, int]) -> None:
    with pytest.raises(ImpressionUnusable, match="colour") as refused:
        compose(scanned, 5.0, colour=colour)
    assert refused.value.zh


def test_natural_ink_keeps_its_texture_and_its_outline(scanned: Impression, round_seal: Artwork) -> None:
    half = np.ones_like(scanned.ink)
    half[:, : half.shape[1] // 2] = 0.6
    natural = compose(replace(scanned, strength=scanned.ink * half), ink=InkChoice.NATURAL)
    assert canvas_dice(round_seal, natural) == pytest.approx(
        canvas_dice(round_seal, compose(scanned)), abs=0.005
    )
    solid = compose(scanned)[..., 3] == 255
    left, right = solid.copy(), solid.copy()
    left[:, 650:], right[:, :750] = False, False
    assert natural[left][:, 3].mean() < 0.85 * natural[right][:, 3].mean()
    assert (natural[natural[..., 3] == 0][:, :3] == scanned.ink_rgb).all()


def test_over_inked_places_are_darker_not_wider(scanned: Impression) -> None:
    natural = compose(replace(scanned, strength=1.4 * scanned.ink), ink=InkChoice.NATURAL)
    inner = compose(scanned)[..., 3] == 255
    assert natural[inner][:, 3].mean() > 250
    assert natural[inner][:, 1].mean() < scanned.ink_rgb[1]
    assert (natural[..., 3] > 0).sum() == (compose(scanned)[..., 3] > 0).sum()


def test_two_runs_give_the_same_bytes(scanned: Impression) -> None:
    for choice in InkChoice:
        assert compose(scanned, ink=choice).tobytes() == compose(scanned, ink=choice).tobytes()


def test_print_over_the_ink_leaves_no_shadow_in_natural_ink(scanned: Impression) -> None:
    covered = np.zeros_like(scanned.ink)
    covered[: covered.shape[0] // 2] = 1
    shadowed = np.where(covered > 0, np.float32(0.2), np.float32(1)) * scanned.ink
    plain = compose(
        replace(scanned, strength=scanned.ink, covered=np.zeros_like(covered)), ink=InkChoice.NATURAL
    )
    mended = compose(replace(scanned, strength=shadowed, covered=covered), ink=InkChoice.NATURAL)
    inner = compose(scanned)[..., 3] == 255
    assert mended[inner][:, 3].mean() == pytest.approx(plain[inner][:, 3].mean(), abs=6)
