"""`bid check`: every file of a package told, by part, with what could be done where it cannot be signed."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pikepdf
import pymupdf
import pytest

from pipeline.cli.main import run
from pipeline.preflight import COLUMNS
from pipeline.wiring import App
from stages.errors import InputRefused, PlanRefused
from tests.pipeline.conftest import write_pdf

PARTS = """
version: 1
parts:
  - {name: 技术标, files: "blind*", 暗标: true, names: [某某公司]}
  - {name: 商务标, files: "open*"}
rules:
  - {seal: 公章, pages: first, x_mm: 30, y_mm: 30}
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    for name in ("blind.pdf", "open.pdf", "other.pdf"):
        write_pdf(folder / name)
    with pikepdf.open(folder / "blind.pdf", allow_overwriting_input=True) as pdf:
        pdf.docinfo["/Author"] = "某某公司 投标部"
        pdf.save()
    return folder


def checked(
    app: App, package: Path, capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run(["bid", "check", str(package), *options, "--home", str(app.settings.home), "--json"])
    return code, {file["file"]: file for file in json.loads(capsys.readouterr().out)["files"]}


def codes(file: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in file["findings"]}


def test_files_are_told_by_part_and_names_in_a_blind_one_are_errors(
    app: App, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plan.yaml").write_text(PARTS, "utf-8")
    code, files = checked(app, package, capsys, "--plan", str(tmp_path / "plan.yaml"))
    assert code == 0
    assert [(file["part"], file["anonymous"]) for file in files.values()] == [
        ("技术标", True),
        ("商务标", False),
        (None, False),
    ]
    assert {"anonymous-part", "anonymous-name"} <= codes(files["blind.pdf"])
    assert files["blind.pdf"]["worst"] == "error"
    assert "anonymous-part" not in codes(files["open.pdf"])
    assert files["open.pdf"]["paper"].startswith("A4 ×")


def test_names_in_the_text_of_a_blind_file_are_told_by_page_owners_of_seals_too(
    app: App, package: Path
) -> None:
    write_pdf(package / "blind.pdf", "由某某公司和示例公司编制")
    with pymupdf.open() as document:
        document.new_page()
        document.save(package / "blind-empty.pdf")
    files = app.bids.check(package, actor=app.actor, plan=PARTS.encode())
    (named,) = [one for file in files for one in file.findings if one.code == "anonymous-name"]
    assert "示例公司 in text on page 1; 某某公司 in text on page 1" in named.message
    assert "第 2 页正文：某某公司" in named.message_zh
    (unread,) = [one for one in files[0].findings if one.code == "anonymous-unread"]
    assert "on pages 1," in unread.message


def test_a_blind_file_that_cannot_be_searched_is_not_called_clean(
    app: App, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.pdf.object_traces.MAX_OBJECTS", 1)
    blind, *_ = app.bids.check(package, actor=app.actor, plan=PARTS.encode())
    assert isinstance(blind.looked.error, InputRefused)
    assert "blind.pdf: more than 1 objects" in str(blind.looked.error)


def test_a_file_in_two_parts_is_refused(app: App, package: Path) -> None:
    plan = PARTS.replace('"open*"', '"*"').encode()
    with pytest.raises(PlanRefused, match="belongs to two parts"):
        app.bids.check(package, actor=app.actor, plan=plan)


def test_whether_a_damaged_or_locked_file_can_be_mended_is_said(
    app: App, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = (package / "open.pdf").read_bytes()
    (package / "cut.pdf").write_bytes(sound[: sound.rindex(b"startxref")])
    (package / "hopeless.pdf").write_bytes(b"%PDF-1.7\n" + b"x" * 2000)
    with pikepdf.open(package / "open.pdf") as pdf:
        pdf.save(package / "locked.pdf", encryption=pikepdf.Encryption(owner="x", user=""))
    code, files = checked(app, package, capsys)
    assert code == 100
    said = {name: files[name]["findings"][-1] for name in ("cut.pdf", "hopeless.pdf", "locked.pdf")}
    assert {name: finding["code"] for name, finding in said.items()} == {
        "cut.pdf": "mendable",
        "hopeless.pdf": "not-mendable",
        "locked.pdf": "mendable",
    }
    assert "--repair" in said["cut.pdf"]["message"]
    assert "--decrypt" in said["locked.pdf"]["message"]
    assert all(files[name]["error"]["name"] == "INPUT_REFUSED" for name in said)
    assert sorted(path.name for path in package.iterdir()) == sorted(files)


def test_people_and_excel_read_the_same(
    app: App, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "found.csv"
    (package / "empty.pdf").write_bytes(b"")
    assert run(["bid", "check", str(package), "--csv", str(out), "--home", str(app.settings.home)]) == 100
    shown = capsys.readouterr().out
    for word in ("blind.pdf", "A4 ×", "需核对", "不能签章", "某某公司 投标部"):
        assert word in shown
    rows = list(csv.DictReader(io.StringIO(out.read_bytes().decode("utf-8-sig"), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert {row["file"] for row in rows} == {path.name for path in package.iterdir()}
    assert next(row["severity"] for row in rows if row["file"] == "empty.pdf") == "error"
