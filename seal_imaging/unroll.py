"""Rolls the rim of a round or oval seal out flat and finds the name and the code on it."""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from seal_imaging.impression import Impression, InkAmount
from seal_imaging.strips import runs
from seal_imaging.warping import box_from_target, lay_ink

UPRIGHT_PX = 640
"""The longer side of a seal while it is read: a name's characters come out some 80 px tall."""
ROLLED_SHARE = 0.62
"""How deep the rim is rolled out, in shares of the seal's half height; a star begins below."""

CODE_REACH = 0.25
"""Of the rolled depth a code, digits some 1.4 mm high, ends before this behind the border."""
MIN_CODE_SHARE = 0.03


def upright_ink(impression: Impression, *, turn_deg: float = 0.0) -> InkAmount:
    """Return the seal upright, cut at its outline, its longer side UPRIGHT_PX.

    Args:
        turn_deg: how much farther clockwise than its angle says the seal is taken to lie.
    """
    longer = max(impression.size_px)
    width, height = (max(8, round(side / longer * UPRIGHT_PX)) for side in impression.size_px)
    turned = replace(impression, angle_deg=impression.angle_deg + turn_deg)
    where = box_from_target(
        turned, target_px_per_mm=UPRIGHT_PX, target_centre=(width / 2, height / 2), px_per_mm=longer
    )
    return lay_ink(turned, where, (width, height))


def upright_density(impression: Impression, *, turn_deg: float = 0.0) -> InkAmount | None:
    """Return the seal's density over the pixels of `upright_ink`, 1 for its well inked strokes.

    None when it was not kept, or is not of this ink.
    """
    strength = impression.strength
    if strength is None or strength.shape != impression.ink.shape:
        return None
    inked = strength[impression.ink > 0.5]
    if inked.size == 0:
        return None
    solid = max(0.05, float(np.percentile(inked, 75)))
    density = np.asarray(np.clip(strength / solid, 0, 1), np.float32)
    return upright_ink(replace(impression, ink=density), turn_deg=turn_deg)


@dataclass(frozen=True, eq=False)
class Rim:
    """The rim of an upright seal rolled out: columns clockwise, rows from outside in.

    Attributes:
        ink: (depth, length).
        soft: like ink, with the density of the ink where that is known.
        edge: (length, 2), x and y of the outline on the upright seal at each column.
        inward: (length, 2), the unit vector from there into the seal.
        cut_deg: where the first column lies, in degrees clockwise from the top.
    """

    ink: InkAmount
    soft: InkAmount
    edge: NDArray[np.float64]
    inward: NDArray[np.float64]
    cut_deg: float = -180.0

    def turn_deg(self, column: float) -> float:
        """Return where a column lies, in degrees clockwise from the top (of an oval: of its length)."""
        return float((self.cut_deg + column / self.ink.shape[1] * 360 + 180) % 360 - 180)

    def cut_at(self, column: int) -> "Rim":
        """Return the same rim beginning with another of its columns."""
        turn_deg = self.cut_deg + column / self.ink.shape[1] * 360
        return Rim(
            np.roll(self.ink, -column, axis=1),
            np.roll(self.soft, -column, axis=1),
            np.roll(self.edge, -column, axis=0),
            np.roll(self.inward, -column, axis=0),
            turn_deg,
        )

    def outline_of(self, band: "Band") -> NDArray[np.float64]:
        """Return the corners of a band on the upright seal: (N, 2), x and y."""
        edge, inward = self.edge[band.left : band.right], self.inward[band.left : band.right]
        return np.concatenate([edge + band.top * inward, (edge + band.bottom * inward)[::-1]])


def roll_out(upright: InkAmount, soft: InkAmount | None = None) -> Rim:
    """Return the rim, sampled at even distances along the middle of its depth.

    On an oval the way in is the normal of the outline, as engravers set their characters.

    Args:
        soft: the seal's density over the same pixels; None when not known.
    """
    height, width = upright.shape
    a, b = width / 2, height / 2
    depth = ROLLED_SHARE * min(a, b)
    t = np.linspace(-math.pi, math.pi, 2881)
    edge, inward = _edge(t, a, b)
    path = edge + 0.4 * depth * inward
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    columns, rows = round(along[-1]), round(depth)
    at = np.interp((np.arange(columns) + 0.5) / columns * along[-1], along, t)
    edge, inward = _edge(at, a, b)
    deep = np.arange(rows) + 0.5
    x = a + edge[None, :, 0] + deep[:, None] * inward[None, :, 0] - 0.5
    y = b + edge[None, :, 1] + deep[:, None] * inward[None, :, 1] - 0.5
    x32, y32 = x.astype(np.float32), y.astype(np.float32)
    ink = np.asarray(cv2.remap(upright, x32, y32, cv2.INTER_LINEAR, borderValue=0), np.float32)
    rolled = ink
    if soft is not None:
        rolled = np.asarray(cv2.remap(soft, x32, y32, cv2.INTER_LINEAR, borderValue=0), np.float32)
    return Rim(ink, rolled, edge + np.array([a, b]), inward)


