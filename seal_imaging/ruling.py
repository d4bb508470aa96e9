"""Finds the straight ruled lines of a printed form: they tell its turn, and are no part of a seal."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import RgbImage

Segments = NDArray[np.float64]
"""(N, 4), x and y of both ends."""

SEARCH_SIDE_PX = 1400
LINE_SIDE_PX = 700
MIN_RULE_MM = 77.0
"""More than any seal is wide."""
MIN_RULE_SHARE = 0.42
"""The same on a page of unknown scale, of its longer side: a cutting of a sheet may show one seal large."""
SEAL_SHARES = (0.12, 0.94)
"""Of a rule's least length: the smaller side of the smallest seal, the larger side of the largest."""
MAX_RULE_SHARE = 0.005
"""How thick a rule may be, as a share of the page's longer side."""
MAX_GAP_SHARE = 0.03
AGREE_DEG = 1.0
MIN_AGREEING = 2
MIN_AGREEING_SHARE = 0.6
_HOUGH_DEG = 0.35
_MIN_PIECE_SHARE = 0.015
_CONTRAST = 14
_ROUNDS = 4
"""The search for lines is a lottery: each round finds some that the one before it missed."""


def find_rules(strokes: NDArray[np.bool_], *, longest_px: float, least_px: float) -> Segments:
    """Return the long straight lines among thin strokes.

    Args:
        longest_px: longer side of the whole page, in pixels of the strokes.
        least_px: how long a line must be.
    """
    if least_px > longest_px or not strokes.any():
        return np.empty((0, 4), np.float64)
    shrink = max(1, round(longest_px / LINE_SIDE_PX))
    small = cv2.resize(
        strokes.astype(np.float32), None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA
    )
    least = least_px / shrink
    # The search walks along one row of pixels and must not step off a fine line.
    found = cv2.HoughLinesP(
        cv2.dilate((small > 0.2).astype(np.uint8), np.ones((2, 2), np.uint8)),
        1,
        math.radians(_HOUGH_DEG),
        threshold=max(20, round(0.6 * least)),
        minLineLength=least,
        maxLineGap=max(2.0, MAX_GAP_SHARE * longest_px / shrink),
    )
    if found is None:
        return np.empty((0, 4), np.float64)
    return (np.asarray(found, np.float64).reshape(-1, 4) + 0.25) * shrink


def least_length(longest_px: float, px_per_mm: float | None) -> float:
    """Return how long a rule is at least, in the pixels that both arguments are in."""
    return MIN_RULE_SHARE * longest_px if px_per_mm is None else MIN_RULE_MM * px_per_mm


def without_rules(strokes: NDArray[np.bool_], *, longest_px: float, least_px: float) -> NDArray[np.bool_]:
    """Return the strokes less the long thin lines among them; what is thick where one passes stays.

    What hangs together and is of a seal's size is no part of a rule, though its border may lie in one line
    with its neighbour's.
    """
    if least_px > longest_px:
        return strokes
    thick = max(2, round(MAX_RULE_SHARE * longest_px))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (thick + 1, thick + 1))
    broad = cv2.morphologyEx(strokes.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    kept = (broad > 0) | _seal_sized(strokes, least_px)
    left = strokes & ~kept
    lines = np.zeros(strokes.shape, np.uint8)
    for _ in range(_ROUNDS):
        thin = _large_pieces(left, least=round(_MIN_PIECE_SHARE * longest_px))
        rules = find_rules(thin, longest_px=longest_px, least_px=least_px)
        if not len(rules):
            break
        ends, onwards = rules.reshape(-1, 2, 2), rules[:, 2:] - rules[:, :2]
        # A rule broken by print goes on beyond it.
        for start, end, along in zip(ends[:, 0], ends[:, 1], onwards / 2, strict=True):
            first, last = (start - along).astype(int), (end + along).astype(int)
            cv2.line(lines, first.tolist(), last.tolist(), 1, max(4, thick // 2 + 2))
        left = left & (lines == 0)
    return np.asarray(strokes & ((lines == 0) | kept), np.bool_)


def _seal_sized(strokes: NDArray[np.bool_], least_px: float) -> NDArray[np.bool_]:
    """Return what hangs together over a seal's width and height."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(strokes.astype(np.uint8))
    sides = np.sort(stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]], axis=1)
    sized = (sides[:, 0] > SEAL_SHARES[0] * least_px) & (sides[:, 1] < SEAL_SHARES[1] * least_px)
    sized[0] = False
    return np.asarray(sized[labels], np.bool_)


def find_turn(page: RgbImage, px_per_mm: float | None = None) -> float | None:
    """Return how far a page is turned clockwise, -45 to 45 degrees, by its ruled lines.

    None when fewer than MIN_AGREEING of its long lines agree: there is no table, or too much else.
    """
    longest = max(page.shape[:2])
    if least_length(longest, px_per_mm) > longest:
        return None
    scale = min(1.0, SEARCH_SIDE_PX / longest)
    grey = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)
    if scale < 1.0:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    longest_px = scale * longest
    side = 2 * max(1, round(MAX_RULE_SHARE * longest_px)) + 1
    hat = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((side, side), np.uint8))
    strokes = _large_pieces(hat > _CONTRAST, least=round(8 * _MIN_PIECE_SHARE * longest_px))
    least_px = least_length(longest_px, None if px_per_mm is None else scale * px_per_mm)
    rules = find_rules(strokes, longest_px=longest_px, least_px=least_px)
    if len(rules) < MIN_AGREEING:
        return None
    length = np.hypot(rules[:, 2] - rules[:, 0], rules[:, 3] - rules[:, 1])
    angle = np.array([_exact_angle(strokes, rule) for rule in rules])
    turn = (angle + 45.0) % 90.0 - 45.0
    apart = np.abs((turn[:, None] - turn[None] + 45.0) % 90.0 - 45.0)
    votes = (apart < AGREE_DEG) @ length
    best = int(np.argmax(votes))
    agreeing = apart[best] < AGREE_DEG
    if int(agreeing.sum()) < MIN_AGREEING or votes[best] < MIN_AGREEING_SHARE * length.sum():
        return None
    off = (turn[agreeing] - turn[best] + 45.0) % 90.0 - 45.0
    return float((turn[best] + np.average(off, weights=length[agreeing]) + 45.0) % 90.0 - 45.0)


def _large_pieces(strokes: NDArray[np.bool_], *, least: int) -> NDArray[np.bool_]:
    """Return the strokes that hang together over at least so many pixels: rules, not letters."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(strokes.astype(np.uint8))
    large = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) >= least
    large[0] = False
    return np.asarray(large[labels], np.bool_)


def _exact_angle(strokes: NDArray[np.bool_], rule: NDArray[np.float64]) -> float:
    """Return a rule's clockwise angle by all strokes along it."""
    x0, y0, x1, y1 = (round(v) for v in rule)
    left, top = max(0, min(x0, x1) - 3), max(0, min(y0, y1) - 3)
    part = strokes[top : max(y0, y1) + 4, left : max(x0, x1) + 4]
    band = np.zeros(part.shape, np.uint8)
    cv2.line(band, (x0 - left, y0 - top), (x1 - left, y1 - top), 1, 5)
    points = cv2.findNonZero(band & part.astype(np.uint8))
    if points is None or len(points) < 10:
        return math.degrees(math.atan2(y1 - y0, x1 - x0))
    dx, dy, _, _ = (float(v) for v in np.asarray(cv2.fitLine(points, cv2.DIST_HUBER, 0, 0.01, 0.01)).ravel())
    return math.degrees(math.atan2(dy, dx))
