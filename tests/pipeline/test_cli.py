"""The edge of the command line: a wrong command is one clear line and code 2, names are shown as they are."""

import json
from pathlib import Path

import pytest

from pipeline.cli.main import run
from pipeline.cli.show import write_table

WRONG = {
    "no such option": ["bid", "check", "x", "--bogus"],
    "no such command": ["bid", "sgin", "x"],
    "missing argument": ["verify"],
    "missing option": ["bid", "sign", "x", "--plan", "y"],
    "value out of range": ["archive", "find", "--limit", "0"],
    "not a number": ["seal", "extract", "x", "-o", "y", "--width-mm", "wide"],
    "not one of the kinds": ["seal", "make", "x", "--name", "n", "--owner", "o", "--kind", "round"],
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_command_is_one_line_and_exit_code_2(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(WRONG[what]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert shown.err.startswith("用法错误 USAGE: ")


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_command_with_json_gives_one_document(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*WRONG[what], "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["code"], error["name"]) == (2, "USAGE")
    assert "\n" not in error["message"]
    assert "sealine --help" in error["message_zh"]
    assert any("一" <= letter <= "鿿" for letter in error["message_zh"])


@pytest.mark.parametrize("arguments", [[], ["bid"], ["archive"]])
def test_a_group_alone_shows_its_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert "Usage:" in shown.out + shown.err
    assert "Traceback" not in shown.err


@pytest.mark.parametrize("json_", [False, True])
def test_ctrl_c_is_exit_code_130(
    json_: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.cli.form.draw_form", interrupted)
    assert run(["form", "draw", "-o", "x.pdf", *(["--json"] if json_ else [])]) == 130
    shown = capsys.readouterr()
    assert len(shown.err.splitlines()) == 1
    assert "已中断" in shown.err
    if json_:
        assert json.loads(shown.out)["error"]["name"] == "INTERRUPTED"


@pytest.mark.parametrize("name", ["[/x].pdf", "[red]文件.pdf", "a\\[b].pdf", ":smile:.pdf"])
def test_a_table_shows_names_as_they_are(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_table(f"包 {name}", ("文件",), [(name,)])
    assert capsys.readouterr().out.count(name) == 2


def test_home_may_stand_before_or_behind_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, behind = tmp_path / "before", tmp_path / "behind"
    assert run(["--home", str(before), "pki", "init", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ca"] == str(before / "pki" / "ca.pem")
    assert run(["--home", str(before), "pki", "init", "--home", str(behind), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ca"] == str(behind / "pki" / "ca.pem")


@pytest.mark.parametrize(
    ("indications", "code"),
    [
        (["TOTAL-PASSED", "TOTAL-PASSED"], 0),
        (["TOTAL-PASSED", "INDETERMINATE"], 21),
        (["INDETERMINATE", "TOTAL-FAILED"], 20),
        (["TOTAL-FAILED", None], 20),
        (["TOTAL-PASSED", None, "INDETERMINATE"], 10),
    ],
)
def test_the_worst_of_several_files_is_the_exit_code(
    indications: list[str | None], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [
        {"file": "a.pdf", "indication": indication, "signatures": [], "causes": []}
        for indication in indications
    ]
    monkeypatch.setattr("pipeline.cli.verify.verify_files", lambda *_: {"files": files})
    assert run(["verify", "a.pdf"]) == code


def test_an_archived_document_s_verdict_is_shown_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cause = {"code": "changed", "message": "it was changed", "message_zh": "内容被改动"}
    signed = {"file": "signed.pdf", "indication": "TOTAL-FAILED", "signatures": [], "causes": [cause]}
    verdict = {
        "id": "42-00000",
        "indication": "TOTAL-FAILED",
        "objects": "passed",
        "evidence": "failed",
        "signatures": signed,
        "stamped_at": "2026-11-21T05:00:00Z",
        "events": 7,
        "void": None,
        "causes": [],
    }
    monkeypatch.setattr("pipeline.archive_service.Archive.verify", lambda *_, **__: verdict)
    assert run(["--home", str(tmp_path / "home"), "archive", "verify", "42-00000"]) == 20
    shown = capsys.readouterr().out
    assert "42-00000：不通过 TOTAL-FAILED" in shown
    assert "证据记录 ✕不通过" in shown
    assert "内容被改动 / it was changed" in shown
    assert "{" not in shown
