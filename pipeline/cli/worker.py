"""`sealine worker`: answer the doorbells of a real broker until told to stop."""

import signal
import threading
from typing import Annotated

import typer

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
from pipeline.workers import sweep, sweep_until, working


def worker(
    context: typer.Context,
    threads: Annotated[int | None, typer.Option("--threads", min=1, max=64, help="线程数 / threads")] = None,
    once: Annotated[
        bool, typer.Option("--once", help="处理完现有作业即退出 / stop when nothing is left")
    ] = False,
    key: KeyOption = None,
    pin_fd: PinFdOption = None,
    tsa: TsaOption = None,
    trust: TrustOption = None,
    crl: CrlOption = None,
    home: HomeOption = None,
) -> None:
    """启动工作进程 / Work on jobs from the broker (SEALINE_BROKER_URL) until SIGTERM or Ctrl+C."""
    flags = signing_flags(key, tsa, trust, crl)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with open_app(context, home, pin_fd=pin_fd, **flags) as sealine:
        sealine.keyring.signer(sealine.key_uri)
        doorbells = sealine.doorbells
        with working(sealine.broker, threads=threads or sealine.settings.workers):
            write_note("工作进程已启动 / working")
            left = sweep(sealine.records, doorbells, utc_now)
            if once:
                while left and not stop.wait(1.0):
                    left = sweep(sealine.records, doorbells, utc_now)
                return
            sweep_until(stop, sealine.records, doorbells, utc_now)
