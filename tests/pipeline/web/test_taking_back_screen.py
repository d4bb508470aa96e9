"""A package is withdrawn on its screen: confirmed, with a reason, whole or one file of it."""

from pathlib import Path

from fastapi.testclient import TestClient

from pipeline.wiring import App
from tests.pipeline.conftest import run_all, submit
from tests.pipeline.web.conftest import HTMX, JSON

SURE = {"sure": (None, "yes"), "reason": (None, "报价有误")}


def test_a_package_is_withdrawn_file_by_file(client: TestClient, app: App, package: Path, plan: Path) -> None:
    package_id = submit(app, package, plan)
    where = f"/bids/{package_id}"
    assert f'hx-post="{where}/withdraw"' in client.get(where).text
    said = client.post(f"{where}/withdraw", files={**SURE, "file": (None, "a.pdf")}, headers=JSON).json()
    assert [(one["file"], one["state"]) for one in said["files"]] == [("a.pdf", "cancelled")]
    run_all(app, package_id)
    assert client.post(f"{where}/withdraw", files=SURE, headers=HTMX).headers["HX-Redirect"] == where
    page = client.get(where).text
    assert "已在签名前撤回（报价有误）" in page
    assert "已作废" in page


def test_withdrawing_is_confirmed_and_has_a_reason(
    client: TestClient, app: App, package: Path, plan: Path
) -> None:
    where = f"/bids/{submit(app, package, plan)}/withdraw"
    unsure = client.post(where, files={"reason": (None, "x")}, headers=JSON)
    assert (unsure.status_code, unsure.json()["error"]["name"]) == (400, "USAGE")
    assert client.post(where, files={"sure": (None, "yes")}, headers=JSON).status_code == 400
    assert client.post("/bids/none/withdraw", files=SURE, headers=JSON).status_code == 404


def test_one_file_that_cannot_be_withdrawn_says_why(
    client: TestClient, app: App, package: Path, plan: Path
) -> None:
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    one = {**SURE, "file": (None, "a.pdf")}
    where = f"/bids/{package_id}/withdraw"
    assert client.post(where, files=one, headers=JSON).json()["files"][0]["void"]["reason"] == "报价有误"
    again = client.post(where, files=one, headers=HTMX)
    assert again.status_code == 409
    assert "已作废" in again.text
