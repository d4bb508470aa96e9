"""Brokers by URL; RabbitMQ as a real server."""

import threading
from collections.abc import Iterator
from pathlib import Path

import dramatiq
import pytest
from dramatiq.middleware import Retries, ShutdownNotifications

from pipeline.broker_errors import BrokerUnavailable
from pipeline.brokers import MAX_RETRIES, open_broker
from pipeline.errors import Unavailable, UsageRefused
from pipeline.sqlite_broker import SQLiteBroker
from tests.simulators.rabbitmq_server import rabbitmq_server


@pytest.fixture(scope="module")
def rabbitmq() -> Iterator[str]:
    with rabbitmq_server() as url:
        yield url


def test_sqlite_opens_the_file_named(tmp_path: Path) -> None:
    broker = open_broker(f"sqlite:///{tmp_path}/a b#%41.sqlite")
    assert isinstance(broker, SQLiteBroker)
    assert (tmp_path / "a b#%41.sqlite").exists()
    broker.close()


@pytest.mark.parametrize(
    "url", ["", "sqlite:", "sqlite:///", "redis://localhost", "amqp:", "amqp:///", "x.db"]
)
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(UsageRefused):
        open_broker(url)


@pytest.mark.parametrize("url", ["sqlite:///{folder}/q.sqlite", "amqp://localhost:1"])
def test_nothing_is_retried_for_days(url: str, tmp_path: Path) -> None:
    broker = open_broker(url.format(folder=tmp_path))
    assert [type(one) for one in broker.middleware] == [ShutdownNotifications, Retries]
    retries = broker.middleware[1]
    assert retries.max_retries == MAX_RETRIES
    assert retries.max_backoff * MAX_RETRIES < 5 * 60_000
    broker.close()


def test_a_silent_rabbitmq_is_unavailable_and_its_password_not_told(free_port: int) -> None:
    broker = open_broker(f"amqp://user:hush-hush@127.0.0.1:{free_port}?connection_attempts=1")
    bell = dramatiq.actor(lambda number: None, broker=broker, actor_name="bell", queue_name="q")
    with pytest.raises(BrokerUnavailable) as raised:
        bell.send(1)
    assert isinstance(raised.value, Unavailable)
    assert "hush" not in str(raised.value) + raised.value.zh
    broker.close()


@pytest.mark.needs_rabbitmq
def test_messages_go_through_rabbitmq_and_back_also_later(rabbitmq: str) -> None:
    answered: list[int] = []
    all_there = threading.Event()

    def note(number: int) -> None:
        answered.append(number)
        if len(answered) == 51:
            all_there.set()

    broker = open_broker(rabbitmq)
    bell = dramatiq.actor(note, broker=broker, actor_name="bell", queue_name="round-trip")
    bell.send_with_options(args=(50,), delay=300)
    for number in range(50):
        bell.send(number)
    worker = dramatiq.Worker(broker, worker_threads=2, worker_timeout=100)
    worker.start()
    try:
        assert all_there.wait(timeout=20)
    finally:
        worker.stop()
        broker.close()
    assert sorted(answered) == list(range(51))
    assert answered[-1] == 50


@pytest.mark.needs_rabbitmq
def test_rabbitmq_gives_a_second_consumer_what_the_first_has_no_threads_for(rabbitmq: str) -> None:
    broker = open_broker(rabbitmq)
    bell = dramatiq.actor(lambda number: None, broker=broker, actor_name="bell", queue_name="shared")
    for number in range(4):
        bell.send(number)
    first = broker.consume("shared", prefetch=4, timeout=1000)
    taken = [next(first), next(first)]
    assert next(first) is None
    second = broker.consume("shared", prefetch=4, timeout=1000)
    taken += [next(second), next(second)]
    assert sorted(message.args[0] for message in taken) == [0, 1, 2, 3]
    for consumer in (first, second):
        consumer.close()
    broker.close()
