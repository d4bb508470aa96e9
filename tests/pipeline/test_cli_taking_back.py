"""`bid withdraw`, `archive void` and `archive show` on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.main import run
from pipeline.wiring import App
from tests.pipeline.conftest import run_all, submit

WHY = ["--reason", "报价有误"]


def _json(capsys: pytest.CaptureFixture[str], app: App, *arguments: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = run([*arguments, "--home", str(app.settings.home), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_package_is_withdrawn_then_voided_and_shown(
    app: App, package: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package_id = submit(app, package, plan)
    code, said = _json(capsys, app, "bid", "withdraw", package_id, "--file", "a.pdf", *WHY)
    assert (code, said["files"][0]["state"], said["files"][0]["void"]) == (0, "cancelled", None)
    run_all(app, package_id)
    code, said = _json(capsys, app, "archive", "void", "b.pdf", *WHY)
    assert (code, said["void"]["reason"]) == (0, "报价有误")
    code, shown = _json(capsys, app, "archive", "show", "b.pdf")
    assert (code, shown["void"]) == (0, said["void"])
    assert "void" in shown["kept"]
    code, proved = _json(capsys, app, "archive", "verify", "b.pdf")
    assert (code, proved["void"]["indication"]) == (0, "TOTAL-PASSED")
    code, again = _json(capsys, app, "bid", "withdraw", package_id, *WHY)
    assert code == 100
    assert [(one["state"], (one["error"] or {}).get("name")) for one in again["files"]] == [
        ("cancelled", None),
        ("archived", "WRONG_STATE"),
    ]


def test_people_read_that_a_document_is_void(
    app: App, package: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_all(app, submit(app, package, plan))
    home = ["--home", str(app.settings.home)]
    assert run(["archive", "void", "a.pdf", *WHY, *home]) == 0
    for words in (["archive", "show", "a.pdf"], ["archive", "verify", "a.pdf"], ["archive", "find"]):
        capsys.readouterr()
        assert run([*words, *home]) == 0
        assert "作废" in capsys.readouterr().out
    capsys.readouterr()
    assert run(["archive", "show", "b.pdf", *home]) == 0
    assert "作废" not in capsys.readouterr().out


def test_a_reason_is_asked_for(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["archive", "void", "a.pdf", "--home", str(app.settings.home)]) == 2
    assert "--reason" in capsys.readouterr().err
