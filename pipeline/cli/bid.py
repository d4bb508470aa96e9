"""`sealine bid`: check a package, see every mark, sign it."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.check import check
from pipeline.cli.options import (
    ConvertOption,
    CrlOption,
    DecryptOption,
    HomeOption,
    JsonOption,
    KeyOption,
    PinFdOption,
    RepairOption,
    TrustOption,
    TsaOption,
    open_app,
    signing_flags,
)
from pipeline.cli.show import progress_bars, write_json, write_line, write_note, write_table
from pipeline.cli.taking_back import withdraw
from pipeline.cli.unsigned import stamp, unstamp
from pipeline.clock import utc_now
from pipeline.documents_json import dry_run_json, result_json
from pipeline.dry_runs import dry_run_csv
from pipeline.failures import ExitCode, common_code, exit_code_of
from pipeline.folders import check_out_file, check_out_folder
from pipeline.jobs import STATE_LABELS
from pipeline.packages import LookedAt
from pipeline.results import FileResult
from pipeline.thumbnails import MAX_THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX, ThumbnailWish
from pipeline.workers import wait_for_package, working
from stages.derive import Choices
from storage.schema import JobState

app = typer.Typer(help="投标文件包 / bid packages", no_args_is_help=True, rich_markup_mode=None)

PackageArgument = Annotated[
    Path, typer.Argument(help="文件夹、zip、rar 或单个文件 / a folder, a zip, a rar, or one file")
]
PlanOption = Annotated[
    str,
    typer.Option("--plan", help="用印方案：YAML 文件或方案名称 / a plan file or a preset"),
]


app.command("check")(check)
app.command("stamp")(stamp)
app.command("unstamp")(unstamp)
app.command("withdraw")(withdraw)


@app.command("plan")
def plan(
    context: typer.Context,
    package: PackageArgument,
    plan_: PlanOption,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只列出，不盖章（总是如此）/ list only (always so)")
    ] = True,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="清单写入 CSV（Excel 可直接打开）/ the list as CSV")
    ] = None,
    thumbnails: Annotated[
        Path | None,
        typer.Option("--thumbnails", help="盖章后的页面图和总览 index.html / pages with their marks, as PNG"),
    ] = None,
    all_pages: Annotated[bool, typer.Option("--all-pages", help="没有盖章的页也画 / every page")] = False,
    thumbnail_px: Annotated[
        int,
        typer.Option(
            "--thumbnail-px", min=100, max=MAX_THUMBNAIL_SIDE_PX, help="长边像素 / longer side in pixels"
        ),
    ] = THUMBNAIL_SIDE_PX,
    convert: ConvertOption = True,
    repair: RepairOption = False,
    decrypt: DecryptOption = False,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> int:
    """预演 / List every mark the plan would draw: file, page, place in mm, seal. No key is touched."""
    wish = None
    if thumbnails is not None:
        wish = ThumbnailWish(check_out_folder(package, thumbnails), all_pages, thumbnail_px)
    if csv is not None:
        check_out_file(csv)
    with open_app(context, home) as sealine, progress_bars(quiet=json_) as progress:
        run = sealine.bids.dry_run(
            package,
            sealine.plans.given(plan_, actor=sealine.actor),
            actor=sealine.actor,
            thumbnails=wish,
            choices=Choices(convert=convert, repair=repair, decrypt=decrypt),
            progress=progress,
        )
    if csv is not None:
        csv.write_bytes(dry_run_csv(run))
    document = dry_run_json(run)
    if json_:
        write_json(document)
    else:
        show_dry_run(document)
        for path in (csv, run.thumbnails and run.thumbnails.index):
            if path:
                write_line(f"已写入 / written: {path}")
    return _exit_of_looked(run.files)


def show_dry_run(document: Mapping[str, Any]) -> None:
    """Show what a dry run found: every mark, a line for each file and each seal, then what is amiss."""
    marks, summary = document["marks"], document["summary"]
    columns = ("file", "page", "x_mm", "y_mm", "w_mm", "h_mm", "seal")
    titles = ("文件", "页", "x mm", "y mm", "宽 mm", "高 mm", "印章")
    write_table(f"共 {len(marks)} 处 / marks", titles, [[mark[key] for key in columns] for mark in marks])
    write_table(
        "各文件 / files",
        ("文件", "页数", "盖章页", "处数", "注意"),
        [
            [file[key] for key in ("file", "pages", "marked_pages", "marks", "warnings")]
            for file in summary["files"]
        ],
    )
    write_table(
        "各印章 / seals", ("印章", "处数"), [[seal["seal"], seal["marks"]] for seal in summary["seals"]]
    )
    for warning in document["warnings"]:
        write_note(f"注意 {warning['file']}：{warning['warning']}")
    for error in document["errors"]:
        message = _message(error["error"]).removeprefix(error["file"]).lstrip("：: ")
        write_note(f"错误 {error['file']}：{message}")
    if summary["files_without_marks"]:
        names = "、".join(summary["files_without_marks"])
        write_note(f"没有盖章的文件 / files without marks: {names}")


@app.command("sign")
def sign(
    context: typer.Context,
    package: PackageArgument,
    plan_: PlanOption,
    out: Annotated[Path, typer.Option("--out", "-o", help="输出文件夹 / folder for the signed files")],
    key: KeyOption = None,
    pin_fd: PinFdOption = None,
    tsa: TsaOption = None,
    trust: TrustOption = None,
    crl: CrlOption = None,
    convert: ConvertOption = True,
    repair: RepairOption = False,
    decrypt: DecryptOption = False,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> int:
    """签章并归档 / Stamp, sign, timestamp, verify, archive. The same command again goes on."""
    check_out_folder(package, out)
    flags = signing_flags(key, tsa, trust, crl)
    with open_app(context, home, pin_fd=pin_fd, **flags) as sealine, progress_bars(quiet=json_) as progress:
        since = utc_now()
        package_record = sealine.bids.submit(
            package,
            sealine.plans.given(plan_, actor=sealine.actor),
            actor=sealine.actor,
            key_uri=sealine.key_uri,
            choices=Choices(convert=convert, repair=repair, decrypt=decrypt),
            progress=progress,
        )
        workers: AbstractContextManager[None] = nullcontext()
        if sealine.settings.is_embedded:
            workers = working(sealine.broker, threads=sealine.settings.workers)
        with workers:
            wait_for_package(
                sealine.records,
                package_record.id,
                since=since,
                progress=progress,
                doorbells=sealine.doorbells,
            )
        results = sealine.bids.results(package_record.id, out, actor=sealine.actor)
    show_results(package_record.id, results, json_=json_)
    return exit_of_results(results)


def show_results(package_id: str, results: Sequence[FileResult], *, json_: bool) -> None:
    """Show how a package came out."""
    files = [result_json(result) for result in results]
    if json_:
        write_json({"package": package_id, "files": files})
        return
    write_table(
        "签章结果 / results",
        ("文件", "状态", "签名", "秒", "输出", "错误"),
        [
            (
                file["file"],
                f"{STATE_LABELS[JobState(file['state'])]} {file['state']}",
                file["signatures"],
                file["seconds"],
                file["output"],
                _message(file["error"]),
            )
            for file in files
        ],
    )
    write_line(f"文件包编号 / package: {package_id}（撤回用 / for `bid withdraw`）")
    waiting = sum(result.state is JobState.AWAITING_TIMESTAMP for result in results)
    if waiting:
        write_line(f"{waiting} 个文件等待时间戳；稍后再次执行同一命令即可完成，不会重复签名。")


def exit_of_results(results: Sequence[FileResult]) -> int:
    """Return the exit code of a package: its files' common one, or PARTLY_REFUSED."""
    return common_code(
        ExitCode[str(result.error["name"])] if result.error else ExitCode.OK for result in results
    )


def _exit_of_looked(looked: Sequence[LookedAt]) -> int:
    return common_code(exit_code_of(file.error) for file in looked)


def _message(error: Any) -> str:
    return "" if error is None else f"{error['message_zh']}（{error['name']}）"
