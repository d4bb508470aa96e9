"""Reads a seal: the name along its rim, the lines inside, the code at its foot."""

from dataclasses import dataclass

from seal_imaging.reader import ReadCharacter


@dataclass(frozen=True)
class SealLine:
    """One line of a seal's text.

    Attributes:
        text: as read; empty lines are left out.
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
