"""The whole line in a real browser: a scan in, a seal made, a package signed, its verdict seen."""

import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pymupdf
import pytest
from PIL import Image

from pipeline.tryout import bids
from pipeline.tryout.artwork import draw_round_seal, draw_square_seal
from pipeline.tryout.specimens import PRINTED_OVER, SCAN_PX_PER_MM, draw_filled_form
from tests.end_to_end.conftest import command, environment

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.needs_chromium

BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
]
START_TIMEOUT_S = 60
SIGN_TIMEOUT_MS = 90_000
EXTRACT_TIMEOUT_MS = 90_000
SEALS = (
    ("公章", "official", bids.BIDDER, "圆形"),
    ("法人章", "legal_representative", bids.REPRESENTATIVE, "正方形"),
)


ODD_PLAN = """version: 1
parts: [{name: 甲, files: "01*"}, {name: 乙, files: "02*"}]
rules:
  - seal: 公章
    paging: right
    every: auto
  - seal: 公章
    part: [甲, 乙]
    pages: first
    x_mm: 0
    y_mm: 60
    from: center
"""


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A filled specimen form off a scanner: two seals, three impressions each."""
    font = bytes(pymupdf.Font("cjk").buffer)
    seals = [draw_round_seal(bids.BIDDER, font), draw_square_seal(bids.REPRESENTATIVE + "印", font)]
    form = draw_filled_form("AC2026112199", seals, np.random.default_rng(5), font, look=PRINTED_OVER)
    path = tmp_path / "采集表.png"
    dots_per_inch = SCAN_PX_PER_MM * 25.4
    Image.fromarray(form.page).save(path, dpi=(dots_per_inch, dots_per_inch))
    return path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The demo's bid documents as a zip."""
    path = tmp_path / "投标文件.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for document in bids.write_package(tmp_path / "bid"):
            archive.write(document, document.name)
    return path


@pytest.fixture
def console(tmp_path: Path, free_port: int) -> Iterator[str]:
    """The address of a console in a process and a home of its own."""
    arguments = command("--home", tmp_path / "home", "serve", "--port", str(free_port))
    log = tmp_path / "serve.log"
    with log.open("wb") as stderr:
        server = subprocess.Popen(arguments, env=environment(), stderr=stderr, stdin=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{free_port}"
    try:
        _wait_for(url, server, log)
        yield url
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=30) == 0
        assert "Traceback" not in log.read_text()
        assert "no accounts" in log.read_text()
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


@pytest.fixture
def page(tmp_path: Path) -> Iterator["Page"]:
    """A page of Debian's Chromium; whatever its console or a broken script says fails the test."""
    from playwright.sync_api import sync_playwright

    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=BROWSER_ARGUMENTS)
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="zh-CN")
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on(
                "console",
                lambda said: complaints.append(said.text) if _is_complaint(said.type, said.text) else None,
            )
            yield page
        finally:
            browser.close()
    assert complaints == []


