"""`sealine archive`: find a document, take its evidence out, prove it again."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.options import HomeOption, JsonOption, TrustOption, open_app
from pipeline.cli.show import write_json, write_line, write_table
from pipeline.cli.taking_back import void
from pipeline.cli.verify import EXIT_CODES, INDICATIONS, LAMPS, show_verdict

app = typer.Typer(help="档案 / the archive", no_args_is_help=True, rich_markup_mode=None)

app.command("void")(void)
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
    titles = ("编号", "文件", "项目", "投标人", "签名人", "时间戳", "保管至", "作废")
    rows = [[*(hit[key] for key in columns), hit["void"] and hit["void"]["at"]] for hit in found]
    write_table(f"共 {len(found)} 件 / documents", titles, rows)


@app.command("show")
def show(
    context: typer.Context, archive_id: IdArgument, home: HomeOption = None, json_: JsonOption = False
) -> None:
    """查看 / Show one archived document: what it is, what is kept of it, whether it is void."""
    with open_app(context, home) as sealine:
        entry = sealine.archive.show(archive_id, actor=sealine.actor)
    if json_:
        write_json(entry)
        return
    write_line(f"{entry['file']}  {entry['id']}")
    if entry["void"]:
        said = entry["void"]
        write_line(f"  已作废 / void：{said['at']}，{said['by']}：{said['reason']}")
    for key, title in (
        ("project", "项目"),
        ("bidder", "投标人"),
        ("document_type", "文件类型"),
        ("signer", "签名人"),
        ("stamped_at", "时间戳"),
        ("archived_at", "归档"),
        ("retain_until", "保管至"),
        ("original_sha256", "原件"),
        ("signed_sha256", "签名件"),
    ):
        write_line(f"  {title}：{entry[key] or '—'}")


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
    if verdict["void"]:
        said = verdict["void"]
        write_line(f"  已作废 / void：{said['at']}，{said['by']}：{said['reason']}")
        write_line(
            f"  作废记录 {INDICATIONS[said['indication']]} {said['indication']}"
            f"（{said['signature']['signer']}，时间戳 {said['signature']['timestamp']}）"
        )
    for cause in verdict["causes"]:
        write_line(f"  · {cause['message_zh']} / {cause['message']}")
    if verdict["signatures"] is None:
        write_line("  原样保留，未签章 / kept as it came in, unsigned")
    elif "file" in verdict["signatures"]:  # not where the signed file itself cannot be read
        show_verdict(verdict["signatures"])
