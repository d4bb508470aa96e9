"""The seal line's screens: a scan in, its seals shown, one made."""

import io
from collections.abc import Iterator

import numpy as np
import pymupdf
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from pipeline.tryout.artwork import draw_round_seal
from pipeline.tryout.specimens import CLEAN, SCAN_PX_PER_MM, draw_specimen_page
from pipeline.web import seals as seal_screens
from pipeline.web.app import create_app
from pipeline.wiring import App
from seal_imaging import InkChoice
from stages.extract import ExtractOptions
from stages.seal_reading import ExpectedNames
from tests.pipeline.web.conftest import HTMX, JSON

OWNER = "示例建设有限公司"
WISH = {"name": "新公章", "owner": OWNER, "owner_code": "", "kind": "official"}


@pytest.fixture(scope="module")
def scan() -> bytes:
    """A scanned page with three impressions of one round seal, 42 mm."""
    font = bytes(pymupdf.Font("cjk").buffer)
    page = draw_specimen_page(
        [draw_round_seal(OWNER, font)],
        rng=np.random.default_rng(7),
        font=font,
        look=CLEAN,
        page_mm=(180.0, 70.0),
    )
    file = io.BytesIO()
    dots_per_inch = SCAN_PX_PER_MM * 25.4
    Image.fromarray(page.page).save(file, "PNG", dpi=(dots_per_inch, dots_per_inch))
    return file.getvalue()


@pytest.fixture
def no_leftovers(quiet_app: App) -> Iterator[None]:
    """After the test no working folder more is left."""
    before = set(quiet_app.settings.scratch_folder.glob("web-*"))
    yield
    assert set(quiet_app.settings.scratch_folder.glob("web-*")) == before


def test_the_page_lists_the_seals_that_are_there(quiet: TestClient) -> None:
    page = quiet.get("/seals")
    assert page.status_code == 200
    assert "示例公司" in page.text
    assert "42.0 × 42.0 mm" in page.text


def test_a_scan_becomes_a_page_with_boxes_and_seals_and_then_an_electronic_seal(
    client: TestClient, app: App, scan: bytes
) -> None:
    sent = client.post("/seals/scans", files={"scan": ("采集表.png", scan)})
    assert sent.status_code == 303
    where = sent.headers["location"]
    page = client.get(where).text
    assert "找到 3 枚印模，合成 1 枚印章" in page
    for name in ("page-0.jpg", "seal-00.png", "impression-000.png"):
        assert name in page
        picture = Image.open(io.BytesIO(client.get(f"{where}/{name}").content))
        assert max(picture.size) <= 1600
    assert 'name="micro_pattern"' in page
    wish = WISH | {"micro_pattern": "yes", "slots": "日期=25,44,20,3\r\n\r\n编号=25,48,20,3,6,right"}
    made = client.post(f"{where}/seals/0", headers=HTMX, files={"none": ("", b"")}, data=wish)
    assert made.status_code == 200
    assert "电子印章已制作" in made.text
    (seal,) = (seal for seal in app.seals.list(actor=app.actor) if seal.name == "新公章")
    assert seal.width_mm == pytest.approx(42, abs=0.5)
    assert seal.micro_pattern
    assert [slot["name"] for slot in seal.text_slots] == ["日期", "编号"]
    image = client.get(f"/seals/{seal.id}/image")
    assert Image.open(io.BytesIO(image.content)).size == (1400, 1400)
    assert client.get(f"/seals/{seal.id}/eseal").content.startswith(b"\x30")


def test_a_program_gets_json(quiet: TestClient, scan: bytes) -> None:
    document = quiet.post("/seals/scans", headers=JSON, files={"scan": ("a.png", scan)}).json()
    assert len(document["impressions"]) == 3
    assert document["seals"][0]["image"] == "seal-00.png"


