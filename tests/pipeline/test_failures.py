"""The failure table: every error a room declares has its row, and one line for people."""

import errno
import inspect
from types import ModuleType

import pytest

from pipeline import errors as pipeline_errors
from pipeline.failures import ExitCode, error_json, failure_of, failures, one_line
from seal_imaging import errors as imaging_errors
from stages import errors as stage_errors
from storage import errors as storage_errors

ROOTS = {"PipelineError", "StagesError", "StorageError"}


def _declared(module: ModuleType) -> list[type[Exception]]:
    classes = [value for _, value in inspect.getmembers(module, inspect.isclass)]
    return [kind for kind in classes if issubclass(kind, Exception) and kind.__name__ not in ROOTS]


@pytest.mark.parametrize("module", [pipeline_errors, imaging_errors, stage_errors, storage_errors])
def test_every_declared_error_has_an_exit_code(module: ModuleType) -> None:
    for kind in _declared(module):
        assert failure_of(kind("x")).exit_code is not ExitCode.UNEXPECTED, kind


def test_an_undeclared_error_is_unexpected() -> None:
    assert failure_of(ZeroDivisionError()).exit_code is ExitCode.UNEXPECTED


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_plainly_and_may_be_tried_again(number: int) -> None:
    error = OSError(number, "No space left on device")
    assert failure_of(error).exit_code is ExitCode.UNAVAILABLE
    assert failure_of(error).retry
    assert one_line(error).startswith("磁盘空间不足 UNAVAILABLE: 磁盘已满或超出配额，请清理后再试 / ")
    assert error_json(error)["message_zh"] == "磁盘已满或超出配额，请清理后再试"


def test_another_fault_of_the_system_is_unexpected() -> None:
    assert failure_of(OSError(errno.EIO, "Input/output error")).exit_code is ExitCode.UNEXPECTED


def test_no_row_hides_a_later_one() -> None:
    seen: list[type[BaseException]] = []
    for kind, _ in failures():
        assert not any(issubclass(kind, earlier) for earlier in seen), kind
        seen.append(kind)


def test_only_what_is_outside_is_tried_again() -> None:
    assert {failure.exit_code for _, failure in failures() if failure.retry} == {ExitCode.UNAVAILABLE}


def test_a_person_is_shown_one_line() -> None:
    error = stage_errors.InputRefused("a.pdf: is\nencrypted", zh="a.pdf：已加密")
    line = one_line(error)
    assert "\n" not in line
    assert line == "文件不能受理 INPUT_REFUSED: a.pdf：已加密 / a.pdf: is encrypted"
    assert error_json(error)["code"] == 10
