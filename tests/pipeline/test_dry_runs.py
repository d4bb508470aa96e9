"""A dry run: every mark in a list, in a table Excel opens, in pictures; refused where signing would be."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline import thumbnails
from pipeline.cli.main import run as run_command
from pipeline.documents_json import dry_run_json
from pipeline.dry_runs import COLUMNS, dry_run_csv, safe_cell
from pipeline.errors import UsageRefused
from pipeline.thumbnails import ThumbnailWish
from pipeline.wiring import App
from stages.errors import PlacementRefused, PlanRefused
from tests.pipeline.conftest import write_pdf

TWO_RULES = """
version: 1
unmarked_files: allow
rules:
  - {seal: 公章, pages: last, x_mm: 100, y_mm: 100, files: "a.pdf"}
  - {seal: 公章, paging: right, files: "a.pdf"}
"""


def test_marks_are_listed_with_their_rule_and_summed_up(app: App, package: Path) -> None:
    document = dry_run_json(app.bids.dry_run(package, TWO_RULES.encode(), actor=app.actor))
    assert [(mark["page"], mark["kind"], mark["rule"]) for mark in document["marks"]] == [
        (2, "position", 0),
        (1, "paging", 1),
        (2, "paging", 1),
    ]
    assert document["marks"][0]["x_mm"] == pytest.approx(79)
    summary = document["summary"]
    assert summary["marks"] == 3
    assert summary["seals"] == [{"seal": "公章", "marks": 3}]
    assert summary["files_without_marks"] == ["b.pdf"]
    assert [(file["marked_pages"], file["marks"], file["refused"]) for file in summary["files"]] == [
        (2, 3, False),
        (0, 0, False),
    ]


def test_the_table_opens_in_excel_and_holds_no_formula(app: App, tmp_path: Path) -> None:
    write_pdf(tmp_path / "p" / "=HYPERLINK(1).pdf")
    write_pdf(tmp_path / "p" / "b,“引号”.pdf")
    plan = TWO_RULES.replace("a.pdf", "=*")
    data = dry_run_csv(app.bids.dry_run(tmp_path / "p", plan.encode(), actor=app.actor))
    assert data.startswith(b"\xef\xbb\xbffile,part,page,seal")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [row["file"] for row in rows] == ["'=HYPERLINK(1).pdf"] * 3 + ["b,“引号”.pdf"]
    assert rows[0]["x_mm"] == "79.0"
    assert rows[1]["strip"] == "right 0.0000–0.5000"
    assert rows[3]["warnings"] == "没有盖章 / no mark"


@given(st.text(max_size=20))
def test_no_cell_begins_as_a_formula(text: str) -> None:
    cell = safe_cell(text)
    assert isinstance(cell, str)
    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell.removeprefix("'").endswith(text.removeprefix("'"))


def test_a_number_in_the_table_stays_a_number() -> None:
    assert safe_cell(-3.5) == -3.5


@pytest.mark.parametrize("text", [" =1+1", "＝1+1", "＋86", "－cmd", "＠x"])
def test_a_cell_that_a_spreadsheet_may_take_for_a_formula_is_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"  # full width: spreadsheets in Chinese read it alike


def test_pictures_show_the_marked_pages_as_they_will_be(app: App, package: Path, tmp_path: Path) -> None:
    wish = ThumbnailWish(tmp_path / "pictures", side_px=200)
    run = app.bids.dry_run(package, TWO_RULES.encode(), actor=app.actor, thumbnails=wish)
    assert run.thumbnails is not None
    assert [(page.file, page.page_number) for page in run.thumbnails.pages] == [("a.pdf", 1), ("a.pdf", 2)]
    second = run.thumbnails.pages[1].image
    assert second is not None
    pixels = np.asarray(Image.open(second).convert("RGB")).astype(int)
    red = (pixels[..., 0] > 150) & (pixels[..., 1] < 130)
    # the ring's left edge, at 79 mm of 297 mm in 200 pixels, half way up at 100 mm
    assert red[int(100 / 297 * 200), int(79.6 / 297 * 200)]
    sheet = run.thumbnails.index.read_text("utf-8")
    assert '<img src="001/page-0002.png"' in sheet
    assert "http" not in sheet
    assert not any(path.exists() for path in run.stamped.values())  # gone with the package


def test_every_page_is_drawn_where_that_is_wished(
    app: App, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = ThumbnailWish(tmp_path / "pictures", all_pages=True, side_px=100)
    monkeypatch.setattr(thumbnails, "MAX_THUMBNAILS", 3)
    plan = TWO_RULES.replace("a.pdf", "b.pdf")
    run = app.bids.dry_run(package, plan.encode(), actor=app.actor, thumbnails=wish)
    assert run.thumbnails is not None
    assert [(page.file, page.seals) for page in run.thumbnails.pages] == [
        ("a.pdf", ()),
        ("a.pdf", ()),
        ("b.pdf", ("公章",)),
    ]
    assert run.thumbnails.left_out == 1
    assert "另有 1 页未画" in run.thumbnails.index.read_text("utf-8")


def test_names_on_the_contact_sheet_are_only_text(app: App, tmp_path: Path) -> None:
    write_pdf(tmp_path / "p" / "<img src=x onerror=alert(1)>.pdf")
    wish = ThumbnailWish(tmp_path / "pictures", side_px=60)
    plan = TWO_RULES.replace("a.pdf", "*")
    run = app.bids.dry_run(tmp_path / "p", plan.encode(), actor=app.actor, thumbnails=wish)
    assert run.thumbnails is not None
    assert "<img src=x" not in run.thumbnails.index.read_text("utf-8")


def test_pictures_go_into_a_folder(app: App, package: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    wish = ThumbnailWish(tmp_path / "file")
    with pytest.raises(UsageRefused):
        app.bids.dry_run(package, TWO_RULES.encode(), actor=app.actor, thumbnails=wish)


def test_what_stamping_would_refuse_the_dry_run_refuses(app: App, tmp_path: Path) -> None:
    with pikepdf.open(write_pdf(tmp_path / "once.pdf", pages=1)) as pdf:
        pdf.Root.Pages.Kids.append(pdf.pages[0].obj)  # one page object, shown twice
        pdf.Root.Pages.Count = 2
        pdf.save(tmp_path / "a.pdf")
    run = app.bids.dry_run(tmp_path / "a.pdf", TWO_RULES.encode(), actor=app.actor)
    assert isinstance(run.files[0].error, PlacementRefused)
    assert run.stamped == {}
    assert dry_run_json(run)["errors"][0]["error"]["name"] == "PLACEMENT_REFUSED"
    assert "a.pdf" in dry_run_csv(run).decode()
    assert replace(run, files=()).mark_count == 0


def test_a_marked_page_whose_content_is_damaged_is_warned_of(app: App, tmp_path: Path) -> None:
    """Readers stop in the damage, and may show no seal: whoever signs must have looked."""
    with pikepdf.open(write_pdf(tmp_path / "whole.pdf", pages=3)) as pdf:
        for index in (0, 2):
            broken = pdf.make_stream(b"")
            broken.write(b"no deflate at all", filter=pikepdf.Name.FlateDecode)
            pdf.pages[index].obj.Contents = broken
        pdf.save(tmp_path / "a.pdf")
    plan = TWO_RULES.replace("paging: right", "pages: 2-3, x_mm: 50, y_mm: 50")
    (file,) = app.bids.dry_run(tmp_path / "a.pdf", plan.encode(), actor=app.actor).files
    assert file.planned is not None
    (warning,) = file.planned.warnings
    assert "第 3 页：页面内容已损坏" in warning
    assert "page 3: the content is damaged" in warning


def test_parts_are_named_and_a_blind_one_needs_no_mark(app: App, package: Path, tmp_path: Path) -> None:
    parts = "parts:\n  - {name: 商务, files: a.pdf}\n  - {name: 技术, files: b.pdf, 暗标: true}\nrules:"
    wish = ThumbnailWish(tmp_path / "pictures", all_pages=True, side_px=60)
    plan = TWO_RULES.replace("rules:", parts)
    run = app.bids.dry_run(package, plan.encode(), actor=app.actor, thumbnails=wish)
    document = dry_run_json(run)
    assert {mark["part"] for mark in document["marks"]} == {"商务"}
    assert [(file["part"], file["anonymous"]) for file in document["summary"]["files"]] == [
        ("商务", False),
        ("技术", True),
    ]
    assert document["summary"]["files_without_marks"] == []
    assert run.thumbnails is not None
    assert len(run.thumbnails.pages) == 4


def test_a_file_of_two_parts_is_refused(app: App, package: Path) -> None:
    parts = "parts:\n  - {name: 商务, files: '*'}\n  - {name: 技术, files: b.pdf}\nrules:"
    with pytest.raises(PlanRefused, match="belongs to two parts"):
        app.bids.dry_run(package, TWO_RULES.replace("rules:", parts).encode(), actor=app.actor)


def test_the_command_writes_list_table_and_pictures(
    app: App, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app.plans.save("常用", TWO_RULES.encode(), actor=app.actor)
    out = tmp_path / "out"
    words = ["--home", str(app.settings.home), "bid", "plan", str(package), "--plan", "常用"]
    more = ["--csv", str(out / "marks.csv"), "--thumbnails", str(out / "pages"), "--thumbnail-px", "100"]
    assert run_command([*words, *more, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert Path(document["thumbnails"]["pages"][0]["image"]).is_file()
    assert (out / "marks.csv").read_bytes().count(b"\r\n") == 5
    assert run_command(words) == 0
    shown = capsys.readouterr()
    assert "各印章" in shown.out
    assert "files without marks: b.pdf" in shown.err
    assert run_command([*words, "--thumbnails", str(package / "inside")]) == 2
