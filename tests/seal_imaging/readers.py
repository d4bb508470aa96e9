"""A reader for tests that need no engine: it says what it was told to say."""

from collections.abc import Sequence

from seal_imaging.reader import ReadCharacter, ReadLine, Strip


def line_of(text: str, confidence: float = 1.0) -> ReadLine:
    """Return a line of evenly spaced characters, each read with the same confidence."""
    return ReadLine(tuple(ReadCharacter(c, confidence, (k + 0.5) / len(text)) for k, c in enumerate(text)))


class ScriptedReader:
    """Answers each strip with the next of its lines, and with nothing once they are used up."""

    def __init__(self, *texts: str, confidence: float = 1.0) -> None:
        self._left = [line_of(text, confidence) for text in texts]
        self.strips: list[Strip] = []

    def read(self, strips: Sequence[Strip], *, alphabet: str = "") -> list[ReadLine]:
        self.strips += strips
        return [self._left.pop(0) if self._left else ReadLine() for _ in strips]
