"""The SQLite broker with real workers in real processes, some of which are killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dramatiq
import pytest
from dramatiq.errors import QueueJoinTimeout, QueueNotFound
from dramatiq.middleware import Retries

from pipeline.broker_errors import BrokerUnavailable
from pipeline.errors import UsageRefused
from pipeline.sqlite_broker import MAX_MESSAGE_BYTES, SQLiteBroker

REPOSITORY = Path(__file__).resolve().parents[2]

WORKER = """
import os, signal, sys, time
from pathlib import Path
import dramatiq
from pipeline.sqlite_broker import SQLiteBroker

path, log, what = sys.argv[1:4]
broker = SQLiteBroker(Path(path), middleware=[], max_deliveries=3)

def note(number):
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, b"%d %d\\n" % (os.getpid(), number))
    os.close(descriptor)
    if what == "hang":
        time.sleep(600)
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "fork":
        if os.fork() == 0:
            time.sleep(5)
            os._exit(0)
        os.kill(os.getpid(), signal.SIGKILL)

dramatiq.actor(note, broker=broker, actor_name="note", queue_name="q")
worker = dramatiq.Worker(broker, worker_threads=2, worker_timeout=50)
worker.start()
while True:
    time.sleep(1)
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[SQLiteBroker]:
    opened = SQLiteBroker(tmp_path / "queue.sqlite", middleware=[Retries(max_retries=0)], max_deliveries=3)
    yield opened
    opened.close()


@pytest.fixture
def bells(broker: SQLiteBroker) -> "dramatiq.Actor[[int], None]":
    """An actor for messages that other processes consume."""
    return dramatiq.actor(lambda number: None, broker=broker, actor_name="note", queue_name="q")


@contextmanager
def answering(broker: SQLiteBroker, threads: int = 2) -> Iterator[None]:
    worker = dramatiq.Worker(broker, worker_threads=threads, worker_timeout=50)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


