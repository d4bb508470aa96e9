"""Reads a seal: the name along its rim, the lines inside, the code at its foot."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import Box, Impression, InkAmount, SealShape
from seal_imaging.name_seals import read_cells
from seal_imaging.outline import wrapped
from seal_imaging.reader import ReadCharacter, ReadLine, TextReader
from seal_imaging.strips import clear_frame, find_lines, strip_of, without_specks
from seal_imaging.unroll import (
    Band,
    Rim,
    border_depth,
    find_code,
    find_name,
    roll_out,
    upright_density,
    upright_ink,
)
from seal_imaging.voting import vote

SURE = 0.97
"""A line read with this confidence is not read again in other settings."""
SETTINGS = ((0.15, 1.0), (0.25, 1.2), (0.1, 0.85))
"""Margin and stretch of a line: read off its ink in the first two, off its density in the first and last.

The ink has clean edges, the density what is faint: together they read more than either."""
GAP = 1.6
"""Two characters more pitches apart than this may have lost one between them."""
STRAY_GAP = 2.2
"""What stands at the end of a name farther off than so many pitches is none of it."""
MIN_CONFIDENCE = 0.25
MIN_LINE_CONFIDENCE = 0.65
"""Of what stands inside a seal; specks and remains of print read as something, but hardly ever so well."""
MIN_CODE_DIGITS = 6
MIN_CODE_CONFIDENCE = 0.4
DIGITS = "0123456789"
MIN_TURN_DEG = 8.0
"""A seal whose name's middle lies farther from its top than this is turned before its lines are read."""


@dataclass(frozen=True)
class SealLine:
    """One line of a seal's text.

    Attributes:
        text: as read.
        confidence: 0..1.
        box: x, y, w, h on the upright seal, in shares of its width and height from its top left.
        characters: one by one, with what else each may be.
    """

    text: str
    confidence: float
    box: tuple[float, float, float, float]
    characters: tuple[ReadCharacter, ...] = ()


@dataclass(frozen=True)
class SealText:
    """What a seal says.

    Attributes:
        name: the arc over the top of a round or oval seal, all text of a square one, the first line of
            a rectangular one; None when there is none or it cannot be read.
        lines: the other lines, top to bottom ("财务专用章", a person, a licence number).
        code: digits along the foot of the rim; None when there are none.
        angle_deg: the clockwise turn on the page at which it was read.
    """

    name: SealLine | None
    lines: tuple[SealLine, ...]
    code: SealLine | None
    angle_deg: float

    @property
    def confidence(self) -> float:
        """The name's confidence, 0..1; 0 when there is no name."""
        return self.name.confidence if self.name else 0.0


def read_text(impression: Impression, reader: TextReader, *, turn_deg: float = 0.0) -> SealText:
    """Return what a seal says; nothing legible is an empty SealText, not an error.

    Args:
        turn_deg: how much farther clockwise than its angle says the seal is taken to lie.

    Raises:
        ReaderUnavailable: the reader's engine or model is missing.
    """
    angle_deg = wrapped(impression.angle_deg + turn_deg)
    upright = upright_ink(impression, turn_deg=turn_deg)
    soft = upright_density(impression, turn_deg=turn_deg)
    if impression.shape in (SealShape.CIRCLE, SealShape.ELLIPSE):
        return _read_round(impression, upright, soft, reader, turn_deg)
    if impression.shape is SealShape.SQUARE:
        name = _seal_line(*read_cells(upright, reader), upright.shape)
        return SealText(name, (), None, angle_deg)
    framed = impression.shape is SealShape.RECTANGLE
    inside = clear_frame(upright) if framed else upright
    lines = _read_lines(inside, reader)
    return SealText(lines[0] if lines else None, lines[1:], None, angle_deg)


def _read_round(
    impression: Impression,
    upright: InkAmount,
    soft: InkAmount | None,
    reader: TextReader,
    turn_deg: float,
) -> SealText:
    found = find_name(roll_out(upright, soft))
    if found is None:
        inside = _inside(upright, border_depth(roll_out(upright)), [])
        lines = _read_lines(inside, reader)
        angle_deg = wrapped(impression.angle_deg + turn_deg)
        return SealText(lines[0] if lines else None, lines[1:], None, angle_deg)
    rim, band = found
    off_deg = rim.turn_deg((band.left + band.right) / 2)
    if impression.shape is SealShape.ELLIPSE:
        off_deg = 180.0 if abs(off_deg) > 90 else 0.0
    elif abs(off_deg) > MIN_TURN_DEG and has_star(upright):
        off_deg = 72.0 * round(off_deg / 72)
    if abs(off_deg) > MIN_TURN_DEG:
        turn_deg += off_deg
        upright = upright_ink(impression, turn_deg=turn_deg)
        soft = upright_density(impression, turn_deg=turn_deg)
        found = find_name(roll_out(upright, soft)) or found
        rim, band = found
    shape = upright.shape
    name = _seal_line(_read_band(rim, band, reader), _box_of(rim, band), shape)
    code = None
    cleared = [rim.outline_of(_grown(band))]
    at_foot = find_code(rim, band)
    if at_foot is not None:
        line = _read_code(*at_foot, reader)
        if len(line.characters) >= MIN_CODE_DIGITS and line.confidence >= MIN_CODE_CONFIDENCE:
            code = _seal_line(line, _box_of(*at_foot), shape)
            cleared.append(at_foot[0].outline_of(_grown(at_foot[1])))
    inside = _inside(upright, border_depth(rim), cleared)
    return SealText(name, _read_lines(inside, reader), code, wrapped(impression.angle_deg + turn_deg))


