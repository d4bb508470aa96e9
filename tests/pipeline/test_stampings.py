"""Marks without a signature: drawn, recorded, said to be unsigned, and taken back to the byte."""

import json
from pathlib import Path

import pikepdf
import pytest

from pipeline.cli.main import run
from pipeline.errors import Forbidden, UsageRefused
from pipeline.permissions import Actor, Role
from pipeline.wiring import App
from stages.errors import InputRefused, PlacementRefused, SigningRefused
from tests.pipeline.conftest import run_all, submit


def test_files_are_stamped_without_a_key_and_the_log_says_unsigned(
    app: App, package: Path, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.keyring, "signer", lambda uri: pytest.fail("a key was touched"))
    results = app.stampings.stamp(package, plan, tmp_path / "out", actor=app.actor)
    assert [(one.file, one.marks, one.error) for one in results] == [("a.pdf", 1, None), ("b.pdf", 1, None)]
    for one in results:
        assert one.output is not None
        assert one.output.read_bytes().startswith((package / one.file).read_bytes())
        with pikepdf.open(one.output) as pdf:
            assert "/AcroForm" not in pdf.Root
    events = [event for event in app.records.events() if event.act == "stamped_unsigned"]
    assert [json.loads(event.detail)["signed"] for event in events] == [False, False]
    assert not app.records.packages()


def test_marks_are_taken_back_by_the_record(app: App, package: Path, plan: Path, tmp_path: Path) -> None:
    stamped = app.stampings.stamp(package, plan, tmp_path / "out", actor=app.actor)[0].output
    assert stamped is not None
    moved = stamped.rename(tmp_path / "改名.pdf")
    taken = app.stampings.unstamp(moved, tmp_path / "new" / "a.pdf", actor=app.actor)
    assert taken.path.read_bytes() == (package / "a.pdf").read_bytes()
    (event,) = (event for event in app.records.events() if event.act == "unstamped")
    assert json.loads(event.detail)["recorded"] is True
    again = app.stampings.unstamp(moved, taken.path, actor=app.actor)  # what was there is replaced
    assert again.path.read_bytes() == (package / "a.pdf").read_bytes()


def test_stamping_the_same_again_is_recorded_once_and_logged_twice(
    app: App, package: Path, plan: Path, tmp_path: Path
) -> None:
    first = app.stampings.stamp(package, plan, tmp_path / "1", actor=app.actor)
    second = app.stampings.stamp(package, plan, tmp_path / "2", actor=app.actor)
    assert [one.sha256 for one in first] == [one.sha256 for one in second]
    assert sum(event.act == "stamped_unsigned" for event in app.records.events()) == 4
    app.records.verify_events()


def test_a_part_of_a_blind_bid_comes_out_unmarked(
    app: App, package: Path, plan: Path, tmp_path: Path
) -> None:
    text = plan.read_text(encoding="utf-8")
    plan.write_text(text + "parts:\n  - {name: 技术暗标, files: b.pdf, 暗标: true}\n", encoding="utf-8")
    _, blind = app.stampings.stamp(package, plan, tmp_path / "out", actor=app.actor)
    assert (blind.marks, blind.error) == (0, None)
    assert blind.output is not None
    assert blind.output.read_bytes() == (package / "b.pdf").read_bytes()


def test_a_signed_file_is_neither_stamped_nor_unstamped(
    app: App, package: Path, plan: Path, tmp_path: Path
) -> None:
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    signed = app.bids.results(package_id, tmp_path / "signed", actor=app.actor)[0].output
    assert signed is not None
    (result,) = app.stampings.stamp(signed, plan, tmp_path / "out", actor=app.actor)
    assert isinstance(result.error, PlacementRefused)
    assert result.output is None
    with pytest.raises(PlacementRefused, match="void the document"):
        app.stampings.unstamp(signed, tmp_path / "back.pdf", actor=app.actor)


def test_a_seal_that_is_not_in_force_is_not_drawn(
    app: App, package: Path, plan: Path, tmp_path: Path
) -> None:
    seal = app.records.seal("公章")
    app.stampings._clock = lambda: seal.valid_until_at.replace(year=seal.valid_until_at.year + 1)
    with pytest.raises(SigningRefused, match="renew it"):
        app.stampings.stamp(package, plan, tmp_path / "out", actor=app.actor)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("role", [Role.ARCHIVIST, Role.SEAL_OPERATOR])
def test_only_a_signer_stamps_or_takes_back(app: App, role: Role, tmp_path: Path) -> None:
    somebody = Actor("li", frozenset({role}))
    with pytest.raises(Forbidden):
        app.stampings.stamp(tmp_path, tmp_path, tmp_path, actor=somebody)
    with pytest.raises(Forbidden):
        app.stampings.unstamp(tmp_path, tmp_path, actor=somebody)


def test_places_that_make_no_sense_are_refused(app: App, package: Path, plan: Path, tmp_path: Path) -> None:
    stamped = app.stampings.stamp(package, plan, tmp_path / "out", actor=app.actor)[0].output
    assert stamped is not None
    with pytest.raises(InputRefused, match="no such file"):
        app.stampings.unstamp(tmp_path / "nothing.pdf", tmp_path / "x.pdf", actor=app.actor)
    with pytest.raises(UsageRefused, match="is a folder"):
        app.stampings.unstamp(stamped, tmp_path, actor=app.actor)
    with pytest.raises(InputRefused, match="another path"):
        app.stampings.unstamp(stamped, stamped, actor=app.actor)


def test_the_command_line_stamps_and_takes_back(
    app: App, package: Path, plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = ["--home", str(app.settings.home)]
    out = tmp_path / "out"
    assert run(["bid", "stamp", str(package), "--plan", str(plan), "--out", str(out), *home]) == 0
    shown = capsys.readouterr()
    assert "未签名" in shown.out
    assert "没有电子签名效力" in shown.err
    back = tmp_path / "back.pdf"
    assert run(["bid", "unstamp", str(out / "a.pdf"), "--out", str(back), *home, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["size_bytes"] == (package / "a.pdf").stat().st_size
    assert back.read_bytes() == (package / "a.pdf").read_bytes()
    (package / "c.pdf").write_bytes(b"no pdf")
    again = tmp_path / "again"
    command = ["bid", "stamp", str(package), "--plan", str(plan), "--out", str(again), *home, "--json"]
    assert run(command) == 100
    said = json.loads(capsys.readouterr().out)
    assert said["signed"] is False
    assert [one["error"] and one["error"]["name"] for one in said["files"]] == [None, None, "INPUT_REFUSED"]
    sound = (package / "b.pdf").read_bytes()
    (package / "c.pdf").write_bytes(sound[: sound.rindex(b"startxref")])
    assert run([*command[:-4], str(tmp_path / "mended"), *home, "--repair"]) == 0
    with pikepdf.open(tmp_path / "mended" / "c.pdf") as pdf:
        assert len(pdf.pages) == 2
