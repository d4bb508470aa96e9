"""Tells which way is up in a seal by reading it at every turn it may have."""

from dataclasses import dataclass

from seal_imaging.impression import Impression, SealShape
from seal_imaging.reader import TextReader
from seal_imaging.text import SealText, read_text

QUARTERS = (0.0, 90.0, 180.0, -90.0)
SURE = 0.98
"""Where the supposed turn reads this well, others are not tried."""


@dataclass(frozen=True)
class ReadTurn:
    """A turn at which a seal may stand upright, and how well it reads there.

    Attributes:
        angle_deg: clockwise turn on the page, as `Impression.angle_deg`.
        confidence: 0..1; more characters read at the same confidence count more.
    """

    angle_deg: float
    confidence: float
    text: SealText


def upright_by_reading(impression: Impression, reader: TextReader) -> list[ReadTurn]:
    """Return the turns a seal may have, the one that reads best first; of equals, the nearest to its own.

    The name of a round seal is found whichever way it lies, so one reading does; ovals and rectangles
    are read both ways round, name seals at each quarter turn.

    Raises:
        ReaderUnavailable: the reader's engine or model is missing.
    """
    first = _read_at(impression, reader, 0.0)
    if impression.shape is SealShape.CIRCLE or first.text.confidence >= SURE:
        return [first]
    further = (180.0,) if impression.shape is not SealShape.SQUARE else QUARTERS[1:]
    turns = [first, *(_read_at(impression, reader, turn_deg) for turn_deg in further)]
    return sorted(turns, key=lambda turn: -turn.confidence)


def _read_at(impression: Impression, reader: TextReader, turn_deg: float) -> ReadTurn:
    text = read_text(impression, reader, turn_deg=turn_deg)
    lines = [line for line in (text.name, *text.lines) if line is not None]
    count = sum(len(line.text) for line in lines)
    mean = sum(line.confidence * len(line.text) for line in lines) / max(1, count)
    # One lucky character says less than a line of them.
    return ReadTurn(text.angle_deg, mean * count / (count + 0.3), text)
