"""A foreign program: what it says is read, and it ends when its limits say so, with all it started."""

from pathlib import Path

import pytest

from stages.outside import Limits, is_installed, started

_LIMITS = Limits(timeout_s=20, cpu_s=10, memory_bytes=1 << 30, file_bytes=1 << 20)


def _run(script: str, folder: Path, limits: Limits = _LIMITS) -> tuple[bytes, int | None, bool, str]:
    with started(["sh", "-c", script], folder=folder, limits=limits) as running:
        said = running.output.read()
    return said, running.exit_code, running.was_timed_out, running.complaint


def test_what_it_says_and_how_it_ends_is_told(tmp_path: Path) -> None:
    assert _run("echo made; echo wrong >&2; exit 3", tmp_path) == (b"made\n", 3, False, "wrong\n")


def test_it_is_given_no_environment_but_a_home_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALINE_KEY_PIN", "123456")
    said = _run("echo $HOME; echo pin:$SEALINE_KEY_PIN; pwd", tmp_path)[0].decode().split()
    assert said == [str(tmp_path), "pin:", str(tmp_path)]


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    limits = Limits(timeout_s=0.5, cpu_s=10, memory_bytes=1 << 30, file_bytes=1 << 20)
    said, exit_code, was_timed_out, _ = _run("sleep 60 & echo here; sleep 60", tmp_path, limits)
    assert (said, was_timed_out) == (b"here\n", True)
    assert exit_code is not None
    assert exit_code < 0


def test_leaving_the_block_early_ends_the_program(tmp_path: Path) -> None:
    with pytest.raises(KeyError), started(["sleep", "60"], folder=tmp_path, limits=_LIMITS) as running:
        raise KeyError
    assert running.exit_code is not None
    assert not running.was_timed_out


def test_a_file_over_its_limit_is_not_written(tmp_path: Path) -> None:
    _run("head -c 5000000 /dev/zero > big", tmp_path)
    assert (tmp_path / "big").stat().st_size <= 1 << 20


def test_only_what_is_on_the_path_is_installed() -> None:
    assert is_installed("sh")
    assert not is_installed("no-such-program-anywhere")


def test_a_program_that_is_not_there_ends_at_once(tmp_path: Path) -> None:
    with started(["no-such-program-anywhere"], folder=tmp_path, limits=_LIMITS) as running:
        assert running.output.read() == b""
    assert running.exit_code not in (0, None)
