"""Makes one impression of several of the same seal, and shows which came from where."""

import colorsys
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.errors import ImpressionUnusable
from seal_imaging.form import IMPRESSIONS_PER_SEAL
from seal_imaging.group import Kinship, best_first, check_count, kinship
from seal_imaging.impression import Impression, InkAmount, Quality, Reason, RgbImage, SealShape
from seal_imaging.quality import INCOMPLETE_BELOW
from seal_imaging.register import box_from_own_flat, frame_of, may_be_one_seal, register
from seal_imaging.shape import Outline
from seal_imaging.upright import Upright, find_angle
from seal_imaging.warping import Matrix, lay

SIZES_ALIKE_MM = 0.2
"""A member that is further from the usual size was measured wrong: spread ink, a lost border."""
COMPLETE_FROM = (0.85, 0.95)
"""Share of the outline, and of each sector's strokes, that carry ink: from hardly to wholly complete."""
MUCH_SMEARED = 0.3
MUCH_DOUBLED = 0.4
_REACH = 0.018
"""Over how much of the seal's width one looks whether ink arrived there at all."""
_OVER_INKED = 0.25
"""A member with this much more ink around a place than the others have is believed half as much there."""


@dataclass(frozen=True, eq=False)
class Fused:
    """Several impressions made one, and where its ink came from.

    Attributes:
        sources: (h, w) over the impression's box, the index of the member that gave most of the ink
            there, in the order handed in; -1 where there is none.
    """

    impression: Impression
    sources: NDArray[np.int16]


def fuse(impressions: Sequence[Impression]) -> Impression:
    """Return one impression that has the ink of all, laid over the best of them.

    Where an impression got no ink, or print hides it, the others decide; where several did, their
    mean, so that strokes grow no thicker than they are; where one is over-inked, the others again.
    What is much more smeared than another, or struck twice while another is not, gives nothing. One
    impression comes back as it is.

    Raises:
        ImpressionUnusable: none, more than MAX_IMPRESSIONS, or of evidently different seals.
    """
    return fuse_shown(impressions).impression


def fuse_shown(impressions: Sequence[Impression]) -> Fused:
    """Return what `fuse` returns, and of each pixel which impression it came from.

    Raises:
        ImpressionUnusable: none, more than MAX_IMPRESSIONS, or of evidently different seals.
    """
    check_count(impressions)
    if not impressions:
        raise ImpressionUnusable(
            "there is no impression to fuse; scan the form again", zh="没有可用印模，请重新扫描"
        )
    if len(impressions) == 1:
        only = impressions[0]
        return Fused(only, np.where(only.ink > 0.5, 0, -1).astype(np.int16))
    spoilt = _are_spoilt(impressions)
    order = sorted(best_first(impressions), key=lambda index: spoilt[index])
    best = impressions[order[0]]
    size_px = frame_of(best)
    members = [_Laid(best, box_from_own_flat(best), size_px, best.quality.score)]
    used = [order[0]]
    accepted = [(best, box_from_own_flat(best))]
    for index in order[1:]:
        other = impressions[index]
        laid = _laid_over(accepted, other)
        if laid is None:
            raise _different(order[0], index)
        accepted.append((other, laid[0]))
        if not spoilt[index]:
            members.append(_Laid(other, laid[0], size_px, other.quality.score * laid[1]))
            used.append(index)
    shares = _shares(members, best)
    ink = np.asarray(np.clip(sum(m.ink * share for m, share in zip(members, shares, strict=True)), 0, 1))
    strength = None
    if all(member.strength is not None for member in members):
        parts = [m.strength * s for m, s in zip(members, shares, strict=True) if m.strength is not None]
        strength = np.asarray(np.sum(parts, axis=0), np.float32)
    covered = np.min([member.covered for member in members], axis=0).astype(np.float32)
    given = np.stack([member.ink * share for member, share in zip(members, shares, strict=True)])
    sources = np.where(ink > 0.5, np.array(used)[given.argmax(0)], -1).astype(np.int16)
    whole = _combined(
        best, [impressions[index] for index in used], ink.astype(np.float32), handed_in=len(impressions)
    )
    return Fused(replace(whole, strength=strength, covered=covered), sources)


