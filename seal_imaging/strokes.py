"""Measures the strokes of one impression: full, sharp, run together; in all and sector by sector."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import InkAmount, SealShape
from seal_imaging.separate import Separation
from seal_imaging.shape import Outline

Mask = NDArray[np.bool_]

SECTORS = 12
CLEAR_BLACK = 0.3
"""Print below this does not hide the ink under it."""
FULL = 0.5
"""Share of what solid strokes hold, from which a stroke is full."""
MIN_CORE_PX = 20
BORDER_SHARE = 0.07
"""Of a seal's lesser side its border takes less."""
_BORDER_DEPTHS = np.linspace(0.0, 0.05, 9)
_ROOM: dict[SealShape, tuple[float, float, float]] = {
    SealShape.CIRCLE: (0.013, 0.84, 0.96),
    SealShape.ELLIPSE: (0.04, 0.65, 0.80),
    SealShape.RECTANGLE: (0.04, 0.65, 0.82),
}
"""Room between strokes that counts, as a share of the lesser side; how much ink it holds in good and bad."""
_WIDTH_MM: dict[SealShape, tuple[float, float]] = {
    SealShape.CIRCLE: (0.85, 1.25),
    SealShape.ELLIPSE: (0.65, 1.1),
    SealShape.RECTANGLE: (0.65, 1.15),
}
"""Mean width of strokes, the star with them, in good and bad."""
_SQUARE_STROKES = (0.058, 0.088)
"""Width of a name seal's strokes as a share of its side, in good and bad."""
_MOST_SURE = 0.8
"""Name seals may be cut with wide strokes, or white in a solid face: their width warns and no more."""
_TEXT_BAND = (0.58, 0.9)
_MIRROR = 0.15


