"""A time-stamping authority asked over HTTP (RFC 3161 §3.4)."""

import time
from types import TracebackType
from typing import Self

import httpx

from stages.crypto.tsp import MAX_RESPONSE_BYTES
from stages.errors import TimestampUnavailable

TSA_TIMEOUT_S = 5.0
MAX_RETRY_AFTER_S = 3600.0
MAX_CONNECTIONS = 32
"""Requests in flight; who comes later waits for a connection, which is no fault of the authority."""
POOL_WAIT_S = 60.0
BUSY_S = 60.0
"""How long an authority that is asked too often is left alone when it does not say."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
REQUEST_TYPE = "application/timestamp-query"
RESPONSE_TYPE = "application/timestamp-reply"
_BUSY = frozenset({httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE})


class TimestampBusy(TimestampUnavailable):
    """The authority wants to be left alone for a while (HTTP 429, or 503 with Retry-After)."""

    def __init__(self, message: str, *, zh: str, retry_after_s: float) -> None:
        super().__init__(message, zh=zh)
        self.retry_after_s = retry_after_s


class HttpTimestampAuthority:
    """One authority at an address, over connections that are kept.

    Args:
        url: http or https; a user and password in it become basic authentication and are shown nowhere.
        timeout_s: for connecting, for each wait for bytes, and for the whole of the answer.
        name: how it is called in messages; its host by default.
    """

    def __init__(self, url: str, *, timeout_s: float = TSA_TIMEOUT_S, name: str | None = None) -> None:
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            raise no_address() from None  # the cause would quote the address, and a password in it
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise no_address()
        auth = httpx.BasicAuth(parsed.username, parsed.password) if parsed.userinfo else None
        self._url = parsed.copy_with(userinfo=b"")
        self._name = name or parsed.netloc.decode("ascii")
        self._timeout_s = timeout_s
        self._client = httpx.Client(
            auth=auth,
            timeout=httpx.Timeout(timeout_s, pool=POOL_WAIT_S),
            follow_redirects=False,
            trust_env=parsed.host not in LOOPBACK,  # a proxy would look for 127.0.0.1 on its own machine
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
        )

    def __repr__(self) -> str:
        return f"HttpTimestampAuthority({self._name!r})"

    @property
    def name(self) -> str:
        return self._name

    def ask(self, request: bytes) -> bytes:
        """Send a DER TimeStampReq, return the DER TimeStampResp. May be called from several threads.

        Raises:
            TimestampUnavailable: no connection, no answer in time, an HTTP error, another content
                type, or more than MAX_RESPONSE_BYTES.
        """
        try:
            with self._client.stream(
                "POST",
                self._url,
                content=request,
                headers={"Content-Type": REQUEST_TYPE, "Accept": RESPONSE_TYPE},
            ) as response:
                if response.status_code in _BUSY:
                    raise self._busy(response)
                if response.status_code != httpx.codes.OK:
                    raise self._unavailable(
                        f"answered HTTP {response.status_code}", f"返回 HTTP {response.status_code}"
                    )
                content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                if content_type != RESPONSE_TYPE:
                    raise self._unavailable("answered with no timestamp", "返回的不是时间戳")
                return self._read(response)
        except httpx.TimeoutException as error:
            raise self._unavailable("did not answer in time", "未在规定时间内应答") from error
        except httpx.HTTPError as error:
            raise self._unavailable("cannot be reached", "无法连接") from error

    def close(self) -> None:
        """Close the connections kept."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        ends = time.monotonic() + self._timeout_s
        for chunk in response.iter_bytes():
            body += chunk
            if time.monotonic() > ends:
                raise self._unavailable("did not answer in time", "未在规定时间内应答")
            if len(body) > MAX_RESPONSE_BYTES:
                raise self._unavailable(
                    f"answered with more than {MAX_RESPONSE_BYTES} bytes",
                    f"应答超过 {MAX_RESPONSE_BYTES} 字节",
                )
        return bytes(body)

    def _busy(self, response: httpx.Response) -> TimestampUnavailable:
        wait_s = retry_after_s(response.headers.get("Retry-After", ""))
        return TimestampBusy(
            f"time-stamping authority {self._name} answered HTTP {response.status_code}: asked too often; "
            f"it is left alone for {wait_s:.0f} s, the document waits",
            zh=f"时间戳服务机构 {self._name} 返回 HTTP {response.status_code}：请求过于频繁；"
            f"{wait_s:.0f} 秒内不再请求，文件将等待",
            retry_after_s=wait_s,
        )

    def _unavailable(self, what: str, zh: str) -> TimestampUnavailable:
        return TimestampUnavailable(
            f"time-stamping authority {self._name} {what}; the document waits, try again later",
            zh=f"时间戳服务机构 {self._name} {zh}；文件将等待，请稍后重试",
        )


def retry_after_s(value: str) -> float:
    """Return the seconds a Retry-After header asks for (RFC 9110 §10.2.3), at most MAX_RETRY_AFTER_S.

    A date, or nothing readable, counts as a minute: our clock and theirs may differ.
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MAX_RETRY_AFTER_S)
    return BUSY_S


def no_address() -> TimestampUnavailable:
    return TimestampUnavailable(
        "no usable address of a time-stamping authority; set one that begins with http:// or https://",
        zh="没有可用的时间戳服务地址，请设置以 http:// 或 https:// 开头的地址",
    )
