"""Scratch folders: gone with their process, also when it was killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from pipeline.scratch import scratch_folder
from tests.conftest import REPOSITORY

HOLD = """
import sys, time
from pathlib import Path
from pipeline.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "large").write_bytes(bytes(1000))
    print(folder, flush=True)
    time.sleep(60)
"""


def _hold(root: Path) -> tuple["subprocess.Popen[str]", Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_folder_is_gone_after_its_block(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        assert folder.is_dir()
    assert not folder.exists()


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path) -> None:
    process, left = _hold(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (left / "large").exists()
    with scratch_folder(tmp_path):
        assert not left.exists()


def test_a_living_processs_folder_is_left_alone(tmp_path: Path) -> None:
    process, held = _hold(tmp_path)
    with scratch_folder(tmp_path):
        assert (held / "large").exists()
    process.kill()
    process.wait()
