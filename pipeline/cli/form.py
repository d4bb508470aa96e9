"""`sealine form`: the blank specimen form."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import JsonOption
from pipeline.cli.show import write_json, write_line
from pipeline.folders import check_out_file
from seal_imaging.form import FormKind
from stages.specimen_form import draw_example, draw_form

app = typer.Typer(help="印模采集表 / the seal specimen form", no_args_is_help=True, rich_markup_mode=None)


KindOption = Annotated[
    FormKind,
    typer.Option(
        "--kind",
        help="全部、电子公章、法人私章、注册人员签章、签名采集表 / which form",
    ),
]


@app.command("draw")
def draw(
    out: Annotated[Path, typer.Option("--out", "-o", help="PDF 文件 / the PDF to write")] = Path(
        "印模采集表.pdf"
    ),
    order: Annotated[str, typer.Option("--order", help="订单编号 / order number")] = "AC0000000001",
    applicant: Annotated[str, typer.Option("--applicant", help="申请单位 / applicant")] = "",
    kind: KindOption = FormKind.ALL,
    json_: JsonOption = False,
) -> None:
    """画空白采集表 / Draw the blank form: print it, stamp it three times a seal, scan it."""
    draw_form(check_out_file(out), order_number=order, applicant=applicant, kind=kind)
    if json_:
        write_json({"form": str(out), "order": order, "kind": kind.value})
    else:
        write_line(f"采集表已写入 / form written: {out}")


@app.command("example")
def example(
    out: Annotated[Path, typer.Option("--out", "-o", help="PDF 文件 / the PDF to write")] = Path(
        "填写样例.pdf"
    ),
    kind: KindOption = FormKind.ALL,
    json_: JsonOption = False,
) -> None:
    """画填写样例 / Draw the filled-in example: it shows how, and is refused as a specimen."""
    draw_example(check_out_file(out), kind=kind)
    if json_:
        write_json({"form": str(out), "kind": kind.value})
    else:
        write_line(f"填写样例已写入 / example written: {out}")
