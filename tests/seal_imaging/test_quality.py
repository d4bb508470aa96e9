"""What spoils an impression is said of it, what does not is not, and the better impression ranks first."""

import math
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from pipeline.tryout import looks
from pipeline.tryout.artwork import ARTWORK_PX_PER_MM, Artwork
from pipeline.tryout.looks import CLEAN, PageLook
from pipeline.tryout.specimens import draw_specimen_page
from seal_imaging import Impression, Quality, Reason, read_impressions
from seal_imaging.quality import REFUSED_AT, REFUSING, TILTED_ABOVE_DEG, Verdict, judge
from tests.seal_imaging.conftest import Draw
from tests.seal_imaging.truth import overlap

GOOD = Quality(score=1.0, outline=1.0, coverage=1.0, sharpness=1.0, foreign_ink=0.0)
Read = Callable[[PageLook], list[Impression]]


@pytest.fixture(scope="module")
def read(draw: Draw, finance_seal: Artwork, purple_seal: Artwork, rectangle_seal: Artwork) -> Read:
    """Read one impression of each of three seals, stamped and scanned as a look says."""
    known: dict[PageLook, list[Impression]] = {}

    def _read(look: PageLook) -> list[Impression]:
        if look not in known:
            drawn = draw([finance_seal, purple_seal, rectangle_seal], look=look, seed=17, copies=1)
            known[look] = read_impressions(drawn.page, drawn.px_per_mm)
        return known[look]

    return _read


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        (looks.OVER_INKED, Reason.SMEARED),
        (looks.PRESSED_ASKEW, Reason.FAINT),
        (looks.FAINT, Reason.FAINT),
        (looks.PRINTED_OVER, Reason.OTHER_TEXT),
        (looks.GLARING, Reason.GLARE),
        (looks.SHADOWED, Reason.GLARE),
    ],
)
def test_what_spoils_an_impression_is_said(read: Read, look: PageLook, reason: Reason) -> None:
    found = read(look)
    assert len(found) == 3
    assert all(reason in one.quality.reasons for one in found)
    assert not any(reason in one.quality.reasons for one in read(CLEAN))


def test_a_second_strike_is_said_and_no_first_one_is(read: Read) -> None:
    # The third, a long thin frame struck again at another angle, shows no two lines at one distance.
    for one in read(looks.DOUBLE_STRUCK)[:2]:
        assert Reason.DOUBLE_STRIKE in one.quality.reasons
    assert all(one.quality.double == 0 for one in read(CLEAN))


def test_a_seal_that_slid_is_smeared_or_struck_twice(read: Read) -> None:
    for one in read(looks.DRAGGED):
        assert {Reason.SMEARED, Reason.DOUBLE_STRIKE} & set(one.quality.reasons)


@pytest.mark.parametrize("look", [CLEAN, looks.PHOTO, looks.TINTED], ids=["clean", "photo", "tinted"])
def test_nothing_is_said_against_a_good_impression(read: Read, look: PageLook) -> None:
    for one in read(look):
        assert one.quality.reasons == ()
        assert judge(one.quality) is Verdict.USABLE
        assert one.quality.score > 0.85


def test_tilt_is_said_beyond_ten_degrees_only(draw: Draw, square_seal: Artwork) -> None:
    for turn, is_tilted in ((14.0, True), (7.0, False)):
        look = replace(CLEAN, turn_deg=turn + 1, least_turn_deg=turn)
        drawn = draw([square_seal], look=look, seed=3, copies=2)
        for one in read_impressions(drawn.page, drawn.px_per_mm):
            assert (abs(one.angle_deg) > TILTED_ABOVE_DEG) is is_tilted
            assert (Reason.TILTED in one.quality.reasons) is is_tilted


