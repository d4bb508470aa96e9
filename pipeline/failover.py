"""Several time-stamping authorities as one: asked in order, each left alone while it fails or lies."""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from pipeline.authorities import TimestampBusy, no_address
from stages.authorities import Accepted, TimestampAuthority
from stages.errors import TimestampUnavailable, Untrusted

log = logging.getLogger(__name__)

MAX_TRIES = 2
"""Each authority is asked twice at most for a document: public ones block who asks too often
(jsignpdf #441)."""
RETRY_WAIT_S = 0.2
FAILURES_TO_OPEN = 3
"""So many failures in a row, and an authority is left alone for a while (a circuit breaker)."""
FIRST_REST_S, MAX_REST_S = 2.0, 120.0
WRONG_REST_S = 600.0
"""How long an authority is left alone that answered something wrong."""
RATE_WINDOW_S = 60.0

Clock = Callable[[], float]


class _Standing:
    """How one authority has been doing."""

    def __init__(self, authority: TimestampAuthority, max_per_minute: int | None, clock: Clock) -> None:
        self.authority = authority
        self._max_per_minute = max_per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: deque[float] = deque()
        self._failures = 0
        self._rests_until = 0.0
        self._why: tuple[str, str] = ("", "")

    def turned_away(self) -> tuple[str, str] | None:
        """Return why the authority may not be asked now, in English and Chinese; else count the request."""
        with self._lock:
            now = self._clock()
            if now < self._rests_until:
                return self._why
            if self._max_per_minute is None:
                return None
            while self._asked and self._asked[0] <= now - RATE_WINDOW_S:
                self._asked.popleft()
            if len(self._asked) >= self._max_per_minute:
                return (
                    f"asked {self._max_per_minute} times within a minute, as often as is allowed",
                    f"一分钟内已请求 {self._max_per_minute} 次，达到限额",
                )
            self._asked.append(now)
            return None

    def answered(self) -> None:
        with self._lock:
            self._failures = 0
            self._why = ("", "")

    def failed(self, error: TimestampUnavailable | Untrusted) -> None:
        """Note a failure; a wrong answer, a request to wait, or several failures in a row lead to a rest."""
        with self._lock:
            self._failures += 1
            if isinstance(error, Untrusted):
                rest_s = WRONG_REST_S
            elif isinstance(error, TimestampBusy):
                rest_s = error.retry_after_s
            elif self._failures >= FAILURES_TO_OPEN:
                longest = min(MAX_REST_S, FIRST_REST_S * 2 ** (self._failures - FAILURES_TO_OPEN))
                # Jitter: many workers that saw it fail do not come back in the same moment.
                rest_s = random.uniform(longest / 2, longest)  # noqa: S311 - no secret
            else:
                return
            self._rests_until = self._clock() + rest_s
            self._why = (str(error), error.zh or str(error))
        log.warning(
            "time-stamping authority %s is left alone for %.0f s: %s", self.authority.name, rest_s, error
        )

    @property
    def rests(self) -> str | None:
        """Why the authority is left alone at the moment; None when it is not."""
        with self._lock:
            return self._why[0] if self._clock() < self._rests_until else None


class FailoverAuthority:
    """Several authorities as one: each is asked up to MAX_TRIES times, in order, until one is accepted.

    May be used from many threads.

    Args:
        max_per_minute: how often each may be asked; None for no limit.
    """

    def __init__(
        self,
        authorities: Sequence[TimestampAuthority],
        *,
        wait_s: float = RETRY_WAIT_S,
        max_per_minute: int | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        if not authorities:
            raise no_address()
        self._standings = tuple(_Standing(one, max_per_minute, clock) for one in authorities)
        self._wait_s = wait_s

    @property
    def name(self) -> str:
        return ", ".join(standing.authority.name for standing in self._standings)

    @property
    def passed_over(self) -> Mapping[str, str]:
        """The authorities that are left alone at the moment, and why."""
        return {
            standing.authority.name: why
            for standing in self._standings
            if (why := standing.rests) is not None
        }

    def ask(self, request: bytes) -> bytes:
        """Return the first answer, whatever it says.

        Raises:
            TimestampUnavailable: none of them answered.
        """
        return self.first_accepted(request, bytes)

    def first_accepted(self, request: bytes, accept: Callable[[bytes], Accepted]) -> Accepted:
        """Return what `accept` makes of the first answer that it takes.

        Raises:
            TimestampUnavailable: none answered with something acceptable; the message has each one's reason.
            Untrusted: each answered, and each was wrong.
        """
        reasons: list[TimestampUnavailable | Untrusted] = []
        for standing in self._standings:
            away = standing.turned_away()
            if away is not None:
                reasons.append(TimestampUnavailable(away[0], zh=away[1]))
                continue
            try:
                return self._ask(standing, request, accept)
            except (TimestampUnavailable, Untrusted) as error:
                reasons.append(error)
        if len(reasons) == 1:
            raise reasons[0]
        names = [standing.authority.name for standing in self._standings]
        english = "; ".join(f"{name}: {error}" for name, error in zip(names, reasons, strict=True))
        chinese = "；".join(
            f"{name}：{error.zh or error}" for name, error in zip(names, reasons, strict=True)
        )
        kind = Untrusted if all(isinstance(error, Untrusted) for error in reasons) else TimestampUnavailable
        raise kind(
            f"none of {len(reasons)} time-stamping authorities gave a timestamp: {english}",
            zh=f"{len(reasons)} 家时间戳服务机构均未给出时间戳：{chinese}",
        ) from reasons[-1]

    def _ask(self, standing: _Standing, request: bytes, accept: Callable[[bytes], Accepted]) -> Accepted:
        """Ask one authority, and again when it was only silent."""
        tries = 0
        while True:
            tries += 1
            try:
                accepted = accept(standing.authority.ask(request))
            except (TimestampUnavailable, Untrusted) as error:
                standing.failed(error)
                is_silent = not isinstance(error, Untrusted | TimestampBusy)
                if tries >= MAX_TRIES or not is_silent or standing.turned_away() is not None:
                    raise
            else:
                standing.answered()
                return accepted
            time.sleep(random.uniform(self._wait_s / 2, self._wait_s))  # noqa: S311 - no secret
