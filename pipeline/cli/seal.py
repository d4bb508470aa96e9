"""`sealine seal`: lift seals off a scan, make electronic seals, look at them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.extraction import show_extraction
from pipeline.cli.options import HomeOption, JsonOption, KeyOption, PinFdOption, open_app
from pipeline.cli.seal_check import check
from pipeline.cli.seal_compare import compare
from pipeline.cli.show import write_json, write_line, write_table
from pipeline.documents_json import seal_json
from pipeline.seals import SealWish
from pipeline.slots import read_slot
from seal_imaging import InkChoice, InkColour, Reason
from stages.extract import ExtractOptions, extraction_json
from stages.make import SealKind
from stages.seal_reading import ExpectedNames

app = typer.Typer(help="印章 / seals", no_args_is_help=True, rich_markup_mode=None)
app.command("check")(check)
app.command("compare")(compare)


@app.command("extract")
def extract(
    context: typer.Context,
    scan: Annotated[Path, typer.Argument(help="扫描件或照片：JPG PNG TIFF PDF / a scan or photo")],
    out: Annotated[Path, typer.Option("--out", "-o", help="输出文件夹 / folder for the images")],
    width_mm: Annotated[
        list[str] | None,
        typer.Option(
            "--width-mm",
            metavar="MM|N=MM",
            help="印章实物宽度（毫米）；“2=20”指第 2 枚，可重复 / a seal's measured width; 2=20 for seal 2",
        ),
    ] = None,
    dpi: Annotated[
        float | None,
        typer.Option("--dpi", help="扫描分辨率 / the scanner's true resolution"),
    ] = None,
    order: Annotated[
        str | None,
        typer.Option("--order", help="应属订单编号 / the order it should bear"),
    ] = None,
    ink: Annotated[
        InkChoice,
        typer.Option("--ink", help="统一颜色或自然墨色 / one colour or real ink"),
    ] = InkChoice.UNIFIED,
    colour: Annotated[
        InkColour | None,
        typer.Option("--colour", help="成品颜色，默认按实测 / the image's colour; as measured if not given"),
    ] = None,
    owner: Annotated[
        list[str] | None, typer.Option("--owner", help="单位名称，与印文核对，可重复 / whose seals they are")
    ] = None,
    person: Annotated[
        list[str] | None, typer.Option("--person", help="个人姓名，与名章核对，可重复 / a person's name")
    ] = None,
    code: Annotated[str, typer.Option("--code", help="印章编码，与章底数字核对 / digits on the seal")] = "",
    no_read: Annotated[bool, typer.Option("--no-read", help="不识别印文 / do not read the seals")] = False,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """提取印模 / Find every impression on a scan and make one clean, true-to-size image of each seal."""
    expected = ExpectedNames(tuple(owner or ()), tuple(person or ()), code)
    plain, single = read_widths(width_mm or [])
    options = ExtractOptions(
        width_mm=plain,
        seal_widths_mm=single,
        dpi=dpi,
        order=order,
        ink=ink,
        colour=colour,
        expected=expected,
    )
    with open_app(context, home) as sealine:
        extracted = sealine.seals.extract(scan, out, actor=sealine.actor, options=options, read=not no_read)
    document: dict[str, Any] = extraction_json(extracted)
    if json_:
        write_json(document)
        return
    show_extraction(document)


@app.command("make")
def make(
    context: typer.Context,
    image: Annotated[Path, typer.Argument(help="1400×1400 印章图像 / the seal image from `seal extract`")],
    name: Annotated[str, typer.Option("--name", help="方案中使用的名称 / what plans call it")],
    owner: Annotated[str, typer.Option("--owner", help="单位或个人全称 / whose seal it is")],
    owner_code: Annotated[str, typer.Option("--owner-code", help="统一社会信用代码 / credit code")] = "",
    kind: Annotated[SealKind, typer.Option("--kind", help="印章类型 / kind of seal")] = SealKind.OFFICIAL,
    micro_pattern: Annotated[
        bool,
        typer.Option("--micro-pattern", help="加入防伪图样，供 seal check 核验 / hide a pattern in the ink"),
    ] = False,
    slot: Annotated[
        list[str] | None,
        typer.Option(
            "--slot",
            metavar="NAME=x,y,w,h[,chars][,left|center|right]",
            help="动态文字栏（动态输入章），毫米，可重复 / text set when stamping, mm; repeatable",
            show_default=False,
        ),
    ] = None,
    key: KeyOption = None,
    pin_fd: PinFdOption = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept-reason",
            help="明知有此问题仍制章，如“不全”，可重复；记入日志 / make it in spite of this reason; logged",
        ),
    ] = None,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """制作电子印章 / Make an electronic seal of an approved image, bound to the signing certificate."""
    wish = SealWish(
        name=name,
        owner=owner,
        owner_code=owner_code,
        kind=kind,
        micro_pattern=micro_pattern,
        slots=tuple(read_slot(text) for text in slot or ()),
    )
    with open_app(context, home, pin_fd=pin_fd, key=key) as sealine:
        record = sealine.seals.make(
            image,
            wish,
            actor=sealine.actor,
            key_uri=sealine.key_uri,
            accepted_reasons=read_reasons(accept or []),
        )
        document = seal_json(record, sealine.records.bound_certificate(record.id))
    if json_:
        write_json(document)
    else:
        write_line(f"电子印章已制作 / electronic seal made: {record.name} {record.id}")
        write_line(f"{record.width_mm:.2f} × {record.height_mm:.2f} mm，{_standing(record.standing)}")


@app.command("list")
def list_seals(context: typer.Context, home: HomeOption = None, json_: JsonOption = False) -> None:
    """列出印章 / List the seals."""
    with open_app(context, home) as sealine:
        seals = sealine.seals.list(actor=sealine.actor)
        documents = [seal_json(seal, sealine.records.bound_certificate(seal.id)) for seal in seals]
    if json_:
        write_json({"seals": documents})
        return
    write_table(
        "印章 / seals",
        ("名称", "类型", "单位", "尺寸 mm", "有效期至", "编号"),
        [
            (
                seal.name,
                seal.kind,
                seal.owner,
                f"{seal.width_mm:.2f}×{seal.height_mm:.2f}",
                f"{seal.valid_until_at:%Y-%m-%d}",
                seal.id,
            )
            for seal in seals
        ],
    )


@app.command("show")
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="名称或编号 / name or id")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="把图像和电子印章写到这里 / write image and seal here")
    ] = None,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """查看印章 / Show a seal."""
    with open_app(context, home) as sealine:
        record, certificate = sealine.seals.show(name, actor=sealine.actor)
        document = seal_json(record, certificate)
        if out is not None:
            image, eseal = sealine.seals.save(name, out, actor=sealine.actor)
            document |= {"image": str(image), "eseal": str(eseal)}
    if json_:
        write_json(document)
    else:
        write_table(f"印章 {record.name}", ("项", "值"), list(document.items()))


def read_widths(texts: Sequence[str]) -> tuple[float | None, dict[int, float]]:
    """Return the width of the widest seal, and those of single seals by number from 0.

    Raises:
        BadParameter: not a number, or a number with a seal's number before it; or one stated twice.
    """
    plain: list[float] = []
    single: dict[int, float] = {}
    for text in texts:
        number, is_single, width = text.rpartition("=")
        try:
            width_mm = float(width)
            if not is_single:
                plain.append(width_mm)
            elif number.isdecimal() and int(number) >= 1 and int(number) - 1 not in single:
                single[int(number) - 1] = width_mm
            else:
                raise ValueError(text)
        except ValueError as error:
            raise typer.BadParameter(f"--width-mm {text}: 请写 42 或 2=20 / write 42 or 2=20") from error
    if len(plain) > 1:
        raise typer.BadParameter("--width-mm: 多枚印章请写 1=42 2=20 / write 1=42 2=20 for several seals")
    return (plain[0] if plain else None), single


def read_reasons(texts: Sequence[str]) -> tuple[Reason, ...]:
    """Return the reasons named.

    Raises:
        BadParameter: there is no such reason.
    """
    try:
        return tuple(Reason(text) for text in texts)
    except ValueError as error:
        codes = "、".join(reason.value for reason in Reason)
        raise typer.BadParameter(f"--accept-reason: 可用 / one of {codes}") from error


def _standing(standing: str) -> str:
    return f"仅限内部使用 / {standing}"