def _are_spoilt(impressions: Sequence[Impression]) -> list[bool]:
    """Tell which impressions are in doubt all over: much more smeared, or doubled, than another one is.

    By themselves they cannot tell: the characters of some seals are as full as smeared ones of others.
    """
    smear = np.array([one.quality.smear for one in impressions])
    double = np.array([one.quality.double for one in impressions])
    spoilt = (smear - smear.min() > MUCH_SMEARED) | (double - double.min() > MUCH_DOUBLED)
    return [bool(one) for one in spoilt] if not spoilt.all() else [False] * len(impressions)


def _laid_over(
    accepted: Sequence[tuple[Impression, Matrix]], other: Impression
) -> tuple[Matrix, float] | None:
    """Return the map from the frame to an impression's box, and its agreement; None when of another seal.

    Weak impressions may each miss what the other has: a third one that both share ink with links them.
    """
    for member, box_from_frame in accepted:
        if not may_be_one_seal(member, other):
            continue
        laid = register(member, other)
        if kinship(member, other, laid) is not Kinship.DIFFERENT:
            linked = laid.box_from_flat @ np.linalg.inv(box_from_own_flat(member)) @ box_from_frame
            return linked, laid.agreement
    return None


def source_picture(fused: Fused) -> RgbImage:
    """Return the fused ink on white paper, what each impression gave in a colour of its own."""
    count = int(fused.sources.max(initial=0)) + 1
    colours = [(255, 255, 255)] + [_member_rgb(number, count) for number in range(count)]
    rgb = np.array(colours, np.float32)[fused.sources + 1]
    depth = np.clip(fused.impression.ink, 0, 1)[..., None]
    return np.asarray(np.round(255 - (255 - rgb) * depth), np.uint8)


