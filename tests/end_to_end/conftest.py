"""A home with seals in it, made once; and the command line, run as a person would run it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.stdout)


Sealine = Callable[..., Ran]


def environment(**extra: str) -> dict[str, str]:
    """Return this process's environment without any setting of ours, plus `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SEALINE_")}
    return kept | {"PYTHONPATH": str(REPOSITORY)} | extra


def command(*arguments: str | Path) -> list[str]:
    """Return the command line of `sealine` in a process of its own."""
    program = "import sys; from pipeline.cli.main import main; main()"
    return [sys.executable, "-c", program, *map(str, arguments)]


def run_sealine(*arguments: str | Path, stdin: str = "", **extra: str) -> Ran:
    """Run `sealine` to its end."""
    done = subprocess.run(
        command(*arguments),
        env=environment(**extra),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def sealine() -> Sealine:
    """Run `sealine` and return how it ended."""
    return run_sealine


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `sealine demo --json` says it made, plus `out` and `home`."""
    out = tmp_path_factory.mktemp("demo")
    ran = run_sealine("--home", out / "home", "demo", "-o", out / "out", "--json")
    assert ran.code == 0, ran.stderr
    return {**ran.json, "out": str(out / "out"), "home": str(out / "home")}


@pytest.fixture(scope="session")
def _prepared_home(demo: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the try-out authority and the demo's two seals, and no packages."""
    fresh = tmp_path_factory.mktemp("prepared") / "home"
    assert run_sealine("--home", fresh, "pki", "init").code == 0
    shutil.rmtree(fresh / "pki")
    shutil.copytree(Path(demo["home"]) / "pki", fresh / "pki")
    for seal, kind in zip(demo["seals"], ("official", "legal_representative"), strict=True):
        image, name = seal["image"], seal["name"]
        made = run_sealine(
            "--home", fresh, "seal", "make", image, "--name", name, "--owner", name, "--kind", kind
        )
        assert made.code == 0, made.stderr
    return fresh


@pytest.fixture
def home(_prepared_home: Path, tmp_path: Path) -> Path:
    """A home of the test's own: the prepared one, copied."""
    return Path(shutil.copytree(_prepared_home, tmp_path / "home"))
