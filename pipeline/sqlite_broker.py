"""A durable dramatiq broker for one host, on one SQLite file.

A message is a row. A worker process claims rows by writing its name on them, and holds a lock on a
file of that name for as long as it lives; when the kernel has let go of the lock (kill -9, power off),
any other worker gives the rows back. A message whose worker died MAX_DELIVERIES times is put aside.

`synchronous=NORMAL`: no message is lost when a process dies. The last ones may be when the power
fails: the job row is the truth, and the sweep rings again.
"""

import contextlib
import fcntl
import os
import sqlite3
import threading
import uuid
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dramatiq
from dramatiq.broker import Broker
from dramatiq.common import current_millis
from dramatiq.errors import QueueJoinTimeout, QueueNotFound

from pipeline.broker_errors import broker_silent
from pipeline.errors import UsageRefused
from pipeline.sqlite_consumer import SQLiteConsumer

MAX_DELIVERIES = 5
MAX_MESSAGE_BYTES = 64 * 1024
MAX_DEAD_LETTERS = 1_000
BUSY_TIMEOUT_S = 30.0

_TABLES = """
CREATE TABLE IF NOT EXISTS messages(
  id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, due_at_ms INTEGER NOT NULL,
  priority INTEGER NOT NULL, owner TEXT, deliveries INTEGER NOT NULL DEFAULT 0,
  is_dead INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS messages_ready ON messages(queue, priority, id)
  WHERE owner IS NULL AND is_dead = 0;
CREATE INDEX IF NOT EXISTS messages_owned ON messages(owner) WHERE owner IS NOT NULL;
"""


