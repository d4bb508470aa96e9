"""Makes one impression of several of the same seal, and tells which are of the same seal."""

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from seal_imaging.errors import ImpressionUnusable
from seal_imaging.form import IMPRESSIONS_PER_SEAL
from seal_imaging.impression import Impression, InkAmount, Quality, Reason, SealShape
from seal_imaging.quality import INCOMPLETE_BELOW
from seal_imaging.register import flat_ink, frame_of, may_be_one_seal, register
from seal_imaging.shape import Outline
from seal_imaging.upright import find_angle

MAX_IMPRESSIONS = 32
SCORE_WEIGHT = 0.1
"""Of an impression's own score against its likeness to what the impressions of its seal have in common."""
_REACH = 0.018
"""Over how much of the seal's width one looks whether ink arrived there at all."""


def group_impressions(impressions: Sequence[Impression]) -> list[tuple[int, ...]]:
    """Return which impressions are of the same seal: indices, best first, in order of appearance.

    Raises:
        ImpressionUnusable: more than MAX_IMPRESSIONS.
    """
    _check_count(impressions)
    found: list[tuple[list[int], list[InkAmount]]] = []
    for index in _best_first(impressions):
        for group, inks in found:
            leader = impressions[group[0]]
            if not may_be_one_seal(leader, impressions[index]):
                continue
            laid = register(leader, impressions[index])
            if laid.is_same_seal:
                group.append(index)
                inks.append(laid.ink)
                break
        else:
            found.append(([index], [flat_ink(impressions[index])]))
    return sorted((_most_complete_first(group, inks, impressions) for group, inks in found), key=min)


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


def fuse(impressions: Sequence[Impression]) -> Impression:
    """Return one impression that has the ink of all, laid over the best of them.

    Where an impression got no ink, the others decide; where several did, their mean, so that
    strokes grow no thicker than they are. One impression comes back as it is.

    Raises:
        ImpressionUnusable: none, more than MAX_IMPRESSIONS, or of evidently different seals.
    """
    _check_count(impressions)
    if not impressions:
        raise ImpressionUnusable(
            "there is no impression to fuse; scan the form again", zh="没有可用印模，请重新扫描"
        )
    if len(impressions) == 1:
        return impressions[0]
    order = _best_first(impressions)
    best = impressions[order[0]]
    inks = [flat_ink(best)]
    weights = [best.quality.score]
    for index in order[1:]:
        other = impressions[index]
        if not may_be_one_seal(best, other):
            raise _different(order[0], index)
        laid = register(best, other)
        if not laid.is_same_seal:
            raise _different(order[0], index)
        inks.append(laid.ink)
        weights.append(other.quality.score * laid.likeness)
    return _combined(best, [impressions[index] for index in order], _merge(inks, weights, best))


def _check_count(impressions: Sequence[Impression]) -> None:
    if len(impressions) > MAX_IMPRESSIONS:
        raise ImpressionUnusable(
            f"{len(impressions)} impressions are more than {MAX_IMPRESSIONS}; hand in fewer",
            zh=f"印模数量{len(impressions)}超过上限{MAX_IMPRESSIONS}",
        )


def _best_first(impressions: Sequence[Impression]) -> list[int]:
    return sorted(range(len(impressions)), key=lambda i: (-impressions[i].quality.score, i))


def _different(first: int, second: int) -> ImpressionUnusable:
    return ImpressionUnusable(
        f"impressions {first} and {second} are not of the same seal; group them first",
        zh=f"第{first + 1}枚与第{second + 1}枚印模不是同一枚印章，请先分组",
    )


def _merge(inks: list[InkAmount], weights: list[float], best: Impression) -> InkAmount:
    """Return the mean of the inks, each weighted by whether it has ink thereabouts."""
    sigma = max(1.0, _REACH * max(best.size_px))
    stack = np.stack(inks)
    arrived = np.stack([cv2.GaussianBlur(np.minimum(ink, 1.0), (0, 0), sigma) for ink in inks])
    most = np.maximum(arrived.max(0), 1e-3)
    share = (arrived / most) ** 3 * np.array(weights, np.float32)[:, None, None]
    merged = (stack * share).sum(0) / np.maximum(share.sum(0), 1e-6)
    return np.asarray(np.clip(merged, 0, 1), np.float32)


