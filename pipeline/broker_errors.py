"""The error of a broker that is silent, as our table of failures and as dramatiq know it."""

from dramatiq.errors import BrokerConnectionError

from pipeline.errors import Unavailable


class BrokerUnavailable(Unavailable, BrokerConnectionError):  # type: ignore[misc]
    """The broker does not answer. Nothing is lost: the records know the work, and the sweep rings again."""


def broker_silent(why: str) -> BrokerUnavailable:
    """Return the error, without the broker's address: it may hold a password."""
    return BrokerUnavailable(
        f"the message broker does not answer ({why}); check that it runs, then try again",
        zh=f"消息队列无响应（{why}），请检查其是否运行，然后重试",
    )
