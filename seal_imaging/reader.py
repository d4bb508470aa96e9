"""What a text reader is: strips of pixels go in, characters with their confidence come out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Strip = NDArray[np.uint8]
"""(h, w), one line of text from left to right, 0 = solid ink, 255 = paper."""


@dataclass(frozen=True)
class ReadCharacter:
    """One character as it was read.

    Attributes:
        text: the likeliest character.
        confidence: 0..1.
        at: where its middle lies along the strip, 0 = left end, 1 = right end.
        others: what else it may be, with confidence, likeliest first.
    """

    text: str
    confidence: float
    at: float = 0.5
    others: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class ReadLine:
    """The characters of one strip from left to right; none when nothing could be read."""

    characters: tuple[ReadCharacter, ...] = ()

    @property
    def text(self) -> str:
        """The line as a string."""
        return "".join(character.text for character in self.characters)

    @property
    def confidence(self) -> float:
        """The geometric mean over the characters, 0..1; 0 for an empty line."""
        if not self.characters:
            return 0.0
        logs = [math.log(max(1e-6, character.confidence)) for character in self.characters]
        return math.exp(sum(logs) / len(logs))


class TextReader(Protocol):
    """An engine that reads lines of text; `seal_imaging.ocr_rapid` has one."""

    def read(self, strips: Sequence[Strip], *, alphabet: str = "") -> list[ReadLine]:
        """Return one line for each strip.

        Args:
            alphabet: read nothing but these characters; empty for all the engine knows.

        Raises:
            ReaderUnavailable: the engine or its model is not installed.
        """
        ...
