"""Tells which impressions are of the same seal."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from seal_imaging.errors import ImpressionUnusable
from seal_imaging.impression import Impression, InkAmount, SealShape
from seal_imaging.register import Registered, flat_ink, may_be_one_seal, register

MAX_IMPRESSIONS = 32
SCORE_WEIGHT = 0.1
"""Of an impression's own score against its likeness to what the impressions of its seal have in common."""
WEAK = {
    SealShape.CIRCLE: (0.905, 0.58),
    SealShape.ELLIPSE: (0.885, 0.45),
    SealShape.SQUARE: (0.84, 0.39),
    SealShape.RECTANGLE: (0.79, 0.38),
    SealShape.FREEFORM: (0.95, 0.80),
}
GOOD = {
    SealShape.CIRCLE: (0.965, 0.935),
    SealShape.ELLIPSE: (0.97, 0.87),
    SealShape.SQUARE: (0.96, 0.90),
    SealShape.RECTANGLE: (0.94, 0.78),
    SealShape.FREEFORM: (0.97, 0.90),
}
"""Agreement, and worst agreement, from which two impressions are of one seal: badly and well inked.

Chosen on 1125 drawn pairs between the figures of one seal and of seals with other names in the same
style. Companies that differ in one character of twelve are mostly told apart when both impressions are well
inked, and mostly not when one is weak: whose seal it is, its text must say.
"""
WEAK_LACK = 0.25
"""Impressions whose outlines lack this share are as weak as they come."""
BETTER_COUNTS = 0.75
"""A good impression lets a weak one be judged nearly as strictly as another good one."""
HINT = 0.05
"""How much less alike impressions may be that lie in one row of our form."""
WORST_COUNTS = 0.4
"""How much a lack of worst agreement counts against one of agreement."""
_TRIED = 2
"""Members of a group that an impression is set against."""


class Kinship(StrEnum):
    """Whether two impressions are of one seal."""

    SAME = "same"
    DIFFERENT = "different"
    UNCERTAIN = "uncertain"


def kinship(a: Impression, b: Impression, laid: Registered) -> Kinship:
    """Return what the registration of `b` over `a` says."""
    less, more = sorted((1 - a.quality.outline, 1 - b.quality.outline))
    weakness = min(1.0, (BETTER_COUNTS * less + (1 - BETTER_COUNTS) * more) / WEAK_LACK)
    agreement, worst = (
        good - (good - weak) * weakness for good, weak in zip(GOOD[a.shape], WEAK[a.shape], strict=True)
    )
    over = min(laid.agreement - agreement, WORST_COUNTS * (laid.worst - worst))
    if over >= 0:
        return Kinship.SAME
    return Kinship.UNCERTAIN if over >= -HINT else Kinship.DIFFERENT


def group_impressions(
    impressions: Sequence[Impression], rows: Sequence[int | None] | None = None
) -> list[tuple[int, ...]]:
    """Return which impressions are of the same seal: indices, best first, in order of appearance.

    Args:
        rows: for each impression the row of our form it lies in, None when unknown. Impressions in
            one row are of one seal unless they are clearly different.

    Raises:
        ImpressionUnusable: more than MAX_IMPRESSIONS, or not one row for each impression.
    """
    check_count(impressions)
    if rows is None:
        rows = [None] * len(impressions)
    if len(rows) != len(impressions):
        raise ImpressionUnusable(
            f"{len(rows)} rows were given for {len(impressions)} impressions; give one for each",
            zh=f"给出的行号{len(rows)}个与印模数量{len(impressions)}不一致",
        )
    found: list[tuple[list[int], list[InkAmount]]] = []
    for index in best_first(impressions):
        joined: tuple[list[int], list[InkAmount]] | None = None
        for group, inks in list(found):
            ink = _ink_in(group, index, impressions, rows)
            if ink is None:
                continue
            if joined is None:
                group.append(index)
                inks.append(ink)
                joined = (group, inks)
            else:
                # Two weak impressions may share too little ink; one that is like both links them.
                joined[1].extend(register(impressions[joined[0][0]], impressions[m]).ink for m in group)
                joined[0].extend(group)
                found = [one for one in found if one[0] is not group]
        if joined is None:
            found.append(([index], [flat_ink(impressions[index])]))
    return sorted((_most_complete_first(group, inks, impressions) for group, inks in found), key=min)


def check_count(impressions: Sequence[Impression]) -> None:
    """Refuse more impressions than anyone stamps.

    Raises:
        ImpressionUnusable: more than MAX_IMPRESSIONS.
    """
    if len(impressions) > MAX_IMPRESSIONS:
        raise ImpressionUnusable(
            f"{len(impressions)} impressions are more than {MAX_IMPRESSIONS}; hand in fewer",
            zh=f"印模数量{len(impressions)}超过上限{MAX_IMPRESSIONS}",
        )


def best_first(impressions: Sequence[Impression]) -> list[int]:
    """Return the indices of impressions by their scores."""
    return sorted(range(len(impressions)), key=lambda i: (-impressions[i].quality.score, i))


def _ink_in(
    group: list[int], index: int, impressions: Sequence[Impression], rows: Sequence[int | None]
) -> InkAmount | None:
    """Return an impression's ink over the frame of the group's leader; None when it is of another seal."""
    over_leader: Registered | None = None
    for member in group[:_TRIED]:
        a, b = impressions[member], impressions[index]
        hinted = rows[member] is not None and rows[member] == rows[index]
        if not may_be_one_seal(a, b):
            continue
        laid = register(a, b)
        if member == group[0]:
            over_leader = laid
        answer = kinship(a, b, laid)
        if answer is Kinship.SAME or (hinted and answer is Kinship.UNCERTAIN):
            return (over_leader or register(impressions[group[0]], b)).ink
    return None


def _most_complete_first(
    group: list[int], inks: list[InkAmount], impressions: Sequence[Impression]
) -> tuple[int, ...]:
    """Return the members of a group, first the one most like what at least half of them show.

    Where ink did not arrive an impression lacks what the others have; where it smeared it has what
    the others lack. Both tell more than any measure of one impression alone.
    """
    masks = np.stack(inks) > 0.5
    common = masks.sum(0) >= len(group) / 2
    whole = int(common.sum())

    def worth(position: int) -> float:
        mask = masks[position]
        dice = 2 * float((mask & common).sum()) / max(1, int(mask.sum()) + whole)
        return dice + SCORE_WEIGHT * impressions[group[position]].quality.score

    order = sorted(range(len(group)), key=lambda position: (-worth(position), group[position]))
    return tuple(group[position] for position in order)