def _edge(t: NDArray[np.float64], a: float, b: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points of an ellipse, t clockwise from the top, and the unit normals that lead inwards."""
    edge = np.stack([a * np.sin(t), -b * np.cos(t)], 1)
    outward = np.stack([np.sin(t) / a, -np.cos(t) / b], 1)
    return edge, -outward / np.linalg.norm(outward, axis=1, keepdims=True)


@dataclass(frozen=True)
class Band:
    """A piece of the rim: rows from..to (depth), columns from..to, in pixels."""

    top: int
    bottom: int
    left: int
    right: int


def find_name(rim: Rim) -> tuple[Rim, Band] | None:
    """Return the rim cut where the name has its gap, and where on it the name stands; None without one.

    The seal need not lie upright: the widest gap is the foot. Where several are nearly as wide, the
    one nearest to the supposed foot is.
    """
    ink = rim.ink > 0.5
    border = _border_depth(ink)
    rows = _rows(ink, border, share=0.5)
    if rows is None:
        return None
    found = _cut_and_columns(rim, rows)
    if found is None:
        return None
    cut, (left, right) = found
    rows = _rows(cut.ink[:, left:right] > 0.5, border, share=0.25)
    if rows is None:
        return None
    found = _cut_and_columns(rim, rows)
    if found is None:
        return None
    cut, (left, right) = found
    return cut, Band(*rows, left, right)


def _rows(ink: NDArray[np.bool_], border: int, *, share: float) -> tuple[int, int] | None:
    """Return the depth from..to that the name takes."""
    depth = ink.shape[0]
    profile = ink[border:].mean(1)
    rows = _longest(profile > share * float(np.percentile(profile, 80)), gap=max(1, depth // 60))
    if rows is None or rows[1] - rows[0] < 0.12 * depth:
        return None
    return border + rows[0], border + rows[1]


def _cut_and_columns(rim: Rim, rows: tuple[int, int]) -> tuple[Rim, tuple[int, int]] | None:
    """Cut the rim in the middle of the name's gap; return it with the columns from..to of the name."""
    ink: NDArray[np.bool_] = np.asarray(rim.ink > 0.5)
    top, bottom = rows
    tall, length = bottom - top, ink.shape[1]
    # A code at the foot reaches only into the outer part of the name's band, and a line below the
    # star comes up from beneath it; characters of the name fill the band and nothing else.
    outer = ink[top : top + tall * 2 // 5].any(0)
    inner = ink[top + tall * 2 // 5 : bottom].any(0)
    below = ink[bottom + tall * 3 // 20 : bottom + tall * 9 // 20].any(0)
    name = _joined(outer, tall // 3) & _joined(inner, tall // 3) & ~_joined(below, tall // 3)
    name &= ink[top:bottom].any(0)
    set_at = np.flatnonzero(name)
    if len(set_at) < 2:
        return None
    gaps = np.diff(np.append(set_at, set_at[0] + length))
    middles = (set_at + gaps / 2) % length
    turned = np.radians(rim.cut_deg + middles / length * 360)
    best = int(np.argmax(gaps - 0.08 * length * np.cos(turned)))
    cut = rim.cut_at(int(middles[best]))
    left = round(gaps[best] / 2)
    right = length - left
    return (cut, (left, right)) if right - left >= tall else None


def find_code(rim: Rim, name: Band) -> tuple[Rim, Band] | None:
    """Return the rim cut at the top, and where on it a line of small digits stands at its foot.

    Args:
        rim: cut as find_name cuts it.
    """
    length = rim.ink.shape[1]
    middle = (name.left + name.right) // 2
    turned = rim.cut_at(middle)
    first, last = name.right - middle, length - (middle - name.left)
    if last - first < 8:
        return None
    foot = turned.ink[:, first:last] > 0.5
    border = _border_depth(rim.ink > 0.5)
    reach = min(foot.shape[0], border + round(CODE_REACH * foot.shape[0]))
    filled = np.flatnonzero(foot[border:reach].any(1))
    if len(filled) == 0:
        return None
    # Digits share one row: where a line below the star comes near, theirs is still the fuller one.
    profile = foot[border:reach].mean(1)
    rows = _longest(profile > 0.35 * float(profile.max()), gap=2)
    if rows is None or rows[1] - rows[0] < MIN_CODE_SHARE * foot.shape[0]:
        return None
    top, bottom = border + rows[0], border + rows[1]
    tall = bottom - top
    columns = _longest(foot[top:bottom].any(0), gap=round(1.5 * tall))
    if columns is None or columns[1] - columns[0] < 3 * tall:
        return None
    return turned, Band(top, bottom, first + columns[0], first + columns[1])


def border_depth(rim: Rim) -> int:
    """Return at what depth the seal's border, of one line or two, lies behind."""
    return _border_depth(rim.ink > 0.5)


def _border_depth(ink: NDArray[np.bool_]) -> int:
    """Return at what depth the seal's border, of one line or two, lies behind."""
    depth = ink.shape[0]
    full = np.flatnonzero(ink[: depth // 3].mean(1) > 0.6)
    if len(full) == 0:
        return 0
    at = int(full[-1]) + 1
    # Past the border's own blur, as far as it goes on falling.
    share = ink[: depth // 2].mean(1)
    while at + 1 < len(share) and share[at + 1] < share[at] and share[at] > 0.02:
        at += 1
    return at


def _joined(line: ArrayLike, reach: int) -> NDArray[np.bool_]:
    """Return where something is set within a reach."""
    kernel = np.ones((1, 2 * max(1, reach) + 1), np.uint8)
    return np.asarray(cv2.dilate(np.asarray(line, np.uint8)[None], kernel)[0] > 0)


def _longest(line: ArrayLike, *, gap: int) -> tuple[int, int] | None:
    """Return from..to of the longest run, runs no farther apart than a gap being one."""
    return max(runs(line, gap=gap), key=lambda run: run[1] - run[0], default=None)
