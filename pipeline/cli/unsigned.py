"""`sealine bid stamp` and `sealine bid unstamp`: marks without a signature, and their exact removal."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import ConvertOption, DecryptOption, HomeOption, JsonOption, RepairOption, open_app
from pipeline.cli.show import progress_bars, write_json, write_line, write_note, write_table
from pipeline.documents_json import stamped_json
from pipeline.failures import common_code, exit_code_of
from pipeline.folders import check_out_folder
from stages.derive import Choices

UNSIGNED = "未签名：没有电子签名效力，仅供打印或核对 / unsigned: for print and for looking at only"


def stamp(
    context: typer.Context,
    package: Annotated[
        Path, typer.Argument(help="文件夹、zip、rar 或单个文件 / a folder, a zip, a rar, or one file")
    ],
    plan: Annotated[
        str, typer.Option("--plan", help="用印方案：YAML 文件或方案名称 / a plan file or a preset")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="输出文件夹 / folder for the stamped files")],
    convert: ConvertOption = True,
    repair: RepairOption = False,
    decrypt: DecryptOption = False,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> int:
    """只盖章不签名 / Draw the marks, sign nothing: print copies, checking. No key is touched."""
    check_out_folder(package, out)
    with open_app(context, home) as sealine, progress_bars(quiet=json_) as progress:
        given = sealine.plans.given(plan, actor=sealine.actor)
        choices = Choices(convert=convert, repair=repair, decrypt=decrypt)
        stamped = sealine.stampings.stamp(
            package, given, out, actor=sealine.actor, choices=choices, progress=progress
        )
    files = [stamped_json(one) for one in stamped]
    if json_:
        write_json({"signed": False, "files": files})
    else:
        columns = ("文件", "印章数", "输出", "错误")
        rows = [
            (file["file"], file["marks"], file["output"], (file["error"] or {}).get("message_zh", ""))
            for file in files
        ]
        write_table("盖章结果（未签名）/ stamped, unsigned", columns, rows)
        write_note(UNSIGNED)
    return common_code(exit_code_of(one.error) for one in stamped)


def unstamp(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="盖过章、未签名的 PDF / a PDF stamped and not signed")],
    out: Annotated[Path, typer.Option("--out", "-o", help="输出文件 / the file without marks")],
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """撤销印章 / Take unsigned marks back: the file is again what it was, byte for byte."""
    with open_app(context, home) as sealine:
        taken = sealine.stampings.unstamp(file, out, actor=sealine.actor)
    if json_:
        write_json({"output": str(taken.path), "sha256": taken.sha256, "size_bytes": taken.size_bytes})
    else:
        write_line(f"已撤销印章 {taken.path}，{taken.size_bytes} 字节，SHA-256 {taken.sha256}")
