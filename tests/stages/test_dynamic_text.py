"""Texts set when stamping may say the day and the page; neither is read off a clock here."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.documents import SealFace, TextSlot
from stages.dynamic_text import check_dynamic, dated, filled, needs_today
from stages.errors import PlanRefused
from stages.inspect import inspect
from stages.plan import plan
from stages.plan_rules import parse_plan
from tests.simulators import pdfs
from tests.simulators.pdfs import PageKind, source_file
from tests.stages.plans import planned

DAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("day", "text", "says"),
    [
        (DAY, "{today}", "2026年3月1日"),
        (DAY, "{today:%Y-%m-%d}", "2026-03-01"),
        (DAY, "{today:%y/%-m/%-d 100%%}", "26/3/1 100%"),
        (DAY, "{today:中文}", "二〇二六年三月一日"),
        (date(2026, 11, 21), "{today:中文}", "二〇二六年十一月二十一日"),
        (date(2030, 10, 10), "{today:中文}", "二〇三〇年十月十日"),
        (date(2005, 12, 30), "{today:中文}", "二〇〇五年十二月三十日"),
        (DAY, "第 {page} 页 共 {pages} 页", "第 3 页 共 8 页"),
        (DAY, "{{{page}}}", "{3}"),
        (DAY, "2026年3月1日", "2026年3月1日"),
    ],
)
def test_placeholders_are_filled(day: date, text: str, says: str) -> None:
    assert check_dynamic(text) == text
    assert filled(text, page_number=3, page_count=8, today=day) == says
    assert filled(dated(text, day), page_number=3, page_count=8) == says
    assert needs_today(text) == ("today" in text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{now}", "{now} is no placeholder"),
        ("{page:3}", "{page:3} is no placeholder"),
        ("{", "{ is no placeholder"),
        ("a}", "} is no placeholder"),
        ("{today:%H}", "%H is no date format"),
        ("{today:%}", "% is no date format"),
        ("{today:" + "%Y" * 30 + "}", "is no date format"),
    ],
)
def test_what_is_no_placeholder_is_refused_where_it_stands(text: str, says: str) -> None:
    with pytest.raises(PlanRefused, match=says) as caught:
        check_dynamic(text)
    assert "可写" in caught.value.zh
    with pytest.raises(PlanRefused, match=r"rules\[0\]\.text\.日期: "):
        parse_plan(f'version: 1\nrules: [{{seal: a, keyword: b, text: {{日期: "{text}"}}}}]'.encode())


@given(st.dates())
def test_every_day_has_a_chinese_form_of_its_own(day: date) -> None:
    text = filled("{today:中文}", page_number=1, page_count=1, today=day)
    assert set(text) <= set("〇一二三四五六七八九十年月日")
    assert text.endswith("日")


@pytest.fixture
def dated_faces(faces: dict[str, SealFace]) -> dict[str, SealFace]:
    slots = (TextSlot("日期", 26, 34, 18, 3, 12), TextSlot("页", 26, 40, 18, 3, 12))
    return {**faces, "公章": replace(faces["公章"], slots=slots)}


RULE = (
    '{seals: [公章, 法人章], pages: all, x_mm: 90, y_mm: 90, text: {日期: "{today}", 页: "{page}/{pages}"}}'
)


def test_every_page_says_its_number_and_each_seal_takes_its_own_texts(
    tmp_path: Path, dated_faces: dict[str, SealFace]
) -> None:
    source = source_file(pdfs.build(tmp_path / "a.pdf", [PageKind()] * 2))
    rules = parse_plan(f"version: 1\nrules: [{RULE}]".encode())
    assert rules.says_today
    marks = plan(source, inspect(source), rules.dated(DAY), dated_faces).marks
    assert [dict(mark.text) for mark in marks] == [
        {"日期": "2026年3月1日", "页": "1/2"},
        {},
        {"日期": "2026年3月1日", "页": "2/2"},
        {},
    ]


def test_a_day_that_nobody_fixed_is_refused(tmp_path: Path, dated_faces: dict[str, SealFace]) -> None:
    with pytest.raises(PlanRefused, match=r"the day for {today} is not known"):
        planned(pdfs.build(tmp_path / "a.pdf", [PageKind()]), dated_faces, RULE)


def test_a_text_that_grows_too_long_with_its_page_is_refused(
    tmp_path: Path, dated_faces: dict[str, SealFace]
) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 10)
    rule = '{seal: 公章, pages: all, x_mm: 90, y_mm: 90, text: {日期: "1", 页: "0000000000{page}/"}}'
    with pytest.raises(PlanRefused, match=r"rules\[0\]\.text: seal 公章: the text for 页 has 13 characters"):
        planned(path, dated_faces, rule)
