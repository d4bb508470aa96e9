"""Measures ours and the naive peer against what was drawn."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.imaging.peer import NaiveSeal, read_naively, red_mask
from benchmarks.imaging.registration import registration_errors_mm
from benchmarks.imaging.strata import Drawn
from pipeline.tryout.specimens import ImpressionTruth
from seal_imaging import Impression, Reason, compose, fuse, group_impressions, read_impressions
from tests.seal_imaging.truth import angle_error, canvas_dice, dice, overlap, size_error

SAME_PLACE = 0.7
"""Intersection over union from which a box counts as the seal drawn there."""
AS_GOOD = 0.01
"""Impressions whose true completeness differs by less are equally good."""
SPREAD = frozenset({Reason.SMEARED, Reason.DOUBLE_STRIKE})
_AROUND_MM = 2.0


@dataclass
class Tally:
    """The figures of one side in one stratum, one entry for each impression unless said otherwise."""

    dice: list[float] = field(default_factory=list)
    residual_black: list[float] = field(default_factory=list)
    under_text: list[float] = field(default_factory=list)
    size_mm: list[float] = field(default_factory=list)
    spread_size_mm: list[float] = field(default_factory=list)
    angle_deg: list[float] = field(default_factory=list)
    right_shape: list[float] = field(default_factory=list)
    seen: int = 0
    drawn: int = 0
    found: int = 0
    best_of_three: list[float] = field(default_factory=list)
    grouped: list[float] = field(default_factory=list)
    fusion_gain: list[float] = field(default_factory=list)
    fused_dice: list[float] = field(default_factory=list)
    page_s: list[float] = field(default_factory=list)
    registration_mm: list[float] = field(default_factory=list)
    best_by_score: list[float] = field(default_factory=list)
    reasons_hit: list[float] = field(default_factory=list)
    false_alarms: list[float] = field(default_factory=list)
    alarms: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, eq=False)
class Example:
    """What the contact sheet shows of one seal."""

    source: NDArray[np.uint8]
    naive: NDArray[np.bool_]
    ours: NDArray[np.bool_]
    fused: NDArray[np.uint8] | None


def measure(drawn: Drawn, ours: Tally, naive: Tally) -> list[Example]:
    """Add one page to both tallies; return an example of each seal, its worst."""
    specimen = drawn.specimen
    start = time.perf_counter()
    found = read_impressions(specimen.page, specimen.px_per_mm)
    ours.page_s.append(time.perf_counter() - start)
    start = time.perf_counter()
    boxed = read_naively(specimen.page, specimen.px_per_mm)
    naive.page_s.append(time.perf_counter() - start)
    red = red_mask(specimen.page)
    for tally, boxes in ((ours, [one.box_px for one in found]), (naive, [one.box_px for one in boxed])):
        tally.drawn += len(specimen.truths)
        tally.found += len(boxes)
    matches = []
    worst: dict[int, tuple[float, Example]] = {}
    for truth in specimen.truths:
        match = _best(truth, found)
        matches.append(match)
        window = _window(truth, specimen.page.shape, specimen.px_per_mm)
        mask = _in_window(window, match.box_px, match.ink > 0.5) if match else np.zeros(window[3:1:-1], bool)
        x, y, w, h = window
        plain = red[y : y + h, x : x + w]
        _compare(truth, window, mask, ours)
        _compare(truth, window, plain, naive)
        if match:
            ours.seen += 1
            # Spread ink is wider on the paper too: of such an impression no size is held to account.
            is_spread = bool(SPREAD & set(match.quality.reasons))
            (ours.spread_size_mm if is_spread else ours.size_mm).append(size_error(truth, match))
            ours.angle_deg.append(angle_error(truth, match))
            ours.right_shape.append(float(match.shape is drawn.seals[truth.seal_index].shape))
            _check_reasons(drawn, match, ours)
        _size_naively(truth, boxed, specimen.px_per_mm, naive)
        example = Example(specimen.page[y : y + h, x : x + w], plain, mask, None)
        if ours.dice[-1] < worst.get(truth.seal_index, (2.0, example))[0]:
            worst[truth.seal_index] = (ours.dice[-1], example)
    fused = [
        _fuse(drawn, index, specimen.truths, matches, red, ours, naive) for index in range(len(drawn.seals))
    ]
    return [
        Example(one.source, one.naive, one.ours, fused[index]) for index, (_, one) in sorted(worst.items())
    ]


def _best(truth: ImpressionTruth, found: Sequence[Impression]) -> Impression | None:
    near = [one for one in found if overlap(truth.box_px, one.box_px) > SAME_PLACE]
    return max(near, key=lambda one: overlap(truth.box_px, one.box_px), default=None)


def _check_reasons(drawn: Drawn, match: Impression, ours: Tally) -> None:
    """Note whether one of the expected reasons is said, and whether one that does not hold is."""
    said = set(match.quality.reasons)
    if drawn.expected:
        ours.reasons_hit.append(float(bool(said & drawn.expected)))
    wrong = said - drawn.expected - drawn.allowed
    ours.false_alarms.append(float(bool(wrong)))
    ours.alarms.update(reason.value for reason in wrong)


def _window(
    truth: ImpressionTruth, page_shape: tuple[int, ...], px_per_mm: float
) -> tuple[int, int, int, int]:
    margin = round(_AROUND_MM * px_per_mm)
    x, y, w, h = truth.box_px
    left, top = max(0, x - margin), max(0, y - margin)
    right, bottom = min(page_shape[1], x + w + margin), min(page_shape[0], y + h + margin)
    return left, top, right - left, bottom - top


def _in_window(
    window: tuple[int, int, int, int], box: tuple[int, int, int, int], mask: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return a mask over a box as a mask over the window."""
    out = np.zeros((window[3], window[2]), np.bool_)
    x0, y0 = max(window[0], box[0]), max(window[1], box[1])
    x1, y1 = min(window[0] + window[2], box[0] + box[2]), min(window[1] + window[3], box[1] + box[3])
    if x1 > x0 and y1 > y0:
        out[y0 - window[1] : y1 - window[1], x0 - window[0] : x1 - window[0]] = mask[
            y0 - box[1] : y1 - box[1], x0 - box[0] : x1 - box[0]
        ]
    return out


