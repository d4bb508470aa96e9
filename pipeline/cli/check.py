"""`sealine bid check`: what each file of a package is, and what speaks against stamping it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.options import ConvertOption, DecryptOption, HomeOption, JsonOption, RepairOption, open_app
from pipeline.cli.show import progress_bars, write_json, write_line, write_table
from pipeline.failures import common_code, exit_code_of
from pipeline.folders import check_out_file
from pipeline.preflight import checked_csv, checked_json
from stages.derive import Choices

_SEVERITIES = {"error": "错误", "warning": "注意", "info": "提示"}
_VERDICTS = {"error": "不能签章", "warning": "需核对", "info": "可以签章", None: "可以签章"}


def check(
    context: typer.Context,
    package: Annotated[
        Path, typer.Argument(help="文件夹、zip、rar 或单个文件 / a folder, a zip, a rar, or one file")
    ],
    plan: Annotated[
        str | None,
        typer.Option("--plan", help="用印方案：按其 parts 分部分检查 / a plan, for its parts"),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="结果写入 CSV（Excel 可直接打开）/ the findings as CSV")
    ] = None,
    convert: ConvertOption = True,
    repair: RepairOption = False,
    decrypt: DecryptOption = False,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> int:
    """签章前检查 / Say of every file what it is, before anything touches it."""
    if csv is not None:
        check_out_file(csv)
    with open_app(context, home) as sealine, progress_bars(quiet=json_) as progress:
        given = sealine.plans.given(plan, actor=sealine.actor) if plan is not None else None
        files = sealine.bids.check(
            package,
            actor=sealine.actor,
            plan=given,
            choices=Choices(convert=convert, repair=repair, decrypt=decrypt),
            progress=progress,
        )
    documents = [checked_json(file) for file in files]
    if csv is not None:
        csv.write_bytes(checked_csv(documents))
    if json_:
        write_json({"files": documents})
    else:
        show_checked(documents)
        if csv is not None:
            write_line(f"已写入 / written: {csv}")
    return common_code(exit_code_of(file.looked.error) for file in files)


def show_checked(files: Sequence[Mapping[str, Any]]) -> None:
    """Show a line for each file, by part, then what is to be said of each."""
    ordered = sorted(files, key=lambda file: (file["part"] or "", file["file"]))
    write_table(
        "检查结果 / pre-flight",
        ("文件", "部分", "页数", "页面", "大小", "签名", "结论"),
        [
            (
                file["file"],
                (file["part"] or "") + ("（暗标）" if file["anonymous"] else ""),
                file["pages"],
                file["paper_zh"],
                _size(file["size_bytes"]),
                len(file["signatures"]) or "",
                _VERDICTS[file["worst"]],
            )
            for file in ordered
        ],
    )
    for file in ordered:
        rows = [
            (_SEVERITIES[finding["severity"]], finding["code"], finding["message_zh"])
            for finding in sorted(file["findings"], key=lambda one: list(_SEVERITIES).index(one["severity"]))
        ]
        if file["error"] is not None:
            rows.insert(0, (_SEVERITIES["error"], file["error"]["name"], file["error"]["message_zh"]))
        if rows:
            write_table(file["file"], ("级别", "代码", "说明"), rows)


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 100_000 else f"{size_bytes / 1e3:.1f} KB"
