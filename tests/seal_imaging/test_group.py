"""Impressions of one seal find together however weak; look-alikes of other owners stay apart."""

import pytest

from pipeline.tryout.artwork import Artwork, draw_round_seal, draw_square_seal
from seal_imaging import Impression, ImpressionUnusable, fuse_shown, group_impressions, source_picture
from tests.seal_imaging.stamped import frame_from_seal, stamp

SCALE = 12.0


def _stamped(seal: Artwork, *, count: int, missing: float) -> list[Impression]:
    return [
        stamp(seal, frame_from_seal(SCALE, turn_deg=5 * k), SCALE, missing=missing, seed=10 + k)
        for k in range(count)
    ]


def test_weak_impressions_of_one_seal_find_together(round_seal: Artwork, square_seal: Artwork) -> None:
    weak = _stamped(round_seal, count=3, missing=0.3) + _stamped(square_seal, count=3, missing=0.3)
    assert [sorted(group) for group in group_impressions(weak)] == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("missing", [0.0, 0.25])
def test_two_companies_of_one_trade_stay_apart(round_seal: Artwork, font: bytes, missing: float) -> None:
    other = draw_round_seal("塞北虚构建设工程有限公司", font)
    both = _stamped(round_seal, count=1, missing=missing) + _stamped(other, count=1, missing=missing)
    assert len(group_impressions(both)) == 2


def test_two_persons_of_one_family_stay_apart(square_seal: Artwork, font: bytes) -> None:
    other = draw_square_seal("张四之印", font)
    both = _stamped(square_seal, count=1, missing=0.0) + _stamped(other, count=1, missing=0.0)
    assert len(group_impressions(both)) == 2
    assert len(group_impressions(both, [None, None])) == 2


def test_other_seals_in_one_row_stay_apart(round_seal: Artwork, other_round_seal: Artwork) -> None:
    both = _stamped(round_seal, count=1, missing=0.0) + _stamped(other_round_seal, count=1, missing=0.0)
    assert len(group_impressions(both, [0, 0])) == 2


def test_each_impression_has_its_row(square_seal: Artwork) -> None:
    with pytest.raises(ImpressionUnusable, match="1 rows were given for 2 impressions"):
        group_impressions(_stamped(square_seal, count=2, missing=0.0), [0])


def test_what_came_from_where_is_shown(square_seal: Artwork) -> None:
    members = _stamped(square_seal, count=3, missing=0.3)
    fused = fuse_shown(members)
    assert fused.sources.shape == fused.impression.ink.shape
    assert set(range(3)) <= {int(v) for v in fused.sources.ravel()} | {-1}
    assert ((fused.sources >= 0) == (fused.impression.ink > 0.5)).all()
    picture = source_picture(fused)
    assert len({tuple(picture[fused.sources == k].min(0)) for k in range(3)}) == 3
    assert (picture[(fused.impression.ink == 0)] == 255).all()
