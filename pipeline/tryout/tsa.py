"""The try-out time-stamping authority: an RFC 3161 server on this machine, trusted by nobody else."""

import logging
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from asn1crypto import core, tsp

from pipeline.keys import open_signer
from pipeline.tryout.pki import TryoutPki
from stages.authorities import Signer
from stages.crypto import der
from stages.crypto.cms import OID_TST_INFO, make_signed_content
from stages.errors import SigningRefused

log = logging.getLogger(__name__)

POLICY = "2.999.3161.1"
"""An identifier for examples (ITU-T X.660): a try-out authority has no policy anybody wrote down."""
ACCURACY_S = 1
MAX_REQUEST_BYTES = 4096
MAX_NONCE_BYTES = 64
SERIAL_BITS = 127
CONNECTION_TIMEOUT_S = 10.0
POLL_INTERVAL_S = 0.05
"""How long `close` waits at most."""
REQUEST_TYPE = "application/timestamp-query"
RESPONSE_TYPE = "application/timestamp-reply"

DIGEST_BYTES = {
    "2.16.840.1.101.3.4.2.1": 32,
    "2.16.840.1.101.3.4.2.2": 48,
    "2.16.840.1.101.3.4.2.3": 64,
}
"""Digests that are stamped (SHA-256, SHA-384, SHA-512), and how long they are."""

BAD_ALG, BAD_REQUEST, BAD_DATA_FORMAT = 0, 2, 5
UNACCEPTED_POLICY, UNACCEPTED_EXTENSION, SYSTEM_FAILURE = 15, 16, 25
"""PKIFailureInfo bits (RFC 3161 §2.4.2)."""

_GRANTED = der.sequence(der.integer(0))
_REJECTION = 2
_ASN1_ERRORS = (ValueError, TypeError, KeyError, OverflowError)


def answer(request: bytes, *, signer: Signer, policy: str, serial: int, now: datetime) -> bytes:
    """Return the DER TimeStampResp to a DER TimeStampReq (RFC 3161 §2.4).

    Args:
        signer: its certificate is for time stamping alone.
        policy: dotted identifier of the policy every token is made under.
        serial: never used before by this authority.
        now: what the token vouches for, to the second; aware.
    """
    try:
        parsed = tsp.TimeStampReq.load(request, strict=True)
        version, imprint, nonce = int(parsed["version"]), parsed["message_imprint"], parsed["nonce"]
        algorithm = imprint["hash_algorithm"]["algorithm"].dotted
        hashed = imprint["hashed_message"].native
        asked_policy = None if isinstance(parsed["req_policy"], core.Void) else parsed["req_policy"].dotted
        nonce_der = b"" if isinstance(nonce, core.Void) else nonce.dump()
        with_certificates = bool(parsed["cert_req"].native)
        has_extensions = not isinstance(parsed["extensions"], core.Void)
    except _ASN1_ERRORS:
        return _reject(BAD_DATA_FORMAT, "not a TimeStampReq")
    if version != 1 or len(nonce_der) > MAX_NONCE_BYTES:
        return _reject(BAD_REQUEST, "version or nonce not supported")
    if algorithm not in DIGEST_BYTES:
        return _reject(BAD_ALG, "digest not supported; use SHA-256, SHA-384 or SHA-512")
    if len(hashed) != DIGEST_BYTES[algorithm]:
        return _reject(BAD_DATA_FORMAT, "message imprint of the wrong size")
    if asked_policy not in (None, policy):
        return _reject(UNACCEPTED_POLICY, "policy not supported")
    if has_extensions:
        return _reject(UNACCEPTED_EXTENSION, "extensions not supported")
    info = der.sequence(
        der.integer(1),
        der.oid(policy),
        imprint.dump(),
        der.integer(serial),
        der.generalized_time(now),
        der.sequence(der.integer(ACCURACY_S)),  # accuracy; ordering FALSE is the default, left out
        nonce_der,
    )
    try:
        token = make_signed_content(
            signer, OID_TST_INFO, info, signed_at=now, with_certificates=with_certificates
        )
    except SigningRefused:
        return _reject(SYSTEM_FAILURE, "the authority's key refuses")
    return der.sequence(_GRANTED, token)


class TsaServer:
    """The try-out authority listening on the loopback address while the `with` block lasts.

    Attributes:
        url: where to send requests; the port is chosen when the server is made.
    """

    def __init__(
        self,
        pki: TryoutPki,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open the key and the port.

        Raises:
            SigningRefused: the key cannot be opened, or the port is taken.
        """
        self._signer = open_signer(pki.tsa_uri, pin=lambda: pki.pin("tsa"))
        self._clock = clock
        try:
            self._server = _HttpServer((host, port), self._answer)
        except OSError as error:
            raise SigningRefused(
                f"the time-stamping authority cannot listen on {host}:{port}"
                f" ({error.strerror}); choose another port",
                zh=f"时间戳服务无法监听 {host}:{port}（{error.strerror}），请换一个端口",
            ) from error
        self.url = f"http://{host}:{self._server.server_address[1]}/"
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Answer in a thread of its own from now on."""
        self._thread = threading.Thread(target=self._serve, name="tryout-tsa", daemon=True)
        self._thread.start()

    def serve_forever(self) -> None:
        """Answer in this thread until `close` or Ctrl-C."""
        self._serve()

    def close(self) -> None:
        """Stop answering and free the port."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=POLL_INTERVAL_S)

    def _answer(self, request: bytes) -> bytes:
        return answer(
            request,
            signer=self._signer,
            policy=POLICY,
            serial=secrets.randbits(SERIAL_BITS) + 1,
            now=self._clock(),
        )


def _reject(fail_bit: int, text: str) -> bytes:
    """Return a response with status rejection, a reason in words and its failure bit."""
    unused = 7 - fail_bit % 8
    bits = (1 << unused).to_bytes(fail_bit // 8 + 1, "big")
    return der.sequence(
        der.sequence(
            der.integer(_REJECTION),
            der.sequence(der.tlv(0x0C, text.encode())),
            der.tlv(der.BIT_STRING, bytes((unused,)), bits),
        )
    )


class _HttpServer(ThreadingHTTPServer):
    """Hands each POST to one function."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], respond: Callable[[bytes], bytes]) -> None:
        self.respond = respond
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    """RFC 3161 §3.4: time-stamping over HTTP."""

    protocol_version = "HTTP/1.1"  # keep-alive
    timeout = CONNECTION_TIMEOUT_S
    disable_nagle_algorithm = True
    server: _HttpServer

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.headers.get_content_type() != REQUEST_TYPE:
            self._send(415, b"")
        elif not length.isascii() or not length.isdigit():
            self._send(411, b"")
        elif int(length) > MAX_REQUEST_BYTES:
            self._send(413, b"")
        else:
            self._send(200, self.server.respond(self.rfile.read(int(length))))

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", RESPONSE_TYPE)
        self.send_header("Content-Length", str(len(body)))
        if status != 200:  # the request's body was not read
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        log.debug("try-out TSA: " + format, *args)
