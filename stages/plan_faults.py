"""What is wrong with a plan, in words: the key, its line, what is allowed, the spelling that was meant."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import ValidationError

from stages.errors import PlanRefused
from stages.plan_words import WrongValue

MAX_SHOWN_CHARS = 64
"""Of a key or value in a message."""
UNION_TAGS = ("keyword", "paging", "pages", "field")

Location = tuple[int | str, ...]
_KEY = re.compile(r"[^.\[\]]+")
KeysAt = Callable[[Location], Mapping[str, Sequence[str]]]
"""Which keys may stand where a key stands, and in which kinds of rule the others stand that do not."""

_TYPES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "bool_type": ("write true or false", "请写 true 或 false"),
        "int_type": ("write a whole number", "须为整数"),
        "float_type": ("write a number, without a unit", "须为数字，不带单位"),
        "finite_number": ("write a number", "须为数字"),
        "string_type": ("write a text, in quotes if it looks like a number", "须为文字，像数字的请加引号"),
        "tuple_type": (
            "write a list: [a, b], or one text, in quotes if it looks like a number",
            "须为列表，写作 [甲, 乙]，或每项一行、以“- ”开头；只有一项的，像数字的请加引号",
        ),
        "dict_type": ("write keys with values: key: value", "须写成“键: 值”"),
        "model_type": ("write keys with values: key: value", "须写成“键: 值”"),
        "greater_than_equal": ("not below {ge:g}", "不能小于 {ge:g}"),
        "less_than_equal": ("not above {le:g}", "不能大于 {le:g}"),
        "less_than": ("below {lt:g}", "须小于 {lt:g}"),
        "too_short": ("at least {min_length} of them must be there", "至少要有 {min_length} 项"),
        "too_long": ("at most {max_length} are allowed", "最多 {max_length} 项"),
        "string_too_short": ("at least {min_length} characters", "至少 {min_length} 个字"),
        "string_too_long": ("at most {max_length} characters", "最多 {max_length} 个字"),
        "missing": ("this key is missing; add it", "缺少此项，请补上"),
        "union_tag_not_found": (
            "one of keyword, pages with x_mm and y_mm, paging, or field must be there",
            "须有 keyword、pages（配 x_mm、y_mm）、paging 或 field 之一",
        ),
    }
)
_YAML: tuple[tuple[str, str], ...] = (
    (
        "cannot start any token",
        "此处的字符不能用：缩进请用空格，不能用制表符（Tab）；以符号开头的文字请加引号",
    ),
    ("could not find expected ':'", "缺少冒号：键后要写半角冒号加一个空格，如 seal: 公章"),
    ("mapping values are not allowed", "冒号的位置不对：请对齐缩进；文字里带“: ”的请加引号"),
    ("found unexpected end of stream", "引号没有配对"),
    ("found unknown escape character", "双引号里的反斜杠要写两个，或改用单引号"),
    ("expected <block end>", "缩进没有对齐，或引号、括号没有配对"),
    ("expected ',' or", "括号没有配对，或缺少逗号"),
    ("expected the node content", "缺少内容，或括号、逗号多余"),
    ("aliases are not allowed", "不能使用别名（*）"),
    ("stands twice", "同一个键写了两次"),
    ("but found another document", "一个文件只能写一份方案，请去掉“---”及其后的内容"),
    ("could not determine a constructor", "不能使用标签（!）；以 ! 开头的文字请加引号"),
)


def yaml_fault_zh(problem: str) -> str:
    """Return what a YAML reader found wrong, in Chinese; its own words when they are new to us."""
    return next((zh for part, zh in _YAML if part in problem), problem)


def _keys_of(location: Location) -> Location:
    """Return a location without pydantic's names for the kinds of rules and values."""
    keys = tuple(
        part
        for depth, part in enumerate(location)
        if not (depth == 2 and location[0] == "rules" and part in UNION_TAGS)
    )
    last = str(keys[-1]) if keys else ""
    return keys[:-1] if last.startswith(("literal[", "constrained-")) else keys


def path_of(location: Location) -> str:
    """Return a key's path as people write it: rules[0].offset_mm[1]; empty for the whole plan."""
    text = ""
    for part in location:
        key = part[:MAX_SHOWN_CHARS] if isinstance(part, str) else f"[{part}]"
        text += f".{key}" if text and isinstance(part, str) else key
    return text


def line_of(location: Location, root: yaml.Node | None) -> int | None:
    """Return the line (from 1) in which a key of a plan in YAML stands, or what it is missing from."""
    if root is None:
        return None
    node, line = root, root.start_mark.line + 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def _at_fault(problem: Any) -> Location:
    """Return where the key at fault stands, which a check of several keys names itself."""
    location: Location = problem["loc"]
    wrong = problem.get("ctx", {}).get("error")
    below = _KEY.findall(wrong.key) if isinstance(wrong, WrongValue) else []
    return (*_keys_of(location), *(int(key) if key.isdigit() else key for key in below))


