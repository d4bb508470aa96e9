"""A process's own folder to work in; what a killed process left behind is cleared away by the next one."""

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "process-"
_LOCK = ".lock"


@contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """Give a new folder under `root`, held by a lock that the kernel drops with the process.

    Folders of processes that are no more (their lock is free) are deleted first; a folder whose process
    lives, on this host or in another container that shares the disk, is left alone.
    """
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in root.glob(f"{_PREFIX}*"):
        _clear_if_left(folder)
    folder = root / f"{_PREFIX}{uuid.uuid4().hex}"
    folder.mkdir(mode=0o700)
    descriptor = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _clear_if_left(folder: Path) -> None:
    """Delete a folder whose lock is free; one without a lock yet is being made this moment."""
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return
    try:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
