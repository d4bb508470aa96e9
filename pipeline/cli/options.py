"""Options that several commands share, and the App they open."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import UsageRefused
from pipeline.settings import read_settings

if TYPE_CHECKING:
    from pipeline.wiring import App

MAX_PIN_BYTES = 256

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", help="全部状态所在的文件夹 / folder of all state (SEALINE_HOME)", show_default=False
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="标准输出只给一个 JSON 文档 / one JSON document on stdout, nothing else"),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key", help="签名密钥 URI，如 file:/路径/key.p12 / URI of the signing key", show_default=False
    ),
]
TsaOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tsa",
        help="时间戳服务地址，可多次给出 / time-stamping authority, in this order",
        show_default=False,
    ),
]
TrustOption = Annotated[
    Path | None,
    typer.Option("--trust", help="信任的根证书 PEM / roots to trust, PEM", show_default=False),
]
CrlOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--crl",
        help="吊销列表（CRL）文件，可多次给出 / revocation list, PEM or DER, repeatable",
        show_default=False,
    ),
]
RepairOption = Annotated[
    bool,
    typer.Option("--repair", help="允许修复损坏的 PDF / a damaged PDF may be written anew"),
]
DecryptOption = Annotated[
    bool,
    typer.Option("--decrypt", help="允许去除无需密码的加密 / encryption that asks for no password may go"),
]
ConvertOption = Annotated[
    bool,
    typer.Option(
        "--convert/--no-convert",
        help="Office 文件和图像转为 PDF / office files and pictures become PDF",
    ),
]
PinFdOption = Annotated[
    int | None,
    typer.Option(
        "--pin-fd", help="从该文件描述符读 PIN / read the PIN from this descriptor", show_default=False
    ),
]


def read_pin(descriptor: int) -> str:
    """Return the first line of a file descriptor.

    Raises:
        UsageRefused: it cannot be read.
    """
    try:
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.readline(MAX_PIN_BYTES).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageRefused(
            f"--pin-fd {descriptor} cannot be read", zh=f"无法从文件描述符 {descriptor} 读取 PIN"
        ) from error


def _prompt() -> str:
    return str(typer.prompt("PIN", hide_input=True, err=True))


def signing_flags(
    key: str | None, tsa: Sequence[str] | None, trust: Path | None, crl: Sequence[Path] | None
) -> dict[str, Any]:
    """Return the settings that the options of signing stand for, for `open_app`."""
    return {
        "key": key,
        "tsa_urls": tuple(tsa) if tsa else None,
        "trust": trust,
        "crls": tuple(crl) if crl else None,
    }


def home_of(context: typer.Context, home: Path | None) -> Path | None:
    """Return the home given with the command, or before it."""
    return home or (context.find_root().obj or {}).get("home")


@contextmanager
def open_app(
    context: typer.Context, home: Path | None, *, pin_fd: int | None = None, **flags: Any
) -> Iterator["App"]:
    """Open the App with the settings that the flags, the environment and the file give."""
    from pipeline.wiring import App  # imports nearly everything, which help and drawing a form do without

    settings = read_settings({"home": home_of(context, home), **flags})
    ask: Callable[[], str] | None = _prompt if os.isatty(0) else None
    given = read_pin(pin_fd) if pin_fd is not None else None
    with App(settings, ask_pin=ask, given_pin=given) as app:
        yield app
