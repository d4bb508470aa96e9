"""YAML or JSON as a plan may use it: no aliases, no key twice, within limits; what is wrong in one line."""

import json
from collections.abc import Hashable
from typing import Any

import yaml
from pydantic import ValidationError

from stages.errors import PlanRefused
from stages.plan_words import WrongValue

MAX_PLAN_BYTES = 64 * 1024
MAX_SHOWN_CHARS = 64
"""Of a key in a message."""
_UNION_TAGS = ("keyword", "paging", "pages", "field")


class _PlanLoader(yaml.SafeLoader):
    """Safe YAML that takes neither aliases (they can expand without end) nor a key given twice."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed", event.start_mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value} stands twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


class _JsonRefused(ValueError):
    """JSON that a plan may not use."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _JsonRefused(f"the key {key[:64]} stands twice")
        seen.add(key)
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise _JsonRefused(f"{name} is no number of JSON")


def read_plan_text(data: bytes) -> object:
    """Return what a text in YAML or JSON says.

    Raises:
        PlanRefused: over MAX_PLAN_BYTES, not UTF-8, neither YAML nor JSON, aliases, a key given twice.
    """
    if len(data) > MAX_PLAN_BYTES:
        raise PlanRefused(
            f"the plan is larger than {MAX_PLAN_BYTES} bytes; is it the right file?",
            zh=f"用印方案超过 {MAX_PLAN_BYTES} 字节，请确认文件是否正确",
        )
    try:
        text = data.decode("utf-8-sig")
        if text.lstrip()[:1] == "{":  # a mapping in braces: JSON, or YAML that looks like it
            try:
                return json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_constant)
            except json.JSONDecodeError:
                pass
        return yaml.load(text, Loader=_PlanLoader)  # noqa: S506 - a SafeLoader
    except UnicodeDecodeError as error:
        raise PlanRefused(
            "the plan is not UTF-8 text; save it as UTF-8", zh="用印方案不是 UTF-8 文本，请另存为 UTF-8"
        ) from error
    except RecursionError as error:
        raise PlanRefused(
            "the plan is nested too deeply; write it flat", zh="用印方案嵌套过深，请简化"
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        problem = getattr(error, "problem", None) or "it cannot be read as YAML or JSON"
        where = f" in line {line}" if line else ""
        raise PlanRefused(
            f"the plan is no valid YAML{where}: {problem}; correct it",
            zh=f"用印方案不是有效的 YAML{f'（第 {line} 行）' if line else ''}：{problem}，请修改",
        ) from error


def _path_of(location: tuple[int | str, ...]) -> str:
    """Return a key's path as people write it: rules[0].offset_mm[1]."""
    text = ""
    for depth, part in enumerate(location):
        if depth == 2 and location[0] == "rules" and part in _UNION_TAGS:
            continue  # pydantic's name for the kind of rule, not a key
        key = part[:MAX_SHOWN_CHARS] if isinstance(part, str) else f"[{part}]"
        text += f".{key}" if text and isinstance(part, str) else key
    return text or "the plan"


def refusal(error: ValidationError) -> PlanRefused:
    """Return the first thing wrong with a plan as one error."""
    problems = error.errors(include_url=False, include_input=False, include_context=True)
    first = min(problems, key=lambda problem: problem["type"] != "extra_forbidden")
    where = _path_of(first["loc"])
    kind, message = first["type"], str(first["msg"])
    context = first.get("ctx", {})
    wrong = context.get("error")
    if isinstance(wrong, WrongValue):
        what, zh = str(wrong), wrong.zh
        if wrong.key:
            where = f"{where}.{wrong.key}" if first["loc"] else wrong.key
    elif kind == "extra_forbidden":
        what, zh = "this key is unknown; remove it or correct its spelling", "未知的键，请删除或改正拼写"
    elif kind == "missing":
        what, zh = "this key is missing; add it", "缺少此项，请补上"
    elif kind == "union_tag_not_found":
        what = "one of keyword, pages with x_mm and y_mm, paging, or field must be there"
        zh = "须有 keyword、pages（配 x_mm、y_mm）、paging 或 field 之一"
    else:
        allowed = context.get("expected")
        what = f"{message.removeprefix('Value error, ')}; correct it"
        zh = (
            f"取值不正确，允许：{allowed}"
            if allowed
            else f"取值不正确（{message.removeprefix('Value error, ')}）"
        )
    more = len(problems) - 1
    tail, tail_zh = (f" (and {more} more)", f"（另有 {more} 处）") if more else ("", "")
    message, message_zh = f"plan: {where}: {what}{tail}", f"用印方案 {where}：{zh}{tail_zh}"
    # Keys and values stand in it as they were written, line ends too.
    return PlanRefused(" ".join(message.split()), zh=" ".join(message_zh.split()))
