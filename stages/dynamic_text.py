"""Text that says the day and the page it is stamped on: {today}, {today:中文}, {page} of {pages}."""

import re
from datetime import date

from stages.errors import PlanRefused

CHINESE = "中文"
"""二〇二六年十一月二十一日: years digit by digit, months and days as numbers."""
DEFAULT_DATE = "%Y年%-m月%-d日"
MAX_FORMAT_CHARS = 40

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_DATE_PART = re.compile(r"%(-?.?)")
_DIGITS = "〇一二三四五六七八九"


def check_dynamic(text: str) -> str:
    """Return a text whose placeholders are all known.

    Raises:
        PlanRefused: an unknown placeholder, a lone brace, or a date format with anything but %Y %y %m %d
            %-m %-d %%.
    """
    filled(text, today=date(2000, 1, 1), page_number=1, page_count=1)
    return text


def needs_today(text: str) -> bool:
    """Return whether a text says the day."""
    return any((match.group(1) or "").partition(":")[0] == "today" for match in _PLACEHOLDER.finditer(text))


def dated(text: str, today: date) -> str:
    """Return a text with the day in it, its page numbers and doubled braces left for `filled`.

    Raises:
        PlanRefused: see check_dynamic.
    """

    def replaced(match: re.Match[str]) -> str:
        name, _, form = (match.group(1) or "").partition(":")
        return _date_text(today, form) if name == "today" else match.group()

    return _PLACEHOLDER.sub(replaced, text)


def filled(text: str, *, page_number: int, page_count: int, today: date | None = None) -> str:
    """Return a text with every placeholder filled; doubled braces become single ones.

    Raises:
        PlanRefused: see check_dynamic, or the day is wanted and not given.
    """

    def replaced(match: re.Match[str]) -> str:
        whole, inside = match.group(), match.group(1)
        if whole in ("{{", "}}"):
            return whole[0]
        name, colon, form = (inside or "").partition(":")
        if name == "today" and today is not None:
            return _date_text(today, form)
        if name == "today":
            raise PlanRefused(
                f"the day for {whole} is not known; submit the package again",
                zh=f"{whole} 的日期未知，请重新提交",
            )
        if name in ("page", "pages") and not colon:
            return str(page_number if name == "page" else page_count)
        raise PlanRefused(
            f"{whole} is no placeholder; write {{today}}, {{today:%Y-%m-%d}}, {{today:中文}}, {{page}} or "
            "{pages}, and {{ for a brace",
            zh=f"{whole} 不是占位符；可写 {{today}}、{{today:%Y-%m-%d}}、{{today:中文}}、{{page}} 或 "
            "{pages}，花括号写作 {{",
        )

    return _PLACEHOLDER.sub(replaced, text)


def _date_text(day: date, form: str) -> str:
    if form == CHINESE:
        year = "".join(_DIGITS[int(digit)] for digit in f"{day.year:04}")
        return f"{year}年{_chinese(day.month)}月{_chinese(day.day)}日"
    parts = {
        "Y": f"{day.year:04}",
        "y": f"{day.year % 100:02}",
        "m": f"{day.month:02}",
        "d": f"{day.day:02}",
        "-m": str(day.month),
        "-d": str(day.day),
        "%": "%",
    }

    def replaced(match: re.Match[str]) -> str:
        part = parts.get(match.group(1))
        if part is None:
            raise _bad_format(form)
        return part

    if len(form) > MAX_FORMAT_CHARS:
        raise _bad_format(form[:MAX_FORMAT_CHARS] + "…")
    return _DATE_PART.sub(replaced, form or DEFAULT_DATE)


def _bad_format(form: str) -> PlanRefused:
    return PlanRefused(
        f"{form} is no date format; write 中文, or a format of %Y %y %m %d %-m %-d",
        zh=f"{form} 不是日期格式；可写“中文”，或由 %Y %y %m %d %-m %-d 组成的格式",
    )


def _chinese(number: int) -> str:
    """Return a number below 100 as Chinese says it: 二十一, 十, 三."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else _DIGITS[tens] + "十"
    return head + (_DIGITS[ones] if ones else "")
