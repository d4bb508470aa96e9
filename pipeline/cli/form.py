"""`sealine form`: the blank specimen form."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import JsonOption
from pipeline.cli.show import write_json, write_line
from pipeline.folders import check_out_file
from stages.specimen_form import draw_form

app = typer.Typer(help="印模采集表 / the seal specimen form", no_args_is_help=True, rich_markup_mode=None)


@app.command("draw")
def draw(
    out: Annotated[Path, typer.Option("--out", "-o", help="PDF 文件 / the PDF to write")] = Path(
        "印模采集表.pdf"
    ),
    order: Annotated[str, typer.Option("--order", help="订单编号 / order number")] = "AC0000000001",
    applicant: Annotated[str, typer.Option("--applicant", help="申请单位 / applicant")] = "",
    json_: JsonOption = False,
) -> None:
    """画空白采集表 / Draw the blank form: print it, stamp it three times a seal, scan it."""
    draw_form(check_out_file(out), order_number=order, applicant=applicant)
    if json_:
        write_json({"form": str(out), "order": order})
    else:
        write_line(f"采集表已写入 / form written: {out}")
