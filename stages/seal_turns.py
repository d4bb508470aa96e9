"""Turns seals of foreign pages upright by what they say: nothing printed there tells which way is up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from seal_imaging import Impression, SealShape
from seal_imaging.outline import wrapped
from seal_imaging.reader import TextReader
from seal_imaging.text import SealText
from seal_imaging.upright import SURE
from seal_imaging.upright_by_reading import ReadTurn, upright_by_reading

MIN_CONFIDENCE = 0.85
MIN_CHARACTERS = 3
"""What reads worse or is shorter says nothing of how a seal lies: two characters read well by chance."""
MIN_ADVANTAGE = 0.03
"""Another turn must read better by so much: readers read characters that lie on their side too."""
MIN_ADVANTAGE_OVER_ROUND = 0.3
"""The same where a round seal's star and text tell how the page lies."""
QUARTER_DEG = 90.0
MIN_TELLING = 2
"""One impression may be stamped sideways on an upright page; real ones are."""
MAX_ASKEW_DEG = 30.0
"""A seal stamped more askew than this tells nothing of its page."""
SAME_TURN_DEG = 8.0


@dataclass(frozen=True, eq=False)
class TurnedSeal:
    """A seal as its text, or its page, has it upright.

    Attributes:
        turn_deg: by how much farther clockwise it lies than was supposed; None where nothing tells.
        text: what it says at this turn; None when it was not read.
    """

    seal: Impression
    turn_deg: float | None = None
    text: SealText | None = None


def turn_upright(
    seals: Sequence[Impression],
    reader: TextReader,
    *,
    members_deg: Sequence[Sequence[float]],
    page_turn_deg: float,
    is_form: bool,
) -> tuple[list[TurnedSeal], float]:
    """Return the seals of one page upright, and by how much farther clockwise the page lies.

    Only seals whose outline leaves their turn open are read. What no text tells, the page does, and the
    page's quarter turn is what impressions of its round seals, or else of all that were read, agree upon.

    Args:
        members_deg: for each seal, how far its impressions on this page are turned.
        page_turn_deg: as far as rules or edges tell it: up to quarter turns, unless it is our form.
        is_form: the marks of our form tell which way the page lies.

    Raises:
        ReaderUnavailable: the reader's engine or model is missing.
    """
    sure = [
        angle_deg
        for seal, angles in zip(seals, members_deg, strict=True)
        for angle_deg in angles
        if seal.shape is SealShape.CIRCLE and seal.angle_confidence >= SURE
    ]
    round_turn = None if is_form else _page_turn(sure, page_turn_deg)
    turned = [_read_upright(seal, reader, round_turn=round_turn, is_form=is_form) for seal in seals]
    if is_form:
        return turned, 0.0
    told = [
        angle_deg + one.turn_deg
        for one, angles in zip(turned, members_deg, strict=True)
        for angle_deg in angles
        if one.turn_deg is not None
    ]
    quarter = _page_turn(told, page_turn_deg) if round_turn is None else round_turn
    if not quarter:
        return turned, 0.0
    return [_with_page(one, quarter) for one in turned], quarter


def _page_turn(angles_deg: Sequence[float], page_turn_deg: float) -> float | None:
    """Return the quarter turn of the page that impressions known upright agree upon; None when too few do."""
    told = []
    for angle_deg in angles_deg:
        off = wrapped(angle_deg - page_turn_deg)
        quarter = QUARTER_DEG * round(off / QUARTER_DEG)
        if abs(off - quarter) <= MAX_ASKEW_DEG:
            told.append(wrapped(quarter))
    return told[0] if len(told) >= MIN_TELLING and len(set(told)) == 1 else None


def _read_upright(
    seal: Impression, reader: TextReader, *, round_turn: float | None, is_form: bool
) -> TurnedSeal:
    """Return a seal set right by reading, where its outline leaves its turn open."""
    if seal.shape is SealShape.FREEFORM:
        return TurnedSeal(seal)
    # The ends of an oval and the sides of a square are told apart by how the page lies, if at all.
    is_open = not is_form and seal.shape is not SealShape.CIRCLE
    if seal.angle_confidence >= SURE and not is_open:
        return TurnedSeal(seal)
    turns = upright_by_reading(seal, reader)
    best = turns[0]
    near = [turn for turn in turns if abs(wrapped(_off(turn, seal) - (round_turn or 0.0))) < SAME_TURN_DEG]
    if best in near and _tells(best):
        return _turned_to(seal, best)
    if _tells(best):
        least = MIN_ADVANTAGE if round_turn is None else MIN_ADVANTAGE_OVER_ROUND
        if not near or best.confidence - near[0].confidence >= least:
            return _turned_to(seal, best)
    return TurnedSeal(seal)


def _tells(turn: ReadTurn) -> bool:
    text = turn.text
    count = sum(len(line.text) for line in (text.name, *text.lines) if line is not None)
    return turn.confidence >= MIN_CONFIDENCE and count >= MIN_CHARACTERS


def _turned_to(seal: Impression, turn: ReadTurn) -> TurnedSeal:
    return TurnedSeal(_turned_on(seal, _off(turn, seal)), _off(turn, seal), turn.text)


def _with_page(one: TurnedSeal, quarter_deg: float) -> TurnedSeal:
    """Return a seal that told nothing itself, turned with its page."""
    tells = one.turn_deg is not None or one.seal.shape is SealShape.CIRCLE
    # An oval lies along its page or across; only its ends are open, and its angle has decided them.
    is_decided = one.seal.shape is SealShape.ELLIPSE and one.seal.angle_confidence >= SURE
    if tells or is_decided or (one.seal.shape is SealShape.RECTANGLE and abs(quarter_deg) != 180.0):
        return one
    return TurnedSeal(_turned_on(one.seal, quarter_deg), quarter_deg)


def _turned_on(seal: Impression, turn_deg: float) -> Impression:
    """Return the seal taken to lie so much farther clockwise; at odd quarters its sides change places."""
    turned = replace(seal, angle_deg=wrapped(seal.angle_deg + turn_deg))
    if seal.shape is SealShape.CIRCLE or round(turn_deg / QUARTER_DEG) % 2 == 0:
        return turned
    return replace(
        turned,
        size_px=seal.size_px[::-1],
        size_mm=None if seal.size_mm is None else seal.size_mm[::-1],
    )


def _off(turn: ReadTurn, seal: Impression) -> float:
    return wrapped(turn.angle_deg - seal.angle_deg)
