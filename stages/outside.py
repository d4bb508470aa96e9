"""Run a program that is not ours on bytes that are not ours: limits on all it can take, and no network."""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, cast

MAX_KEPT_STDERR_BYTES = 4_000
_PROBE_TIMEOUT_S = 5.0
_NEW_NAMESPACES = (
    "unshare",
    *("--user", "--map-current-user", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--"),
)


@dataclass(frozen=True)
class Limits:
    """What a program may take.

    Attributes:
        timeout_s: on the clock on the wall; then it is killed with all it started.
        cpu_s: processor time of each of its processes.
        memory_bytes: address space of each of its processes.
        file_bytes: size of any file it writes.
    """

    timeout_s: float
    cpu_s: int
    memory_bytes: int
    file_bytes: int


@dataclass
class Running:
    """A program that was started, and how it ended once that is known.

    Attributes:
        output: its standard output.
        exit_code: None while it runs; negative when a signal ended it.
        was_timed_out: it was killed for taking too long.
        complaint: the end of what it wrote to standard error.
    """

    output: IO[bytes]
    exit_code: int | None = None
    was_timed_out: bool = False
    complaint: str = ""


def is_installed(program: str) -> bool:
    """Return whether a program is on the PATH."""
    return shutil.which(program) is not None


@contextmanager
def started(
    command: Sequence[str], *, folder: Path, limits: Limits, environment: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Start a program in a folder of its own, and see that nothing of it is left after the block.

    The environment is empty but for PATH, HOME and TMPDIR (the folder), and what is given. Where the
    system lets us, the program has no network, and what it starts dies with it. A program that is not
    there ends at once, with exit code 127.
    """
    whole = [*_isolation(), *_limited(limits), *command]
    inherited = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "TMPDIR": str(folder)}
    with (folder / "stderr").open("w+b") as complaints:
        process = subprocess.Popen(
            whole,
            cwd=folder,
            env={**inherited, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,  # its group is killed as one
        )
        running = Running(cast("IO[bytes]", process.stdout))

        def stop() -> None:
            running.was_timed_out = True
            _kill(process)

        clock = threading.Timer(limits.timeout_s, stop)
        clock.daemon = True
        clock.start()
        try:
            yield running
            running.output.close()
            running.exit_code = process.wait()
        finally:
            clock.cancel()
            _kill(process)
            process.wait()
            running.output.close()
            running.exit_code = process.returncode
            complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - MAX_KEPT_STDERR_BYTES))
            running.complaint = complaints.read().decode(errors="replace")


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _limited(limits: Limits) -> list[str]:
    """Return the command that sets the limits: no code of ours may run between fork and exec with threads."""
    return [
        "prlimit",
        f"--cpu={limits.cpu_s}",
        f"--as={limits.memory_bytes}",
        f"--fsize={limits.file_bytes}",
        "--core=0",
        "--",
    ]


@cache
def _isolation() -> tuple[str, ...]:
    """Return what starts a program in namespaces of its own; nothing where the system forbids it."""
    try:
        tried = subprocess.run(
            [*_NEW_NAMESPACES, "true"], capture_output=True, check=False, timeout=_PROBE_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return _NEW_NAMESPACES if tried.returncode == 0 else ()