@pytest.mark.parametrize("turn", [0.0, 20.0])
def test_sectors_run_clockwise_from_the_seals_own_top(draw: Draw, oval_seal: Artwork, turn: float) -> None:
    look = replace(CLEAN, turn_deg=turn + 0.5, least_turn_deg=turn)
    drawn = draw([oval_seal], look=look, copies=1)
    truth = drawn.truths[0]
    page = drawn.page.copy()
    t = math.radians(truth.angle_deg)
    right, up = np.array([math.cos(t), math.sin(t)]), np.array([math.sin(t), -math.cos(t)])
    centre, reach = np.array(truth.centre_px), 30 * drawn.px_per_mm
    quarter = np.array([centre, centre + reach * up, centre + reach * (up + right), centre + reach * right])
    paper = tuple(int(v) for v in page[2, 2])
    cv2.fillPoly(page, [np.round(quarter).astype(np.int32)], paper)
    (found,) = read_impressions(page, drawn.px_per_mm)
    sectors = found.quality.sectors
    assert len(sectors) == 12
    assert max(sectors[:3]) < 0.2
    assert min(sectors[3:9]) > 0.8
    assert {Reason.INCOMPLETE, Reason.FAINT} <= set(found.quality.reasons)


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_the_good_impression_ranks_before_the_smeared_and_the_weak(
    font: bytes, finance_seal: Artwork, oval_seal: Artwork, square_seal: Artwork, seed: int
) -> None:
    weak = replace(CLEAN, missing=0.35, least_missing=0.25)
    bad = (looks.OVER_INKED, looks.DRAGGED, looks.DOUBLE_STRUCK)[seed % 3]
    drawn = draw_specimen_page(
        [finance_seal, oval_seal, square_seal],
        rng=np.random.default_rng(seed),
        font=font,
        looks=(replace(CLEAN, missing=0.06), bad, weak),
        page_mm=(186.0, 160.0),
    )
    found = read_impressions(drawn.page, drawn.px_per_mm)
    for index in range(3):
        rated = []
        for truth in drawn.truths:
            if truth.seal_index == index:
                worth = 2 * (truth.mask & truth.design).sum() / (truth.mask.sum() + truth.design.sum())
                near = [one for one in found if overlap(truth.box_px, one.box_px) > 0.6]
                rated.append((float(worth), near[0].quality.score if near else 0.0))
        assert max(rated)[1] == max(score for _, score in rated)


@pytest.mark.parametrize("reason", sorted(REFUSED_AT))
def test_a_reason_warns_first_and_refuses_beyond_its_limit(reason: Reason) -> None:
    limit = REFUSED_AT[reason]
    for beyond, verdict in ((0.02, Verdict.REFUSED), (-0.02, Verdict.DOUBTFUL)):
        value = limit.refused + (beyond if limit.is_upwards else -beyond)
        figures = {**vars(GOOD), limit.measure: value, "reasons": (reason,)}
        assert judge(Quality(**figures)) is verdict


@pytest.mark.parametrize("reason", sorted(REFUSING))
def test_some_reasons_refuse_whatever_the_figures(reason: Reason) -> None:
    assert judge(replace(GOOD, reasons=(reason,))) is Verdict.REFUSED


def test_without_a_reason_an_impression_is_usable() -> None:
    assert judge(GOOD) is Verdict.USABLE
    assert judge(replace(GOOD, reasons=(Reason.TILTED,))) is Verdict.DOUBTFUL


@pytest.mark.parametrize(("gap_mm", "line_mm"), [(0.5, 0.3), (0.6, 0.6), (0.9, 0.5)])
def test_an_inner_ring_of_the_seal_itself_is_no_second_strike(
    draw: Draw, round_seal: Artwork, gap_mm: float, line_mm: float
) -> None:
    ink = round_seal.ink.copy()
    middle = (ink.shape[1] // 2, ink.shape[0] // 2)
    radius_px = round((round_seal.size_mm[0] / 2 - 1.2 - gap_mm) * ARTWORK_PX_PER_MM)
    cv2.circle(ink, middle, radius_px, 1.0, round(line_mm * ARTWORK_PX_PER_MM), cv2.LINE_AA)
    drawn = draw([replace(round_seal, ink=ink)], seed=9)
    for one in read_impressions(drawn.page, drawn.px_per_mm):
        assert Reason.DOUBLE_STRIKE not in one.quality.reasons