def test_a_scan_becomes_a_seal_and_a_package_comes_out_archived(
    console: str, page: "Page", scan: Path, package: Path, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    def shoot(name: str) -> None:
        page.screenshot(path=tmp_path / f"{name}.png", full_page=True)

    page.goto(console)
    expect(page.locator('[data-count="seals"]')).to_have_text("0")
    shoot("1-home")

    page.get_by_role("link", name="制章", exact=True).click()
    page.set_input_files('input[name="scan"]', scan)
    expect(page.locator("[data-drop-title]")).to_have_text("采集表.png")
    page.get_by_role("button", name="提取印章").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "找到 6 枚印模，合成 2 枚印章", timeout=EXTRACT_TIMEOUT_MS
    )
    assert page.locator(".box").count() == 6
    assert page.locator(".fused").count() == 2
    shoot("2-scan")
    for name, kind, owner, shape in SEALS:
        wish = page.locator(".fused", has_text=shape)
        wish.locator("input[name=name]").fill(name)
        wish.locator("select[name=kind]").select_option(kind)
        wish.locator("input[name=owner]").fill(owner)
        wish.get_by_role("button").click()
        expect(wish.locator(".made")).to_contain_text("电子印章已制作")
    shoot("3-made")
    page.goto(f"{console}/seals")
    expect(page.locator(".seal")).to_have_count(2)
    page.wait_for_load_state("networkidle")
    shoot("4-seals")

    page.get_by_role("link", name="签章", exact=True).click()
    page.set_input_files('input[name="package"]', package)
    page.get_by_role("button", name="上传并检查").click()
    page.wait_for_url("**/bids/staged/*")
    expect(page.locator("#tree b")).to_have_count(3)
    assert 'seal: "公章"' in page.locator("#plan").input_value()
    expect(page.locator(".rule-form")).to_have_count(2)
    shoot("5-bids")
    page.locator("#plan").fill("version: 1\ncolour: red\n")
    page.get_by_role("button", name="预演").click()
    expect(page.locator("#message .note.bad")).to_contain_text("colour")
    expect(page.locator("#plan-error")).to_contain_text("colour")
    shoot("6-refused")
    page.locator("#plan").fill("version: 1\nparts: [{name: 技术标, files: '*', 暗标: true}]\n")
    expect(page.locator(".rule-form")).to_have_count(0)
    page.locator('.part-form [data-key="name"]').fill("技术部分")
    page.locator('.part-form [data-key="name"]').press("Tab")
    expect(page.locator("#plan")).to_have_value(re.compile(r"技术部分(?!.*rules)", re.DOTALL))
    page.locator("#plan").fill(ODD_PLAN)
    expect(page.locator("#builder")).to_have_js_property("inert", False)
    expect(page.locator(".rule-form")).to_have_count(2)
    for rule in range(2):  # a change in the form leaves alone what the form cannot say
        page.locator(".rule-form").nth(rule).locator('[data-key="skip_first"]').fill("1")
        page.locator(".rule-form").nth(rule).locator('[data-key="skip_first"]').press("Tab")
    expect(page.locator("#plan")).to_have_value(
        re.compile(r"every: auto[\s\S]*skip_first: 1[\s\S]*skip_first: 1")
    )
    assert "part: [甲, 乙]" in page.locator("#plan").input_value()
    assert "from: center" in page.locator("#plan").input_value()
    page.reload()
    expect(page.locator("#plan")).to_have_value(re.compile("every: auto"))  # what was written is still there
    page.locator("#plan").fill(bids.PLAN)
    expect(page.locator("#builder")).to_have_js_property("inert", False)
    expect(page.locator(".rule-form")).to_have_count(5)
    page.locator(".rule-form").first.locator('[data-key="skip_first"]').fill("0")
    page.locator(".rule-form").first.locator('[data-key="skip_first"]').press("Tab")
    expect(page.locator("#plan")).to_have_value(re.compile("skip_first: 0"))
    page.locator("#preset-name").fill("施工招标")
    page.get_by_role("button", name="保存方案").click()
    expect(page.locator("#preset-said")).to_contain_text("第 1 版")
    page.get_by_role("button", name="预演", exact=True).click()
    previewed = re.compile(r"共 \d+ 处用印，3 个文件")  # its scanned pages are read by OCR, once
    expect(page.locator("#run h2").first).to_contain_text(previewed, timeout=SIGN_TIMEOUT_MS)
    expect(page.locator("#message .note")).to_have_count(0)
    assert page.locator(".thumb").count() > 10
    page.locator(".thumb").nth(1).click()
    expect(page.locator("#viewer-title")).to_contain_text("第 2 页 · 公章")
    expect(page.locator("#viewer-image")).to_have_js_property("naturalHeight", 1500, timeout=SIGN_TIMEOUT_MS)
    shoot("7-page")
    page.keyboard.press("Escape")
    page.locator("#only-file").select_option("2")
    assert page.locator(".sheet-row:visible").count() == 1
    shoot("7-preview")

    page.locator('input[name="consent"]').check()
    as_shown = page.locator("#plan").input_value()
    page.locator("#plan").fill(as_shown + "\n# changed\n")
    expect(page.get_by_role("button", name="签章", exact=True)).to_be_disabled()
    expect(page.locator("#stale")).to_be_visible()
    page.locator("#plan").fill(as_shown)
    page.get_by_role("button", name="签章", exact=True).click()
    page.wait_for_url(re.compile(r"/bids/[0-9a-f]{32}$"))
    shoot("8-running")
    expect(page.locator('.summary[data-over="yes"]')).to_be_visible(timeout=SIGN_TIMEOUT_MS)
    expect(page.locator(".state.archived")).to_have_count(3)
    expect(page.locator(".state").first).to_have_text("完成")
    shoot("9-done")
    with page.expect_download() as everything:
        page.get_by_role("link", name="下载全部").click()
    with zipfile.ZipFile(everything.value.path()) as archive:
        assert len(archive.namelist()) == 3
        assert archive.testzip() is None
    with page.expect_download() as one:
        page.get_by_role("link", name="下载签名件").first.click()
    original = next((tmp_path / "bid").glob("01*.pdf")).read_bytes()
    assert one.value.path().read_bytes().startswith(original)

    page.get_by_role("link", name="档案", exact=True).click()
    shoot("10-archive")
    page.locator("#found a", has_text="01").click()
    expect(page.locator("#indication")).to_have_text("可信", timeout=SIGN_TIMEOUT_MS)
    assert page.locator(".lamp.passed").count() == 4
    expect(page.locator("#tryout")).to_contain_text("试用")
    shoot("11-document")
    page.goto(console)
    expect(page.locator('[data-count="archived"]')).to_have_text("3")
    shoot("12-home")
    save_screenshots(tmp_path)


def _is_complaint(kind: str, text: str) -> bool:
    """Return whether the browser complains of anything but the one plan that is refused on purpose."""
    return kind in ("error", "warning") and " 400 " not in text


def save_screenshots(folder: Path) -> None:
    """Copy the screenshots to CONSOLE_SCREENSHOTS, where somebody wants to look at them."""
    wanted = os.environ.get("CONSOLE_SCREENSHOTS")
    if wanted:
        for path in folder.glob("*.png"):
            (Path(wanted) / path.name).write_bytes(path.read_bytes())


def _wait_for(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.URLError:
            time.sleep(0.1)
    pytest.fail(f"the console did not start: {log.read_text()}")
