"""The published schema of plans takes what the program takes, and says what each key is."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.errors import PlanRefused
from stages.plan_rules import parse_plan
from stages.plan_schema import KEYS, KINDS, plan_schema
from tests.simulators.json_schema import is_valid

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEMA = plan_schema()


def plan_of(text: str) -> Any:
    """Return an example as a whole plan; one of rules alone gets the rest."""
    if "rules:" not in text:
        text = "rules:\n" + text
    return yaml.safe_load(text if "version:" in text else f"version: 1\n{text}")


EXAMPLES = re.findall(r"```yaml\n(.*?)```", (DOCS / "plan.md").read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.strip().splitlines()[0][:30])
def test_every_example_of_the_guide_is_a_plan_and_fits_the_schema(text: str) -> None:
    whole = plan_of(text)
    assert parse_plan(yaml.safe_dump(whole, allow_unicode=True).encode())
    assert is_valid(whole, SCHEMA)


def test_the_guide_has_an_example_of_every_kind_of_rule() -> None:
    keys = {key for text in EXAMPLES for rule in plan_of(text)["rules"] for key in rule}
    kinds = {"keyword", "paging", "field", "x_mm", "seals", "jitter", "part", "text", "skip_first", "per"}
    assert kinds <= keys


def test_every_key_and_kind_is_described_in_both_languages() -> None:
    for name, model in {"PlanRules": SCHEMA, **SCHEMA["$defs"]}.items():
        assert re.fullmatch(r".*[\u4e00-\u9fff].* / [ -~]+", model["description"]), name
        for key, value in model["properties"].items():
            assert re.fullmatch(r".*[\u4e00-\u9fff].* / [ -~]+", value.get("description", "")), (
                f"{name}.{key}"
            )
    used = {key for model in (SCHEMA, *SCHEMA["$defs"].values()) for key in model["properties"]}
    assert {key.rpartition(".")[2] for key in KEYS} <= used
    assert set(KINDS) == {"PlanRules", *SCHEMA["$defs"]}


@pytest.mark.parametrize(
    "rule",
    [
        "{seal: a}",
        "{keyword: a}",
        "{seal: a, seals: [b], keyword: a}",
        "{seal: a, keyword: a, colour: red}",
        "{seal: a, keyword: a, paging: right}",
        "{seal: a, keyword: a, anchor: middle}",
        "{seal: a, keyword: a, occurrence: 0}",
        "{seal: a, keyword: a, offset_mm: [1]}",
        "{seal: a, keyword: []}",
        "{seal: a, keyword: a, files: b, part: c}",
        "{seal: a, pages: all}",
        "{seal: a, pages: some, x_mm: 1, y_mm: 1}",
        "{seal: a, pages: '1,', x_mm: 1, y_mm: 1}",
        "{seal: a, pages: 0, x_mm: 1, y_mm: 1}",
        "{seal: a, pages: all, x_mm: '1', y_mm: 1}",
        "{seal: a, pages: all, x_mm: -1, y_mm: 1}",
        "{seal: a, pages: all, x_mm: 1, y_mm: 1, from: left}",
        "{seal: a, paging: right, position: 2}",
        "{seal: a, paging: right, jitter: {angle_deg: 3}}",
        "{seal: a, field: b, jitter: {angle_deg: 181}}",
        "{seal: '', paging: right}",
    ],
)
def test_what_the_program_refuses_the_schema_refuses(rule: str) -> None:
    text = f"version: 1\nrules: [{rule}]"
    with pytest.raises(PlanRefused):
        parse_plan(text.encode())
    assert not is_valid(yaml.safe_load(text), SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "version: 2\nrules: [{seal: a, paging: left}]",
        "version: 1\nrules: []",
        "version: 1\nrulez: []",
        "version: 1\nrules: [{seal: a, paging: left}]\n"
        "parts: [{name: a, files: b, anonymous: true, 暗标: true}]",
        "version: 1\nparts: [{name: a, files: b, signature: invisible}]\nrules: [{seal: a, paging: left}]",
        "version: 1\nparts: [{name: a}]\nrules: [{seal: a, paging: left}]",
        "version: 1\nseed: -1\nrules: [{seal: a, paging: left}]",
    ],
)
def test_a_plan_that_is_none_fits_no_schema(text: str) -> None:
    with pytest.raises(PlanRefused):
        parse_plan(text.encode())
    assert not is_valid(yaml.safe_load(text), SCHEMA)


def test_a_plan_of_anonymous_parts_alone_fits() -> None:
    text = "version: 1\nparts: [{name: 技术标, files: 技术/*, 暗标: true, signature: invisible}]"
    assert parse_plan(text.encode()).rules == ()
    assert is_valid(yaml.safe_load(text), SCHEMA)


def test_a_plan_with_every_key_fits() -> None:
    text = """
version: 1
project: p
bidder: b
document_type: 投标文件
unmarked_files: allow
seed: 7
parts:
  - {name: 技术标, files: [技术/*], 暗标: true, names: [李四光]}
  - {name: 商务, files: 商务/*, anonymous: false}
rules:
  - {seals: [a, b], keyword: [c, /d/], occurrence: 2, per: page, anchor: left, gap_mm: 3}
  - {seal: a, keyword: c, offset_mm: [1, -2.5]}
  - {seal: a, field: "f*", part: 商务, row: vertical, jitter: {angle_deg: 2.5, place_mm: 1}}
  - {seal: a, pages: 3, x_mm: -5, y_mm: 0, from: center, text: {日期: "{today}", 编号: 17}}
  - {seal: a, pages: "1-3, 5,-1", skip_first: 1, x_mm: 5, y_mm: 7.5, files: [x, y]}
  - {seal: a, paging: left, position: 1, every: 20, pages: odd}
"""
    assert parse_plan(text.encode())
    assert is_valid(yaml.safe_load(text), SCHEMA)
