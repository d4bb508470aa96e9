"""The one table that gives each class of error its exit code, HTTP status and retry decision."""

import errno
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from pipeline import errors as pipeline_errors
from stages import errors as stage_errors
from storage import errors as storage_errors


class ExitCode(IntEnum):
    """A public contract: these numbers do not change."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    INPUT_REFUSED = 10
    IMPRESSION_UNUSABLE = 11
    PLACEMENT_REFUSED = 12
    UNTRUSTED = 20
    INDETERMINATE = 21
    SIGNING_REFUSED = 22
    CORRUPT = 30
    NOT_FOUND = 31
    RETAINED = 32
    UNAVAILABLE = 40
    FORBIDDEN = 50
    WRONG_STATE = 51
    PARTLY_REFUSED = 100
    INTERRUPTED = 130


@dataclass(frozen=True)
class Failure:
    """What an error means to whoever asked.

    Attributes:
        zh: the kind of failure, as the screens call it.
        retry: whether the same step may succeed later by itself.
    """

    exit_code: ExitCode
    http_status: int
    zh: str
    retry: bool = False


_C = ExitCode


@cache
def failures() -> tuple[tuple[type[BaseException], Failure], ...]:
    """Return the table; of the classes an error belongs to, the first one here counts."""
    # With this room comes OpenCV, for which no help text should wait.
    from seal_imaging import errors as imaging_errors

    return (
        (pipeline_errors.UsageRefused, Failure(_C.USAGE, 400, "用法或设置错误")),
        (stage_errors.PlanRefused, Failure(_C.USAGE, 400, "用印方案有误")),
        (stage_errors.InputRefused, Failure(_C.INPUT_REFUSED, 422, "文件不能受理")),
        (imaging_errors.SealImagingError, Failure(_C.IMPRESSION_UNUSABLE, 422, "印模不可用")),
        (stage_errors.PlacementRefused, Failure(_C.PLACEMENT_REFUSED, 422, "无法盖章")),
        (stage_errors.Untrusted, Failure(_C.UNTRUSTED, 422, "验证不通过")),
        (stage_errors.Indeterminate, Failure(_C.INDETERMINATE, 422, "无法验证")),
        (stage_errors.SigningRefused, Failure(_C.SIGNING_REFUSED, 422, "不能签名")),
        (storage_errors.RetentionNotKept, Failure(_C.USAGE, 400, "存储不能保证保管期限")),
        (storage_errors.RecordRefused, Failure(_C.USAGE, 400, "不能登记")),
        (storage_errors.SchemaTooNew, Failure(_C.USAGE, 400, "记录由更新的版本建立")),
        (storage_errors.Corrupt, Failure(_C.CORRUPT, 500, "存储内容与记录不符")),
        (storage_errors.NotFound, Failure(_C.NOT_FOUND, 404, "没有找到")),
        (storage_errors.Retained, Failure(_C.RETAINED, 423, "保管期限内或已保全")),
        (storage_errors.StoreUnavailable, Failure(_C.UNAVAILABLE, 503, "服务不可用", retry=True)),
        (stage_errors.TimestampUnavailable, Failure(_C.UNAVAILABLE, 503, "时间戳服务不可用", retry=True)),
        (stage_errors.KeyUnavailable, Failure(_C.UNAVAILABLE, 503, "密钥设备不可用", retry=True)),
        (pipeline_errors.Unavailable, Failure(_C.UNAVAILABLE, 503, "服务不可用", retry=True)),
        (pipeline_errors.Forbidden, Failure(_C.FORBIDDEN, 403, "没有权限")),
        (pipeline_errors.WrongState, Failure(_C.WRONG_STATE, 409, "当前状态不允许")),
        (storage_errors.StaleState, Failure(_C.WRONG_STATE, 409, "当前状态不允许")),
        (storage_errors.AlreadyBound, Failure(_C.WRONG_STATE, 409, "当前状态不允许")),
        (KeyboardInterrupt, Failure(_C.INTERRUPTED, 500, "已中断")),
    )


@cache
def refusals() -> tuple[type[Exception], ...]:
    """Return the declared errors that trying again will not mend."""
    return tuple(kind for kind, failure in failures() if issubclass(kind, Exception) and not failure.retry)


UNEXPECTED = Failure(_C.UNEXPECTED, 500, "程序内部错误")
DISK_FULL = Failure(_C.UNAVAILABLE, 503, "磁盘空间不足", retry=True)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def failure_of(error: BaseException) -> Failure:
    """Return what an error means; UNEXPECTED for one that no room declares."""
    for kind, failure in failures():
        if isinstance(error, kind):
            return failure
    return DISK_FULL if isinstance(error, OSError) and error.errno in _FULL else UNEXPECTED


def exit_code_of(error: BaseException | None) -> ExitCode:
    """Return the exit code an error means; OK for none."""
    return failure_of(error).exit_code if error else ExitCode.OK


def common_code(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the exit code of a batch: its documents' common one, else PARTLY_REFUSED."""
    found = set(codes)
    return found.pop() if len(found) == 1 else ExitCode.PARTLY_REFUSED


def message_zh(error: BaseException) -> str:
    """Return the error's fact in Chinese; the English one where none was given."""
    if failure_of(error) is DISK_FULL:
        return "磁盘已满或超出配额，请清理后再试"
    return str(getattr(error, "zh", "") or error)


def one_line(error: BaseException) -> str:
    """Return the one line a person is shown: kind and fact in Chinese, then the fact in English."""
    failure = failure_of(error)
    english = str(error) or type(error).__name__
    zh = message_zh(error) if failure is DISK_FULL else str(getattr(error, "zh", ""))
    fact = f"{zh} / {english}" if zh else english
    return " ".join(f"{failure.zh} {failure.exit_code.name}: {fact}".split())


def error_json(error: BaseException) -> dict[str, object]:
    """Return an error as the JSON document that `--json` and the web give."""
    failure = failure_of(error)
    return {
        "code": int(failure.exit_code),
        "name": failure.exit_code.name,
        "message": str(error) or type(error).__name__,
        "message_zh": message_zh(error),
    }
