"""Authorities that stand in for one another: who is silent, busy or wrong is left alone, and it is said."""

from dataclasses import dataclass, field

import pytest

from pipeline.authorities import TimestampBusy
from pipeline.failover import (
    FAILURES_TO_OPEN,
    MAX_REST_S,
    MAX_TRIES,
    RATE_WINDOW_S,
    WRONG_REST_S,
    FailoverAuthority,
)
from stages.errors import TimestampUnavailable, Untrusted

SILENT = TimestampUnavailable("is silent", zh="无应答")


@dataclass
class Scripted:
    """An authority that fails as told, then answers with its name."""

    name: str
    errors: list[Exception] = field(default_factory=list)
    asked: int = 0

    def ask(self, request: bytes) -> bytes:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.name.encode()


@dataclass
class Hands:
    """A clock that is set by hand."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def several(*authorities: Scripted, clock: Hands | None = None, **limits: int) -> FailoverAuthority:
    return FailoverAuthority(authorities, wait_s=0, clock=clock or Hands(), **limits)


def dead(name: str) -> Scripted:
    return Scripted(name, [SILENT] * 999)


def test_the_first_that_answers_is_taken() -> None:
    first, second, third = dead("a"), Scripted("b"), Scripted("c")
    assert several(first, second, third).ask(b"q") == b"b"
    assert (first.asked, second.asked, third.asked) == (MAX_TRIES, 1, 0)


def test_one_failure_is_tried_again_with_the_same_authority() -> None:
    first, second = Scripted("a", [SILENT]), Scripted("b")
    assert several(first, second).ask(b"q") == b"a"
    assert second.asked == 0


def test_when_all_are_silent_each_one_s_reason_is_given() -> None:
    with pytest.raises(TimestampUnavailable, match=r"none of 2 .* a: is silent; b: is silent") as caught:
        several(dead("a"), dead("b")).ask(b"q")
    assert "a：无应答；b：无应答" in caught.value.zh


def test_no_authority_at_all_is_refused() -> None:
    with pytest.raises(TimestampUnavailable, match="no usable address"):
        FailoverAuthority([])


def test_a_mistake_of_ours_is_not_tried_again() -> None:
    broken = Scripted("broken", [ZeroDivisionError()])
    with pytest.raises(ZeroDivisionError):
        several(broken, Scripted("b")).ask(b"q")
    assert broken.asked == 1


def test_an_authority_that_keeps_failing_is_left_alone_for_a_while_then_tried_again() -> None:
    clock = Hands()
    first, second = dead("a"), Scripted("b")
    authority = several(first, second, clock=clock)
    for _ in range(5):
        assert authority.ask(b"q") == b"b"
    assert first.asked == FAILURES_TO_OPEN
    assert authority.passed_over == {"a": "is silent"}
    clock.now += MAX_REST_S
    first.errors.clear()
    assert authority.ask(b"q") == b"a"
    assert authority.passed_over == {}


def test_the_rest_grows_while_it_keeps_failing() -> None:
    clock = Hands()
    first = dead("a")
    authority = several(first, Scripted("b"), clock=clock)
    rests = []
    for _ in range(6):
        while not authority.passed_over:
            authority.ask(b"q")
        since = clock.now
        while authority.passed_over:
            clock.now += 0.5
        rests.append(clock.now - since)
    assert rests[0] <= 2.5
    assert rests[5] > 8 * rests[0]
    assert max(rests) <= MAX_REST_S


def test_an_authority_that_lies_is_out_at_once_and_the_next_is_asked() -> None:
    def accept(answer: bytes) -> bytes:
        if answer == b"liar":
            raise Untrusted("its message imprint is not ours", zh="摘要不一致")
        return answer

    clock = Hands()
    liar, honest = Scripted("liar"), Scripted("honest")
    authority = several(liar, honest, clock=clock)
    assert authority.first_accepted(b"q", accept) == b"honest"
    assert authority.first_accepted(b"q", accept) == b"honest"
    assert liar.asked == 1
    assert authority.passed_over == {"liar": "its message imprint is not ours"}
    clock.now += WRONG_REST_S
    assert authority.passed_over == {}


def test_where_everybody_lies_it_is_no_silence() -> None:
    def accept(answer: bytes) -> bytes:
        raise Untrusted("wrong nonce", zh="随机数不一致")

    with pytest.raises(Untrusted, match=r"none of 2 .* a: wrong nonce; b: wrong nonce"):
        several(Scripted("a"), Scripted("b")).first_accepted(b"q", accept)


def test_a_busy_authority_is_asked_again_only_when_it_said() -> None:
    clock = Hands()
    first = Scripted("a", [TimestampBusy("asked too often", zh="过于频繁", retry_after_s=30)])
    authority = several(first, Scripted("b"), clock=clock)
    assert [authority.ask(b"q") for _ in range(3)] == [b"b"] * 3
    assert first.asked == 1
    clock.now += 30
    assert authority.ask(b"q") == b"a"


def test_no_authority_is_asked_more_often_than_allowed() -> None:
    clock = Hands()
    first, second = Scripted("a"), Scripted("b")
    authority = several(first, second, clock=clock, max_per_minute=2)
    assert [authority.ask(b"q") for _ in range(4)] == [b"a", b"a", b"b", b"b"]
    with pytest.raises(TimestampUnavailable, match="asked 2 times within a minute"):
        authority.ask(b"q")
    clock.now += RATE_WINDOW_S
    assert authority.ask(b"q") == b"a"
