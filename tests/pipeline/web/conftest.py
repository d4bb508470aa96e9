"""The console over an App in a temporary home, asked as a browser on this machine would ask."""

import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pipeline.seals import SealWish
from pipeline.settings import Settings
from pipeline.web.app import create_app
from pipeline.wiring import App
from stages.make import SealKind
from tests.pipeline.conftest import write_seal_image

HTMX = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}


def client_of(app: App) -> TestClient:
    """Return a client that asks for http://localhost and follows nothing by itself."""
    return TestClient(
        create_app(app), base_url="http://localhost", raise_server_exceptions=False, follow_redirects=False
    )


@pytest.fixture
def package_zip(package: Path) -> bytes:
    """The package of two small files as a zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(package.iterdir()):
            archive.write(path, path.name)
    return file.getvalue()


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    """A console with a home of its own, for what changes something."""
    with client_of(app) as client:
        yield client


@pytest.fixture(scope="session")
def quiet_app(pki_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An App with one seal, 公章, that no test changes."""
    folder = tmp_path_factory.mktemp("quiet")
    shutil.copytree(pki_folder, folder / "home" / "pki")
    with App(Settings(home=folder / "home")) as app:
        wish = SealWish(name="公章", owner="示例公司", owner_code="", kind=SealKind.OFFICIAL)
        image = write_seal_image(folder / "seal.png")
        app.seals.make(image, wish, actor=app.actor, key_uri=app.key_uri)
        yield app


@pytest.fixture(scope="session")
def quiet(quiet_app: App) -> Iterator[TestClient]:
    """A console for what changes nothing."""
    with client_of(quiet_app) as client:
        yield client