def core_of(separation: Separation, strokes: Mask) -> Mask:
    """Return strokes clear of print, without their rims: those are half ink by nature."""
    clear = strokes & (separation.black < CLEAR_BLACK)
    core = clear & (cv2.erode(strokes.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    return core if int(core.sum()) >= MIN_CORE_PX else clear


def coverage_of(separation: Separation, core: Mask) -> float:
    """Return the share of stroke pixels that hold at least half of what solid strokes hold."""
    return float((separation.strength[core] > FULL).mean()) if core.any() else 0.0


def sharpness_of(ink: InkAmount, px_per_mm: float) -> float:
    """Return how quickly strokes rise from paper to ink: 1 for a rise within 0.1 mm."""
    gradient_x, gradient_y = (
        cv2.Sobel(ink, cv2.CV_32F, 1, 0, scale=0.125),
        cv2.Sobel(ink, cv2.CV_32F, 0, 1, scale=0.125),
    )
    steep = np.hypot(gradient_x, gradient_y)
    edges = steep[steep > 0.1]
    if edges.size < MIN_CORE_PX:
        return 0.0
    return float(np.clip(np.percentile(edges, 75) * px_per_mm * 0.1 / min(0.5, 0.05 * px_per_mm), 0, 1))


def smear_of(strokes: Mask, outline: Outline, *, px_per_mm: float) -> float:
    """Return how far strokes inside the border have run together, 0..1.

    Strokes must be wide, and the room between them filled: short names are set in wide strokes, long
    ones leave little room. Room narrower than some share of the seal is what a closing adds.
    """
    small = min(outline.size_px)
    inner = outline.mask((strokes.shape[0], strokes.shape[1]), margin_px=-BORDER_SHARE * small)
    kept = strokes & inner
    if outline.shape is SealShape.FREEFORM or int(kept.sum()) < MIN_CORE_PX:
        return 0.0
    shrink = min(1.0, 300.0 / small)
    size = (max(1, round(kept.shape[1] * shrink)), max(1, round(kept.shape[0] * shrink)))
    coarse = (cv2.resize(kept.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5).astype(np.uint8)
    rims = cv2.morphologyEx(coarse, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    # The gradient of a stroke is two pixels wide on either side of it.
    width_px = 4 * float(coarse.sum()) / max(1, int(rims.sum())) / shrink
    if outline.shape is SealShape.SQUARE:
        return min(_MOST_SURE, _rise(width_px / small, *_SQUARE_STROKES))
    share, good, bad = _ROOM[outline.shape]
    side = 2 * max(1, round(share * small * shrink)) + 1
    closed = cv2.morphologyEx(
        coarse, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    )
    filled = _rise(float(coarse.sum()) / max(1, int(closed.sum())), good, bad)
    return math.sqrt(filled * _rise(width_px / px_per_mm, *_WIDTH_MM[outline.shape]))


def _rise(value: float, good: float, bad: float) -> float:
    """Return 0 at good, 1 at bad, and evenly between."""
    return min(1.0, max(0.0, (value - good) / (bad - good)))


def evenness_of(separation: Separation, core: Mask, outline: Outline) -> float:
    """Return how dense the ink of the palest sector is, as a share of the densest; 1 for even ink."""
    rows, columns = np.nonzero(core)
    if not len(rows):
        return 1.0
    x, y = (columns + 0.5).astype(np.float64), (rows + 0.5).astype(np.float64)
    sector = _sector(x - outline.centre_px[0], y - outline.centre_px[1])
    count = np.bincount(sector, minlength=SECTORS)
    density = np.bincount(sector, weights=np.minimum(separation.strength[core], 1.5), minlength=SECTORS)
    known = count >= 2 * MIN_CORE_PX
    if known.sum() < SECTORS // 2:
        return 1.0
    means = np.sort(density[known] / count[known])
    return float(means[:2].mean() / max(1e-3, means[-2:].mean()))


def sectors_of(
    separation: Separation, strokes: Mask, core: Mask, outline: Outline, *, angle_deg: float
) -> tuple[float, ...]:
    """Return the share of strokes that carry ink in each sector of the upright seal, clockwise from its top.

    What should be there is known of the border, and of text set round a seal, which is as long on
    the left as on the right. Of all else only how full the strokes are counts.
    """
    if outline.shape is SealShape.FREEFORM:
        return ()
    border = _border_shares(strokes, outline, angle_deg)
    rows, columns = np.nonzero(core)
    turn = math.radians(angle_deg)
    x, y = columns + 0.5 - outline.centre_px[0], rows + 0.5 - outline.centre_px[1]
    u, v = x * math.cos(turn) + y * math.sin(turn), -x * math.sin(turn) + y * math.cos(turn)
    sector = _sector(u, v)
    count = np.bincount(sector, minlength=SECTORS)
    full = np.bincount(sector, weights=separation.strength[core] > FULL, minlength=SECTORS)
    fullness = np.where(count >= MIN_CORE_PX, full / np.maximum(count, 1), 1.0)
    text = np.ones(SECTORS)
    if outline.shape in (SealShape.CIRCLE, SealShape.ELLIPSE):
        radius = np.hypot(u / (outline.size_px[0] / 2), v / (outline.size_px[1] / 2))
        in_band = (radius > _TEXT_BAND[0]) & (radius < _TEXT_BAND[1])
        amount = np.bincount(sector[in_band], minlength=SECTORS).astype(np.float64)
        mirrored = amount[::-1]
        # One character more on one side is no lack of ink on the other.
        text = np.clip(amount / np.maximum(0.6 * mirrored, 1.0), 0, 1)
        text = np.where(mirrored < _MIRROR * amount.max(), 1.0, text)
    return tuple(float(value) for value in border * fullness * (0.5 + 0.5 * text))


def _sector(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the sector of points given from the centre, x right and y down."""
    clockwise = np.degrees(np.arctan2(u, -v)) % 360.0
    return np.asarray(np.minimum(clockwise * SECTORS / 360.0, SECTORS - 1), np.intp)


def _border_shares(strokes: Mask, outline: Outline, angle_deg: float) -> NDArray[np.float64]:
    """Return the share of the border's length with ink in each sector."""
    if outline.shape in (SealShape.CIRCLE, SealShape.ELLIPSE):
        points = outline.points(720)
    else:
        corners = outline.points()
        part = np.linspace(0, 1, 180, endpoint=False)[:, None]
        sides = [a + (b - a) * part for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
        points = np.concatenate(sides)
    from_centre = points - outline.centre_px
    small, large = min(outline.size_px), max(outline.size_px)
    depths = 1 - _BORDER_DEPTHS * min(1.0, 1.6 * small / large)
    xy = (outline.centre_px + from_centre[None] * depths[:, None, None] - 0.5).astype(np.float32)
    seen = cv2.remap(strokes.astype(np.float32), xy[..., 0], xy[..., 1], cv2.INTER_LINEAR, borderValue=0)
    inked = seen.max(0) > 0.5
    turn = math.radians(angle_deg)
    u = from_centre[:, 0] * math.cos(turn) + from_centre[:, 1] * math.sin(turn)
    v = -from_centre[:, 0] * math.sin(turn) + from_centre[:, 1] * math.cos(turn)
    sector = _sector(u, v)
    count = np.bincount(sector, minlength=SECTORS)
    return np.asarray(
        np.bincount(sector, weights=inked, minlength=SECTORS) / np.maximum(count, 1), np.float64
    )
