"""Impressions of a long scan: told by seal, the surplus let go, memory bounded."""

from dataclasses import replace

import numpy as np
import pytest

from seal_imaging import Impression, InkColour, Quality, SealShape
from stages import impression_pool
from stages.errors import InputRefused
from stages.impression_pool import ImpressionPool


def impression_of(seal: int, score: float) -> Impression:
    """A stand-in told by its colour value."""
    ink = np.zeros((4, 4), np.float32)
    return Impression(
        box_px=(0, 0, 4, 4),
        ink=ink,
        size_mm=(40.0, 40.0),
        shape=SealShape.CIRCLE,
        angle_deg=0.0,
        colour=InkColour.RED,
        quality=Quality(score, 1, 1, 1, 0),
        centre_px=(2.0, 2.0),
        size_px=(4.0, 4.0),
        px_per_mm=0.1,
        ink_rgb=(seal, 0, 0),
    )


@pytest.fixture
def told_by_colour(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grouping by the stand-ins' colour; the list gets how many were held each time."""
    held: list[int] = []

    def group(found: list[Impression], **_: object) -> list[tuple[int, ...]]:
        held.append(len(found))
        seals: dict[int, list[int]] = {}
        for index, one in enumerate(found):
            seals.setdefault(one.ink_rgb[0], []).append(index)
        ordered = (sorted(group, key=lambda i: -found[i].quality.score) for group in seals.values())
        return [tuple(group) for group in ordered]

    monkeypatch.setattr(impression_pool, "group_impressions", group)
    return held


def test_a_hundred_impressions_of_two_seals_are_held_few_at_a_time(told_by_colour: list[int]) -> None:
    pool = ImpressionPool()
    for number in range(100):
        pool.add(impression_of(number % 2, score=number / 100))
    groups = pool.groups()
    assert [sorted(group.members) for group in groups] == [
        list(range(0, 100, 2)),
        list(range(1, 100, 2)),
    ]
    assert max(told_by_colour) <= impression_pool.MAX_IMPRESSIONS
    assert all(group.members[0] in (98, 99) for group in groups)
    assert [one.quality.score for one in groups[0].kept] == sorted(
        (one.quality.score for one in groups[0].kept), reverse=True
    )
    assert len(pool) == 100


@pytest.mark.usefixtures("told_by_colour")
def test_too_many_seals_are_refused() -> None:
    pool = ImpressionPool()
    for number in range(impression_pool.MAX_IMPRESSIONS):
        pool.add(impression_of(number, score=0.5))
    with pytest.raises(InputRefused, match="different seals") as caught:
        pool.add(impression_of(99, score=0.5))
    assert caught.value.zh


@pytest.mark.usefixtures("told_by_colour")
def test_a_kept_impression_keeps_no_page_alive() -> None:
    page = np.zeros((1000, 1000), np.float32)
    pool = ImpressionPool()
    pool.add(replace(impression_of(1, 0.5), ink=page[:4, :4], strength=page[4:8, :4]))
    ((kept,),) = (group.kept for group in pool.groups())
    assert kept.ink.base is None
    assert kept.strength is not None
    assert kept.strength.base is None
