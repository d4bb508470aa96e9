"""A package uploaded once is planned, shown page by page and signed exactly as it was shown."""

import io
import json
import os
import zipfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from pipeline import staging
from pipeline.permissions import Actor, Role
from pipeline.settings import Settings
from pipeline.web import desk as desk_module
from pipeline.web import staged as staged_screens
from pipeline.web.staged import tree_of
from pipeline.wiring import App
from tests.pipeline.conftest import PLAN, write_pdf
from tests.pipeline.web.conftest import HTMX, JSON, client_of

DATA = {"version": 1, "rules": [{"seal": "公章", "pages": "all", "x_mm": 60, "y_mm": 60}]}


@pytest.fixture
def staged(client: TestClient, package_zip: bytes) -> str:
    """The address of a package that was uploaded."""
    sent = client.post("/bids/staged", headers=HTMX, files={"package": ("标书.zip", package_zip)})
    return sent.headers["hx-redirect"]


@pytest.fixture(scope="module")
def shown(quiet: TestClient, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The addresses of an uploaded package and of a dry run of it, on the console that nobody changes."""
    folder = tmp_path_factory.mktemp("shown")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("a.pdf", "b.pdf"):
            file.write(write_pdf(folder / name), name)
    sent = quiet.post("/bids/staged", headers=JSON, files={"package": ("标书.zip", archive.getvalue())})
    staged = f"/bids/staged/{sent.json()['staged']}"
    return staged, f"{staged}/runs/{_run(quiet, staged)['run']}"


def _run(client: TestClient, staged: str, plan: object = DATA) -> dict[str, object]:
    answer = client.post(f"{staged}/runs", json={"plan": plan})
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_an_uploaded_package_shows_its_files_and_what_speaks_against_them(
    client: TestClient, tmp_path: Path
) -> None:
    broken = {"package": ("<b>坏.pdf", b"%PDF-1.7 nothing")}
    where = client.post("/bids/staged", headers=HTMX, files=broken).headers["hx-redirect"]
    page = client.get(where).text
    assert "不能受理" in page
    assert "<b>坏.pdf" not in page
    assert "seal: &#34;公章&#34;" in page
    assert "施工投标文件（自带）" in page
    files = client.get(where, headers=JSON).json()["files"]
    assert files[0]["error"]["name"] == "INPUT_REFUSED"


def test_a_dry_run_shows_every_page_as_it_will_be_signed(quiet: TestClient, shown: tuple[str, str]) -> None:
    staged, run = shown
    small = quiet.get(f"{run}/1/2/small.png")
    table = quiet.get(f"{run}/marks.csv").content
    page = quiet.post(f"{staged}/runs", headers=HTMX, files={"plan": (None, PLAN)}).text
    assert "共 2 处用印，2 个文件" in page
    assert page.count('class="thumb"') == 2
    assert small.headers["cache-control"].startswith("private, max-age")
    picture = Image.open(io.BytesIO(small.content)).convert("RGB")
    assert max(picture.size) == pytest.approx(staging.PICTURE_SIDES_PX["small"], abs=1)
    px_per_mm = picture.height / (842 / 72 * 25.4)
    red, green, _ = picture.getpixel((round(39.6 * px_per_mm), round(60 * px_per_mm)))  # type: ignore[misc]
    assert red > 150 > green
    assert table.startswith(b"\xef\xbb\xbffile,")
    assert table.count(b"\r\n") == 5


def test_what_is_signed_is_what_was_shown(client: TestClient, app: App, staged: str) -> None:
    run = _run(client, staged)
    sent = client.post(
        f"{staged}/sign", headers=HTMX, files={"run": (None, str(run["run"])), "consent": (None, "yes")}
    )
    package = app.records.package(sent.headers["hx-redirect"].rpartition("/")[2])
    assert "pages: all" in app.store.read(package.plan_digest).decode()
    assert [job.name for job in app.records.jobs(package.id)] == ["a.pdf", "b.pdf"]
    assert client.get(staged).status_code == 404
    assert client.get("/bids").text.count("/discard") == 0


def test_nothing_is_signed_without_consent_or_a_dry_run(client: TestClient, app: App, staged: str) -> None:
    run = str(_run(client, staged)["run"])
    for form in ({"run": run}, {"run": run, "consent": "no"}, {"consent": "yes"}):
        files = {name: (None, value) for name, value in form.items()}
        assert client.post(f"{staged}/sign", headers=HTMX, files=files).status_code == 400
    assert client.post(f"{staged}/sign", json={"run": "0" * 16}).status_code == 404
    assert client.post(f"{staged}/sign", json={}).status_code == 400
    assert app.records.packages() == []


def test_only_the_newest_dry_runs_are_kept(client: TestClient, app: App, staged: str) -> None:
    (folder,) = app.settings.scratch_folder.glob(f"*/{staging.STAGED}")
    under_way = folder.parent / "runs" / "0123456789abcdef"  # of somebody who asked at the same time
    under_way.mkdir(parents=True)
    runs = [str(_run(client, staged)["run"]) for _ in range(staging.MAX_RUNS + 1)]
    assert under_way.is_dir()
    assert client.get(f"{staged}/runs/{runs[0]}/1/1/small.png").status_code == 404
    assert client.get(f"{staged}/runs/{runs[-1]}/1/1/small.png").status_code == 200


def test_folders_are_put_in_order_although_one_is_gone_meanwhile(tmp_path: Path) -> None:
    for number, name in enumerate(("new", "old")):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1000 - number, 1000 - number))
    folders = [tmp_path / name for name in ("new", "gone", "old")]
    assert staging.oldest_first(folders) == [tmp_path / "old", tmp_path / "new"]


@pytest.mark.parametrize(
    "what", ["0/1/small", "3/1/small", "1/0/small", "1/3/small", "1/1/huge", "-1/1/small"]
)
def test_a_page_that_is_not_there_is_not_found(quiet: TestClient, shown: tuple[str, str], what: str) -> None:
    assert quiet.get(f"{shown[1]}/{what}.png").status_code == 404


@pytest.mark.parametrize("run", ["..", "x" * 16, "0" * 16])
def test_a_run_that_is_not_there_is_not_found(quiet: TestClient, shown: tuple[str, str], run: str) -> None:
    assert quiet.get(f"{shown[0]}/runs/{run}/1/1/small.png").status_code == 404
    assert quiet.get(f"{shown[0]}/runs/{run}/marks.csv").status_code == 404


def test_a_plan_that_is_wrong_is_one_message_and_leaves_nothing(
    client: TestClient, app: App, staged: str
) -> None:
    answer = client.post(f"{staged}/runs", json={"plan": {**DATA, "colour": "red"}})
    assert (answer.status_code, answer.json()["error"]["name"]) == (400, "USAGE")
    assert client.post(f"{staged}/runs", json={"preset": "没有"}).status_code == 404
    assert client.post(f"{staged}/runs", json={}).status_code == 400
    assert (
        client.post(f"{staged}/runs", content=b"{", headers={"Content-Type": "application/json"}).status_code
        == 400
    )
    unknown = client.post(
        f"{staged}/runs", json={"plan": {**DATA, "rules": [{**DATA["rules"][0], "seal": "没有"}]}}
    )  # type: ignore[index]
    assert unknown.status_code == 404
    assert not list(app.settings.scratch_folder.glob("web-*/runs/*"))


def test_a_preset_does_in_place_of_a_plan(client: TestClient, app: App, staged: str) -> None:
    app.plans.save("常用", PLAN.encode(), actor=app.actor)
    assert len(client.post(f"{staged}/runs", json={"preset": "常用"}).json()["marks"]) == 2


def test_the_one_shot_api_takes_an_uploaded_package_and_data(
    client: TestClient, app: App, staged: str
) -> None:
    body = {"staged": staged.rpartition("/")[2], "plan": DATA}
    assert len(client.post("/bids/preview", json=body).json()["marks"]) == 4
    package = client.post("/bids", json=body).json()["package"]
    assert len(app.records.jobs(package)) == 2
    assert client.get(staged).status_code == 200
    assert client.post("/bids/preview", json={"plan": DATA}).status_code == 404


def test_only_its_owner_uses_an_uploaded_package(app: App, client: TestClient, staged: str) -> None:
    folder = client.app.state.desk.folder(staged.rpartition("/")[2])  # type: ignore[attr-defined]
    document = json.loads((folder / staging.STAGED).read_text("utf-8"))
    (folder / staging.STAGED).write_text(json.dumps({**document, "owner": "somebody"}), encoding="utf-8")
    assert client.get(staged, headers=JSON).status_code == 403
    assert client.post(f"{staged}/runs", json={"plan": DATA}).status_code == 403
    assert client.delete(staged, headers=JSON).status_code == 403
    assert "/discard" not in client.get("/bids").text
    assert folder.is_dir()


def test_who_does_not_use_seals_uploads_nothing(settings: Settings, package_zip: bytes) -> None:
    with App(settings.model_copy(update={"roles": frozenset({Role.ARCHIVIST})})) as archivist:
        assert archivist.actor == Actor("local", frozenset({Role.ARCHIVIST}))
        with client_of(archivist) as client:
            sent = client.post("/bids/staged", headers=JSON, files={"package": ("a.zip", package_zip)})
            assert sent.status_code == 403
        assert not list(settings.scratch_folder.glob("web-*"))


def test_a_discarded_package_is_gone_and_an_old_one_is_cleared_away(
    client: TestClient, app: App, staged: str, package_zip: bytes
) -> None:
    assert f"{staged}/discard" in client.get("/bids").text
    assert client.post(f"{staged}/discard", headers=HTMX).headers["hx-redirect"] == "/bids"
    assert client.get(staged).status_code == 404
    second = client.post("/bids/staged", headers=JSON, files={"package": ("a.zip", package_zip)}).json()[
        "staged"
    ]
    folder = app.settings.scratch_folder / f"web-{second}"
    past = folder.stat().st_mtime - desk_module.MAX_FOLDER_AGE_S - 60
    os.utime(folder, (past, past))
    assert "/discard" not in client.get("/bids").text
    assert not folder.exists()


def test_looking_at_the_list_keeps_no_package_alive(client: TestClient, app: App, staged: str) -> None:
    folder = app.settings.scratch_folder / f"web-{staged.rpartition('/')[2]}"
    os.utime(folder, (folder.stat().st_mtime - 3600,) * 2)
    before = folder.stat().st_mtime
    client.get("/bids")
    assert folder.stat().st_mtime == before
    client.get(staged)
    assert folder.stat().st_mtime > before


def test_not_more_packages_wait_than_the_limit(
    client: TestClient, package_zip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staged_screens, "MAX_STAGED", 1)
    files = {"package": ("a.zip", package_zip)}
    first = client.post("/bids/staged", headers=JSON, files=files).json()["staged"]
    assert client.post("/bids/staged", headers=JSON, files=files).status_code == 409
    assert client.delete(f"/bids/staged/{first}", headers=JSON).json() == {"staged": first}
    assert client.post("/bids/staged", headers=JSON, files=files).status_code == 200


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off"])
def test_a_bad_upload_leaves_nothing(client: TestClient, app: App, content: bytes) -> None:
    sent = client.post("/bids/staged", headers=HTMX, files={"package": ("a.zip", content)})
    assert sent.status_code == 422
    assert sent.text.count('role="alert"') == 1
    assert client.post("/bids/staged", headers=JSON, files={"other": (None, "x")}).status_code == 400
    assert not list(app.settings.scratch_folder.glob("web-*"))


def test_a_zip_is_kept_unpacked_only(client: TestClient, app: App, staged: str, tmp_path: Path) -> None:
    assert not list(app.settings.scratch_folder.glob("web-*/*/标书.zip"))
    single = write_pdf(tmp_path / "一份.pdf")
    sent = client.post("/bids/staged", headers=JSON, files={"package": ("一份.pdf", single.read_bytes())})
    assert list(app.settings.scratch_folder.glob("web-*/*/一份.pdf"))
    assert len(_run(client, f"/bids/staged/{sent.json()['staged']}")["marks"]) == 2  # type: ignore[arg-type]


def test_files_are_shown_by_folder() -> None:
    names = ("b.pdf", "商务/2.pdf", "a.pdf", "商务/1.pdf")
    tree = tree_of([{"file": name} for name in names])
    assert [(folder, [file["file"] for file in files]) for folder, files in tree] == [
        ("", ["b.pdf", "a.pdf"]),
        ("商务", ["商务/2.pdf", "商务/1.pdf"]),
    ]


def test_a_picture_becomes_a_pdf_once_and_that_one_is_signed(client: TestClient, app: App) -> None:
    scan, archive = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (1240, 1754), "white").save(scan, "PNG", dpi=(150, 150))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("营业执照.png", scan.getvalue())
    files = {"package": ("a.zip", archive.getvalue())}
    sent = client.post("/bids/staged", headers=JSON, files=files).json()
    assert sent["files"][0]["derived_from"]["file"] == "营业执照.png"
    staged = f"/bids/staged/{sent['staged']}"
    run = _run(client, staged)["run"]
    assert client.get(f"{staged}/runs/{run}/1/1/small.png").status_code == 200
    package = client.post(f"{staged}/sign", json={"run": run}).json()["package"]
    assert app.records.jobs(package)[0].source_digest == sent["files"][0]["sha256"]
