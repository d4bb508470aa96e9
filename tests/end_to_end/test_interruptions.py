"""Pull the plug: the command given again finishes, and signs nothing twice."""

import hashlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from pipeline.tryout.pki import open_pki
from pipeline.tryout.tsa import TsaServer
from storage.records import Records, open_records
from storage.schema import JobState
from tests.end_to_end.conftest import Sealine, command, environment

PLAN = """
version: 1
rules:
  - {seal: 公章, pages: last, x_mm: 100, y_mm: 100}
  - {seal: 公章, paging: right}
"""
COPIES = 12


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN, encoding="utf-8")
    return path


@pytest.fixture
def package(demo: dict[str, Any], tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    first = next(Path(demo["package"]).glob("02*.pdf"))
    for number in range(COPIES):
        with pikepdf.open(first) as pdf:
            pdf.docinfo["/Title"] = f"第{number}册"
            pdf.save(folder / f"{number:02}.pdf")
    return folder


def _records(home: Path) -> Records:
    return open_records(f"sqlite:///{home / 'records.sqlite'}")


def _acts(home: Path) -> dict[str, list[str]]:
    """Return the acts of each job in the event log, after its chain was verified."""
    records = _records(home)
    assert records.verify_events() > 0
    acts: dict[str, list[str]] = {}
    for event in records.events():
        if event.job_id is not None:
            acts.setdefault(event.job_id, []).append(event.act)
    records.close()
    return acts


def _signatures(path: Path) -> int:
    with pikepdf.open(path) as pdf:
        return sum("/V" in field for field in pdf.Root.AcroForm.Fields)


@pytest.mark.parametrize("wanted", [JobState.STAMPED, JobState.SIGNED, JobState.ARCHIVED])
def test_a_killed_run_given_again_signs_every_file_once(
    wanted: JobState, home: Path, plan: Path, package: Path, tmp_path: Path, sealine: Sealine
) -> None:
    arguments = ("--home", home, "bid", "sign", package, "--plan", plan, "-o", tmp_path / "out", "--json")
    running = subprocess.Popen(
        command(*arguments), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    records = _records(home)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and running.poll() is None:
        if any(wanted in records.outputs(job.id) or job.state is wanted for job in _all_jobs(records)):
            break
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    records.close()
    assert running.returncode == -signal.SIGKILL, "it was finished before it could be killed"
    again = sealine(*arguments)
    assert again.code == 0, again.stderr
    assert [file["state"] for file in again.json["files"]] == ["archived"] * COPIES
    assert all(_signatures(Path(file["output"])) == 1 for file in again.json["files"])
    for acts in _acts(home).values():
        assert acts.count("signed") == 1
        assert acts.count("archived") == 1


def _all_jobs(records: Records) -> list[Any]:
    return [job for package in records.packages() for job in records.jobs(package.id)]


def test_the_same_command_again_gives_the_same_result(
    home: Path, plan: Path, package: Path, tmp_path: Path, sealine: Sealine
) -> None:
    arguments = ("--home", home, "bid", "sign", package, "--plan", plan, "-o", tmp_path / "out", "--json")
    first = sealine(*arguments)
    assert first.code == 0, first.stderr
    events = sum(len(acts) for acts in _acts(home).values())
    digests = {path: hashlib.sha256(path.read_bytes()).digest() for path in (tmp_path / "out").iterdir()}
    shutil.rmtree(tmp_path / "out")
    second = sealine(*arguments)
    assert second.json == first.json
    assert {
        path: hashlib.sha256(path.read_bytes()).digest() for path in (tmp_path / "out").iterdir()
    } == digests
    assert sum(len(acts) for acts in _acts(home).values()) == events


def test_files_wait_for_a_silent_authority_and_a_later_run_finishes_them(
    home: Path, plan: Path, package: Path, tmp_path: Path, free_port: int, sealine: Sealine
) -> None:
    url = f"http://127.0.0.1:{free_port}/"
    arguments = ("--home", home, "bid", "sign", package, "--plan", plan, "-o", tmp_path / "out", "--json")
    down = sealine(*arguments, "--tsa", url)
    assert down.code == 40
    assert [file["state"] for file in down.json["files"]] == ["awaiting_timestamp"] * COPIES
    assert {file["error"]["name"] for file in down.json["files"]} == {"UNAVAILABLE"}
    assert {file["signatures"] for file in down.json["files"]} == {1}
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
    still_down = sealine(*arguments, "--tsa", url)
    assert still_down.code == 40
    with TsaServer(open_pki(home / "pki"), port=free_port):
        up = sealine(*arguments, "--tsa", url)
    assert up.code == 0, up.stderr
    assert [file["state"] for file in up.json["files"]] == ["archived"] * COPIES
    for acts in _acts(home).values():
        assert acts.count("signed") == 1


def test_ctrl_c_leaves_everything_to_be_gone_on_with(
    home: Path, plan: Path, package: Path, tmp_path: Path, sealine: Sealine
) -> None:
    arguments = ("--home", home, "bid", "sign", package, "--plan", plan, "-o", tmp_path / "out", "--json")
    running = subprocess.Popen(
        command(*arguments), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    records = _records(home)
    while running.poll() is None and not _all_jobs(records):
        time.sleep(0.002)
    os.kill(running.pid, signal.SIGINT)
    _, stderr = running.communicate(timeout=60)
    records.close()
    assert running.returncode == 130, stderr.decode()
    assert b"Traceback" not in stderr
    assert sealine(*arguments).code == 0
