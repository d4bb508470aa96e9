"""What holds for the console as a whole: its front page, what it brings along, where it listens."""

import hashlib
import re
import socket
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pipeline.cli.main import run
from pipeline.cli.serve import check_loopback, listening
from pipeline.errors import Unavailable, UsageRefused
from pipeline.failures import ExitCode
from pipeline.web.desk import HERE
from pipeline.web.wording import STEPS, state_zh, step_of
from storage.schema import JobState
from tests.pipeline.web.conftest import HTMX, JSON


def test_the_front_page_says_what_this_is_and_why_it_is_local(quiet: TestClient) -> None:
    page = quiet.get("/").text
    assert all(f'href="{door}"' in page for door in ("/seals", "/bids", "/archive"))
    assert "尚无账户" in page


def test_a_page_that_is_not_there_is_one_line(quiet: TestClient) -> None:
    assert "没有这个页面" in quiet.get("/nothing").text
    assert quiet.get("/nothing", headers=JSON).json()["error"]["code"] == 31
    assert "<html" not in quiet.get("/nothing", headers=HTMX).text
    assert quiet.post("/archive").status_code == 405


def test_no_page_fetches_anything_from_elsewhere() -> None:
    for path in (*HERE.glob("templates/*.html"), *HERE.glob("static/sealine.*"), HERE / "static/icon.svg"):
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(https?:)?//[a-z0-9.-]+\.[a-z]{2,}", text), path.name
        assert " style=" not in text, path.name
        assert not re.search(r"<script(?! src=\"/static/)", text), path.name
        assert not re.search(r"\son[a-z]+=", text), path.name


def test_the_scripts_of_others_are_the_ones_they_published() -> None:
    lines = (HERE / "static/CHECKSUMS").read_text().splitlines()
    assert len(lines) == 2
    for line in lines:
        digest, name = line.split()
        assert hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("state", list(JobState))
def test_every_state_has_a_name(state: JobState) -> None:
    assert state_zh(state)
    assert step_of(state) in range(-1, len(STEPS))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_the_loopback_addresses_are_allowed(host: str) -> None:
    assert check_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.10", "example.org", "", "127.0.0.1.example.org"]
)
def test_any_other_address_is_refused(host: str) -> None:
    with pytest.raises(UsageRefused, match="no accounts"):
        check_loopback(host)


def test_serving_any_other_address_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--home", str(tmp_path / "home"), "serve", "--host", "0.0.0.0"]) == ExitCode.USAGE
    assert "127.0.0.1" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_a_taken_port_is_one_clear_error(free_port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port))
        other.listen()
        with pytest.raises(Unavailable, match="--port"), listening("127.0.0.1", free_port):
            pass
