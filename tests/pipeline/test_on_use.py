"""The command line imports what a command needs, and no more, and lists every command."""

import subprocess
import sys

import pytest

from pipeline.cli.main import run
from pipeline.cli.on_use import COMMANDS

HEAVY = (
    "pipeline.wiring",
    "stages.verify",
    "pyhanko",
    "sqlalchemy",
    "fastapi",
    "uvicorn",
    "minio",
    "pymupdf",
    "cv2",
    "onnxruntime",
)


def _imported_by(*arguments: str) -> set[str]:
    """Return the heavy modules that a run of the command line imports."""
    program = (
        "import sys\n"
        "from pipeline.cli.main import run\n"
        f"run({list(arguments)!r})\n"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


def test_the_command_line_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli.main", "--help"], capture_output=True, text=True, check=True
    )
    assert "Sealine" in done.stdout


def test_help_imports_nothing_heavy() -> None:
    assert _imported_by("--help") == set()


def test_the_form_is_drawn_without_the_lines_machinery() -> None:
    assert not {"pipeline.wiring", "sqlalchemy", "pyhanko", "fastapi"} & _imported_by("form", "--help")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_listed_and_has_the_help_it_is_listed_with(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--help"]) == 0
    assert COMMANDS[name] in capsys.readouterr().out
    assert run([name, "--help"]) == 0
    title = COMMANDS[name].partition(" / ")[0]
    assert title in capsys.readouterr().out


def test_a_command_that_is_misspelt_is_a_usage_error_that_names_the_right_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["verfy"]) == 2
    assert "verify" in capsys.readouterr().err
