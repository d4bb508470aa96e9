"""Commands whose modules are imported when they are used, so that help comes at once."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer
import typer.core
import typer.main

COMMANDS = {
    "verify": "验签 / Verify: integrity, identity, trust and time",
    "demo": "演示全流程 / Run the whole line on made-up input",
    "serve": "启动浏览器控制台 / Serve the console, for this machine only",
    "worker": "启动工作进程 / Work on jobs from the broker",
    "form": "印模采集表 / the seal specimen form",
    "seal": "印章 / seals",
    "bid": "投标文件包 / bid packages",
    "plan": "用印方案 / stamp plans, kept and used again",
    "archive": "档案 / the archive",
    "pki": "试用证书 / the try-out authority",
    "tsa": "试用时间戳服务 / the try-out TSA",
}
"""Each stands in the module of this package that has its name: an `app`, or a function of that name."""


class _Modules(MutableMapping[str, Any]):
    """The commands by name, each imported when it is looked up."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        if name not in self._loaded:
            self._loaded[name] = _load(name)
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


def _load(name: str) -> Any:
    module = import_module(f"pipeline.cli.{name}")
    holder = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
    if hasattr(module, "app"):
        holder.add_typer(module.app, name=name)
    else:
        holder.command(name)(getattr(module, name))
    return typer.main.get_group(holder).commands[name]


class CommandsOnUse(typer.core.TyperGroup):
    """The group `sealine` itself."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Modules()

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
