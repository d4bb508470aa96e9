"""The one place where the clock is read, and what is handed to whoever needs the time."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the instant, aware."""
    return datetime.now(UTC)
