"""What stands before every screen: only this machine asks, only our own pages send, nothing leaks out."""

import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.errors import Forbidden
from pipeline.web.desk import Desk

log = logging.getLogger(__name__)

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class LoopbackGuard:
    """ASGI middleware: refuses what another site or another name sends, and answers for whatever goes wrong.

    Without accounts, whoever reaches the port may sign. So the name asked for must be this machine's own
    (a rebound DNS name is not), and what changes anything must come from our own pages.
    """

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                is_static = scope["path"].startswith("/static/")
                headers.setdefault("Cache-Control", "no-cache" if is_static else "no-store")
                if not is_static:
                    headers.add_vary_header("HX-Request")
            await send(message)

        request = Request(scope, receive)
        try:
            check_host(request.headers)
            if scope["method"] not in _SAFE_METHODS:
                check_origin(request.headers)
            await self._app(scope, receive, send_guarded)
        except Forbidden as refused:
            await self._desk.fault(request, refused)(scope, receive, send_guarded)
        except Exception as error:
            log.exception("%s %s: unexpected failure", scope["method"], scope["path"])
            if not started:
                await self._desk.fault(request, error)(scope, receive, send_guarded)


def check_host(headers: Headers) -> None:
    """Check that the request was made to this machine by one of its own names.

    Raises:
        Forbidden: the Host header names something else (DNS rebinding).
    """
    host = headers.get("host", "").lower()
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    if name not in LOOPBACK_HOSTS or len(headers.getlist("host")) != 1:
        raise Forbidden(
            "this console answers to localhost and 127.0.0.1 only; open it under one of these names",
            zh="本控制台只接受以 localhost 或 127.0.0.1 访问，请改用这两个地址之一",
        )


def check_origin(headers: Headers) -> None:
    """Check that what changes anything was sent by one of our own pages (or by no browser at all).

    Raises:
        Forbidden: another site's page sent it.

    Source: W3C Fetch Metadata Request Headers §2.3 (Sec-Fetch-Site); RFC 6454 §7 (Origin).
    """
    site = headers.get("sec-fetch-site", "none")
    origin = headers.get("origin")
    same = origin is None or (
        urlsplit(origin).scheme == "http" and urlsplit(origin).netloc == headers.get("host", "").lower()
    )
    if site not in ("same-origin", "none") or not same:
        raise Forbidden(
            "sent by a page of another site; send it from this console's own page",
            zh="请求来自其他网站，已拒绝；请在本控制台页面内操作",
        )
