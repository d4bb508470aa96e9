"""Reads what a seal says, and compares it with whose seal it should be (名称不符)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seal_imaging import Impression, SealShape
from seal_imaging.form import SealKind
from seal_imaging.names import NameAnswer, compare_name
from seal_imaging.reader import TextReader
from seal_imaging.text import SealLine, SealText, read_text

SURE_CODE = 0.9
"""Confidence from which digits that differ from the stated code tell another seal."""
MIN_WRONG_DIGITS = 2


@dataclass(frozen=True)
class ExpectedNames:
    """Whose seals they should be.

    Attributes:
        owners: organisations.
        persons: legal representative, registered engineers.
        code: digits along the seal's rim; empty when not known.
    """

    owners: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    code: str = ""


@dataclass(frozen=True)
class SealReading:
    """What a seal says.

    Attributes:
        answer: whether it bears an expected name; None when none was stated for such a seal.
    """

    text: SealText
    answer: NameAnswer | None


def read_seal(
    seal: Impression,
    row: SealKind | None,
    reader: TextReader,
    expected: ExpectedNames,
    *,
    text: SealText | None = None,
) -> SealReading | None:
    """Return what a seal says; None for handwriting, which nobody reads here.

    Args:
        text: what it says, where that was read already.

    Raises:
        ReaderUnavailable: the reader's engine or model is missing.
    """
    if seal.shape is SealShape.FREEFORM:
        return None
    text = text or read_text(seal, reader)
    lines = [line for line in (text.name, *text.lines) if line is not None]
    answer = _name_answer(lines, _names_for(seal.shape, row, expected))
    if expected.code and row in (None, SealKind.OFFICIAL) and _is_other_code(text.code, expected.code):
        answer = NameAnswer.MISMATCH
    return SealReading(text, answer)


def _names_for(shape: SealShape, row: SealKind | None, expected: ExpectedNames) -> tuple[str, ...]:
    """Return the names such a seal may bear: an organisation's, a person's, or either's."""
    if row is SealKind.OFFICIAL or (row is None and shape is SealShape.CIRCLE):
        return expected.owners
    if row is SealKind.LEGAL_REPRESENTATIVE or (row is None and shape is SealShape.SQUARE):
        return expected.persons
    return (*expected.owners, *expected.persons) if expected.persons else ()


def _name_answer(lines: Sequence[SealLine], names: Iterable[str]) -> NameAnswer | None:
    """Return the best answer that any line gives to any name."""
    answers = {compare_name(line, name).answer for name in names for line in (lines or (None,))}
    order = (NameAnswer.MATCH, NameAnswer.UNREADABLE, NameAnswer.MISMATCH)
    return next((answer for answer in order if answer in answers), None)


def _is_other_code(code: SealLine | None, expected: str) -> bool:
    if code is None or code.confidence < SURE_CODE or len(code.text) != len(expected):
        return False
    return sum(a != b for a, b in zip(code.text, expected, strict=True)) >= MIN_WRONG_DIGITS
