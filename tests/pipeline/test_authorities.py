"""Authorities over HTTP: an answer, or one clear reason why there is none."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipeline.authorities import (
    REQUEST_TYPE,
    RESPONSE_TYPE,
    HttpTimestampAuthority,
    TimestampBusy,
)
from pipeline.failover import FailoverAuthority
from pipeline.tryout.tsa import TsaServer
from stages.crypto.tsp import MAX_RESPONSE_BYTES
from stages.errors import TimestampUnavailable
from tests.simulators import pki as simulated

tryout_pki = simulated.tryout_pki
tryout_tsa = simulated.tryout_tsa

Behaviour = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Heard:
    """What a server was asked."""

    url: str = ""
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)


@contextmanager
def server(behave: Behaviour) -> Iterator[Heard]:
    """Run an HTTP server that does one thing with every request."""
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            heard.headers.append(dict(self.headers))
            heard.connections.add(self.client_address)
            heard.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            behave(self)

        def log_message(self, format: str, *args: object) -> None: ...

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    heard.url = f"http://127.0.0.1:{listening.server_address[1]}/tsa"
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        listening.shutdown()
        listening.server_close()


def reply(
    body: bytes = b"answer", *, status: int = 200, content_type: str = RESPONSE_TYPE, delay_s: float = 0.0
) -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(delay_s)
        handler.send_response(status)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        try:
            handler.wfile.write(body)
        except OSError:
            handler.close_connection = True

    return behave


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def test_request_and_answer_pass_unchanged_over_one_connection() -> None:
    with server(reply(b"the answer")) as heard, HttpTimestampAuthority(heard.url) as authority:
        for _ in range(3):
            assert authority.ask(b"the request") == b"the answer"
    assert heard.bodies == [b"the request"] * 3
    assert heard.headers[0]["Content-Type"] == REQUEST_TYPE
    assert len(heard.connections) == 1


def test_an_answer_with_parameters_in_its_type_is_taken() -> None:
    kind = "Application/Timestamp-Reply; charset=binary"
    with server(reply(content_type=kind)) as heard, HttpTimestampAuthority(heard.url) as authority:
        assert authority.ask(b"q") == b"answer"


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        (reply(status=500), "HTTP 500"),
        (reply(status=404), "HTTP 404"),
        (reply(status=302), "HTTP 302"),
        (reply(content_type="text/html"), "no timestamp"),
        (reply(bytes(MAX_RESPONSE_BYTES + 1)), "more than"),
        (reply(delay_s=0.6), "in time"),
        (hang_up, "cannot be reached"),
    ],
)
def test_anything_else_is_unavailable_in_one_line(behaviour: Behaviour, message: str) -> None:
    with (
        server(behaviour) as heard,
        HttpTimestampAuthority(heard.url, timeout_s=0.3, name="TSA 1") as authority,
        pytest.raises(TimestampUnavailable, match=message) as caught,
    ):
        authority.ask(b"q")
    assert "TSA 1" in str(caught.value)
    assert "TSA 1" in caught.value.zh


@pytest.mark.parametrize(
    ("header", "wait_s"), [("7", 7), ("", 60), ("Fri, 01 Jan 2027 00:00:00 GMT", 60), ("999999999999", 3600)]
)
@pytest.mark.parametrize("status", [429, 503])
def test_an_authority_that_is_asked_too_often_says_how_long_to_wait(
    header: str, wait_s: float, status: int
) -> None:
    def busy(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        if header:
            handler.send_header("Retry-After", header)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with (
        server(busy) as heard,
        HttpTimestampAuthority(heard.url, name="TSA 1") as authority,
        pytest.raises(TimestampBusy, match=f"HTTP {status}: asked too often") as caught,
    ):
        authority.ask(b"q")
    assert caught.value.retry_after_s == wait_s
    assert "TSA 1" in caught.value.zh


def test_an_answer_that_comes_drop_by_drop_is_not_waited_for() -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", RESPONSE_TYPE)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        with suppress(OSError):
            for _ in range(100):
                handler.wfile.write(b"0")
                handler.wfile.flush()
                time.sleep(0.1)

    began = time.monotonic()
    with (
        server(drip) as heard,
        HttpTimestampAuthority(heard.url, timeout_s=0.4) as authority,
        pytest.raises(TimestampUnavailable, match="in time"),
    ):
        authority.ask(b"q")
    assert time.monotonic() - began < 5


def test_nobody_listening_is_unavailable(free_port: int) -> None:
    with (
        HttpTimestampAuthority(f"http://127.0.0.1:{free_port}/") as authority,
        pytest.raises(TimestampUnavailable, match="cannot be reached"),
    ):
        authority.ask(b"q")


def test_a_password_is_sent_and_shown_nowhere() -> None:
    with server(reply(status=401)) as heard:
        url = heard.url.replace("http://", "http://user:pass-word@")
        with (
            HttpTimestampAuthority(url) as authority,
            pytest.raises(TimestampUnavailable) as caught,
        ):
            authority.ask(b"q")
    assert heard.headers[0]["Authorization"] == "Basic dXNlcjpwYXNzLXdvcmQ="
    shown = f"{authority!r} {authority.name} {caught.value} {caught.value.zh} {caught.value.__cause__}"
    assert "pass-word" not in shown
    assert "user" not in shown


@pytest.mark.parametrize("url", ["", "tsa.example", "ftp://tsa.example/", "http://", "http://u:pw@h:port/"])
def test_an_address_that_is_none_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(TimestampUnavailable, match="no usable address") as caught:
        HttpTimestampAuthority(url)
    assert "pw" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_many_threads_may_ask_at_once(tryout_tsa: TsaServer) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from stages.crypto.tsp import build_request

    with HttpTimestampAuthority(tryout_tsa.url) as authority:
        several = FailoverAuthority([authority])
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: several.ask(build_request(bytes(32), n)), range(40)))
    assert len(set(answers)) == 40
