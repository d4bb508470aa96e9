"""A plan file is taken as it is meant, or refused with the key's path and what is allowed."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.errors import PlanRefused
from stages.plan_rules import KeywordRule, PagingRule, PositionRule, parse_plan
from stages.plan_yaml import MAX_PLAN_BYTES

WHOLE = """
version: 1
project: 某某工程施工招标
bidder: 某某建设有限公司
rules:
  - seal: 公章
    keyword: [（盖单位章）, "/投标人.*章/"]
    occurrence: 2
    anchor: right
    offset_mm: [1.5, -2]
    files: "商务/*.pdf"
  - seal: 公章
    pages: "1-3,5,-1"
    x_mm: 120
    y_mm: 200
    from: bottom_right
  - seal: 公章
    paging: right
    every: 20
    skip_first: 1
"""


def test_a_whole_plan_is_read() -> None:
    rules = parse_plan(WHOLE.encode())
    by_keyword, by_position, paging = rules.rules
    assert isinstance(by_keyword, KeywordRule)
    assert by_keyword.keyword == ("（盖单位章）", "/投标人.*章/")
    assert (by_keyword.occurrence, by_keyword.anchor, by_keyword.offset_mm) == (2, "right", (1.5, -2.0))
    assert by_keyword.names_files
    assert isinstance(by_position, PositionRule)
    assert (by_position.pages, by_position.corner) == ("1-3,5,-1", "bottom_right")
    assert isinstance(paging, PagingRule)
    assert (paging.paging, paging.position, paging.every, paging.skip_first) == ("right", 0.5, 20, 1)
    assert not paging.names_files
    assert rules.document_type == "投标文件"
    assert rules.unmarked_files == "refuse"
    assert rules.seals == ("公章",)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("{seal: 公章, keyword: a, colour: red}", r"rules\[0\]\.colour: this key is unknown"),
        ("{keyword: a}", r"rules\[0\]\.seal: this key is missing"),
        ("{seal: 公章}", r"rules\[0\]: one of keyword, pages with x_mm and y_mm, paging, or field"),
        ("{seal: 公章, keyword: a, paging: right}", r"rules\[0\]\.paging: this key is unknown"),
        ("{seal: 公章, pages: all}", r"rules\[0\]\.x_mm: this key is missing"),
        ("{seal: 公章, keyword: a, anchor: middle}", r"rules\[0\]\.anchor: .*'center', 'left'"),
        ("{seal: 公章, keyword: a, occurrence: 0}", r"rules\[0\]\.occurrence"),
        ("{seal: 公章, keyword: a, occurrence: true}", r"rules\[0\]\.occurrence"),
        ("{seal: 公章, keyword: a, offset_mm: [1]}", r"rules\[0\]\.offset_mm"),
        ("{seal: 公章, keyword: a, offset_mm: [1, .nan]}", r"rules\[0\]\.offset_mm\[1\]"),
        ("{seal: 公章, keyword: '/(/'}", r"rules\[0\]\.keyword\[0\]: /\(/ is no regular expression"),
        ("{seal: 公章, keyword: []}", r"rules\[0\]\.keyword"),
        ("{seal: 公章, keyword: 5}", r"rules\[0\]\.keyword"),
        ("{seal: 公章, pages: some, x_mm: 1, y_mm: 1}", r'rules\[0\]\.pages: "some" selects no pages'),
        ("{seal: 公章, keyword: a, pages: 9-3}", r'rules\[0\]\.pages: "9-3" runs backwards; write 3-9'),
        ("{seal: 公章, keyword: a, pages: -1--3}", r'"-1--3" runs backwards; write -3--1'),
        ("{seal: 公章, pages: all, x_mm: '1', y_mm: 1}", r"rules\[0\]\.x_mm"),
        ("{seal: 公章, pages: all, x_mm: true, y_mm: 1}", r"rules\[0\]\.x_mm"),
        ("{seal: 公章, paging: middle}", r"rules\[0\]\.paging"),
        ("{seal: 公章, paging: right, position: 2}", r"rules\[0\]\.position"),
        ("{seal: '', paging: right}", r"rules\[0\]\.seal"),
        ("just text", r"rules\[0\]"),
        ("{seal: a, seals: [b], keyword: a}", r"rules\[0\]\.seals: give either seal or seals"),
        ("{seals: [], keyword: a}", r"rules\[0\]\.seals: at least 1 of them must be there"),
        ("{seals: [a], paging: right}", r"rules\[0\]\.seals: this key is unknown"),
        ("{paging: right}", r"rules\[0\]\.seal: this key is missing"),
        ("{seal: a, keyword: a, field: b}", r"rules\[0\]\.field: this key is unknown"),
        ("{seal: a, field: []}", r"rules\[0\]\.field"),
        ("{seal: a, paging: left, jitter: {angle_deg: 3}}", r"rules\[0\]\.jitter: this key is unknown"),
        ("{seal: a, field: b, jitter: {angle_deg: -3}}", r"rules\[0\]\.jitter\.angle_deg"),
        ("{seal: a, field: b, jitter: {place_mm: 11}}", r"rules\[0\]\.jitter\.place_mm"),
        ("{seals: [a], keyword: a, gap_mm: -1}", r"rules\[0\]\.gap_mm"),
        ("{seal: a, keyword: a, per: book}", r"rules\[0\]\.per: .*'file'"),
        ("{seal: a, keyword: a, part: x}", r"rules\[0\]\.part: there is no part x in parts; .*none"),
        ("{seal: a, keyword: a, part: x, files: y}", r"rules\[0\]\.part: give either files or part"),
        ("{seal: a, pages: all, x_mm: -1, y_mm: 1}", r"rules\[0\]\.x_mm: a distance from a corner"),
        ("{seal: a, pages: all, skip_first: -1, x_mm: 1, y_mm: 1}", r"rules\[0\]\.skip_first"),
        ("{seal: a, paging: right, text: {a: b}}", r"rules\[0\]\.text: a paging seal .* takes no text"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(rule: str, says: str) -> None:
    with pytest.raises(PlanRefused, match=says) as caught:
        parse_plan(f"version: 1\nrules:\n  - {rule}\n".encode())
    assert "rules[0]" in caught.value.zh
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "plan: it is empty"),
        ("- 1", "plan: it is empty, or no keys"),
        ("version: 2\nrules: [{seal: a, paging: left}]", "version"),
        ("version: 1\nrules: []", "rules"),
        (
            "version: 1\nparts: [{name: a, files: x}, {name: a, files: y}]\nrules: [{seal: a, paging: left}]",
            "parts: two parts have the same name",
        ),
        (
            "version: 1\nparts: [{name: a, files: x, 暗标: true}]\nrules: [{seal: a, paging: left, part: a}]",
            r"rules\[0\]\.part: part a is anonymous and takes no seal",
        ),
        ('{"version": 1, "version": 1}', "the key version stands twice"),
        ('{"version": NaN}', "NaN is no number of JSON"),
        ('{"version": 1, "rules": [', "no valid YAML in line 1"),
        ('{"version": 1' + "0" * 5000 + "}", "no valid YAML"),
        ('{"a":' * 5000, "nested too deeply|no valid YAML"),
        ("version: 1\nrulez: []\nrules: [{seal: a, paging: left}]", "rulez: this key is unknown"),
        ("version: 1\nversion: 1", "no valid YAML in line 2: the key version stands twice"),
        ("a: &x [1]\nb: *x", "aliases are not allowed"),
        ("a: [1", "no valid YAML in line"),
        ("!!python/object/apply:os.system [ls]", "no valid YAML"),
        ("[" * 5000, "nested too deeply|no valid YAML"),
        ("a: 2024-99-99", "no valid YAML"),
        ("x" * (MAX_PLAN_BYTES + 1), "larger than"),
    ],
)
def test_what_is_no_plan_is_refused(text: str, says: str) -> None:
    with pytest.raises(PlanRefused, match=says) as caught:
        parse_plan(text.encode())
    assert caught.value.zh


@pytest.mark.parametrize(
    ("rule", "zh"),
    [
        (
            "seal: 甲, keyword: 乙, offest_mm: [1, 2]",
            "第 3 行 rules[0].offest_mm：未知的键，是否应为 offset_mm？",
        ),
        (
            "seal: 甲, keyword: 乙, paging: right",
            "rules[0].paging：此键不能用在这种规则里，只用于写 paging 的规则",
        ),
        ("seal: 甲, pages: first, x_mm: 40mm, y_mm: 2", "rules[0].x_mm：“40mm”不行，须为数字，不带单位"),
        (
            "seal: 甲, keyword: 乙, occurrence: 0",
            "rules[0].occurrence：“0”不行，允许：all、first、last；或不能小于 1",
        ),
        ("seal: 甲, pages: al, x_mm: 1, y_mm: 2", "rules[0].pages：“al”不是页码范围"),
        ("seal: [甲, 乙], keyword: 丙", "rules[0].seal：几枚印章连盖请写 seals"),
        ("seal: 甲, keyword: 乙, simplified: 是", "rules[0].simplified：“是”不行，请写 true 或 false"),
        ("seal: 甲, keyword: 乙, part: 丁", "第 3 行 rules[0].part：parts 中没有名为“丁”的部分"),
    ],
)
def test_a_slip_is_told_in_chinese_with_its_line_and_alone(rule: str, zh: str) -> None:
    with pytest.raises(PlanRefused) as caught:
        parse_plan(f"version: 1\nrules:\n  - {{{rule}}}\n".encode())
    assert zh in caught.value.zh
    assert "另有" not in caught.value.zh, "an item that is wrong is not also a list that is too short"


@pytest.mark.parametrize(
    ("rule", "zh"),
    [
        ("- seal: 甲\n\tkeyword: 乙", "制表符"),
        ("- seal: 甲\n  keyword：乙\n", "半角冒号"),
        ("- seal: 甲\n  keyword: '乙\n", "引号没有配对"),
        ("- seal: 甲\n   keyword: 乙\n", "冒号的位置不对"),
        ("- {seal: 甲, keyword: [乙}", "括号没有配对"),
    ],
)
def test_what_yaml_cannot_read_is_told_in_chinese(rule: str, zh: str) -> None:
    with pytest.raises(PlanRefused, match="no valid YAML in line") as caught:
        parse_plan(f"version: 1\nrules:\n{rule}".encode())
    assert zh in caught.value.zh


def test_a_line_is_not_named_of_a_plan_in_json() -> None:
    with pytest.raises(PlanRefused) as caught:
        parse_plan(b'{"version": 1, "rules": [{"seal": "a", "keyword": "b", "per": "c"}]}')
    assert caught.value.zh.startswith("用印方案 rules[0].per：")


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(PlanRefused, match="not UTF-8"):
        parse_plan("version: 1 # 公章".encode("gbk"))


def test_a_byte_order_mark_does_not_matter() -> None:
    assert parse_plan(b"\xef\xbb\xbfversion: 1\nrules: [{seal: a, paging: left}]").version == 1


def test_a_plan_in_json_is_the_plan_in_yaml() -> None:
    text = (
        '{\n\t"version": 1, "parts": [{"name": "技术标", "files": ["技术/*"], "暗标": true}],\n'
        '\t"rules": [{"seals": ["公章", "法人章"], "keyword": "\\u76d6\\u7ae0", "per": "page"}]\n}'
    )
    rules = parse_plan(text.encode())
    assert rules == parse_plan(
        "version: 1\nparts: [{name: 技术标, files: 技术/*, anonymous: true}]\n"
        "rules: [{seals: [公章, 法人章], keyword: 盖章, per: page}]".encode()
    )
    assert rules.seals == ("公章", "法人章")
    assert rules.parts[0].anonymous
    assert parse_plan(b"{version: 1, rules: [{seal: a, paging: left}]}").seals == ("a",)


_WORDS = (
    "version parts rules seal seals files part pages text keyword field paging offset_mm x_mm y_mm",
    "暗标",
)
_KEYS = st.sampled_from([*_WORDS[0].split(), _WORDS[1], "from", "jitter", "angle_deg", "names", "new\nline"])
_LEAVES = st.sampled_from([None, True, 0, -1, 1.5, float("nan"), "all", "公章", "/a/", "*", "", "a\nb"])
_DATA = _LEAVES | st.lists(_LEAVES, max_size=3) | st.dictionaries(_KEYS, _LEAVES, max_size=4)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(_KEYS, _DATA, max_size=5), max_size=2), st.dictionaries(_KEYS, _DATA))
def test_what_is_no_plan_is_refused_in_one_line(rules: object, more: dict[str, object]) -> None:
    data = {**more, "rules": rules, "version": 2}
    for text in (json.dumps(data), yaml.safe_dump(data, allow_unicode=True)):
        with pytest.raises(PlanRefused) as caught:
            parse_plan(text.encode())
        assert len(str(caught.value).splitlines()) == 1
        assert caught.value.zh


def test_a_message_does_not_repeat_a_key_of_any_length() -> None:
    with pytest.raises(PlanRefused) as caught:
        parse_plan(f"version: 1\n{'k' * 1000}: 1\nrules: [{{seal: a, paging: left}}]".encode())
    assert len(str(caught.value)) < 200
