"""`sealine seal compare`: are two seals one and the same."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import HomeOption, JsonOption, open_app
from pipeline.cli.show import write_json, write_line
from pipeline.documents_json import comparison_json
from pipeline.failures import ExitCode
from pipeline.folders import check_out_file
from seal_imaging.group import Kinship

EXIT_CODES = {
    Kinship.SAME: ExitCode.OK,
    Kinship.DIFFERENT: ExitCode.UNTRUSTED,
    Kinship.UNCERTAIN: ExitCode.INDETERMINATE,
}
_SAYS = {
    Kinship.SAME: "是同一枚印章 / the same seal",
    Kinship.DIFFERENT: "不是同一枚印章 / different seals",
    Kinship.UNCERTAIN: "无法判断，请提供更清晰的印模 / cannot be told; give clearer impressions",
}


def compare(
    context: typer.Context,
    first: Annotated[Path, typer.Argument(help="扫描件、印章图像或印章名称 / scan, image or name")],
    second: Annotated[Path, typer.Argument(help="同上 / likewise")],
    out: Annotated[Path, typer.Option("--out", "-o", help="差异图 PNG / the difference picture")] = Path(
        "差异.png"
    ),
    home: HomeOption = None,
    json_: JsonOption = False,
) -> int:
    """比对两枚印章 / Lay two seals over each other: same or not, stretch, deformation, a picture of it."""
    with open_app(context, home) as sealine:
        compared = sealine.seals.compare(first, second, check_out_file(out), actor=sealine.actor)
    document = comparison_json(compared)
    if json_:
        write_json(document)
    else:
        write_line(_SAYS[compared.comparison.answer])
        across, down = document["stretch_percent"]
        write_line(
            f"相似度 / likeness {document['likeness']:.3f}，伸缩 / stretch {across:+.2f} % × {down:+.2f} %，"
            f"变形 / deformation {document['deformation_percent']:.2f} %"
        )
        if document["reasons"]:
            write_line("、".join(document["reasons"]))
        write_line(f"差异图 / difference: {out}")
    return EXIT_CODES[compared.comparison.answer]