def _member_rgb(number: int, count: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(number / max(3, count), 0.9, 0.8)
    return round(255 * red), round(255 * green), round(255 * blue)


def _different(first: int, second: int) -> ImpressionUnusable:
    return ImpressionUnusable(
        f"impressions {first} and {second} are not of the same seal; group them first",
        zh=f"第{first + 1}枚与第{second + 1}枚印模不是同一枚印章，请先分组",
    )


class _Laid:
    """The layers of one impression over the frame of the best one."""

    def __init__(
        self,
        impression: Impression,
        box_from_flat: NDArray[np.float64],
        size_px: tuple[int, int],
        weight: float,
    ) -> None:
        def over(layer: InkAmount) -> InkAmount:
            return np.asarray(np.maximum(lay(layer, box_from_flat, size_px), 0), np.float32)

        self.ink: InkAmount = np.minimum(over(impression.ink), np.float32(1))
        self.strength = None if impression.strength is None else over(impression.strength)
        self.covered: InkAmount = np.zeros_like(self.ink)
        if impression.covered is not None:
            self.covered = np.minimum(over(impression.covered), np.float32(1))
        self.completeness = _completeness(impression.quality)
        # Where all are smeared the least smeared still counts.
        self.weight = weight * max(0.05, 1 - impression.quality.smear) ** 2


def _shares(members: list[_Laid], best: Impression) -> NDArray[np.float32]:
    """Return (n, h, w): how much each member counts at each pixel; they add up to 1.

    A member counts as far as ink arrived around the pixel, no more for having too much of it: of
    what the others have in the middle it may have as much, and is doubted for more. One that got its ink
    everywhere counts where it shows paper as well: what only another has there was written over that.
    """
    sigma = max(1.0, _REACH * max(best.size_px))
    clear = np.stack([_clear(member.covered) for member in members])
    seen = np.stack([cv2.GaussianBlur(c, (0, 0), sigma) for c in clear])
    around = np.stack(
        [cv2.GaussianBlur(m.ink * c, (0, 0), sigma) for m, c in zip(members, clear, strict=True)]
    )
    around = around / np.maximum(seen, 0.05)
    most = np.maximum(around.max(0), 1e-3)
    reached = np.where(around >= 0.4 * around.max(0), around, np.nan)
    usual = np.nanmedian(reached, axis=0)
    if len(members) == 2:
        usual = most
    arrived = around / np.maximum(usual, 1e-3)
    excess = np.maximum(arrived - 1, 0)
    complete = np.array([member.completeness for member in members], np.float32)[:, None, None]
    share = complete + (1 - complete) * np.minimum(arrived, 1) ** 3
    share = share / (1 + (excess / _OVER_INKED) ** 2)
    share = share * (clear + 1e-3) * np.array([member.weight for member in members])[:, None, None]
    return np.asarray(share / np.maximum(share.sum(0), 1e-9), np.float32)


def _completeness(quality: Quality) -> float:
    """Return how far an impression may be trusted to show paper only where the seal has none, 0..1."""
    least, most = COMPLETE_FROM
    weakest = min((quality.outline, quality.coverage, *quality.sectors))
    return min(1.0, max(0.0, (weakest - least) / (most - least)))


def _clear(covered: InkAmount) -> InkAmount:
    """Return where no print lies over the ink or beside it, 0..1."""
    near = cv2.dilate(covered, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.GaussianBlur(1 - np.minimum(2 * near, 1), (0, 0), 0.8), np.float32)


def _combined(best: Impression, members: list[Impression], ink: InkAmount, *, handed_in: int) -> Impression:
    """Return the best impression with the ink of all and the mean of their sizes, less outliers.

    Args:
        handed_in: how many impressions there are, those that gave nothing among them.
    """
    trust = np.array([member.quality.outline + 1e-3 for member in members])
    size_mm = best.size_mm
    size_px = best.size_px
    sizes = [member.size_mm for member in members if member.size_mm is not None]
    if best.px_per_mm is not None and len(sizes) == len(members):
        usual = np.array(sizes)[int(np.argmax(trust))] if len(sizes) == 2 else np.median(sizes, axis=0)
        alike = (np.abs(np.array(sizes) - usual) <= SIZES_ALIKE_MM).all(1)
        trust = np.where(alike if alike.any() else True, trust, 0)
        width, height = (float(v) for v in np.average(np.array(sizes), axis=0, weights=trust))
        size_mm = (width, height)
        size_px = (width * best.px_per_mm, height * best.px_per_mm)
    width_px, height_px = frame_of(best)
    x, y = best.box_px[:2]
    upright = Upright(best.angle_deg, best.angle_confidence, best.other_angles_deg)
    if best.shape in (SealShape.CIRCLE, SealShape.ELLIPSE):
        tilt_deg = 0.0 if best.shape is SealShape.CIRCLE else best.angle_deg
        outline = Outline(best.shape, best.centre_px, best.size_px, tilt_deg, best.quality.outline)
        upright = find_angle(ink, outline, page_turn_deg=best.angle_deg)
    return replace(
        best,
        box_px=(x, y, width_px, height_px),
        ink=ink,
        size_mm=size_mm,
        size_px=size_px,
        angle_deg=upright.angle_deg,
        angle_confidence=upright.confidence,
        other_angles_deg=upright.alternatives,
        flatten=None,
        quality=_joint_quality(members, best, ink, handed_in=handed_in),
        ink_rgb=_mean_colour(members),
    )


def _mean_colour(members: list[Impression]) -> tuple[int, int, int]:
    """Return the colour of the members that took most ink: faint ones do not pale the seal."""
    strongest = sorted(members, key=lambda member: sum(member.ink_rgb))[: max(1, (len(members) + 1) // 2)]
    red, green, blue = (round(float(v)) for v in np.mean([m.ink_rgb for m in strongest], axis=0))
    return red, green, blue


def _joint_quality(members: list[Impression], best: Impression, ink: InkAmount, *, handed_in: int) -> Quality:
    """Return the fused impression's quality: what one member has right, the whole has right."""
    outline = max(_outline_share(best, ink), best.quality.outline)
    coverage = max(member.quality.coverage for member in members)
    foreign = min(member.quality.foreign_ink for member in members)
    common = set.intersection(*(set(member.quality.reasons) for member in members))
    common -= {Reason.INCOMPLETE, Reason.FEWER_THAN_THREE}
    if outline < INCOMPLETE_BELOW:
        common.add(Reason.INCOMPLETE)
    if handed_in < IMPRESSIONS_PER_SEAL:
        common.add(Reason.FEWER_THAN_THREE)
    gain = 0.35 * (outline - best.quality.outline)
    return Quality(
        score=min(1.0, best.quality.score + gain),
        outline=outline,
        coverage=coverage,
        sharpness=best.quality.sharpness,
        foreign_ink=foreign,
        smear=min(member.quality.smear for member in members),
        double=min(member.quality.double for member in members),
        glare=min(member.quality.glare for member in members),
        sectors=_best_sectors(members),
        reasons=tuple(reason for reason in Reason if reason in common),
    )


def _best_sectors(members: list[Impression]) -> tuple[float, ...]:
    """Return for each sector the most that a member has there; empty where they were not all measured."""
    counts = {len(member.quality.sectors) for member in members}
    if len(counts) > 1 or 0 in counts:
        return ()
    return tuple(max(shares) for shares in zip(*(member.quality.sectors for member in members), strict=True))


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
