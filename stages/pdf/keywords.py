"""Keywords and regular expressions as patterns over folded text, with a limit to the time they may take."""

import resource
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import regex

from stages.errors import PlanRefused
from stages.pdf.folding import folded, folded_char

MAX_KEYWORD_CHARS = 200
MATCH_TIMEOUT_S = 1.0
"""A sound expression takes a millisecond on a page; nested repeats such as (a+)+$ take for ever."""
MATCH_TOTAL_S = 10.0
"""What an expression may take on all texts of a file together: 1,000 pages at ten times what is usual."""

_SET_ASIDE = r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\\.|[^()\\])*\)"
"""Escapes, classes and innermost groups of an expression."""
_PLAINLY_NESTED = rf"(?:{_SET_ASIDE}|[^()\[\]\\])*+"
"""An expression whose groups hold no groups and no classes with brackets in them."""


@dataclass(frozen=True)
class Keyword:
    """What to look for.

    Attributes:
        text: a text, or a regular expression between slashes.
        simplified: traditional and simplified characters count as the same.
    """

    text: str
    simplified: bool = False

    @property
    def is_expression(self) -> bool:
        """Whether it is a regular expression."""
        return len(self.text) > 2 and self.text.startswith("/") and self.text.endswith("/")


@dataclass
class _Spent:
    """What a pattern has cost so far."""

    seconds: float = 0.0


def _processor_s() -> float:
    """Return what this thread has kept a processor busy: as `regex` counts its time, and no clock."""
    used = resource.getrusage(resource.RUSAGE_THREAD)
    return used.ru_utime + used.ru_stime


@dataclass(frozen=True)
class KeywordPattern:
    """A keyword ready to be looked for in text folded as `simplified` says.

    Attributes:
        plain: the folded keyword; empty for a regular expression.
        needed: characters that every text holding it has; not all of them, for a regular expression.
    """

    keyword: Keyword
    plain: str
    needed: frozenset[str]
    _expression: Any
    _spent: _Spent = field(default_factory=_Spent, compare=False, repr=False)

    @property
    def simplified(self) -> bool:
        """How the text must be folded."""
        return self.keyword.simplified

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield start and end of every match that is not empty.

        Raises:
            PlanRefused: the expression takes longer than MATCH_TIMEOUT_S on this text, or MATCH_TOTAL_S
                on all texts that this pattern was asked about.
        """
        if self.plain and "_" not in text:  # nothing to fill in on the page: no expression is needed
            at = text.find(self.plain)
            while at >= 0:
                yield at, at + len(self.plain)
                at = text.find(self.plain, at + len(self.plain))
            return
        begun_s = _processor_s() if self.keyword.is_expression else 0.0
        try:
            found = self._expression.finditer(text, timeout=MATCH_TIMEOUT_S, concurrent=True)
            spans = [match.span() for match in found if match.end() > match.start()]
        except TimeoutError as error:
            raise self._too_slow(MATCH_TIMEOUT_S, "one page", "一页") from error
        if self.keyword.is_expression:
            self._spent.seconds += _processor_s() - begun_s
            if self._spent.seconds > MATCH_TOTAL_S:
                raise self._too_slow(MATCH_TOTAL_S, "the pages of one file", "一个文件")
        yield from spans

    def _too_slow(self, limit_s: float, what: str, what_zh: str) -> PlanRefused:
        return PlanRefused(
            f"keyword {self.keyword.text} takes longer than {limit_s:g} s on {what}; "
            "write it without repeats inside repeats",
            zh=f"关键字 {self.keyword.text} 在{what_zh}上匹配超过 {limit_s:g} 秒，"
            "请去掉嵌套的重复（如 (a+)+）",
        )

    def may_stand_in(self, letters: frozenset[str]) -> bool:
        """Return whether folded text of these characters may hold it: a quick no saves the search."""
        return letters.issuperset(self.needed)


def keyword_pattern(keyword: str | Keyword) -> KeywordPattern:
    """Return the pattern that finds a keyword in folded text.

    A plain text is also found where fill-in lines (____) stand between its characters. In an expression a
    full-width bracket is a bracket on the page, never a group.

    Raises:
        PlanRefused: empty, longer than MAX_KEYWORD_CHARS, or not a regular expression.
    """
    wanted = Keyword(keyword) if isinstance(keyword, str) else keyword
    if len(wanted.text) > MAX_KEYWORD_CHARS:
        raise PlanRefused(
            f"a keyword is longer than {MAX_KEYWORD_CHARS} characters; shorten it",
            zh=f"关键字超过 {MAX_KEYWORD_CHARS} 个字符，请缩短",
        )
    if wanted.is_expression:
        source = "".join(_folded_in_pattern(char, wanted.simplified) for char in wanted.text[1:-1])
        try:
            return KeywordPattern(
                wanted, "", needed_letters(source), regex.compile(source, flags=regex.VERSION0)
            )
        except (regex.error, OverflowError, RecursionError, ValueError) as error:
            raise PlanRefused(
                f"{wanted.text} is no regular expression ({error}); correct it",
                zh=f"{wanted.text} 不是正确的正则表达式（{error}），请修改",
            ) from error
    text = folded(wanted.text, simplified=wanted.simplified)
    if not text:
        raise PlanRefused("a keyword is empty; give it a text", zh="关键字为空，请填写")
    between = "" if "_" in text else "_*"
    return KeywordPattern(wanted, text, frozenset(text), regex.compile(between.join(map(regex.escape, text))))


def needed_letters(source: str) -> frozenset[str]:
    """Return Chinese characters that every match of a regular expression holds; none where that is not plain.

    Only those are taken that stand by themselves, outside of groups and classes, and not repeated.
    """
    if "|" in source or "(?" in source or "[[" in source or not regex.fullmatch(_PLAINLY_NESTED, source):
        return frozenset()
    return frozenset(regex.findall(r"([\u2e80-\uffff])(?![?*{])", regex.sub(_SET_ASIDE, " ", source)))


def _folded_in_pattern(char: str, simplified: bool) -> str:
    if unicodedata.normalize("NFKC", char) == char and char < "\u2000":
        return char
    plain = folded_char(char, simplified)
    return char if plain == char else regex.escape(plain)


def check_keyword(keyword: str) -> str:
    """Return a keyword that can be searched for.

    Raises:
        PlanRefused: see keyword_pattern.
    """
    keyword_pattern(keyword)
    return keyword
