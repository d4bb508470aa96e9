"""The bid line's screens: marks shown first, then signed, followed, taken home."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from fastapi.testclient import TestClient

from pipeline.results import FileResult
from pipeline.web import bids as bid_screens
from pipeline.web.bids import event
from pipeline.web.starting_plans import example_plan
from pipeline.wiring import App
from pipeline.workers import working
from stages.plan_rules import parse_plan
from storage.schema import JobState
from tests.pipeline.conftest import PLAN
from tests.pipeline.web.conftest import HTMX, JSON


@pytest.fixture
def working_app(app: App) -> Iterator[App]:
    """The App with workers."""
    _ = app.doorbells
    with working(app.broker, threads=1):
        yield app


def test_the_plan_to_start_from_names_the_seals_that_are_there(quiet_app: App) -> None:
    seals = quiet_app.seals.list(actor=quiet_app.actor)
    text = example_plan(seals)
    assert {rule.seal for rule in parse_plan(text.encode()).rules} == {"公章"}


def test_without_a_seal_the_plan_says_where_to_get_one() -> None:
    assert yaml.safe_load(example_plan([]))["rules"] == []
    assert "制章" in example_plan([])


def test_a_preview_lists_every_mark_and_keeps_nothing(
    quiet: TestClient, quiet_app: App, package_zip: bytes
) -> None:
    files = {"package": ("标书.zip", package_zip)}
    found = quiet.post("/bids/preview", files=files, data={"plan": PLAN}).json()
    assert [(mark["file"], mark["page"], mark["seal"]) for mark in found["marks"]] == [
        ("a.pdf", 2, "公章"),
        ("b.pdf", 2, "公章"),
    ]
    assert found["summary"]["seals"] == [{"seal": "公章", "marks": 2}]
    assert quiet_app.records.packages() == []
    assert not list(quiet_app.settings.scratch_folder.glob("web-*/*/标书.zip"))


def test_a_package_handed_in_is_listed(client: TestClient, package_zip: bytes) -> None:
    files = {"package": ("某某标书.zip", package_zip)}
    package = client.post("/bids", headers=JSON, files=files, data={"plan": PLAN}).json()["package"]
    page = client.get("/bids").text
    assert f'href="/bids/{package}"' in page
    assert "某某标书" in page


def test_a_plan_file_goes_before_the_text(quiet: TestClient, package_zip: bytes, plan: Path) -> None:
    files = {"package": ("标书.zip", package_zip), "plan_file": ("plan.yaml", plan.read_bytes())}
    answer = quiet.post("/bids/preview", headers=JSON, files=files, data={"plan": "version: 9"})
    assert len(answer.json()["marks"]) == 2


def test_a_package_is_signed_followed_and_taken_home(
    client: TestClient, working_app: App, package_zip: bytes, package: Path
) -> None:
    files = {"package": ("标书.zip", package_zip)}
    sent = client.post("/bids", headers=HTMX, files=files, data={"plan": PLAN})
    where = sent.headers["hx-redirect"]
    with client.stream("GET", f"{where}/events") as stream:
        told = "".join(stream.iter_text())
    assert told.rstrip().endswith("event: done\ndata:")
    assert told.count("event: files") >= 1
    assert told.count("下载签名件") >= 2
    page = client.get(where).text
    assert 'data-over="yes"' in page
    assert page.count(">完成</span>") == 2
    signed = client.get(f"{where}/files/2")
    assert "filename" in signed.headers["content-disposition"]
    original = (package / "b.pdf").read_bytes()
    assert signed.content.startswith(original)
    assert len(signed.content) > len(original)
    everything = client.get(f"{where}/all.zip").content
    with zipfile.ZipFile(io.BytesIO(everything)) as archive:
        assert archive.namelist() == ["a.pdf", "b.pdf"]
        assert archive.read("b.pdf") == signed.content
    again = client.post("/bids", headers=JSON, files=files, data={"plan": PLAN})
    assert where.endswith(again.json()["package"])


def test_a_file_that_is_not_ready_cannot_be_taken(client: TestClient, package_zip: bytes) -> None:
    sent = client.post(
        "/bids", headers=JSON, files={"package": ("标书.zip", package_zip)}, data={"plan": PLAN}
    )
    where = f"/bids/{sent.json()['package']}"
    assert client.get(f"{where}/files/1").status_code == 409
    assert client.get(f"{where}/all.zip").status_code == 409
    assert "下载" not in client.get(where).text
    for number in ("0", "3", "-1", "x", "²", "9" * 400):
        assert client.get(f"{where}/files/{number}").status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("标书.pdf", b"", 422),
        ("标书.zip", b"PK\x03\x04 cut off", 422),
        ("标书.doc", b"\xd0\xcf\x11\xe0", 422),
    ],
)
@pytest.mark.parametrize("path", ["/bids", "/bids/preview"])
def test_a_bad_package_is_one_clear_message(
    quiet: TestClient, name: str, content: bytes, status: int, path: str
) -> None:
    answer = quiet.post(path, headers=JSON, files={"package": (name, content)}, data={"plan": PLAN})
    assert answer.status_code == status
    assert answer.json()["error"]["message_zh"]


def test_a_zip_that_leaves_its_folder_is_refused(quiet: TestClient) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../out.pdf", b"%PDF-1.4")
    answer = quiet.post(
        "/bids", headers=JSON, files={"package": ("a.zip", file.getvalue())}, data={"plan": PLAN}
    )
    assert (answer.status_code, answer.json()["error"]["name"]) == (422, "INPUT_REFUSED")


def test_a_plan_with_an_unknown_key_is_refused(quiet: TestClient, package_zip: bytes) -> None:
    answer = quiet.post(
        "/bids/preview",
        headers=HTMX,
        files={"package": ("a.zip", package_zip)},
        data={"plan": PLAN + "colour: red\n"},
    )
    assert answer.status_code == 400
    assert "colour" in answer.text
    assert "用印方案有误" in answer.text


@pytest.mark.parametrize("path", ["/bids/nothing", "/bids/nothing/events", "/bids/%2e%2e%2fx", "/bids/a b"])
def test_a_package_nobody_sent_is_not_found(quiet: TestClient, path: str) -> None:
    assert quiet.get(path).status_code == 404


def test_a_file_that_waits_or_failed_says_why(
    quiet: TestClient, quiet_app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = {"code": 40, "name": "UNAVAILABLE", "message": "TSA is silent", "message_zh": "时间戳服务无应答"}
    results = [
        FileResult("a.pdf", JobState.AWAITING_TIMESTAMP, None, 1, 1.0, error),
        FileResult("b.pdf", JobState.REFUSED, None, 0, 1.0, {**error, "message_zh": "文件已加密"}),
    ]
    monkeypatch.setattr(quiet_app.bids, "results", lambda *_, **__: results)
    page = quiet.get("/bids/x").text
    assert ">等待时间戳</span>" in page
    assert ">失败</span>" in page
    assert "时间戳服务无应答" in page
    assert "文件已加密" in page
    assert 'sse-connect="/bids/x/events"' in page
    assert "download" not in page


def test_too_many_screens_are_turned_away(
    client: TestClient, package_zip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bid_screens, "MAX_STREAMS", 0)
    files = {"package": ("标书.zip", package_zip)}
    package = client.post("/bids", headers=JSON, files=files, data={"plan": PLAN}).json()["package"]
    assert client.get(f"/bids/{package}/events").status_code == 503


def test_an_event_keeps_every_line_inside_its_data() -> None:
    assert event("files", "<p>\nevent: done\n</p>") == (
        "event: files\ndata: <p>\ndata: event: done\ndata: </p>\n\n"
    )
    assert event("done", "") == "event: done\ndata: \n\n"
