"""The comparison's screen: two seals in, files or made here, and a picture of where they differ."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from pipeline.wiring import App
from tests.pipeline.conftest import write_seal_image
from tests.pipeline.web.conftest import HTMX, JSON


@pytest.fixture
def image(tmp_path: Path) -> bytes:
    return write_seal_image(tmp_path / "seal.png").read_bytes()


@pytest.fixture
def no_leftovers(quiet_app: App) -> Iterator[None]:
    """After the test no working folder more is left."""
    before = set(quiet_app.settings.scratch_folder.glob("web-*"))
    yield
    assert set(quiet_app.settings.scratch_folder.glob("web-*")) == before


def test_the_screen_offers_the_seals_that_were_made(quiet: TestClient, quiet_app: App) -> None:
    (seal,) = quiet_app.seals.list(actor=quiet_app.actor)
    page = quiet.get("/seals/compare").text
    assert page.count(f'value="{seal.id}"') == 2
    assert '<a href="/seals/compare">' in quiet.get("/seals").text


def test_a_file_is_laid_over_a_seal_made_here(quiet: TestClient, quiet_app: App, image: bytes) -> None:
    (seal,) = quiet_app.seals.list(actor=quiet_app.actor)
    sent = {"files": {"first": ("旧.png", image)}, "data": {"second_seal": seal.id}}
    document = quiet.post("/seals/compare", headers=JSON, **sent).json()  # type: ignore[arg-type]
    assert document["answer"] == "same"
    picture = quiet.get(document["picture"])
    assert Image.open(io.BytesIO(picture.content)).mode == "RGB"
    shown = quiet.post("/seals/compare", headers=HTMX, **sent).text  # type: ignore[arg-type]
    assert "是同一枚印章" in shown
    assert "/difference.png" in shown


@pytest.mark.usefixtures("no_leftovers")
@pytest.mark.parametrize(
    ("data", "status"),
    [({}, 400), ({"second_seal": "nobody"}, 404), ({"second_seal": "../../pki/ca.pem"}, 404)],
)
def test_a_missing_or_unknown_second_seal_is_one_clear_message(
    quiet: TestClient, image: bytes, data: dict[str, str], status: int
) -> None:
    answer = quiet.post("/seals/compare", headers=HTMX, files={"first": ("a.png", image)}, data=data)
    assert answer.status_code == status
    assert answer.text.count('role="alert"') == 1


@pytest.mark.usefixtures("no_leftovers")
def test_a_file_without_a_seal_is_refused(quiet: TestClient, image: bytes) -> None:
    blank = io.BytesIO()
    Image.new("RGB", (400, 400), "white").save(blank, "PNG", dpi=(300, 300))
    files = {"first": ("a.png", image), "second": ("空白.png", blank.getvalue())}
    answer = quiet.post("/seals/compare", headers=HTMX, files=files)
    assert answer.status_code == 422
    assert "空白.png" in answer.text


@pytest.mark.parametrize("folder", ["0" * 32, "..%2f..%2fpki", "x"])
def test_pictures_that_are_none_of_ours_are_not_found(quiet: TestClient, folder: str) -> None:
    assert quiet.get(f"/seals/compare/{folder}/difference.png").status_code == 404
