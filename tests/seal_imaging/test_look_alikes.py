"""What real pages hold: emblems, letters and frames that are no seals, pale and dark seals that are."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.tryout.artwork import ARTWORK_PX_PER_MM, Artwork, draw_round_seal, draw_square_seal
from seal_imaging import SealShape, compose, read_page, with_size
from seal_imaging.candidates import find_coloured
from seal_imaging.separate import estimate_paper
from tests.seal_imaging.truth import canvas_dice

_AA = cv2.LINE_AA


def _paper(height: int, width: int, level: int = 250) -> NDArray[np.uint8]:
    return np.full((height, width, 3), level, np.uint8)


def _text(page: NDArray[np.uint8], rows: range, *, left: int, right: int, size: float) -> None:
    for y in rows:
        for x in range(left, right, round(150 * size)):
            cv2.putText(page, "Abc dfg", (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, (40, 40, 42), 1, _AA)


def _stamped(
    page: NDArray[np.uint8], seal: Artwork, centre: tuple[float, float], px_per_mm: float, strength: float
) -> NDArray[np.uint8]:
    """Return the page darkened by a seal's ink, strength 1 for solid."""
    scale = px_per_mm / ARTWORK_PX_PER_MM
    small = cv2.resize(seal.ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ink = np.zeros(page.shape[:2], np.float32)
    x, y = round(centre[0] - small.shape[1] / 2), round(centre[1] - small.shape[0] / 2)
    ink[y : y + small.shape[0], x : x + small.shape[1]] = small
    passed = (np.array(seal.ink_rgb) / 255.0) ** strength
    return np.asarray(np.round(page * (1 - ink[..., None] * (1 - passed))), np.uint8)


def _through_jpeg(page: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return the page as JPEG keeps it, its colour at half its resolution."""
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x221111]
    _, coded = cv2.imencode(".jpg", page[..., ::-1], flags)
    return np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1]).astype(np.uint8)


def _emblem() -> NDArray[np.uint8]:
    page = _paper(900, 1200)
    centre = (600, 130)
    for k in range(90):
        t = 2 * math.pi * k / 90
        x, y = centre[0] + 62 * math.cos(t), centre[1] + 62 * math.sin(t)
        cv2.ellipse(page, (round(x), round(y)), (9, 4), math.degrees(t) + 40, 0, 360, (235, 90, 100), 1, _AA)
    cv2.circle(page, centre, 52, (240, 70, 85), -1, _AA)
    for x, y in ((0, -30), (-24, -18), (24, -18), (-11, -4), (11, -4)):
        cv2.circle(page, (centre[0] + x, centre[1] + y), 5, (252, 250, 250), -1, _AA)
    cv2.rectangle(page, (570, 155), (630, 162), (252, 250, 250), -1)
    return page


def _letter(strokes: list[tuple[float, float, float, float]]) -> NDArray[np.uint8]:
    page = _paper(900, 900, 238)
    for x0, y0, x1, y1 in strokes:
        corners = [(round(300 + 300 * x), round(250 + 360 * y)) for x, y in ((x0, y0), (x1, y1))]
        cv2.rectangle(page, corners[0], corners[1], (130, 50, 50), -1)
    return page


H = [(0, 0, 0.22, 1), (0.78, 0, 1, 1), (0, 0.4, 1, 0.6)]
U = [(0, 0, 0.25, 1), (0.75, 0, 1, 1), (0, 0.78, 1, 1)]
BLOCK = [(0, 0, 1, 0.7), (0, 0, 0.35, 1), (0.65, 0, 1, 1)]


def _certificate() -> NDArray[np.uint8]:
    page = _paper(500, 743)
    for left in (15, 385):
        cv2.rectangle(page, (left, 14), (left + 343, 484), (70, 80, 175), 12)
        cv2.circle(page, (left + 140, 66), 20, (60, 70, 170), 4, _AA)
        cv2.ellipse(page, (left + 200, 66), (24, 14), 0, 0, 360, (60, 70, 170), -1, _AA)
        _text(page, range(110, 440, 12), left=left + 40, right=left + 250, size=0.35)
        cv2.putText(page, "Sig", (left + 250, 430), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (60, 70, 170), 3, _AA)
        cv2.line(page, (left + 30, 90), (left + 310, 90), (70, 80, 175), 10)
    return page


@pytest.mark.parametrize(
    "page",
    [_emblem(), _letter(H), _letter(U), _letter(BLOCK), _certificate()],
    ids=["emblem", "letter H", "letter U", "logo", "certificate frames"],
)
def test_what_has_no_seals_strokes_is_no_seal(page: NDArray[np.uint8]) -> None:
    assert read_page(page, None).impressions == ()
    assert read_page(page, 150 / 25.4).impressions == ()


def _share_seen(page: NDArray[np.uint8], blank: NDArray[np.uint8]) -> float:
    """Return the share of red ink, by what it changed on the page, that the first look calls coloured."""
    inked = np.abs(page.astype(int) - blank).max(2) > 40
    seen = find_coloured(page, estimate_paper(page), px_per_mm=None).masks[0][1]
    return float((seen & inked).sum() / inked.sum())


@pytest.mark.parametrize("strength", [0.35, 0.9])
def test_greyish_ink_on_a_small_jpeg_of_a_page_is_seen(oval_seal: Artwork, strength: float) -> None:
    blank = _paper(713, 500, 254)
    _text(blank, range(420, 700, 22), left=60, right=460, size=0.3)
    greyish = replace(oval_seal, ink_rgb=(190, 90, 110))
    page = _stamped(blank, greyish, (330.0, 560.0), 500 / 210, strength)
    page, blank = (cv2.GaussianBlur(one, (0, 0), 0.8).astype(np.uint8) for one in (page, blank))
    page = _through_jpeg(page, 80)
    assert _share_seen(page, blank) > 0.7
    assert [one.shape for one in read_page(page, None).impressions] == [SealShape.ELLIPSE]


@pytest.mark.parametrize("ink_rgb", [(160, 50, 60), (150, 30, 45), (120, 25, 40)])
@pytest.mark.parametrize("noise", [6.0, 12.0])
def test_a_seal_is_found_in_a_dark_close_cutting_of_a_photo(
    round_seal: Artwork, ink_rgb: tuple[int, int, int], noise: float
) -> None:
    px_per_mm = 4.2
    page = _stamped(_paper(182, 182, 255), replace(round_seal, ink_rgb=ink_rgb), (91.0, 91.0), px_per_mm, 1.0)
    for y in (90, 130, 170):
        cv2.putText(page, "Abc 12 dfg", (0, y), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (30, 30, 32), 1, _AA)
    light = np.linspace(0.5, 0.85, 182)[:, None, None] * np.array([1.0, 0.94, 0.88])
    grain = cv2.GaussianBlur(np.random.default_rng(4).normal(0, noise, page.shape), (0, 0), 1.0)
    dark = np.clip(page * light + grain, 0, 255).astype(np.uint8)
    (found,) = read_page(_through_jpeg(dark, 85), None).impressions
    assert found.size_px[0] == pytest.approx(round_seal.size_mm[0] * px_per_mm, rel=0.08)


@pytest.mark.parametrize("side_mm", [18.0, 22.0])
@pytest.mark.parametrize("name", ["张三之印", "李四印", "王小明印"])
def test_a_sunk_name_seal_is_a_seal(font: bytes, name: str, side_mm: float) -> None:
    raised = draw_square_seal(name, font, side_mm=side_mm)
    ink = raised.ink.copy()
    ys, xs = np.nonzero(ink > 0.5)
    top, bottom, left, right = ys.min(), ys.max() + 1, xs.min(), xs.max() + 1
    rim = round(0.07 * (right - left))
    inner = (slice(top + rim, bottom - rim), slice(left + rim, right - rim))
    ink[inner] = 1 - ink[inner]
    page = _stamped(_paper(700, 700), replace(raised, ink=ink), (350, 350), 300 / 25.4, 0.9)
    (found,) = read_page(page, 300 / 25.4).impressions
    assert found.shape is SealShape.SQUARE
    assert found.size_mm == pytest.approx((side_mm, side_mm), abs=0.25)


@pytest.mark.parametrize("squeeze", [0.96, 0.9])
def test_a_round_seal_seen_at_an_angle_is_read_as_round(round_seal: Artwork, squeeze: float) -> None:
    page = _stamped(_paper(700, 700), round_seal, (350, 350), 300 / 25.4, 1.0)
    tilted = cv2.warpAffine(
        page,
        np.array([[1, 0, 0], [0.0, squeeze, 350 * (1 - squeeze)]]),
        (700, 700),
        flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_REPLICATE,
    )
    (found,) = read_page(np.asarray(tilted, np.uint8), None).impressions
    assert found.shape is SealShape.CIRCLE
    assert found.angle_deg == pytest.approx(0.0, abs=1.0)
    whole = compose(with_size(found, round_seal.size_mm[0]))
    assert canvas_dice(round_seal, whole) > 0.95


def test_a_small_round_seal_seen_at_an_angle_is_no_thumbs_print(font: bytes) -> None:
    small = draw_round_seal("江南示例建设工程有限公司", font, diameter_mm=24.0)
    page = _stamped(_paper(500, 500), small, (250, 250), 300 / 25.4, 1.0)
    matrix = np.array([[1, 0, 0], [0.0, 0.95, 12.5]])
    tilted = cv2.warpAffine(page, matrix, (500, 500), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    (found,) = read_page(np.asarray(tilted, np.uint8), 300 / 25.4).impressions
    assert found.shape is SealShape.CIRCLE
