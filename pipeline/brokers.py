"""Brokers opened by URL, each with the same few middlewares.

RabbitMQ's `consumer_timeout` must be a day (86400000 ms; its default is 30 minutes): a document that
takes longer than that timeout is handed out again and again and never acknowledged.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.common import dq_name
from dramatiq.errors import BrokerConnectionError
from dramatiq.middleware import Retries, ShutdownNotifications

from pipeline.broker_errors import broker_silent
from pipeline.errors import UsageRefused
from pipeline.sqlite_broker import SQLiteBroker

MAX_RETRIES = 3
MIN_BACKOFF_MS = 1_000
MAX_BACKOFF_MS = 60_000


def open_broker(url: str) -> dramatiq.Broker:
    """Open a broker: `sqlite:///path` (this host) or `amqp://…`, `amqps://…` (RabbitMQ; connects when used).

    Raises:
        UsageRefused: an address of another kind.
        BrokerUnavailable: the SQLite file cannot be opened.
    """
    path = url.removeprefix("sqlite:///")  # as SQLAlchemy has it: a relative path, or a fourth slash
    if path not in ("", url):
        return SQLiteBroker(Path(path), middleware=_middleware())
    parts = urlsplit(url)
    if parts.scheme in ("amqp", "amqps") and parts.hostname:
        return _RabbitBroker(url=url, confirm_delivery=True, middleware=_middleware())
    raise UsageRefused(
        "broker_url is neither sqlite:///path nor amqp://host…; correct the setting",
        zh="broker_url 既不是 sqlite:///路径 也不是 amqp://主机…，请更正设置",
    )


def _middleware() -> list[dramatiq.Middleware]:
    """Return what our actors need: no time limit (it cannot interrupt C code), no results, few retries.

    What is to be tried again is in the records, and the sweep rings for it; a retry here is only for an
    actor that could not even read them.
    """
    return [
        ShutdownNotifications(),
        Retries(max_retries=MAX_RETRIES, min_backoff=MIN_BACKOFF_MS, max_backoff=MAX_BACKOFF_MS),
    ]


class _RabbitBroker(RabbitmqBroker):  # type: ignore[misc]
    """RabbitMQ with its errors in our words, and no more messages taken than there are threads."""

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> dramatiq.Consumer:
        if queue_name != dq_name(queue_name):  # dramatiq asks for twice its threads; delays need many
            prefetch = max(1, prefetch // 2)
        return super().consume(queue_name, prefetch, timeout)

    def enqueue(self, message: dramatiq.Message[Any], *, delay: int | None = None) -> dramatiq.Message[Any]:
        """Send a message, confirmed by the server.

        Raises:
            BrokerUnavailable: the server does not answer.
        """
        try:
            return super().enqueue(message, delay=delay)
        except (BrokerConnectionError, OSError) as error:
            raise broker_silent(type(error).__name__) from error
