"""The archive's screens: found, judged, taken out."""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pipeline.clock import utc_now
from pipeline.progress import Silent
from pipeline.wiring import App
from pipeline.workers import wait_for_package, working
from tests.pipeline.web.conftest import JSON


@pytest.fixture
def archived(app: App, package: Path, plan: Path) -> list[dict[str, str]]:
    """What is archived after a package of two files went through."""
    since = utc_now()
    record = app.bids.submit(package, plan, actor=app.actor, key_uri=app.key_uri)
    with working(app.broker, threads=1):
        wait_for_package(app.records, record.id, since=since, progress=Silent(), doorbells=app.doorbells)
    return app.archive.find(actor=app.actor)


def test_a_document_is_found_judged_and_taken_out(
    client: TestClient, archived: list[dict[str, str]], package: Path
) -> None:
    assert [hit["file"] for hit in archived].count("a.pdf") == 1
    (entry,) = (hit for hit in archived if hit["file"] == "a.pdf")
    assert "a.pdf" in client.get("/archive", params={"text": "a.pdf"}).text
    assert "没有符合条件的档案" in client.get("/archive", params={"text": "nothing-of-the-kind"}).text
    where = f"/archive/{entry['id']}"
    assert f'hx-get="{where}/verdict"' in client.get(where).text
    verdict = client.get(f"{where}/verdict").text
    for lamp in ("integrity", "identity", "trust", "time"):
        assert f'class="lamp passed" data-lamp="{lamp}"' in verdict
    assert "试用证书" in verdict
    assert client.get(f"{where}/verdict", headers=JSON).json()["indication"] == "TOTAL-PASSED"
    assert client.get(f"{where}/kept/original").content == (package / "a.pdf").read_bytes()
    assert client.get(f"{where}/kept/signed").content.startswith((package / "a.pdf").read_bytes())
    assert json.loads(client.get(f"{where}/kept/manifest").content)
    assert client.get(f"{where}/kept/evidence").content.startswith(b"\x30")
    assert client.get("/", headers=JSON).json() == {"seals": 1, "archived": 2, "packages": 1, "more": False}


def test_a_damaged_object_is_never_shown_as_trusted(
    client: TestClient, app: App, archived: list[dict[str, str]]
) -> None:
    digest = archived[0]["signed_sha256"]
    (kept,) = app.home.rglob(f"*{digest[4:]}")
    kept.chmod(0o644)
    data = bytearray(kept.read_bytes())
    data[100] ^= 1
    kept.write_bytes(data)
    verdict = client.get(f"/archive/{archived[0]['id']}/verdict")
    assert "TOTAL-PASSED" not in verdict.text
    assert client.get(f"/archive/{archived[0]['id']}/kept/signed").status_code == 500


@pytest.mark.parametrize(
    "path",
    [
        "/archive/nothing",
        "/archive/nothing/verdict",
        "/archive/nothing/kept/signed",
        "/archive/..%2fx/verdict",
    ],
)
def test_what_is_not_archived_is_not_found(quiet: TestClient, path: str) -> None:
    assert quiet.get(path).status_code == 404


def test_only_what_is_kept_can_be_taken_out(quiet: TestClient) -> None:
    for kept in ("key", "..%2f..%2frecords.sqlite", ""):
        assert quiet.get(f"/archive/nothing/kept/{kept}").status_code == 404


def test_a_search_that_is_too_long_is_cut_not_a_bug(quiet: TestClient) -> None:
    assert quiet.get("/archive", params={"text": "长" * 5000}).status_code == 200
    assert quiet.get("/archive", params={"text": "a " * 50}).status_code < 500


def test_a_document_is_voided_after_confirming_with_a_reason(
    client: TestClient, app: App, archived: list[dict[str, str]]
) -> None:
    (entry,) = (hit for hit in archived if hit["file"] == "a.pdf")
    where = f"/archive/{entry['id']}"
    assert f'hx-post="{where}/void"' in client.get(where).text
    unsure = client.post(f"{where}/void", files={"reason": (None, "报价有误")}, headers=JSON)
    assert (unsure.status_code, unsure.json()["error"]["message_zh"]) == (400, "请先勾选确认")
    sure = {"sure": (None, "yes"), "reason": (None, "报价有误")}
    assert client.post(f"{where}/void", files=sure, headers=JSON).json()["void"]["reason"] == "报价有误"
    assert "报价有误" in client.get(where).text
    assert f'hx-post="{where}/void"' not in client.get(where).text
    verdict = client.get(f"{where}/verdict").text
    assert 'id="void"' in verdict
    assert "作废记录可信" in verdict
    assert client.get(f"{where}/kept/void").json()["reason"] == "报价有误"
    assert client.get(f"{where}/kept/void_signature").content.startswith(b"\x30")
    assert "已作废" in client.get("/archive").text
    again = client.post(f"{where}/void", files=sure, headers=JSON)
    assert (again.status_code, again.json()["error"]["name"]) == (409, "WRONG_STATE")
    package_id = app.records.packages()[0].id
    assert "已作废" in client.get(f"/bids/{package_id}").text
    assert client.get(f"/bids/{package_id}/files/1", headers=JSON).status_code == 409


def test_what_was_not_voided_has_no_void_record_to_take_out(
    client: TestClient, archived: list[dict[str, str]]
) -> None:
    assert client.get(f"/archive/{archived[0]['id']}/kept/void", headers=JSON).status_code == 404
