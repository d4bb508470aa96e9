"""`sealine bid withdraw` and `sealine archive void`: what was handed in or archived is taken back."""

from typing import Annotated

import typer

from pipeline.cli.options import (
    CrlOption,
    HomeOption,
    JsonOption,
    KeyOption,
    PinFdOption,
    TrustOption,
    TsaOption,
    open_app,
    signing_flags,
)
from pipeline.cli.show import write_json, write_line, write_table
from pipeline.documents_json import taken_back_json, void_json
from pipeline.failures import common_code, exit_code_of
from pipeline.jobs import STATE_LABELS

ReasonOption = Annotated[str, typer.Option("--reason", help="理由，必填 / why; it is kept")]


def withdraw(
    context: typer.Context,
    package_id: Annotated[str, typer.Argument(help="文件包编号 / id of the package, as `bid sign` gave it")],
    reason: ReasonOption,
    file: Annotated[
        str | None, typer.Option("--file", help="只撤回这个文件 / only this file", show_default=False)
    ] = None,
    key: KeyOption = None,
    pin_fd: PinFdOption = None,
    tsa: TsaOption = None,
    trust: TrustOption = None,
    crl: CrlOption = None,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> int:
    """撤回 / Take a package back: what is not signed leaves the line, what is archived is voided."""
    flags = signing_flags(key, tsa, trust, crl)
    with open_app(context, home, pin_fd=pin_fd, **flags) as sealine:
        taken = sealine.withdrawals.withdraw(package_id, reason=reason, actor=sealine.actor, file=file)
    files = [taken_back_json(one) for one in taken]
    if json_:
        write_json({"package": package_id, "files": files})
    else:
        rows = [
            (
                one.file,
                f"{STATE_LABELS[one.state]} {one.state}",
                f"已作废 {one.void.voided_at.astimezone():%Y-%m-%d %H:%M:%S}" if one.void else "",
                (file["error"] or {}).get("message_zh", ""),
            )
            for one, file in zip(taken, files, strict=True)
        ]
        write_table("撤回结果 / taken back", ("文件", "状态", "作废", "未能撤回的原因"), rows)
    return common_code(exit_code_of(one.error) for one in taken)


def void(
    context: typer.Context,
    archive_id: Annotated[str, typer.Argument(help="编号，或唯一的文件名 / id, or a file name")],
    reason: ReasonOption,
    key: KeyOption = None,
    pin_fd: PinFdOption = None,
    tsa: TsaOption = None,
    trust: TrustOption = None,
    crl: CrlOption = None,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """作废 / Void a document by a signed, timestamped record; its bytes stay. Cannot be undone."""
    with open_app(context, home, pin_fd=pin_fd, **signing_flags(key, tsa, trust, crl)) as sealine:
        record = sealine.withdrawals.void(archive_id, reason=reason, actor=sealine.actor)
    if json_:
        write_json({"id": record.job_id, "void": void_json(record)})
    else:
        write_line(f"已作废 {record.job_id}：{record.reason}（{record.voided_by}）/ void")
