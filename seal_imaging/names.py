"""Compares the name read off a seal with the name an applicant gave."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from seal_imaging.reader import ReadCharacter
from seal_imaging.simplified import SIMPLIFIED
from seal_imaging.text import SealLine

STRONG = 0.9
"""A character read with this confidence is not the expected one …"""
HARDLY = 0.005
"""… if the reader gives that one less than this. Misreadings of clean and printed-over seals were seen
with 0.28 to 0.85, the true character behind them with 0.17 and more in most cases."""
NEAR = 0.7
"""A doubtful character may pass when the reader believes in the expected one at least this much as in
its own."""
MAX_PASSING = 2
"""Doubtful characters that may pass in one name, and no more than one in PASSING_SHARE."""
PASSING_SHARE = 5
CLEAR_LINE = 0.8
"""A line read with this confidence as a whole, and wholly different, is another name."""
OTHER_NAME = 0.5
"""Share of characters that differ in another name."""
GAP = 1.5
"""Two characters this many pitches apart have room for one that was not read."""

_DROPPED = re.compile(r"[\W_]", re.UNICODE)
_KIND = re.compile(
    r"(?:公章|(?:合同|财务|发票|投标|招标|业务|报关|人事|资料|技术|报告|出图|检验检测|项目部?)专用章|法人章|名章)\d*$"
)
_PERSON = re.compile(r"(?:之印章?|印章|印|章)$")
LONGEST_PERSON = 4


class NameAnswer(StrEnum):
    """Whether a seal bears a name."""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class NameDifference:
    """One place where the names part; either side may be empty.

    Attributes:
        is_doubtful: the reader was not sure, or believes in the expected character as well.
    """

    expected: str
    read: str
    is_doubtful: bool = False


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


def compare_name(read: SealLine | None, expected: str) -> NameVerdict:
    """Return whether a seal bears a name, as far as it could be read.

    Width of characters, brackets, spaces, common traditional forms and the words for the kind of seal
    (公章, 合同专用章, a name seal's 之印) make no difference.

    Args:
        read: the name as `read_text` returns it; None is unreadable.
    """
    wanted = _plain(expected)
    seen = _plain_characters(read.characters) if read is not None else []
    wanted, seen = _without_kind(wanted, seen)
    if not wanted or not seen:
        return NameVerdict(NameAnswer.UNREADABLE, float(len(wanted)))
    distance, differences = _aligned(seen, wanted)
    return NameVerdict(_answer(seen, wanted, differences), round(distance, 3), differences)


def _answer(seen: Sequence[ReadCharacter], wanted: str, differences: Sequence[NameDifference]) -> NameAnswer:
    if not differences:
        return NameAnswer.MATCH
    plain = sum(max(len(one.expected), len(one.read)) for one in differences if not one.is_doubtful)
    doubtful = [one for one in differences if one.is_doubtful]
    mean = sum(character.confidence for character in seen) / len(seen)
    if plain and plain >= OTHER_NAME * len(wanted):
        return NameAnswer.MISMATCH if mean >= CLEAR_LINE else NameAnswer.UNREADABLE
    if plain:
        # One wrong character tells another company only where the rest could be read.
        return NameAnswer.MISMATCH if len(doubtful) < 2 * plain else NameAnswer.UNREADABLE
    passing = [one for one in doubtful if one.expected and one.read and _passes(seen, one)]
    few = len(doubtful) <= min(MAX_PASSING, len(wanted) // PASSING_SHARE)
    return NameAnswer.MATCH if few and len(passing) == len(doubtful) else NameAnswer.UNREADABLE


def _passes(seen: Sequence[ReadCharacter], difference: NameDifference) -> bool:
    return any(
        character.text == difference.read
        and _belief(character, difference.expected) >= NEAR * character.confidence
        for character in seen
    )


def _aligned(seen: Sequence[ReadCharacter], wanted: str) -> tuple[float, tuple[NameDifference, ...]]:
    """Return the cheapest way to lead one name into the other (Levenshtein 1966, weighted by confidence)."""
    rows, columns = len(seen) + 1, len(wanted) + 1
    lost = [_missing_cost(seen, before) for before in range(rows)]
    cost = [[0.0] * columns for _ in range(rows)]
    for i in range(rows):
        for j in range(columns):
            ways = [cost[i - 1][j - 1] + _swap_cost(seen[i - 1], wanted[j - 1])] if i and j else []
            ways += [cost[i - 1][j] + max(0.3, seen[i - 1].confidence)] if i else []
            ways += [cost[i][j - 1] + lost[i]] if j else []
            cost[i][j] = min(ways, default=0.0)
    differences: list[NameDifference] = []
    i, j = rows - 1, columns - 1
    while i or j:
        if i and j and cost[i][j] == cost[i - 1][j - 1] + _swap_cost(seen[i - 1], wanted[j - 1]):
            i, j = i - 1, j - 1
            if seen[i].text != wanted[j]:
                sure = seen[i].confidence >= STRONG and _belief(seen[i], wanted[j]) < HARDLY
                differences.append(NameDifference(wanted[j], seen[i].text, is_doubtful=not sure))
        elif i and cost[i][j] == cost[i - 1][j] + max(0.3, seen[i - 1].confidence):
            i -= 1
            sure = seen[i].confidence >= STRONG
            differences.append(NameDifference("", seen[i].text, is_doubtful=not sure))
        else:
            j -= 1
            differences.append(NameDifference(wanted[j], "", is_doubtful=lost[i] < 1))
    return cost[-1][-1], tuple(reversed(differences))


def _swap_cost(character: ReadCharacter, expected: str) -> float:
    if character.text == expected:
        return 0.0
    return max(0.05, character.confidence - _belief(character, expected))


def _belief(character: ReadCharacter, expected: str) -> float:
    """Return how far the reader believes in a character, in any of its forms."""
    forms = [(character.text, character.confidence), *character.others]
    return max((confidence for text, confidence in forms if _plain(text) == expected), default=0.0)


def _missing_cost(seen: Sequence[ReadCharacter], before: int) -> float:
    """Return what it costs that a character is missing before another: less where there is room for it."""
    if len(seen) < 3 or before in (0, len(seen)):
        return 0.6  # a seal's first and last character are the ones that a weak impression lacks
    pitches = sorted(b.at - a.at for a, b in pairwise(seen))
    usual = pitches[len(pitches) // 2]
    gap = seen[before].at - seen[before - 1].at
    return 0.5 if gap > GAP * usual else 1.0


def _plain(text: str) -> str:
    """Return a name without what makes no difference."""
    folded = _DROPPED.sub("", unicodedata.normalize("NFKC", text)).upper()
    return "".join(SIMPLIFIED.get(character, character) for character in folded)


def _plain_characters(characters: Sequence[ReadCharacter]) -> list[ReadCharacter]:
    return [
        ReadCharacter(plain, one.confidence, one.at, one.others)
        for one in characters
        if (plain := _plain(one.text))
    ]


def _without_kind(wanted: str, seen: list[ReadCharacter]) -> tuple[str, list[ReadCharacter]]:
    """Return both without the words for the kind of seal; of a name seal, where only the seal has them."""
    wanted = _KIND.sub("", wanted)
    text = "".join(one.text for one in seen)
    bare = _KIND.sub("", text)
    if len(wanted) <= LONGEST_PERSON and not _PERSON.search(wanted):
        bare = _PERSON.sub("", bare) if len(bare) > len(wanted) else bare
    return wanted, seen[: len(bare)]
