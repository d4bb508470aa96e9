"""Which state of a document's job follows which, as a table."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from pipeline.errors import WrongState
from storage.schema import JobState


class Act(StrEnum):
    """What is done to a job; the names stand in the event log."""

    INSPECT = "inspect"
    PLAN = "plan"
    STAMP = "stamp"
    CLAIM = "claim"
    SIGN = "sign"
    AWAIT_TIMESTAMP = "await_timestamp"
    TIMESTAMP = "timestamp"
    VERIFY = "verify"
    AWAIT_ARCHIVING = "await_archiving"
    ARCHIVE = "archive"
    REFUSE = "refuse"
    REOPEN = "reopen"
    REVERIFY = "reverify"
    WITHDRAW = "withdraw"
    KEEP_UNSIGNED = "keep_unsigned"


_S = JobState
_FORWARD: dict[tuple[JobState, Act], JobState] = {
    (_S.RECEIVED, Act.INSPECT): _S.INSPECTED,
    (_S.INSPECTED, Act.PLAN): _S.PLANNED,
    (_S.PLANNED, Act.STAMP): _S.STAMPED,
    (_S.STAMPED, Act.CLAIM): _S.SIGNING,
    (_S.SIGNING, Act.SIGN): _S.SIGNED,
    (_S.SIGNED, Act.TIMESTAMP): _S.TIMESTAMPED,
    (_S.SIGNED, Act.AWAIT_TIMESTAMP): _S.AWAITING_TIMESTAMP,
    (_S.AWAITING_TIMESTAMP, Act.AWAIT_TIMESTAMP): _S.AWAITING_TIMESTAMP,
    (_S.AWAITING_TIMESTAMP, Act.TIMESTAMP): _S.TIMESTAMPED,
    (_S.TIMESTAMPED, Act.VERIFY): _S.VERIFIED,
    (_S.VERIFIED, Act.AWAIT_TIMESTAMP): _S.VERIFIED,
    (_S.VERIFIED, Act.AWAIT_ARCHIVING): _S.VERIFIED,
    (_S.VERIFIED, Act.ARCHIVE): _S.ARCHIVED,
    (_S.PLANNED, Act.KEEP_UNSIGNED): _S.UNSIGNED,
    (_S.UNSIGNED, Act.AWAIT_TIMESTAMP): _S.UNSIGNED,
    (_S.UNSIGNED, Act.AWAIT_ARCHIVING): _S.UNSIGNED,
    (_S.UNSIGNED, Act.ARCHIVE): _S.KEPT_UNSIGNED,
    (_S.RECEIVED, Act.WITHDRAW): _S.CANCELLED,
    (_S.INSPECTED, Act.WITHDRAW): _S.CANCELLED,
    (_S.PLANNED, Act.WITHDRAW): _S.CANCELLED,
    (_S.STAMPED, Act.WITHDRAW): _S.CANCELLED,
    (_S.UNSIGNED, Act.WITHDRAW): _S.CANCELLED,
    (_S.REFUSED, Act.WITHDRAW): _S.CANCELLED,
    (_S.REFUSED, Act.REOPEN): _S.RECEIVED,
    (_S.REFUSED, Act.REVERIFY): _S.TIMESTAMPED,
}
MOVING = (_S.RECEIVED, _S.INSPECTED, _S.PLANNED, _S.STAMPED, _S.SIGNING, _S.SIGNED, _S.TIMESTAMPED)
"""States a worker leaves by itself."""
TRANSITIONS: Mapping[tuple[JobState, Act], JobState] = MappingProxyType(
    _FORWARD | {(state, Act.REFUSE): _S.REFUSED for state in (*MOVING, _S.AWAITING_TIMESTAMP)}
)
STATE_LABELS: Mapping[JobState, str] = MappingProxyType(
    {
        _S.RECEIVED: "待检",
        _S.INSPECTED: "已检查",
        _S.PLANNED: "已排布",
        _S.STAMPED: "已盖章",
        _S.SIGNING: "签名中",
        _S.SIGNED: "已签名",
        _S.AWAITING_TIMESTAMP: "等待时间戳",
        _S.TIMESTAMPED: "已加时间戳",
        _S.VERIFIED: "已验签",
        _S.ARCHIVED: "完成",
        _S.REFUSED: "失败",
        _S.CANCELLED: "已撤回",
        _S.UNSIGNED: "不签章，待归档",
        _S.KEPT_UNSIGNED: "原样保留（未签章）",
    }
)
"""What people are shown."""


def next_state(state: JobState, act: Act) -> JobState:
    """Return the state an act leads to.

    Raises:
        WrongState: the act is not allowed in that state.
    """
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise WrongState(
            f"{act} is not allowed for a job that is {state}", zh=f"作业处于 {state} 状态，不能执行 {act}"
        ) from None
