"""The canvas is 70 mm, the seal on it true to size, upright and in the middle."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tryout.artwork import Artwork
from seal_imaging import (
    Impression,
    ImpressionUnusable,
    InkColour,
    Quality,
    ScaleUnknown,
    SealShape,
    compose,
    ink_box_mm,
    read_impressions,
    with_size,
)
from tests.seal_imaging.conftest import Draw
from tests.seal_imaging.truth import canvas_dice


def _bar(width_mm: float, height_mm: float, angle_deg: float, px_per_mm: float) -> Impression:
    """Return a made-up impression: a full rectangle, turned on its page."""
    side = int(np.hypot(width_mm, height_mm) * px_per_mm) + 9
    rows, columns = np.mgrid[0:side, 0:side] + 0.5 - side / 2
    turn = np.radians(angle_deg)
    u = columns * np.cos(turn) + rows * np.sin(turn)
    v = rows * np.cos(turn) - columns * np.sin(turn)
    ink = (np.abs(u) < width_mm * px_per_mm / 2) & (np.abs(v) < height_mm * px_per_mm / 2)
    return Impression(
        box_px=(0, 0, side, side),
        ink=ink.astype(np.float32),
        size_mm=(width_mm, height_mm),
        shape=SealShape.RECTANGLE,
        angle_deg=angle_deg,
        colour=InkColour.RED,
        quality=Quality(1.0, 1.0, 1.0, 1.0, 0.0),
        centre_px=(side / 2, side / 2),
        size_px=(width_mm * px_per_mm, height_mm * px_per_mm),
        px_per_mm=px_per_mm,
        ink_rgb=(200, 30, 40),
    )


@settings(max_examples=8, deadline=None)
@given(
    width=st.floats(30, 66), share=st.floats(0.4, 1), angle=st.floats(-180, 180), px_per_mm=st.floats(6, 24)
)
def test_any_turn_and_scale_comes_out_upright_and_true_to_size(
    width: float, share: float, angle: float, px_per_mm: float
) -> None:
    height = width * share
    x, y, w, h = ink_box_mm(compose(_bar(width, height, angle, px_per_mm)))
    assert w == pytest.approx(width, abs=0.35)
    assert h == pytest.approx(height, abs=0.35)
    assert x + w / 2 == pytest.approx(35, abs=0.1)
    assert y + h / 2 == pytest.approx(35, abs=0.1)


def test_every_kind_of_seal_matches_its_artwork(
    draw: Draw, round_seal: Artwork, oval_seal: Artwork, rectangle_seal: Artwork
) -> None:
    seals = [round_seal, oval_seal, rectangle_seal]
    drawn = draw(seals, copies=1)
    found = read_impressions(drawn.page, drawn.px_per_mm)
    for seal, impression in zip(seals, found, strict=True):
        canvas = compose(impression)
        assert canvas.shape == (1400, 1400, 4)
        assert canvas.dtype == np.uint8
        assert canvas_dice(seal, canvas) >= 0.95
        assert np.unique(canvas[..., :3].reshape(-1, 3), axis=0).tolist() == [list(impression.ink_rgb)]
        x, y, w, h = ink_box_mm(canvas)
        assert (w, h) == pytest.approx(seal.size_mm, abs=0.25)
        assert (x + w / 2, y + h / 2) == pytest.approx((35, 35), abs=0.15)


def test_another_scale_makes_another_canvas() -> None:
    canvas = compose(_bar(40, 20, 5, 12), px_per_mm=10)
    assert canvas.shape == (700, 700, 4)
    assert ink_box_mm(canvas, px_per_mm=10)[2:] == pytest.approx((40, 20), abs=0.3)


def test_a_few_specks_do_not_widen_the_ink_box() -> None:
    canvas = compose(_bar(40, 20, 0, 12))
    canvas[10:14, 10:14, 3] = 255
    canvas[1390, 700, 3] = 255
    assert ink_box_mm(canvas)[2:] == pytest.approx((40, 20), abs=0.2)


def test_a_seal_of_unknown_scale_is_not_composed(draw: Draw, finance_seal: Artwork) -> None:
    drawn = draw([finance_seal], copies=1)
    (found,) = read_impressions(drawn.page, None)
    with pytest.raises(ScaleUnknown) as refused:
        compose(found)
    assert refused.value.zh
    assert ink_box_mm(compose(with_size(found, 38.0)))[2] == pytest.approx(38.0, abs=0.2)


def test_a_seal_larger_than_the_canvas_is_refused() -> None:
    with pytest.raises(ImpressionUnusable, match="70 mm"):
        compose(_bar(71, 30, 0, 6))


def test_an_impression_without_ink_is_refused() -> None:
    bar = _bar(40, 20, 0, 6)
    with pytest.raises(ImpressionUnusable, match="no ink"):
        compose(replace(bar, ink=np.zeros_like(bar.ink)))


@pytest.mark.parametrize("px_per_mm", [0.0, -1.0, float("nan"), 1e6])
def test_a_senseless_canvas_scale_is_refused(px_per_mm: float) -> None:
    with pytest.raises(ImpressionUnusable, match="px/mm"):
        compose(_bar(40, 20, 0, 6), px_per_mm=px_per_mm)


def test_no_ink_has_no_box() -> None:
    with pytest.raises(ImpressionUnusable, match="no ink"):
        ink_box_mm(np.zeros((1400, 1400, 4), np.uint8))
    with pytest.raises(ImpressionUnusable, match="RGBA"):
        ink_box_mm(np.zeros((1400, 1400, 3), np.uint8))
