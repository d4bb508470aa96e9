"""Cuts lines of text out of ink and sets them as strips that a reader reads well."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike

from seal_imaging.impression import Box, InkAmount
from seal_imaging.reader import Strip

STRIP_PX = 48
MIN_LINE_SHARE, MAX_LINE_SHARE = 0.045, 0.5
"""A line's height in shares of the picture's."""


def strip_of(ink: InkAmount, box: Box, *, margin: float = 0.15, stretch: float = 1.0) -> Strip:
    """Return what lies in a box as a strip: dark on white, with room about it.

    Args:
        margin: white above and below, in shares of the line's height.
        stretch: how much wider than cut the line is set.
    """
    x, y, w, h = box
    cut = ink[max(0, y) : y + h, max(0, x) : x + w]
    above, aside = max(1, round(margin * h)), max(2, round(0.5 * h))
    roomy = np.pad(cut, ((above, above), (aside, aside)))
    width = max(8, round(roomy.shape[1] / roomy.shape[0] * STRIP_PX * stretch))
    way = cv2.INTER_AREA if roomy.shape[0] > STRIP_PX else cv2.INTER_CUBIC
    set_ink = cv2.resize(roomy, (width, STRIP_PX), interpolation=way)
    return np.asarray(np.round(255 * (1 - np.clip(set_ink, 0, 1))), np.uint8)


def strip_of_cells(cells: Sequence[InkAmount]) -> Strip:
    """Return characters, each cut out by itself, set side by side at one height."""
    side = STRIP_PX - 8
    blank = np.zeros((STRIP_PX, 6), np.float32)
    pieces = [blank, blank]
    for cell in cells:
        h, w = cell.shape
        width = int(np.clip(round(side * w / max(1, h)), 0.6 * side, 1.3 * side))
        fitted = cv2.resize(cell, (width, side), interpolation=cv2.INTER_AREA)
        pieces += [np.pad(fitted, ((4, 4), (0, 0))), blank]
    return np.asarray(np.round(255 * (1 - np.clip(np.hstack([*pieces, blank]), 0, 1))), np.uint8)


def runs(line: ArrayLike, *, gap: int) -> list[tuple[int, int]]:
    """Return from..to of each run of a line, runs no farther apart than a gap being one."""
    set_at = np.flatnonzero(line)
    if len(set_at) == 0:
        return []
    breaks = np.flatnonzero(np.diff(set_at) > gap)
    firsts = set_at[np.concatenate([[0], breaks + 1])]
    lasts = set_at[np.concatenate([breaks, [len(set_at) - 1]])]
    return [(int(first), int(last) + 1) for first, last in zip(firsts, lasts, strict=True)]


def without_specks(ink: InkAmount, *, least_px: int) -> InkAmount:
    """Return the ink without pieces smaller than so many pixels."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((ink > 0.5).astype(np.uint8), connectivity=8)
    keeps = stats[:, cv2.CC_STAT_AREA] >= least_px
    keeps[0] = False
    kept = cv2.dilate(keeps[labels].astype(np.uint8), np.ones((3, 3), np.uint8)) if count > 1 else 0
    return np.asarray(np.where(kept, ink, 0), np.float32)


def find_lines(ink: InkAmount) -> list[Box]:
    """Return the boxes of horizontal lines of text, top to bottom."""
    height, width = ink.shape
    inked = ink > 0.5
    boxes: list[Box] = []
    # A rule between lines is as wide as they are together, but next to nothing high.
    for top, bottom in runs(inked.sum(1) > 0.006 * width, gap=max(1, height // 100)):
        tall = bottom - top
        if not MIN_LINE_SHARE * height <= tall <= MAX_LINE_SHARE * height:
            continue
        columns = runs(inked[top:bottom].any(0), gap=3 * tall // 2)
        if columns:
            left, right = max(columns, key=lambda run: run[1] - run[0])
            boxes.append((left, top, right - left, tall))
    return [box for box in boxes if box[2] > 0.5 * box[3]]


def clear_frame(ink: InkAmount) -> InkAmount:
    """Return the ink of a framed seal without its frame and without rules across it."""
    cleared = ink.copy()
    inked = ink > 0.5
    for axis in (0, 1):
        share = inked.mean(1 - axis)
        size = len(share)
        ends = []
        for edge in (share[: size // 6], share[::-1][: size // 6]):
            full = np.flatnonzero(edge[: size // 12] > 0.55)
            at = int(full[0]) if len(full) else 0
            # To the frame's inner side, and past its blur as far as it goes on falling.
            while len(full) and at + 1 < len(edge) and (edge[at] > 0.55 or edge[at + 1] < edge[at]):
                at += 1
            ends.append(at)
        view = cleared if axis == 0 else cleared.T
        view[: ends[0]] = 0
        view[size - ends[1] :] = 0
        rule = share > 0.75
        if axis == 0 and rule.mean() < 0.1:
            view[cv2.dilate(rule.astype(np.uint8)[:, None], np.ones((5, 1), np.uint8))[:, 0] > 0] = 0
    return cleared
