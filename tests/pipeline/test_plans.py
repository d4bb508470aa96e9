"""Plans kept under names: saved once, used again, changed without changing what was signed."""

import json
from pathlib import Path

import pymupdf
import pytest

from pipeline.cli.main import run
from pipeline.errors import Forbidden
from pipeline.permissions import Actor, Role
from pipeline.plans import builtin_presets, check_preset_name, plan_of_data
from pipeline.wiring import App
from stages.errors import PlanRefused
from stages.pdf.text import search_text
from stages.plan_rules import KeywordRule, parse_plan
from storage import presets as preset_records
from storage.errors import NotFound, RecordRefused
from tests.pipeline.conftest import PLAN

CHANGED = PLAN.replace("x_mm: 100", "x_mm: 80")
DATA = {
    "version": 1,
    "rules": [
        {"seal": "公章", "keyword": ["（盖单位章）", "2026-03-01", "1e3"], "offset_mm": [0.00001, -3]},
        {"seal": "公章", "paging": "right", "every": 20},
    ],
}


def test_a_plan_is_saved_once_and_used_by_its_name(app: App) -> None:
    saved = app.plans.save(" 施工招标 ", PLAN.encode(), actor=app.actor)
    assert (saved.name, saved.version, saved.seals, saved.is_builtin) == ("施工招标", 1, ("公章",), False)
    assert app.plans.given("施工招标", actor=app.actor) == PLAN.encode()
    assert app.plans.save("施工招标", CHANGED.encode(), actor=app.actor).version == 2
    assert app.plans.show("施工招标", actor=app.actor).plan == CHANGED.encode()
    assert app.plans.show("施工招标", actor=app.actor, version=1).plan == PLAN.encode()
    assert app.plans.list(actor=app.actor)[0].name == "施工招标"
    app.plans.remove("施工招标", actor=app.actor)
    with pytest.raises(NotFound, match="no preset '施工招标'"):
        app.plans.given("施工招标", actor=app.actor)
    assert [one.plan_digest is None for one in app.plans.versions("施工招标", actor=app.actor)] == [
        True,
        False,
        False,
    ]


def test_a_plan_saved_under_a_built_in_name_stands_in_its_place(app: App) -> None:
    names = [preset.name for preset in builtin_presets()]
    assert "施工投标文件" in names
    app.plans.save("施工投标文件", PLAN.encode(), actor=app.actor)
    listed = {preset.name: preset for preset in app.plans.list(actor=app.actor)}
    assert sorted(listed) == sorted(names)
    assert not listed["施工投标文件"].is_builtin
    assert app.plans.show("施工投标文件", actor=app.actor, version=0).is_builtin
    app.plans.remove("施工投标文件", actor=app.actor)
    assert app.plans.show("施工投标文件", actor=app.actor).is_builtin


def test_who_does_not_use_seals_changes_no_plan(app: App) -> None:
    operator = Actor("wang", frozenset({Role.SEAL_OPERATOR}))
    with pytest.raises(Forbidden):
        app.plans.save("a", PLAN.encode(), actor=operator)
    with pytest.raises(Forbidden):
        app.plans.remove("施工投标文件", actor=operator)


def test_what_is_no_plan_is_not_kept(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PlanRefused, match="colour"):
        app.plans.save("a", f"{PLAN}colour: red\n".encode(), actor=app.actor)
    with pytest.raises(NotFound):
        app.plans.remove("施工投标文件", actor=app.actor)  # a built-in one was never saved
    monkeypatch.setattr(preset_records, "MAX_PRESETS", 0)
    with pytest.raises(RecordRefused):
        app.plans.save("a", PLAN.encode(), actor=app.actor)


def test_a_preset_that_this_program_cannot_read_is_still_listed(app: App) -> None:
    digest = app.store.put_bytes(b"version: 99\n").digest
    app.records.save_preset("old", digest, actor="li", at=app.bids._clock())
    assert [preset.rule_count for preset in app.plans.list(actor=app.actor) if preset.name == "old"] == [0]


@pytest.mark.parametrize("name", ["", " ", "a/b", "a\\b", "a.yaml", "A.YML", ".hidden", "a\nb"])
def test_a_name_that_could_be_a_path_is_no_preset(name: str) -> None:
    with pytest.raises(PlanRefused, match="names no preset"):
        check_preset_name(name)


def test_a_file_goes_before_a_preset_and_a_missing_one_says_so(app: App, plan: Path) -> None:
    assert app.plans.given(str(plan), actor=app.actor) == plan.read_bytes()
    with pytest.raises(PlanRefused, match=r"gone\.yaml cannot be read"):
        app.plans.given("gone.yaml", actor=app.actor)
    with pytest.raises(NotFound, match="施工投标文件"):
        app.plans.given("没有这个", actor=app.actor)