@pytest.mark.usefixtures("no_leftovers")
@pytest.mark.parametrize(
    ("content", "name"), [(b"", "a.png"), (b"no picture", "a.png"), (b"\x89PNG\r\n\x1a\ncut", "a.png")]
)
def test_a_bad_scan_is_one_clear_message(quiet: TestClient, content: bytes, name: str) -> None:
    answer = quiet.post("/seals/scans", headers=HTMX, files={"scan": (name, content)})
    assert answer.status_code == 422
    assert answer.headers["hx-retarget"] == "#message"
    assert answer.text.count('role="alert"') == 1
    assert "a.png" in answer.text


@pytest.mark.usefixtures("no_leftovers")
def test_a_scan_over_the_limit_is_refused(quiet: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal_screens, "MAX_SCAN_UPLOAD_BYTES", 1000)
    answer = quiet.post("/seals/scans", headers=JSON, files={"scan": ("a.png", bytes(2000))})
    assert (answer.status_code, answer.json()["error"]["name"]) == (422, "INPUT_REFUSED")


def test_a_form_without_a_scan_says_so(quiet: TestClient) -> None:
    answer = quiet.post("/seals/scans", files={"other": b"x"})
    assert answer.status_code == 400
    assert "请先选择扫描件" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/seals/scans/" + "0" * 32,
        "/seals/scans/%2e%2e",
        "/seals/scans/..%2f..%2fpki",
        "/seals/scans/" + "0" * 32 + "/..%2fscreen.json",
        "/seals/..%2f..%2frecords.sqlite/image",
        "/seals/nobody-openseal/image",
    ],
)
def test_ids_that_are_none_of_ours_find_nothing(quiet: TestClient, path: str) -> None:
    assert quiet.get(path).status_code == 404


@pytest.mark.parametrize("name", ["screen.json", "0", "..%2fpki", "%2e%2e", "page-0.jpg%00", "seal-00.png.x"])
def test_only_pictures_are_served_from_a_working_folder(quiet: TestClient, quiet_app: App, name: str) -> None:
    folder = create_folder(quiet)
    (folder / "screen.json").write_text("{}")
    assert quiet.get(f"/seals/scans/{folder.name[4:]}/{name}").status_code == 404


def create_folder(client: TestClient):  # type: ignore[no-untyped-def]
    """Return a working folder of the console under test."""
    return client.app.state.desk.new_folder()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"owner": " "},
        {"kind": "crown"},
        {"name": "长" * 300},
        {"name": "../../x"},
        {"name": "a\tb"},
        {"slots": "日期=25,44"},
        {"slots": "\n".join(f"{number}=25,44,20,3" for number in range(9))},
    ],
)
def test_a_wish_that_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    from pipeline.errors import UsageRefused

    with pytest.raises(UsageRefused):
        seal_screens.read_wish(WISH | wrong)


def test_a_width_that_is_no_number_is_refused() -> None:
    from pipeline.errors import UsageRefused

    assert seal_screens.read_number("") is None
    assert seal_screens.read_number("42.5") == 42.5
    with pytest.raises(UsageRefused):
        seal_screens.read_number("四十二")


def test_what_is_said_of_a_scan_is_read_from_the_form() -> None:
    from pipeline.errors import UsageRefused

    fields = {"width_mm": "42", "width_mm_2": "20.5", "width_mm_3": "", "dpi": "300", "order": " AC1 "}
    options = seal_screens.read_options(fields)
    assert (options.width_mm, dict(options.seal_widths_mm)) == (42.0, {1: 20.5})
    assert (options.dpi, options.order) == (300.0, "AC1")
    assert seal_screens.read_options({}) == ExtractOptions()
    assert seal_screens.read_options({"ink": "natural", "code": " 32 "}) == ExtractOptions(
        ink=InkChoice.NATURAL, expected=ExpectedNames(code="32")
    )
    for wrong in ({"ink": "gold"}, {"dpi": "x"}, {"width_mm_1": "x"}, {"order": "A" * 65}):
        with pytest.raises(UsageRefused):
            seal_screens.read_options(wrong)


def test_working_folders_nobody_touches_are_deleted(quiet_app: App) -> None:
    import os

    desk = create_app(quiet_app).state.desk
    old, fresh = desk.new_folder(), desk.new_folder()
    os.utime(old, (0, 0))
    desk.sweep_folders()
    assert (old.exists(), fresh.exists()) == (False, True)
