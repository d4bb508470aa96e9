"""Plans over the web: as data and as text, kept under names, described for programs."""

import pytest
from fastapi.testclient import TestClient

from pipeline.web.uploads import MAX_FIELD_BYTES
from tests.pipeline.conftest import PLAN
from tests.pipeline.web.conftest import HTMX, JSON

DATA = {"version": 1, "rules": [{"seal": "公章", "keyword": "（盖单位章）"}]}


def test_a_plan_as_data_is_kept_and_given_back_as_text(client: TestClient) -> None:
    saved = client.post("/plans", json={"name": "常用", "plan": DATA})
    assert (saved.status_code, saved.json()["version"]) == (200, 1)
    assert client.post("/plans", json={"name": "常用", "plan": PLAN}).json()["version"] == 2
    shown = client.get("/plans/常用", headers=JSON).json()
    assert (shown["plan"], shown["versions"]) == (PLAN, [2, 1])
    assert "keyword: （盖单位章）" in client.get("/plans/常用?version=1", headers=JSON).json()["plan"]
    assert "第 1 版" in client.get("/plans/常用").text
    assert client.get("/plans", headers=JSON).json()["presets"][0]["name"] == "常用"
    assert client.post("/plans/常用/remove", headers=HTMX).headers["hx-redirect"] == "/plans"
    assert client.get("/plans/常用", headers=JSON).status_code == 404
    assert client.delete("/plans/常用", headers=JSON).status_code == 404


def test_the_screen_saves_a_new_version(client: TestClient) -> None:
    page = client.get("/plans/施工投标文件").text
    assert "随程序提供" in page
    answer = client.post("/plans", headers=HTMX, files={"name": (None, "施工投标文件"), "plan": (None, PLAN)})
    assert "已保存：施工投标文件，第 1 版" in answer.text
    listed = client.get("/plans").text
    assert "/plans/%E6%96%BD%E5%B7%A5%E6%8A%95%E6%A0%87%E6%96%87%E4%BB%B6/remove" in listed
    assert client.delete("/plans/施工投标文件").json() == {"name": "施工投标文件"}


@pytest.mark.parametrize("plan", [DATA, "version: 1\nrules:\n  - {seal: 公章, keyword: （盖单位章）}\n"])
def test_a_plan_is_checked_and_told_as_data(quiet: TestClient, plan: object) -> None:
    said = quiet.post("/plans/check", json={"plan": plan}).json()
    assert said["seals"] == ["公章"]
    assert said["plan"]["rules"][0]["seal"] == "公章"
    assert set(said["plan"]["rules"][0]) == {"seal", "keyword"}
    assert quiet.post("/plans/check", json={"plan": said["plan"]}).json() == said


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"plan": "version: 9"}, 400),
        ({"plan": {"version": 1, "rules": []}}, 400),
        ({"plan": 5}, 400),
        ({}, 400),
        ({"preset": "没有"}, 404),
        ({"plan": DATA, "name": 3}, 400),
        ([], 400),
    ],
)
def test_what_is_no_plan_is_one_json_error(quiet: TestClient, body: object, status: int) -> None:
    answer = quiet.post("/plans/check", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]["message_zh"]


def test_json_over_the_limit_or_damaged_is_refused(quiet: TestClient) -> None:
    long = quiet.post("/plans/check", json={"plan": "x" * MAX_FIELD_BYTES})
    assert long.status_code == 422
    deep = b'{"plan":' + b"[" * 100_000
    for content in (b"\xff", b"{", deep):
        sent = quiet.post("/plans/check", content=content, headers={"Content-Type": "application/json"})
        assert (sent.status_code, sent.json()["error"]["name"]) == (400, "USAGE")


def test_a_name_that_is_a_path_is_refused(quiet: TestClient) -> None:
    assert quiet.post("/plans", json={"name": "../x", "plan": DATA}).status_code == 400


def test_the_schema_and_the_api_are_described(quiet: TestClient) -> None:
    assert "rules" in quiet.get("/plans/schema").json()["properties"]
    document = quiet.get("/openapi.json").json()
    assert {"/bids", "/bids/preview", "/bids/staged", "/bids/staged/{staged_id}/runs", "/plans"} <= set(
        document["paths"]
    )
    schemas = document["components"]["schemas"]
    assert "rules" in schemas["Plan"]["properties"]
    body = document["paths"]["/bids"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "multipart/form-data"}
    wanted = {text.rpartition("/")[2] for text in _references(document)}
    assert wanted <= set(schemas)
    assert quiet.get("/openapi.json").json() == document


def _references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [text for inner in value.values() for text in _references(inner)]
    return [text for inner in value for text in _references(inner)] if isinstance(value, list) else []
