"""The command `sealine`: its groups of commands, and the one place where an error becomes an exit code."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.on_use import CommandsOnUse
from pipeline.cli.show import write_json, write_note
from pipeline.failures import ExitCode, error_json, failure_of, one_line

log = logging.getLogger("sealine")

app = typer.Typer(
    name="sealine",
    cls=CommandsOnUse,
    help="印链：从印模扫描件到归档的投标文件 / Sealine: from a scanned seal to an archived bid.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def root(
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option("--home", help="全部状态所在的文件夹 / folder of all state (SEALINE_HOME)")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="日志写到标准错误 / log to stderr")] = False,
) -> None:
    """Take the options that stand before the command."""
    context.obj = {"home": home}
    logging.basicConfig(
        level=logging.INFO if verbose else logging.ERROR,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)  # what it has to say stands in the verdict


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; every error ends as one line on stderr."""
    as_json = "--json" in arguments
    try:
        result = app(list(arguments), standalone_mode=False)
        if result == ExitCode.INTERRUPTED:  # what Typer makes of Ctrl+C inside a command
            raise KeyboardInterrupt
        return int(result) if isinstance(result, int) else ExitCode.OK
    except typer.TyperException as error:
        return _wrong_command(error.format_message(), as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        zh, english = "已中断；再次执行同一命令即可继续", "interrupted; give the same command again to go on"
        write_note(f"{zh} / {english}")
        if as_json:
            write_json(_error_document(ExitCode.INTERRUPTED, english, zh))
        return ExitCode.INTERRUPTED
    except Exception as error:
        failure = failure_of(error)
        if failure.exit_code is ExitCode.UNEXPECTED:
            log.exception("unexpected failure")
        write_note(one_line(error))
        if as_json:
            write_json({"error": error_json(error)})
        return failure.exit_code


def _wrong_command(message: str, *, as_json: bool) -> int:
    """Say what is wrong with a command; a group given alone has its help for a message."""
    if "\n" in message and not as_json:
        write_note(message)
        return ExitCode.USAGE
    line = " ".join(message.split())
    zh = f"命令用法有误（{line}），请查看 sealine --help"
    write_note(f"用法错误 {ExitCode.USAGE.name}: {zh}")
    if as_json:
        write_json(_error_document(ExitCode.USAGE, line, zh))
    return ExitCode.USAGE


def _error_document(code: ExitCode, message: str, zh: str) -> dict[str, object]:
    return {"error": {"code": int(code), "name": code.name, "message": message, "message_zh": zh}}


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
