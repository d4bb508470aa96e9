"""`sealine demo`: the whole line on made-up input, and where to look at what came out."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.options import HomeOption, JsonOption, open_app
from pipeline.cli.show import progress_bars, write_json, write_line
from pipeline.tryout.demo import run_demo


def demo(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", help="输出文件夹 / output folder")] = Path("demo-out"),
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """演示全流程 / Run the whole line: a scanned form becomes seals, a bid package comes out archived."""
    with open_app(context, home) as sealine, progress_bars(quiet=json_, in_logs=True) as progress:
        document = run_demo(sealine, out, progress=progress)
    if json_:
        write_json(document)
    else:
        _show(document)


def _show(document: dict[str, Any]) -> None:
    write_line(f"采集表扫描件 / scanned form      {document['form']}（{document['impressions']} 枚印模）")
    for seal in document["seals"]:
        size = "×".join(f"{side:.2f}" for side in seal["size_mm"])
        write_line(f"印章 / seal                      {seal['image']}（{seal['name']}，{size} mm）")
        write_line(f"电子印章 / electronic seal       {seal['eseal']}")
    for file in document["signed"]:
        write_line(f"已签章 / signed                  {file['path']}（{file['indication']}）")
    verdict = document["archived"]["verdict"]["indication"]
    write_line(f"证据 / evidence                  {document['evidence']}（{verdict}）")
    write_line(f"试用根证书，他人不信任 / try-out root, trusted by nobody else   {document['ca']}")
    first = document["signed"][0]["path"]
    write_line(f"再次验签 / verify again: {sys.argv[0]} verify --trust {document['ca']} '{first}'")
