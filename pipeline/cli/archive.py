"""`sealine archive`: find a document, take its evidence out, prove it again."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.options import HomeOption, JsonOption, TrustOption, open_app
from pipeline.cli.show import write_json, write_line, write_table
from pipeline.cli.verify import EXIT_CODES, INDICATIONS, LAMPS, show_verdict

app = typer.Typer(help="档案 / the archive", no_args_is_help=True, rich_markup_mode=None)

IdArgument = Annotated[str, typer.Argument(help="编号，或唯一的文件名 / id, or a file name")]


@app.command("find")
def find(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="文件、项目、投标人、签名人中的文字 / words")] = "",
    project: Annotated[str, typer.Option("--project", help="项目 / project")] = "",
    bidder: Annotated[str, typer.Option("--bidder", help="投标人 / bidder")] = "",
    sha256: Annotated[str, typer.Option("--sha256", help="任一对象的摘要 / digest of any object")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 50,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """检索 / Find archived documents."""
    with open_app(context, home) as sealine:
        found = sealine.archive.find(
            text, actor=sealine.actor, project=project, bidder=bidder, sha256=sha256, limit=limit
        )
    if json_:
        write_json({"documents": found})
        return
    columns = ("id", "file", "project", "bidder", "signer", "stamped_at", "retain_until")
    titles = ("编号", "文件", "项目", "投标人", "签名人", "时间戳", "保管至")
    write_table(f"共 {len(found)} 件 / documents", titles, [[hit[key] for key in columns] for hit in found])


@app.command("get")
def get(
    context: typer.Context,
    archive_id: IdArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="输出文件夹 / folder")],
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """取证 / Take out original, signed file, verdict, manifest and evidence record."""
    with open_app(context, home) as sealine:
        paths = sealine.archive.get(archive_id, out, actor=sealine.actor)
    if json_:
        write_json(paths)
    else:
        for role, path in paths.items():
            write_line(f"{role:10} {path}")


@app.command("verify")
def verify(
    context: typer.Context,
    archive_id: IdArgument,
    trust: TrustOption = None,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> int:
    """复验 / Prove it again: objects, evidence record, signatures, event log."""
    with open_app(context, home, trust=trust) as sealine:
        verdict = sealine.archive.verify(archive_id, actor=sealine.actor)
    if json_:
        write_json(verdict)
    else:
        _show(verdict)
    return EXIT_CODES[verdict["indication"]]


def _show(verdict: dict[str, Any]) -> None:
    write_line(f"{verdict['id']}：{INDICATIONS[verdict['indication']]} {verdict['indication']}")
    write_line(f"  保存的文件 {LAMPS[verdict['objects']]}  证据记录 {LAMPS[verdict['evidence']]}")
    write_line(f"  存证时间 {verdict['stamped_at']}  事件日志完整，共 {verdict['events']} 条 / log intact")
    for cause in verdict["causes"]:
        write_line(f"  · {cause['message_zh']} / {cause['message']}")
    if "file" in verdict["signatures"]:  # not where the signed file itself cannot be read
        show_verdict(verdict["signatures"])
