"""A file that was no PDF: it is stamped as one, and what came in stays provable to the archive."""

import hashlib
import json
from pathlib import Path

import pytest
from PIL import Image

from pipeline.cli.main import run
from pipeline.documents_json import result_json
from pipeline.preflight import checked_json
from pipeline.wiring import App
from stages.derive import Choices
from stages.documents import HowDerived
from stages.errors import Damaged
from storage.errors import Corrupt
from tests.pipeline.conftest import run_all, write_pdf
from tests.simulators.office_files import docx_bytes

PLAN = """\
version: 1
unmarked_files: allow
rules:
  - {seal: 公章, pages: first, x_mm: 100, y_mm: 100}
  - {seal: 公章, files: 营业执照.png, pages: first, x_mm: 60, y_mm: 60}
"""


@pytest.fixture
def mixed(tmp_path: Path, plan: Path) -> Path:
    """A PDF and a scan; the plan names the scan by the name it came in with."""
    plan.write_text(PLAN, encoding="utf-8")
    folder = tmp_path / "投标文件"
    write_pdf(folder / "a.pdf")
    Image.new("RGB", (1240, 1754), "white").save(folder / "营业执照.png", dpi=(150, 150))
    return folder


def submitted(app: App, package: Path, plan: Path, choices: Choices | None = None) -> str:
    return app.bids.submit(
        package, plan, actor=app.actor, key_uri=app.key_uri, choices=choices or Choices()
    ).id


def test_check_says_what_a_pdf_was_made_of(app: App, mixed: Path) -> None:
    pdf, scan = (checked_json(file) for file in app.bids.check(mixed, actor=app.actor))
    assert (pdf["file"], pdf["derived_from"]) == ("a.pdf", None)
    data = (mixed / "营业执照.png").read_bytes()
    assert (scan["file"], scan["pages"]) == ("营业执照.pdf", 1)
    assert scan["derived_from"]["tool"].startswith("pikepdf ")
    assert {**scan["derived_from"], "tool": ""} == {
        "file": "营业执照.png",
        "size_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "how": "converted",
        "tool": "",
    }
    assert scan["findings"][0]["code"] == "picture-converted"


def test_a_plan_may_call_a_file_by_either_name(app: App, mixed: Path, plan: Path) -> None:
    marks = [
        file.planned.marks for file in app.bids.dry_run(mixed, plan, actor=app.actor).files if file.planned
    ]
    assert [len(of_file) for of_file in marks] == [1, 2]
    plan.write_text(PLAN.replace("营业执照.png", "营业执照.pdf"), encoding="utf-8")
    marks = [
        file.planned.marks for file in app.bids.dry_run(mixed, plan, actor=app.actor).files if file.planned
    ]
    assert [len(of_file) for of_file in marks] == [1, 2]


def test_what_came_in_is_kept_recorded_archived_and_proved(
    app: App, mixed: Path, plan: Path, tmp_path: Path
) -> None:
    data = (mixed / "营业执照.png").read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    package_id = submitted(app, mixed, plan)
    run_all(app, package_id)
    results = {
        result.file: result for result in app.bids.results(package_id, tmp_path / "out", actor=app.actor)
    }
    assert result_json(results["a.pdf"])["derived_from"] is None
    assert result_json(results["营业执照.pdf"])["derived_from"]["sha256"] == digest
    assert results["营业执照.pdf"].output == tmp_path / "out" / "营业执照.pdf"

    (found,) = app.archive.find(sha256=digest, actor=app.actor)
    assert app.archive.find("营业执照.png", actor=app.actor) == [found]
    assert app.archive.show("营业执照.png", actor=app.actor) == found
    assert found["derived_from"]["how"] == HowDerived.CONVERTED
    assert found["kept"][0] == "source"
    paths = app.archive.get(found["id"], tmp_path / "evidence", actor=app.actor)
    assert Path(paths["source"]).name == "营业执照.source.png"
    assert Path(paths["source"]).read_bytes() == data
    manifest = json.loads(Path(paths["manifest"]).read_bytes())
    assert manifest["objects"][0] == {
        "name": "营业执照.png",
        "role": "source",
        "sha256": digest,
        "size_bytes": len(data),
    }
    assert manifest["made_of"]["how"] == "converted"
    assert app.archive.verify(found["id"], actor=app.actor)["indication"] == "TOTAL-PASSED"
    received = next(event for event in app.records.events(found["id"]) if event.act == "received")
    assert json.loads(received.detail)["made_of"]["digest"] == digest
    signed = Path(paths["signed"]).read_bytes()
    assert signed.startswith(Path(paths["original"]).read_bytes())
    assert b"pikepdf" not in signed