@contextmanager
def process(tmp_path: Path, what: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-c", WORKER, str(tmp_path / "queue.sqlite"), str(tmp_path / "log"), what]
    worker = subprocess.Popen(command, cwd=REPOSITORY)
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


def lines(tmp_path: Path) -> list[tuple[int, int]]:
    log = tmp_path / "log"
    if not log.exists():
        return []
    return [(int(pid), int(number)) for pid, number in map(str.split, log.read_text().splitlines())]


def wait_until(is_so: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_every_message_is_answered_once(broker: SQLiteBroker) -> None:
    answered: list[int] = []
    bell = dramatiq.actor(answered.append, broker=broker, actor_name="bell", queue_name="q")
    for number in range(200):
        bell.send(number)
    with answering(broker, threads=4):
        broker.join("q", timeout=20_000)
    assert sorted(answered) == list(range(200))


def test_messages_outlive_the_process_that_sent_them(tmp_path: Path) -> None:
    for _ in range(2):
        sender = SQLiteBroker(tmp_path / "queue.sqlite", middleware=[])
        dramatiq.actor(lambda number: None, broker=sender, actor_name="bell", queue_name="q").send(1)
        sender.close()
    answered: list[int] = []
    receiver = SQLiteBroker(tmp_path / "queue.sqlite", middleware=[])
    dramatiq.actor(answered.append, broker=receiver, actor_name="bell", queue_name="q")
    with answering(receiver):
        receiver.join("q", timeout=10_000)
    receiver.close()
    assert answered == [1, 1]


def test_an_urgent_actor_goes_first_and_the_rest_in_order(broker: SQLiteBroker) -> None:
    order: list[str] = []
    calm = dramatiq.actor(order.append, broker=broker, actor_name="calm", queue_name="q", priority=10)
    urgent = dramatiq.actor(order.append, broker=broker, actor_name="urgent", queue_name="q", priority=0)
    for name in ("c1", "c2"):
        calm.send(name)
    urgent.send("u")
    with answering(broker, threads=1):
        broker.join("q", timeout=10_000)
    assert order == ["u", "c1", "c2"]


def test_a_delayed_message_waits_its_time(broker: SQLiteBroker) -> None:
    answered: list[float] = []

    def note(_number: int) -> None:
        answered.append(time.monotonic())

    bell = dramatiq.actor(note, broker=broker, actor_name="bell", queue_name="q")
    sent = time.monotonic()
    bell.send_with_options(args=(1,), delay=600)
    bell.send(2)
    with answering(broker):
        broker.join("q", timeout=10_000)
    assert answered[0] - sent < 0.6 <= answered[1] - sent


def test_a_killed_workers_message_is_answered_by_another(
    broker: SQLiteBroker, bells: "dramatiq.Actor[[int], None]", tmp_path: Path
) -> None:
    bells.send(7)
    with process(tmp_path, "hang") as first:
        wait_until(lambda: len(lines(tmp_path)) == 1)
        with process(tmp_path, "work") as second:
            time.sleep(1.5)
            assert len(lines(tmp_path)) == 1, "a living worker's message was given away"
            first.send_signal(signal.SIGKILL)
            first.wait()
            wait_until(lambda: len(lines(tmp_path)) == 2)
            broker.join("q", timeout=5_000)
            assert lines(tmp_path) == [(first.pid, 7), (second.pid, 7)]
    assert broker.dead_letters() == []


def test_a_child_that_outlives_its_killed_worker_does_not_keep_the_message(
    broker: SQLiteBroker, bells: "dramatiq.Actor[[int], None]", tmp_path: Path
) -> None:
    bells.send(7)
    with process(tmp_path, "fork") as first:
        assert first.wait(timeout=20) == -signal.SIGKILL
    began = time.monotonic()
    with process(tmp_path, "work"):
        wait_until(lambda: len(lines(tmp_path)) == 2)
    assert time.monotonic() - began < 4


def test_a_message_that_kills_its_workers_is_put_aside(
    broker: SQLiteBroker, bells: "dramatiq.Actor[[int], None]", tmp_path: Path
) -> None:
    bells.send(13)
    for deaths in range(1, 4):
        with process(tmp_path, "die") as worker:
            assert worker.wait(timeout=20) == -signal.SIGKILL
        assert len(lines(tmp_path)) == deaths
    bells.send(14)
    with process(tmp_path, "work"):
        wait_until(lambda: len(lines(tmp_path)) == 4)
    assert [number for _, number in lines(tmp_path)] == [13, 13, 13, 14]
    assert [letter.args for letter in broker.dead_letters()] == [(13,)]


def test_an_actor_that_fails_leaves_a_dead_letter(broker: SQLiteBroker) -> None:
    def fail(_number: int) -> None:
        raise ValueError("a bug")

    dramatiq.actor(fail, broker=broker, actor_name="fail", queue_name="q").send(5)
    with answering(broker):
        broker.join("q", timeout=10_000)
    assert [letter.args for letter in broker.dead_letters()] == [(5,)]


def test_dead_letters_do_not_pile_up(broker: SQLiteBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.sqlite_broker.MAX_DEAD_LETTERS", 3)
    bell = dramatiq.actor(lambda number: None, broker=broker, actor_name="bell", queue_name="q")
    for number in range(5):
        bell.send(number)
    consumer = broker.consume("q", prefetch=20, timeout=1000)
    for _ in range(5):
        consumer.nack(next(consumer))
    assert [letter.args for letter in broker.dead_letters()] == [(2,), (3,), (4,)]


def test_a_body_nobody_can_read_is_put_aside(
    broker: SQLiteBroker, bells: "dramatiq.Actor[[int], None]", tmp_path: Path
) -> None:
    broker.connection().execute(
        "INSERT INTO messages(queue, due_at_ms, priority, body) VALUES ('q', 0, 0, X'FF00')"
    )
    bells.send(1)
    consumer = broker.consume("q", prefetch=2, timeout=1000)
    message = next(consumer)
    assert message is not None
    assert message.args == (1,)
    consumer.ack(message)
    assert broker.connection().execute("SELECT is_dead FROM messages").fetchall() == [(1,)]


def test_no_more_messages_are_taken_than_there_are_threads(
    broker: SQLiteBroker, bells: "dramatiq.Actor[[int], None]"
) -> None:
    for number in range(5):
        bells.send(number)
    consumer = broker.consume("q", prefetch=4, timeout=50)  # dramatiq asks so for two threads
    first, second = next(consumer), next(consumer)
    assert (first.args, second.args, next(consumer)) == ((0,), (1,), None)
    consumer.ack(first)
    third = next(consumer)
    assert third.args == (2,)
    consumer.requeue([third])
    consumer.close()
    assert next(broker.consume("q", prefetch=2, timeout=50)).args == (2,)


def test_closing_gives_back_what_was_claimed(tmp_path: Path) -> None:
    first = SQLiteBroker(tmp_path / "queue.sqlite", middleware=[])
    dramatiq.actor(lambda number: None, broker=first, actor_name="note", queue_name="q").send(1)
    assert next(first.consume("q", prefetch=2, timeout=500)).args == (1,)
    first.close()
    assert os.listdir(tmp_path / "queue.sqlite.workers") == []
    second = SQLiteBroker(tmp_path / "queue.sqlite", middleware=[])
    second.declare_queue("q")
    assert next(second.consume("q", prefetch=2, timeout=500)).args == (1,)
    second.close()


def test_flushing_drops_messages(broker: SQLiteBroker, bells: "dramatiq.Actor[[int], None]") -> None:
    bells.send(1)
    broker.flush("q")
    broker.join("q", timeout=100)
    bells.send(2)
    with pytest.raises(QueueJoinTimeout):
        broker.join("q", timeout=50)
    broker.flush_all()
    broker.join("q", timeout=100)


def test_an_undeclared_queue_is_not_found(broker: SQLiteBroker, bells: "dramatiq.Actor[[int], None]") -> None:
    with pytest.raises(QueueNotFound):
        broker.consume("nowhere")
    with pytest.raises(QueueNotFound):
        broker.enqueue(bells.message(1).copy(queue_name="nowhere"))


def test_a_message_too_large_is_refused(broker: SQLiteBroker) -> None:
    bell = dramatiq.actor(lambda text: None, broker=broker, actor_name="bell", queue_name="q")
    with pytest.raises(UsageRefused):
        bell.send("x" * MAX_MESSAGE_BYTES)


def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(BrokerUnavailable):
        SQLiteBroker(tmp_path, middleware=[])
