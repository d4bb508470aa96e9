"""The receiving end of the SQLite broker: claims messages for this process, and ends them."""

import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

import dramatiq
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.common import current_millis
from dramatiq.errors import DecodeError

if TYPE_CHECKING:
    from pipeline.sqlite_broker import SQLiteBroker

REAP_EVERY_S = 1.0
MIN_NAP_S = 0.002
MAX_NAP_S = 0.05

_IS_READY = (
    "SELECT 1 FROM messages WHERE queue = ? AND owner IS NULL AND is_dead = 0 AND due_at_ms <= ? LIMIT 1"
)
_CLAIM = (
    "UPDATE messages SET owner = ? WHERE id IN (SELECT id FROM messages WHERE queue = ? AND owner IS NULL"
    " AND is_dead = 0 AND due_at_ms <= ? ORDER BY priority, id LIMIT ?) RETURNING priority, id, body"
)


class SQLiteConsumer(Consumer):  # type: ignore[misc]
    """Messages of one queue. `__next__` is called by one thread; messages are ended by any."""

    def __init__(
        self, broker: "SQLiteBroker", queue_name: str, owner: str, *, prefetch: int, timeout_ms: int
    ) -> None:
        # dramatiq's worker asks for twice as many messages as it has threads; what waits in one
        # process cannot be done by another, so no more than its threads are taken.
        self._room = max(1, prefetch // 2)
        self._broker = broker
        self._queue_name = queue_name
        self._owner = owner
        self._timeout_s = timeout_ms / 1000
        self._claimed: deque[tuple[int, bytes]] = deque()
        self._one_ended = threading.Condition()
        self._nap_s = MIN_NAP_S
        self._reap_at = 0.0

    def __next__(self) -> MessageProxy | None:
        """Return the next message, or None after the timeout.

        Raises:
            BrokerUnavailable: the file does not answer.
        """
        deadline = time.monotonic() + self._timeout_s
        while True:
            with self._broker.answers():
                self._reap()
                if self._claimed or self._claim():
                    self._nap_s = MIN_NAP_S
                    message = self._decoded(*self._claimed.popleft())
                    if message is not None:
                        return message
                    continue
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return None
            with self._one_ended:
                self._one_ended.wait(min(self._nap_s, left_s))
            self._nap_s = min(self._nap_s * 1.5, MAX_NAP_S)

    def ack(self, message: MessageProxy) -> None:
        """Forget a message that is done."""
        with self._broker.answers():
            self._broker.connection().execute(
                "DELETE FROM messages WHERE id = ? AND owner = ?", (_id(message), self._owner)
            )
        self._make_room(1)

    def nack(self, message: MessageProxy) -> None:
        """Put a message aside as a dead letter."""
        with self._broker.answers():
            self._broker.put_aside(_id(message))
        self._make_room(1)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Give messages back that nobody has begun."""
        self._give_back([_id(message) for message in messages])

    def close(self) -> None:
        """Give back what was claimed and not yet handed out."""
        ids = [message_id for message_id, _ in self._claimed]
        self._claimed.clear()
        self._give_back(ids)

    def _give_back(self, ids: list[int]) -> None:
        if not ids:
            return
        with self._broker.answers():
            self._broker.connection().executemany(
                "UPDATE messages SET owner = NULL WHERE id = ? AND owner = ?",
                [(message_id, self._owner) for message_id in ids],
            )
        self._make_room(len(ids))

    def _make_room(self, ended: int) -> None:
        with self._one_ended:
            self._room += ended
            self._one_ended.notify()

    def _claim(self) -> bool:
        """Take as many due messages as there is room for; the look before spares the write lock."""
        with self._one_ended:
            room = self._room
        connection = self._broker.connection()
        now_ms = current_millis()
        if room <= 0 or connection.execute(_IS_READY, (self._queue_name, now_ms)).fetchone() is None:
            return False
        rows = connection.execute(_CLAIM, (self._owner, self._queue_name, now_ms, room)).fetchall()
        with self._one_ended:
            self._room -= len(rows)
        self._claimed.extend((message_id, body) for _, message_id, body in sorted(rows))
        return bool(rows)

    def _decoded(self, message_id: int, body: bytes) -> MessageProxy | None:
        try:
            message = dramatiq.Message.decode(body)
        except DecodeError:
            self._broker.put_aside(message_id)
            self._make_room(1)
            return None
        proxy = MessageProxy(message)
        proxy.row_id = message_id
        return proxy

    def _reap(self) -> None:
        now = time.monotonic()
        if now >= self._reap_at:
            self._reap_at = now + REAP_EVERY_S
            self._broker.reap()


def _id(message: MessageProxy) -> int:
    row_id: int = message.row_id
    return row_id
