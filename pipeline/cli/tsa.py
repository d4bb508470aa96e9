"""`sealine tsa`: the try-out time-stamping authority."""

import threading
from typing import Annotated

import typer

from pipeline.cli.options import HomeOption, open_app
from pipeline.cli.show import write_line
from pipeline.tryout.tsa import TsaServer

app = typer.Typer(help="试用时间戳服务 / the try-out TSA", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def group() -> None:
    """Keep `serve` a command of its own."""


@app.command("serve")
def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="端口，0 为任意 / 0 = any")] = 3161,
    home: HomeOption = None,
) -> None:
    """启动试用时间戳服务（仅本机）/ Serve RFC 3161 timestamps on the loopback address until stopped."""
    with open_app(context, home) as sealine, TsaServer(sealine.pki, port=port) as server:
        write_line(f"时间戳服务 / serving: {server.url}（试用，他人不信任；Ctrl+C 停止）")
        threading.Event().wait()