def test_a_plan_as_data_is_the_plan_as_yaml() -> None:
    rules = parse_plan(plan_of_data(DATA))
    keyword = rules.rules[0]
    assert isinstance(keyword, KeywordRule)
    assert keyword.keyword == ("（盖单位章）", "2026-03-01", "1e3")
    assert keyword.offset_mm == (0.00001, -3)
    shared = ["a"]
    assert parse_plan(
        plan_of_data({"version": 1, "rules": [{"seal": "x", "keyword": shared, "files": shared}]})
    )


@pytest.mark.parametrize(
    "data", [None, [], "text", {"version": 2}, {"version": 1, "rules": [{"a": "\ud800"}]}]
)
def test_data_that_is_no_plan_is_refused(data: object) -> None:
    with pytest.raises(PlanRefused):
        plan_of_data(data)


def test_data_nested_without_end_is_refused() -> None:
    data: object = 1
    for _ in range(5000):
        data = [data]
    with pytest.raises(PlanRefused, match="nested too deeply"):
        plan_of_data({"version": 1, "rules": data})


def test_every_built_in_plan_can_be_read() -> None:
    for preset in builtin_presets():
        assert preset.seals[0] == "公章"
        assert preset.rule_count >= 2, preset.name


FORM_LINES = {
    "投标人：（盖单位章）": True,
    "投 标 人：             （盖单位章）": True,
    "联合体成员名称：（盖单位章）": True,
    "设计人：（盖单位章）": True,
    "投标人(盖单位章)：": True,
    "投标人名称（盖法人公章）：": True,
    "招标人：（盖单位章）": False,
    "发包人：（盖单位章）": False,
    "担保人名称：（盖单位章）": False,
    "法定代表人：（签字或盖章）": False,
}


def test_the_plan_for_works_seals_the_bidder_s_lines_and_no_other(tmp_path: Path) -> None:
    works = next(preset for preset in builtin_presets() if preset.name == "施工投标文件")
    rule = parse_plan(works.plan).rules[0]
    assert isinstance(rule, KeywordRule)
    document = pymupdf.open()
    for line in FORM_LINES:
        document.new_page().insert_text((72, 72), line, fontname="china-s")
    document.save(tmp_path / "form.pdf")
    found = search_text(tmp_path / "form.pdf", rule.keyword, range(len(FORM_LINES)))
    pages = {hit.page_index for hits in found.hits for hit in hits}
    assert [index in pages for index in range(len(FORM_LINES))] == list(FORM_LINES.values())


@pytest.mark.needs_shared
def test_every_line_of_a_model_form_that_is_the_bidder_s_gets_its_seal(shared: Path) -> None:
    works = next(preset for preset in builtin_presets() if preset.name == "施工投标文件")
    rule = parse_plan(works.plan).rules[0]
    assert isinstance(rule, KeywordRule)
    form = shared / "bids" / "bt10_ndrc_std_design.pdf"
    every, others = ["（盖单位章）"], ["/(招标人|发包人|担保人)(名称)?：（盖单位章）/"]
    found = [
        sum(map(len, search_text(form, keys, range(100)).hits)) for keys in (every, others, rule.keyword)
    ]
    assert found == [18, 6, 12]


def test_the_command_line_keeps_shows_and_removes(
    tmp_path: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = ["--home", str(tmp_path / "home")]

    def ask(*words: str) -> dict[str, object]:
        assert run([*home, "plan", *words, "--json"]) == 0
        answer: dict[str, object] = json.loads(capsys.readouterr().out)
        return answer

    assert ask("save", "常用", str(plan))["version"] == 1
    shown = ask("show", "常用", "-o", str(tmp_path / "out.yaml"))
    assert shown["plan"] == plan.read_text("utf-8")
    assert shown["versions"] == [1]
    assert (tmp_path / "out.yaml").read_bytes() == plan.read_bytes()
    assert ask("list")["presets"]
    assert ask("remove", "常用") == {"name": "常用"}
    assert "rules" in ask("schema")["properties"]
    assert parse_plan(str(ask("example")["plan"]).encode())
    assert run([*home, "plan", "show", "常用"]) == 31
    assert run([*home, "plan", "show", "施工投标文件"]) == 0
    assert run([*home, "plan", "list"]) == 0
    assert "施工投标文件" in capsys.readouterr().out
    assert run([*home, "plan", "example"]) == 0
    assert capsys.readouterr().out.startswith("# 施工投标文件")
