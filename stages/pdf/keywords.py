"""What counts as the same text: keywords and page text folded alike, blanks left out, widths made equal."""

import re
import unicodedata

from stages.errors import PlanRefused

MAX_KEYWORD_CHARS = 200


def folded(text: str) -> str:
    """Return text without blanks and invisible characters, each character by NFKC; （Ａ） becomes (A).

    Character by character, so that a page's characters keep their boxes.
    """
    return "".join(
        char
        for original in text
        for char in unicodedata.normalize("NFKC", original)
        if not char.isspace() and unicodedata.category(char) not in ("Cf", "Cc")
    )


def keyword_pattern(keyword: str) -> re.Pattern[str]:
    """Return the pattern that finds a keyword in folded text.

    Args:
        keyword: a text, or a regular expression between slashes. In an expression a full-width bracket
            is a bracket on the page, never a group.

    Raises:
        PlanRefused: empty, longer than MAX_KEYWORD_CHARS, or not a regular expression.
    """
    if len(keyword) > MAX_KEYWORD_CHARS:
        raise PlanRefused(
            f"a keyword is longer than {MAX_KEYWORD_CHARS} characters; shorten it",
            zh=f"关键字超过 {MAX_KEYWORD_CHARS} 个字符，请缩短",
        )
    if len(keyword) > 2 and keyword.startswith("/") and keyword.endswith("/"):
        source = "".join(_folded_in_pattern(char) for char in keyword[1:-1])
        try:
            return re.compile(source)
        except (re.error, OverflowError, RecursionError) as error:
            raise PlanRefused(
                f"{keyword} is no regular expression ({error}); correct it",
                zh=f"{keyword} 不是正确的正则表达式（{error}），请修改",
            ) from error
    text = folded(keyword)
    if not text:
        raise PlanRefused("a keyword is empty; give it a text", zh="关键字为空，请填写")
    return re.compile(re.escape(text))


def _folded_in_pattern(char: str) -> str:
    plain = unicodedata.normalize("NFKC", char)
    return char if plain == char else re.escape(plain)


def check_keyword(keyword: str) -> str:
    """Return a keyword that can be searched for.

    Raises:
        PlanRefused: see keyword_pattern.
    """
    keyword_pattern(keyword)
    return keyword
