"""YAML or JSON as a plan may use it: no aliases, no key twice, within limits; what is wrong in one line."""

import json
from collections.abc import Hashable
from typing import Any

import yaml

from stages.errors import PlanRefused
from stages.plan_faults import MAX_SHOWN_CHARS, yaml_fault_zh

MAX_PLAN_BYTES = 64 * 1024


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
            raise _JsonRefused(f"the key {key[:MAX_SHOWN_CHARS]} stands twice")
        seen.add(key)
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise _JsonRefused(f"{name} is no number of JSON")


def plan_tree(data: bytes) -> yaml.Node | None:
    """Return a plan that can be read as a tree that knows its lines; None for JSON."""
    text = data.decode("utf-8-sig")
    return None if text.lstrip()[:1] == "{" else yaml.compose(text, Loader=_PlanLoader)


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
        where, where_zh = (f" in line {line}", f"（第 {line} 行）") if line else ("", "")
        raise PlanRefused(
            f"the plan is no valid YAML{where}: {problem}; correct it",
            zh=f"用印方案不是有效的 YAML{where_zh}：{yaml_fault_zh(problem)}；请修改",
        ) from error