def _combined(best: Impression, members: list[Impression], ink: InkAmount) -> Impression:
    """Return the best impression with the ink of all and the mean of their sizes."""
    trust = np.array([member.quality.outline + 1e-3 for member in members])
    size_mm = best.size_mm
    size_px = best.size_px
    sizes = [member.size_mm for member in members if member.size_mm is not None]
    if best.px_per_mm is not None and len(sizes) == len(members):
        width, height = (float(v) for v in np.average(np.array(sizes), axis=0, weights=trust))
        size_mm = (width, height)
        size_px = (width * best.px_per_mm, height * best.px_per_mm)
    width_px, height_px = frame_of(best)
    x, y = best.box_px[:2]
    angle_deg = best.angle_deg
    if best.shape is SealShape.CIRCLE:
        outline = Outline(best.shape, best.centre_px, best.size_px, 0.0, best.quality.outline)
        angle_deg = find_angle(ink, outline, page_turn_deg=best.angle_deg).angle_deg
    return replace(
        best,
        box_px=(x, y, width_px, height_px),
        ink=ink,
        size_mm=size_mm,
        size_px=size_px,
        angle_deg=angle_deg,
        flatten=None,
        quality=_joint_quality(members, best, ink),
        ink_rgb=_mean_colour(members),
    )


def _mean_colour(members: list[Impression]) -> tuple[int, int, int]:
    """Return the colour of the members that took most ink: faint ones do not pale the seal."""
    strongest = sorted(members, key=lambda member: sum(member.ink_rgb))[: max(1, (len(members) + 1) // 2)]
    red, green, blue = (round(float(v)) for v in np.mean([m.ink_rgb for m in strongest], axis=0))
    return red, green, blue


def _joint_quality(members: list[Impression], best: Impression, ink: InkAmount) -> Quality:
    """Return the fused impression's quality: what one member has right, the whole has right."""
    outline = max(_outline_share(best, ink), best.quality.outline)
    coverage = max(member.quality.coverage for member in members)
    foreign = min(member.quality.foreign_ink for member in members)
    common = set.intersection(*(set(member.quality.reasons) for member in members)) - {Reason.INCOMPLETE}
    if outline < INCOMPLETE_BELOW:
        common.add(Reason.INCOMPLETE)
    if len(members) < IMPRESSIONS_PER_SEAL:
        common.add(Reason.FEWER_THAN_THREE)
    gain = 0.35 * (outline - best.quality.outline)
    return Quality(
        score=min(1.0, best.quality.score + gain),
        outline=outline,
        coverage=coverage,
        sharpness=best.quality.sharpness,
        foreign_ink=foreign,
        reasons=tuple(reason for reason in Reason if reason in common),
    )


def _outline_share(best: Impression, ink: InkAmount) -> float:
    """Return the share of directions from the centre in which ink reaches the border."""
    theta = np.linspace(0, 2 * math.pi, 720, endpoint=False)
    turn = math.radians(best.angle_deg)
    half_w, half_h = best.size_px[0] / 2, best.size_px[1] / 2
    u, v = np.cos(theta), np.sin(theta)
    if best.shape.value in ("square", "rectangle"):
        stretch = 1 / np.maximum(np.abs(u), np.abs(v))
        u, v = u * stretch, v * stretch
    reached = np.zeros(len(theta), np.bool_)
    for depth in np.linspace(0.0, 0.035, 8):
        x, y = u * half_w * (1 - depth), v * half_h * (1 - depth)
        px = best.centre_px[0] + x * math.cos(turn) - y * math.sin(turn) - 0.5
        py = best.centre_px[1] + x * math.sin(turn) + y * math.cos(turn) - 0.5
        at = cv2.remap(ink, px.astype(np.float32)[None], py.astype(np.float32)[None], cv2.INTER_LINEAR)
        reached |= at[0] > 0.5
    return float(reached.mean())
