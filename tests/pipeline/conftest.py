"""An App in a temporary home, with the try-out authority and one seal, for tests of the line itself."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image, ImageDraw

from pipeline.clock import utc_now
from pipeline.seals import SealWish
from pipeline.settings import Settings
from pipeline.tryout.pki import create_pki
from pipeline.wiring import App
from stages.make import SealKind

PLAN = """
version: 1
project: 示例项目
bidder: 示例公司
rules:
  - {seal: 公章, pages: last, x_mm: 100, y_mm: 100}
"""


def write_seal_image(path: Path) -> Path:
    """Write a 42 mm ring on the 70 mm canvas: enough of a seal for what is tested here."""
    alpha = Image.new("L", (1400, 1400), 0)
    ImageDraw.Draw(alpha).ellipse((280, 280, 1119, 1119), outline=255, width=24)
    rgba = np.zeros((1400, 1400, 4), np.uint8)
    rgba[..., :3] = (200, 30, 40)
    rgba[..., 3] = np.asarray(alpha)
    Image.fromarray(rgba, "RGBA").save(path, dpi=(508, 508))
    return path


def write_pdf(path: Path, title: str = "投标文件", pages: int = 2) -> Path:
    """Write a small text PDF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = pymupdf.open()
    for number in range(pages):
        page = document.new_page(width=595, height=842)
        page.insert_text((72, 72), f"{title} {number}", fontname="china-s")
    document.save(path, no_new_id=True)
    return path


@pytest.fixture(scope="session")
def pki_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A try-out authority, made once for all tests of this room."""
    folder = tmp_path_factory.mktemp("authority") / "pki"
    create_pki(folder, now=utc_now())
    return folder


@pytest.fixture
def settings(tmp_path: Path, pki_folder: Path) -> Settings:
    """Settings of a fresh home."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copytree(pki_folder, home / "pki")
    return Settings(home=home)


@pytest.fixture
def app(settings: Settings, tmp_path: Path) -> Iterator[App]:
    """An App with one seal, 公章."""
    with App(settings) as sealine:
        wish = SealWish(name="公章", owner="示例公司", owner_code="", kind=SealKind.OFFICIAL)
        image = write_seal_image(tmp_path / "seal.png")
        sealine.seals.make(image, wish, actor=sealine.actor, key_uri=sealine.key_uri)
        yield sealine


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A plan with one mark on each file's last page."""
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN, encoding="utf-8")
    return path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of two small files."""
    write_pdf(tmp_path / "package" / "a.pdf", "甲")
    write_pdf(tmp_path / "package" / "b.pdf", "乙")
    return tmp_path / "package"


def run_all(app: App, package_id: str) -> None:
    """Take a package through the line, here and now."""
    for job in app.records.jobs(package_id):
        app.runner.run(job.id)
    app.archiver.archive(package_id)


def submit(app: App, package: Path, plan: Path) -> str:
    """Hand a package in with nobody at the doorbell, and return its id."""
    key_uri = app.key_uri
    app.__dict__["doorbells"] = type("Mute", (), {"ring": lambda self, jobs, wanted: None})()
    return app.bids.submit(package, plan, actor=app.actor, key_uri=key_uri).id