class SQLiteBroker(Broker):  # type: ignore[misc]
    """Messages in a file that many processes of one host may share; delays are kept in the file too."""

    def __init__(
        self,
        path: Path,
        *,
        middleware: list[dramatiq.Middleware],
        max_deliveries: int = MAX_DELIVERIES,
    ) -> None:
        """Open the file, making it where it is missing.

        Raises:
            BrokerUnavailable: it cannot be opened.
        """
        super().__init__(middleware=middleware)
        self.queues: dict[str, None] = {}
        self.max_deliveries = max_deliveries
        self._path = path.absolute()
        self._locks = self._path.with_name(self._path.name + ".workers")
        self._mutex = threading.Lock()
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._owner: tuple[int, str, int] | None = None  # process, name, descriptor of the lock
        self._parents: list[sqlite3.Connection] = []
        this = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _forked(this()))
        with self.answers():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self.connection().executescript(_TABLES)

    @contextlib.contextmanager
    def answers(self) -> Iterator[None]:
        """Say SQLite's errors as a broker that is silent."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise broker_silent(getattr(error, "sqlite_errorname", type(error).__name__)) from error

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection; one from before a fork is left alone."""
        if getattr(self._local, "process", None) != os.getpid():
            connection = sqlite3.connect(
                self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            with self._mutex:
                self._connections.append(connection)
            self._local.connection, self._local.process = connection, os.getpid()
        found: sqlite3.Connection = self._local.connection
        return found

    def owner(self) -> str:
        """Return this process's name; from the first call on, its lock says that it lives."""
        with self._mutex:
            if self._owner is None or self._owner[0] != os.getpid():
                self._locks.mkdir(exist_ok=True)
                name = uuid.uuid4().hex
                descriptor = os.open(self._locks / name, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._owner = (os.getpid(), name, descriptor)
            return self._owner[1]

    def begin_child(self) -> None:
        """Let go, in a forked child, of what belongs to its parent.

        A child that outlived its parent would keep the lock, and with it the parent's messages. SQLite
        connections must be neither used nor closed in a child (sqlite.org/howtocorrupt.html §2.6).
        """
        if self._owner is not None:
            _close(self._owner[2])
            self._owner = None
        self._mutex = threading.Lock()
        self._parents += self._connections
        self._connections = []

    def reap(self) -> int:
        """Give back the messages of workers that died; return how many."""
        connection = self.connection()
        given_back = 0
        for (owner,) in connection.execute(
            "SELECT DISTINCT owner FROM messages WHERE owner IS NOT NULL"
        ).fetchall():
            if self._owner is not None and owner == self._owner[1]:
                continue
            lock = self._locks / owner
            with _lock_of_the_dead(lock) as is_dead:
                if is_dead:
                    given_back += connection.execute(
                        "UPDATE messages SET owner = NULL, deliveries = deliveries + 1,"
                        " is_dead = (deliveries + 1 >= ?) WHERE owner = ?",
                        (self.max_deliveries, owner),
                    ).rowcount
                    lock.unlink(missing_ok=True)
        if given_back:
            self._drop_old_dead_letters()
        return given_back

    def _drop_old_dead_letters(self) -> None:
        self.connection().execute(
            "DELETE FROM messages WHERE is_dead = 1 AND id NOT IN"
            " (SELECT id FROM messages WHERE is_dead = 1 ORDER BY id DESC LIMIT ?)",
            (MAX_DEAD_LETTERS,),
        )

    def dead_letters(self) -> list[dramatiq.Message[Any]]:
        """Return the messages that were put aside, oldest first (the newest MAX_DEAD_LETTERS)."""
        with self.answers():
            rows = self.connection().execute("SELECT body FROM messages WHERE is_dead = 1 ORDER BY id")
            return [dramatiq.Message.decode(body) for (body,) in rows]

    def put_aside(self, message_id: int) -> None:
        """Make a message a dead letter."""
        self.connection().execute("UPDATE messages SET owner = NULL, is_dead = 1 WHERE id = ?", (message_id,))
        self._drop_old_dead_letters()

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue; again changes nothing."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def enqueue(self, message: dramatiq.Message[Any], *, delay: int | None = None) -> dramatiq.Message[Any]:
        """Keep a message for a worker.

        Args:
            delay: ms before it is due.

        Raises:
            QueueNotFound: its queue is not declared.
            UsageRefused: over MAX_MESSAGE_BYTES (a message carries one id).
            BrokerUnavailable: the file does not answer.
        """
        self.emit_before("enqueue", message, delay)
        if message.queue_name not in self.queues:
            raise QueueNotFound(message.queue_name)
        body = message.encode()
        if len(body) > MAX_MESSAGE_BYTES:
            raise UsageRefused(
                f"a message of {len(body)} bytes, over {MAX_MESSAGE_BYTES}; pass an id, not the thing",
                zh=f"消息 {len(body)} 字节，超过上限 {MAX_MESSAGE_BYTES}",
            )
        actor = self.actors.get(message.actor_name)
        due_at_ms = current_millis() + delay if delay else 0
        with self.answers():
            self.connection().execute(
                "INSERT INTO messages(queue, due_at_ms, priority, body) VALUES (?, ?, ?, ?)",
                (message.queue_name, due_at_ms, actor.priority if actor else 0, body),
            )
        self.emit_after("enqueue", message, delay)
        return message

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> SQLiteConsumer:
        """Return a consumer that waits `timeout` ms for a message.

        Raises:
            QueueNotFound: the queue is not declared.
        """
        if queue_name not in self.queues:
            raise QueueNotFound(queue_name)
        with self.answers():
            owner = self.owner()
        return SQLiteConsumer(self, queue_name, owner, prefetch=prefetch, timeout_ms=timeout)

    def flush(self, queue_name: str) -> None:
        """Drop a queue's messages."""
        with self.answers():
            self.connection().execute("DELETE FROM messages WHERE queue = ?", (queue_name,))

    def flush_all(self) -> None:
        """Drop every message."""
        with self.answers():
            self.connection().execute("DELETE FROM messages")

    def join(self, queue_name: str, *, timeout: int | None = None) -> None:
        """Wait until a queue is empty, dead letters aside; for tests.

        Raises:
            QueueJoinTimeout: it is not, after `timeout` ms.
        """
        deadline_ms = current_millis() + timeout if timeout is not None else None
        waiting = "SELECT 1 FROM messages WHERE queue = ? AND is_dead = 0 LIMIT 1"
        while self.connection().execute(waiting, (queue_name,)).fetchone():
            if deadline_ms is not None and current_millis() > deadline_ms:
                raise QueueJoinTimeout(queue_name)
            threading.Event().wait(0.02)

    def close(self) -> None:
        """Give back what this process still has, and close the file. No worker may run any more."""
        if self._owner is not None and self._owner[0] == os.getpid():
            _, name, descriptor = self._owner
            with contextlib.suppress(sqlite3.Error):
                self.connection().execute("UPDATE messages SET owner = NULL WHERE owner = ?", (name,))
            (self._locks / name).unlink(missing_ok=True)
            _close(descriptor)
            self._owner = None
        with self._mutex:
            connections, self._connections = self._connections, []
            self._local = threading.local()
        for connection in connections:
            connection.close()


@contextlib.contextmanager
def _lock_of_the_dead(lock: Path) -> Iterator[bool]:
    """Hold a worker's lock if nobody does; give whether its process is gone."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield True
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _forked(broker: SQLiteBroker | None) -> None:
    if broker is not None:
        broker.begin_child()


def _close(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.close(descriptor)