def test_an_archive_that_lost_what_came_in_says_so(app: App, mixed: Path, plan: Path) -> None:
    run_all(app, submitted(app, mixed, plan))
    (found,) = app.archive.find("营业执照", actor=app.actor)
    digest = found["derived_from"]["sha256"]
    for path in app.settings.home.rglob(f"*{digest[4:]}*"):
        path.chmod(0o600)
        path.unlink()
    with pytest.raises(Corrupt, match="archived source"):
        app.archive.verify(found["id"], actor=app.actor)


def test_the_same_submission_is_the_same_package_and_is_not_converted_again(
    app: App, mixed: Path, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = submitted(app, mixed, plan)
    monkeypatch.setattr("pipeline.packages.derive", None)
    assert submitted(app, mixed, plan) == first
    monkeypatch.undo()
    assert submitted(app, mixed, plan, Choices(repair=True)) != first


def test_two_files_that_would_get_one_name_are_refused_and_the_others_go_on(app: App, mixed: Path) -> None:
    write_pdf(mixed / "营业执照.pdf")
    errors = {file.looked.source.name: file.looked.error for file in app.bids.check(mixed, actor=app.actor)}
    assert {name: error is None for name, error in errors.items()} == {
        "a.pdf": True,
        "营业执照.pdf": True,
        "营业执照.png": False,
    }
    assert "would become 营业执照.pdf" in str(errors["营业执照.png"])


@pytest.mark.needs_libreoffice
def test_a_word_document_goes_through_the_whole_line(app: App, plan: Path, tmp_path: Path) -> None:
    plan.write_text("version: 1\nrules:\n  - {seal: 公章, keyword: （盖单位章）}\n", encoding="utf-8")
    folder = tmp_path / "投标文件"
    folder.mkdir()
    (folder / "投标函.docx").write_bytes(docx_bytes(font="仿宋_GB2312"))
    (run,) = app.bids.dry_run(folder, plan, actor=app.actor).files
    assert run.planned is not None
    assert "仿宋_GB2312" in run.planned.warnings[0]
    package_id = submitted(app, folder, plan)
    run_all(app, package_id)
    (result,) = app.bids.results(package_id, tmp_path / "out", actor=app.actor)
    assert (result.file, result.signatures, result.error) == ("投标函.pdf", 1, None)


def test_converting_can_be_switched_off(
    mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = ["--home", str(tmp_path / "home")]
    assert run([*home, "bid", "check", str(mixed), "--no-convert", "--json"]) == 100
    files = json.loads(capsys.readouterr().out)["files"]
    assert [file["error"] and file["error"]["name"] for file in files] == [None, "INPUT_REFUSED"]
    assert "switched off" in files[1]["error"]["message"]


def test_a_damaged_pdf_is_repaired_only_when_asked_and_what_came_in_is_kept(
    app: App, plan: Path, tmp_path: Path
) -> None:
    plan.write_text(
        "version: 1\nrules:\n  - {seal: 公章, pages: first, x_mm: 100, y_mm: 100}\n", encoding="utf-8"
    )
    path = write_pdf(tmp_path / "损坏.pdf")
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"startxref")])
    (refused,) = app.bids.dry_run(path, plan, actor=app.actor).files
    assert isinstance(refused.error, Damaged)
    package_id = submitted(app, path, plan, Choices(repair=True))
    run_all(app, package_id)
    (result,) = app.bids.results(package_id, actor=app.actor)
    assert (result.file, result.error) == ("损坏.pdf", None)
    assert result.made_of is not None
    assert (result.made_of.how, result.made_of.name) == ("repaired", "损坏.pdf")
    assert app.store.read(result.made_of.digest) == path.read_bytes()
    assert app.archive.verify(f"{package_id}-00000", actor=app.actor)["indication"] == "TOTAL-PASSED"
