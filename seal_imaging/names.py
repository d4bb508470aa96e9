"""Compares the name read off a seal with the name an applicant gave."""

from dataclasses import dataclass
from enum import StrEnum


class NameAnswer(StrEnum):
    """Whether a seal bears a name."""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class NameDifference:
    """One place where the names part; either side may be empty."""

    expected: str
    read: str


@dataclass(frozen=True)
class NameVerdict:
    """The outcome of a comparison.

    Attributes:
        distance: what sets the names apart, in characters; a doubtful character counts in part.
        differences: where they differ, left to right, doubtful places included.
    """

    answer: NameAnswer
    distance: float
    differences: tuple[NameDifference, ...] = ()