def _read_band(rim: Rim, band: Band, reader: TextReader) -> ReadLine:
    box = (band.left, band.top, band.right - band.left, band.bottom - band.top)
    return _without_strays(read_line(rim.ink, box, reader, soft=rim.soft))


def _without_strays(line: ReadLine) -> ReadLine:
    """Return the name, which is set evenly, without pieces of other text that stand off its ends."""
    kept = list(line.characters)
    while len(kept) > 4:
        pitches = np.diff([one.at for one in kept])
        limit = STRAY_GAP * float(np.median(pitches))
        if pitches[-1] > limit:
            kept.pop()
        elif pitches[0] > limit:
            kept.pop(0)
        else:
            break
    return ReadLine(tuple(kept))


def read_line(
    ink: InkAmount, box: Box, reader: TextReader, *, soft: InkAmount | None = None, alphabet: str = ""
) -> ReadLine:
    """Return the line in a box, read again in other settings and voted upon when it is not sure.

    Args:
        soft: the density of the ink over the same pixels; None when not known.
    """
    plain, wider, narrower = SETTINGS
    first = reader.read([strip_of(ink, box, margin=plain[0], stretch=plain[1])], alphabet=alphabet)
    if _is_sure(first[0]):
        return first[0]
    softer = ink if soft is None else soft
    again = [(ink, wider), (softer, narrower)] + ([(softer, plain)] if softer is not ink else [])
    strips = [strip_of(part, box, margin=margin, stretch=stretch) for part, (margin, stretch) in again]
    return vote([*first, *reader.read(strips, alphabet=alphabet)])


def _is_sure(line: ReadLine) -> bool:
    """Tell whether each character is read with confidence and none seems to be left out between two."""
    if not line.characters or min(one.confidence for one in line.characters) < SURE:
        return False
    pitches = np.diff([one.at for one in line.characters])
    return len(pitches) == 0 or bool(pitches.max() < GAP * np.median(pitches))


def _read_code(rim: Rim, band: Band, reader: TextReader) -> ReadLine:
    """Return the code: its digits stand with their heads towards the middle and run counter-clockwise."""
    ink, soft = (np.ascontiguousarray(part[::-1, ::-1]) for part in (rim.ink, rim.soft))
    depth, length = ink.shape
    box = (length - band.right, depth - band.bottom, band.right - band.left, band.bottom - band.top)
    return read_line(ink, box, reader, soft=soft, alphabet=DIGITS)


def _inside(upright: InkAmount, border: int, cleared: Sequence[NDArray[np.float64]]) -> InkAmount:
    """Return what lies within the border, without the pieces of the rim read already and without a star."""
    height, width = upright.shape
    mask = np.zeros((height, width), np.uint8)
    border += max(2, min(height, width) // 100)  # the fit of the outline is not exact
    axes = (max(1, round(width / 2 - border)), max(1, round(height / 2 - border)))
    cv2.ellipse(mask, (width // 2, height // 2), axes, 0, 0, 360, 1, -1)
    for outline in cleared:
        cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 0)
    inside = without_specks(np.where(mask > 0, upright, 0).astype(np.float32), least_px=30)
    if has_star(upright):
        _, labels = cv2.connectedComponents((inside > 0.3).astype(np.uint8), connectivity=8)
        core = labels[height // 2 - 8 : height // 2 + 8, width // 2 - 8 : width // 2 + 8]
        inside[np.isin(labels, np.unique(core[core > 0]))] = 0
    return inside


def has_star(upright: InkAmount) -> bool:
    """Tell whether the middle of a seal is solid, as a star's is and no character's."""
    height, width = upright.shape
    reach = round(0.05 * min(height, width))
    middle = upright[height // 2 - reach : height // 2 + reach, width // 2 - reach : width // 2 + reach]
    return bool((middle > 0.5).mean() > 0.85)


def _read_lines(inside: InkAmount, reader: TextReader) -> tuple[SealLine, ...]:
    read = [(read_line(inside, box, reader), box) for box in find_lines(inside)]
    lines = (_seal_line(line, box, inside.shape) for line, box in read)
    return tuple(line for line in lines if line is not None and line.confidence >= MIN_LINE_CONFIDENCE)


def _seal_line(line: ReadLine, box: Box, shape: tuple[int, ...]) -> SealLine | None:
    if not line.text.strip() or line.confidence < MIN_CONFIDENCE:
        return None
    height, width = shape[:2]
    x, y, w, h = box
    place = (x / width, y / height, w / width, h / height)
    return SealLine(line.text.strip(), line.confidence, place, line.characters)


def _box_of(rim: Rim, band: Band) -> Box:
    outline = rim.outline_of(band)
    (left, top), (right, bottom) = outline.min(0), outline.max(0)
    return round(left), round(top), round(right - left), round(bottom - top)


def _grown(band: Band) -> Band:
    """Return a band a little wider, so that nothing of its characters stays behind."""
    margin = max(2, (band.bottom - band.top) // 12)
    return Band(band.top - margin, band.bottom + margin, max(0, band.left - margin), band.right + margin)
