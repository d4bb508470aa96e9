"""A run's results stand in the output folder all together, or not at all."""

import errno
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import UsageRefused
from pipeline.fresh_results import fresh_results
from pipeline.seals import RESULT_NAMES
from pipeline.wiring import App
from seal_imaging import ImpressionUnusable
from tests.pipeline.conftest import write_seal_image

NAMES = re.compile(r"seal-\d\d\.(png|json)")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_results_replace_those_of_the_run_before_and_nothing_else(tmp_path: Path) -> None:
    for name in ("seal-00.png", "seal-01.png", "seal-01.json", "备注.txt", "my-seal-01.png"):
        (tmp_path / name).write_text("old")
    with fresh_results(tmp_path, names=NAMES, given=tmp_path / "scan.png") as folder:
        (folder / "seal-00.png").write_text("new")
        assert (tmp_path / "seal-00.png").read_text() == "old"
    assert names_in(tmp_path) == ["my-seal-01.png", "seal-00.png", "备注.txt"]
    assert (tmp_path / "seal-00.png").read_text() == "new"


def test_a_run_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "seal-00.png").write_text("old")
    full = OSError(errno.ENOSPC, "No space left on device")

    def run() -> None:
        with fresh_results(tmp_path, names=NAMES, given=tmp_path / "scan.png") as folder:
            (folder / "seal-00.png").write_text("half")
            raise full

    with pytest.raises(OSError, match="No space"):
        run()
    assert names_in(tmp_path) == ["seal-00.png"]
    assert (tmp_path / "seal-00.png").read_text() == "old"


def test_a_run_that_is_killed_leaves_nothing_that_looks_done(tmp_path: Path) -> None:
    program = (
        "import os, re, signal, sys; from pathlib import Path\n"
        "from pipeline.fresh_results import fresh_results\n"
        "out = Path(sys.argv[1])\n"
        "with fresh_results(out, names=re.compile('seal-.*'), given=Path('scan.png')) as folder:\n"
        "    (folder / 'seal-00.png').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", program, str(out)], check=False, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == -signal.SIGKILL
    assert [name for name in names_in(out) if not name.startswith(".")] == []


def test_a_scan_among_the_results_is_not_written_over(tmp_path: Path) -> None:
    scan = write_seal_image(tmp_path / "impression-000.png")
    with pytest.raises(UsageRefused, match="another folder") as caught:
        fresh_results(tmp_path, names=RESULT_NAMES, given=scan).__enter__()
    assert caught.value.zh
    assert scan.is_file()


def test_a_file_in_the_way_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(UsageRefused, match="is a file"):
        fresh_results(tmp_path / "out", names=NAMES, given=tmp_path / "scan.png").__enter__()


def test_an_extraction_without_an_impression_keeps_the_images_of_the_last(app: App, tmp_path: Path) -> None:
    from PIL import Image

    out = tmp_path / "out"
    out.mkdir()
    (out / "seal-00.png").write_text("old")
    Image.new("RGB", (400, 400), "white").save(tmp_path / "blank.png", dpi=(300, 300))
    with pytest.raises(ImpressionUnusable):
        app.seals.extract(tmp_path / "blank.png", out, actor=app.actor, read=False)
    assert names_in(out) == ["seal-00.png"]
