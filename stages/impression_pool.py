"""Holds the impressions of a long scan in bounded memory, and tells which are of one seal."""

from collections.abc import Container
from dataclasses import dataclass, replace

import numpy as np

from seal_imaging import Impression, InkAmount, group_impressions
from seal_imaging.group import MAX_IMPRESSIONS
from stages.errors import InputRefused

MAX_KEPT_OF_A_SEAL = 4
"""More impressions of one seal make it no better; they are counted and let go."""


@dataclass(frozen=True)
class SealGroup:
    """Impressions of one seal.

    Attributes:
        members: numbers in the order of adding, best first; those let go come last.
        kept: the first of them, as pixels.
    """

    members: tuple[int, ...]
    kept: tuple[Impression, ...]


class ImpressionPool:
    """Impressions as they come, page by page."""

    def __init__(self) -> None:
        self._count = 0
        self._kept: dict[int, Impression] = {}
        self._rows: dict[int, int | None] = {}
        self._let_go: dict[int, list[int]] = {}

    def __len__(self) -> int:
        return self._count

    def add(self, impression: Impression, row: int | None = None) -> None:
        """Take in one impression.

        Args:
            row: what stands in the same row of a form is one seal unless it clearly is not.

        Raises:
            InputRefused: the scan holds impressions of more than MAX_IMPRESSIONS seals.
        """
        if len(self._kept) >= MAX_IMPRESSIONS:
            self._let_surplus_go()
        # A view of a page-sized array would keep the page alive.
        self._kept[self._count] = replace(
            impression,
            ink=np.array(impression.ink),
            strength=_copied(impression.strength),
            covered=_copied(impression.covered),
        )
        self._rows[self._count] = row
        self._count += 1

    def groups(self, *, without: Container[int] = ()) -> list[SealGroup]:
        """Return the impressions by seal, in order of appearance.

        Args:
            without: numbers of impressions that are of no seal asked for.
        """
        self._leave_out(without)
        grouped = []
        for numbers in self._grouped():
            let_go = [number for kept in numbers for number in self._let_go.get(kept, ())]
            kept = tuple(self._kept[number] for number in numbers)
            grouped.append(SealGroup((*numbers, *sorted(let_go)), kept))
        return grouped

    def _leave_out(self, numbers: Container[int]) -> None:
        for number in [number for number in self._kept if number in numbers]:
            del self._kept[number]
            self._let_go.pop(number, None)
        for best, let_go in self._let_go.items():
            self._let_go[best] = [number for number in let_go if number not in numbers]

    def _grouped(self) -> list[tuple[int, ...]]:
        numbers = list(self._kept)
        groups = group_impressions(
            [self._kept[number] for number in numbers], rows=[self._rows[number] for number in numbers]
        )
        return [tuple(numbers[position] for position in group) for group in groups]

    def _let_surplus_go(self) -> None:
        for numbers in self._grouped():
            best = numbers[0]
            for number in numbers[MAX_KEPT_OF_A_SEAL:]:
                del self._kept[number]
                self._let_go.setdefault(best, []).append(number)
                self._let_go[best] += self._let_go.pop(number, [])
        if len(self._kept) > MAX_IMPRESSIONS - MAX_KEPT_OF_A_SEAL:
            raise InputRefused(
                f"more impressions than {MAX_IMPRESSIONS} of different seals; split the scan",
                zh=f"不同印章的印模超过 {MAX_IMPRESSIONS} 枚，请拆分扫描件。",
            )


def _copied(layer: InkAmount | None) -> InkAmount | None:
    return None if layer is None else np.array(layer)
