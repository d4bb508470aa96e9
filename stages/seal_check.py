"""Says of each impression on a scan whether it carries the micro-pattern of a seal made here."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from seal_imaging import Impression, ImpressionUnusable, RgbaImage, ink_box_mm, read_impressions
from seal_imaging.micropattern import MIN_LIKENESS, PatternScore, find_pattern
from stages.errors import InputRefused
from stages.scans import ScannedPage

MAX_CHECKED = 200
"""Impressions looked at in one scan."""
MAX_ASPECT_OFF = 0.08
"""An impression whose width to height differs more from a seal's is not of it, and is not laid over it."""
MAX_SIZE_OFF = 0.12
"""Likewise for its width, where the scan's scale is known: "fit to page" takes up to a tenth."""


class PatternVerdict(StrEnum):
    """What can be said of one impression."""

    FOUND = "found"
    """The pattern of the seal asked for, or of any seal made here when none was named."""
    OTHER_SEAL = "other_seal"
    """The pattern of another seal than the one asked for."""
    ABSENT = "absent"
    """It looks like the seal, and the pattern would be seen, were it there."""
    UNCLEAR = "unclear"
    """It looks like the seal, but too little of the ink can be judged."""
    UNKNOWN = "unknown"
    """It looks like no seal made here with a pattern."""


@dataclass(frozen=True, eq=False)
class MarkedSeal:
    """A seal with a micro-pattern, and the key that finds it.

    Attributes:
        image: its image as made, pattern and all.
    """

    name: str
    image: RgbaImage
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class CheckedImpression:
    """What was found in one impression.

    Attributes:
        seal: the seal it shows, or looks like; None when it is unknown.
        score, expected, likeness: see `micropattern.PatternScore`; None when it is unknown.
    """

    page_index: int
    box_px: tuple[int, int, int, int]
    verdict: PatternVerdict
    seal: str | None
    score: float | None
    expected: float | None
    likeness: float | None


def check_seals(
    pages: Iterable[ScannedPage], seals: Sequence[MarkedSeal], *, wanted: str | None = None
) -> list[CheckedImpression]:
    """Look for the pattern of every seal in every impression; one page is held in memory at a time.

    Args:
        wanted: name of the seal asked for; None takes any.

    Raises:
        ImpressionUnusable: a page the reader refuses.
        InputRefused: more than MAX_CHECKED impressions.
    """
    checked: list[CheckedImpression] = []
    for page in pages:
        for impression in read_impressions(page.image, page.px_per_mm):
            if len(checked) == MAX_CHECKED:
                # What is not looked at must not pass for found with the rest.
                raise InputRefused(
                    f"page {page.page_index + 1}: more than {MAX_CHECKED} impressions; split the scan",
                    zh=f"第 {page.page_index + 1} 页：印模超过 {MAX_CHECKED} 枚，请拆分扫描件后核验。",
                )
            checked.append(_checked(impression, page.page_index, seals, wanted))
    return checked


def _checked(
    impression: Impression, page_index: int, seals: Sequence[MarkedSeal], wanted: str | None
) -> CheckedImpression:
    tried: list[tuple[MarkedSeal, PatternScore]] = []
    for seal in sorted(seals, key=lambda seal: seal.name != wanted):
        score = _scored(impression, seal)
        if score is None or score.likeness < MIN_LIKENESS:
            continue
        if score.is_found:
            is_wanted = wanted is None or seal.name == wanted
            verdict = PatternVerdict.FOUND if is_wanted else PatternVerdict.OTHER_SEAL
            return _result(impression, page_index, verdict, seal, score)
        tried.append((seal, score))
    likely = [pair for pair in tried if wanted is None or pair[0].name == wanted]
    if not likely:
        return CheckedImpression(
            page_index, impression.box_px, PatternVerdict.UNKNOWN, None, None, None, None
        )
    seal, score = max(likely, key=lambda pair: pair[1].likeness)
    verdict = PatternVerdict.ABSENT if score.is_absent else PatternVerdict.UNCLEAR
    return _result(impression, page_index, verdict, seal, score)


def _scored(impression: Impression, seal: MarkedSeal) -> PatternScore | None:
    """Return a seal's score, unclear where the scan is too coarse; None when the shape is another."""
    _, _, width_mm, height_mm = ink_box_mm(seal.image)
    aspect = (impression.size_px[0] / impression.size_px[1]) / (width_mm / height_mm)
    if abs(math.log(aspect)) > MAX_ASPECT_OFF:
        return None
    if impression.size_mm is not None and abs(math.log(impression.size_mm[0] / width_mm)) > MAX_SIZE_OFF:
        return None
    try:
        return find_pattern(impression, seal.image, seal.key)
    except ImpressionUnusable:
        return PatternScore(score=0.0, expected=0.0, likeness=MIN_LIKENESS)


def _result(
    impression: Impression, page_index: int, verdict: PatternVerdict, seal: MarkedSeal, score: PatternScore
) -> CheckedImpression:
    return CheckedImpression(
        page_index, impression.box_px, verdict, seal.name, score.score, score.expected, score.likeness
    )
