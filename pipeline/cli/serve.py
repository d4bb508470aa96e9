"""`sealine serve`: the console in the browser, with workers of its own, on this machine only."""

import ipaddress
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Annotated

import typer
import uvicorn

from pipeline.cli.options import (
    CrlOption,
    HomeOption,
    KeyOption,
    PinFdOption,
    TrustOption,
    TsaOption,
    open_app,
    signing_flags,
)
from pipeline.cli.show import write_note
from pipeline.clock import utc_now
from pipeline.errors import Unavailable, UsageRefused
from pipeline.web.app import create_app
from pipeline.wiring import App
from pipeline.workers import sweep, sweep_until, working

GRACE_S = 3
"""How long open screens may keep a stopping server waiting."""


def serve(
    context: typer.Context,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="端口，0 为任选 / port, 0 = any")
    ] = 8080,
    host: Annotated[
        str, typer.Option("--host", help="只能是本机回环地址 / a loopback address only")
    ] = "127.0.0.1",
    key: KeyOption = None,
    pin_fd: PinFdOption = None,
    tsa: TsaOption = None,
    trust: TrustOption = None,
    crl: CrlOption = None,
    home: HomeOption = None,
) -> None:
    """启动浏览器控制台 / Serve the console, for this machine only: there are no accounts yet."""
    address = check_loopback(host)
    stop_gently()
    flags = signing_flags(key, tsa, trust, crl)
    with open_app(context, home, pin_fd=pin_fd, **flags) as sealine, listening(address, port) as listener:
        sealine.keyring.signer(sealine.key_uri)
        with background_work(sealine):
            shown = f"[{address}]" if ":" in address else address
            write_note(f"控制台已启动 / console: http://{shown}:{listener.getsockname()[1]}/")
            write_note(
                "只监听本机：尚无账户，能打开页面的人就能用印 / "
                "this machine only: there are no accounts yet, so whoever opens the page can sign"
            )
            config = uvicorn.Config(
                create_app(sealine),
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_S,
            )
            uvicorn.Server(config).run(sockets=[listener])


def check_loopback(host: str) -> str:
    """Return the address to listen on.

    Raises:
        UsageRefused: not one of this machine's loopback addresses.
    """
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
        loopback = address.is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise UsageRefused(
            f"--host {host}: the console has no accounts yet and listens on 127.0.0.1 only; "
            "reach it from elsewhere through an SSH tunnel",
            zh=f"--host {host}：控制台尚无账户，只能监听 127.0.0.1；如需远程使用，请通过 SSH 隧道",
        )
    return str(address)


def stop_gently() -> None:
    """Let the first SIGTERM or Ctrl+C end the server once what is in hand is done; the second interrupts.

    uvicorn gives a signal it has obeyed to whoever handled it before; left to the default, SIGTERM would then
    kill the workers in the middle of a step.
    """
    stopping = threading.Event()

    def stop(*_: object) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


@contextmanager
def listening(address: str, port: int) -> Iterator[socket.socket]:
    """Give a socket that listens, before anything is promised.

    Raises:
        Unavailable: the port is taken.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
        except OSError as error:
            raise Unavailable(
                f"port {port} of {address} cannot be had ({error.strerror}); choose another with --port",
                zh=f"无法监听 {address} 的端口 {port}，请用 --port 换一个",
            ) from error
        yield listener


@contextmanager
def background_work(sealine: App) -> Iterator[None]:
    """Answer the doorbells and sweep, for the length of a block.

    With a broker of its own elsewhere, `sealine worker` does the work, and only the sweep runs here.
    """
    stop = threading.Event()
    doorbells = sealine.doorbells
    sweeper = threading.Thread(
        target=sweep_until, args=(stop, sealine.records, doorbells, utc_now), name="sweeper", daemon=True
    )
    embedded = sealine.settings.is_embedded
    with working(sealine.broker, threads=sealine.settings.workers) if embedded else nullcontext():
        sweep(sealine.records, doorbells, utc_now)
        sweeper.start()
        try:
            yield
        finally:
            stop.set()
            sweeper.join()