def _unknown(key: str, allowed: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    """Return what to say of a key that does not belong where it stands."""
    elsewhere = allowed.get(key)
    if elsewhere:
        kinds = ", ".join(elsewhere)
        return (
            f"this key is unknown in such a rule; it belongs to one with {kinds}: write a rule of its own",
            f"此键不能用在这种规则里，只用于写 {kinds} 的规则；一条规则只用一种定位方式，请另写一条",
        )
    close = difflib.get_close_matches(key, [name for name, kinds in allowed.items() if not kinds], n=1)
    if close:
        return (f"this key is unknown; did you mean {close[0]}?", f"未知的键，是否应为 {close[0]}？")
    return "this key is unknown; remove it or correct its spelling", "未知的键，请删除或改正拼写"


def _said(problem: Any, keys_at: KeysAt) -> tuple[str, str]:
    """Return what is wrong with one value, in both languages."""
    kind, context = problem["type"], problem.get("ctx", {})
    wrong = context.get("error")
    if isinstance(wrong, WrongValue):
        return str(wrong), wrong.zh
    if kind == "extra_forbidden":
        return _unknown(str(problem["loc"][-1]), keys_at(problem["loc"]))
    if kind == "string_type" and problem["loc"][-1] == "seal" and isinstance(problem.get("input"), list):
        return "for several seals write seals: [a, b]", "几枚印章连盖请写 seals: [公章, 法人章]"
    if kind == "model_type" and not problem["loc"]:
        return (
            "it is empty, or no keys with values; start from `sealine plan example`",
            "是空的，或不是“键: 值”的形式；可从 sealine plan example 的样例改起",
        )
    if kind == "literal_error":
        expected = str(context.get("expected"))
        chinese = expected.replace(" or ", "、").replace(", ", "、").replace("'", "")
        return f"allowed: {expected}", f"允许：{chinese}"
    if kind in _TYPES:
        english, chinese = (text.format(**context) for text in _TYPES[kind])
    else:
        english = f"{str(problem['msg']).removeprefix('Value error, ')}; correct it"
        chinese = f"取值不正确（{problem['msg']}）"
    return english, chinese


def _value_of(problem: Any) -> str:
    """Return the value that was written, when it is short and helps; else nothing."""
    if not problem["loc"]:
        return ""
    value = problem.get("input")
    if problem["type"] in ("missing", "extra_forbidden") or isinstance(
        problem.get("ctx", {}).get("error"), WrongValue
    ):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return (
        str(value) if isinstance(value, (str, int, float)) and 0 < len(str(value)) <= MAX_SHOWN_CHARS else ""
    )


def refusal(error: ValidationError, *, keys_at: KeysAt, root: yaml.Node | None = None) -> PlanRefused:
    """Return the first thing wrong with a plan as one error.

    Args:
        root: the plan as a tree of YAML, for the number of the line; None for JSON.
    """
    problems = error.errors(include_url=False, include_input=True, include_context=True)
    # An item that is wrong is not counted: its list is then "too short", which nobody wrote.
    real = [
        one
        for one in problems
        if not (
            one["type"] == "too_short"
            and any(other is not one and other["loc"][: len(one["loc"])] == one["loc"] for other in problems)
        )
    ]
    by_path: dict[str, list[Any]] = {}
    for problem in sorted(real, key=lambda problem: problem["type"] != "extra_forbidden"):
        by_path.setdefault(path_of(_at_fault(problem)), []).append(problem)
    where, first = next(iter(by_path.items()))
    said = list(dict.fromkeys(_said(problem, keys_at) for problem in first))
    what, zh = "; or ".join(english for english, _ in said), "；或".join(chinese for _, chinese in said)
    value = _value_of(first[0])
    if value:
        what, zh = f"{value}: {what}", f"“{value}”不行，{zh}"
    line = line_of(_at_fault(first[0]), root)
    at, at_zh = (f", line {line}", f"第 {line} 行") if line is not None and where else ("", "")
    more = len(by_path) - 1
    tail, tail_zh = (f" (and {more} more)", f"（另有 {more} 处）") if more else ("", "")
    message = f"plan{at}: {where}{': ' if where else ''}{what}{tail}"
    message_zh = f"用印方案{at_zh}{' ' if where else ''}{where}{'：' if where else ''}{zh}{tail_zh}"
    # Keys and values stand in it as they were written, line ends too.
    return PlanRefused(" ".join(message.split()), zh=" ".join(message_zh.split()))