def _compare(
    truth: ImpressionTruth, window: tuple[int, int, int, int], mask: NDArray[np.bool_], tally: Tally
) -> None:
    true = _in_window(window, truth.box_px, truth.mask)
    printed = _in_window(window, truth.box_px, truth.printed)
    tally.dice.append(dice(true, mask))
    if printed.any():
        tally.residual_black.append(float((mask & printed & ~true).sum()) / max(1, int(mask.sum())))
        tally.under_text.append(float((mask & printed & true).sum()) / max(1, int((printed & true).sum())))


def _size_naively(truth: ImpressionTruth, boxed: Sequence[NaiveSeal], px_per_mm: float, naive: Tally) -> None:
    near = [one for one in boxed if overlap(truth.box_px, one.box_px) > SAME_PLACE]
    naive.seen += bool(near)
    touching = [one for one in boxed if overlap(truth.box_px, one.box_px) > 0.1]
    if touching:
        box = max(touching, key=lambda one: overlap(truth.box_px, one.box_px)).box_px
        errors = [abs(v / px_per_mm - mm) for v, mm in zip(box[2:], truth.size_mm, strict=True)]
        naive.size_mm.append(max(errors))
        naive.angle_deg.append(abs(truth.angle_deg))


def _fuse(
    drawn: Drawn,
    index: int,
    truths: Sequence[ImpressionTruth],
    matches: Sequence[Impression | None],
    red: NDArray[np.bool_],
    ours: Tally,
    naive: Tally,
) -> NDArray[np.uint8] | None:
    """Choose the best of a seal's impressions and fuse them; return the seal image."""
    mine = [(truth, match) for truth, match in zip(truths, matches, strict=True) if truth.seal_index == index]
    worth = [dice(truth.mask, truth.design) for truth, _ in mine]
    areas = [int(red[y : y + h, x : x + w].sum()) for x, y, w, h in (truth.box_px for truth, _ in mine)]
    naive.best_of_three.append(float(worth[int(np.argmax(areas))] > max(worth) - AS_GOOD))
    found = [match for _, match in mine if match is not None]
    if len(found) < len(mine):
        ours.best_of_three.append(0.0)
        return None
    scores = [one.quality.score for one in found]
    ours.best_by_score.append(float(worth[int(np.argmax(scores))] > max(worth) - AS_GOOD))
    paired = [(truth, match) for truth, match in mine if match is not None]
    ours.registration_mm += registration_errors_mm(paired, drawn.specimen.px_per_mm)
    groups = group_impressions(found)
    ours.best_of_three.append(float(worth[groups[0][0]] > max(worth) - AS_GOOD))
    ours.grouped.append(float(len(groups) == 1))
    seal = drawn.seals[index]
    single = max(canvas_dice(seal, compose(one)) for one in found)
    image = compose(fuse([found[i] for i in max(groups, key=len)]))
    ours.fused_dice.append(canvas_dice(seal, image))
    ours.fusion_gain.append(ours.fused_dice[-1] - single)
    return image
