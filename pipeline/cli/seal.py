"""`sealine seal`: lift seals off a scan, make electronic seals, look at them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.options import HomeOption, JsonOption, KeyOption, PinFdOption, open_app
from pipeline.cli.show import write_json, write_line, write_table
from pipeline.documents_json import seal_json
from pipeline.seals import SealWish
from stages.extract import extraction_json
from stages.make import SealKind

app = typer.Typer(help="印章 / seals", no_args_is_help=True, rich_markup_mode=None)


@app.command("extract")
def extract(
    context: typer.Context,
    scan: Annotated[Path, typer.Argument(help="扫描件或照片：JPG PNG TIFF PDF / a scan or photo")],
    out: Annotated[Path, typer.Option("--out", "-o", help="输出文件夹 / folder for the images")],
    width_mm: Annotated[
        float | None,
        typer.Option(
            "--width-mm",
            min=3,
            max=70,
            help="比例未知时给出印章宽度 / the seal's width, when scale is unknown",
        ),
    ] = None,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """提取印模 / Find every impression on a scan and make one clean, true-to-size image of each seal."""
    with open_app(context, home) as sealine:
        extracted = sealine.seals.extract(scan, out, actor=sealine.actor, stated_width_mm=width_mm)
    document: dict[str, Any] = extraction_json(extracted)
    if json_:
        write_json(document)
        return
    write_table(
        "印模 / impressions",
        ("#", "形状", "颜色", "尺寸 mm", "角度", "得分", "意见", "图像"),
        [
            (
                found["index"],
                found["shape"],
                found["colour"],
                _size(found["size_mm"]),
                f"{found['angle_deg']:.1f}°",
                f"{found['quality']['score']:.2f}",
                "、".join(found["quality"]["reasons"]),
                found["image"],
            )
            for found in document["impressions"]
        ],
    )
    write_table(
        "印章 / seals",
        ("印模", "形状", "尺寸 mm", "图像", "备注"),
        [
            (
                ",".join(str(member) for member in made["members"]),
                made["shape"],
                _size(made["size_mm"]),
                made["image"],
                ""
                if made["true_to_size"]
                else "比例未知，请用 --width-mm 给出宽度 / scale unknown: give --width-mm",
            )
            for made in document["seals"]
        ],
    )


@app.command("make")
def make(
    context: typer.Context,
    image: Annotated[Path, typer.Argument(help="1400×1400 印章图像 / the seal image from `seal extract`")],
    name: Annotated[str, typer.Option("--name", help="方案中使用的名称 / what plans call it")],
    owner: Annotated[str, typer.Option("--owner", help="单位或个人全称 / whose seal it is")],
    owner_code: Annotated[str, typer.Option("--owner-code", help="统一社会信用代码 / credit code")] = "",
    kind: Annotated[SealKind, typer.Option("--kind", help="印章类型 / kind of seal")] = SealKind.OFFICIAL,
    key: KeyOption = None,
    pin_fd: PinFdOption = None,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """制作电子印章 / Make an electronic seal of an approved image, bound to the signing certificate."""
    wish = SealWish(name=name, owner=owner, owner_code=owner_code, kind=kind)
    with open_app(context, home, pin_fd=pin_fd, key=key) as sealine:
        record = sealine.seals.make(image, wish, actor=sealine.actor, key_uri=sealine.key_uri)
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


def _size(size_mm: list[float] | None) -> str:
    return "未知" if size_mm is None else f"{size_mm[0]:.2f}×{size_mm[1]:.2f}"


def _standing(standing: str) -> str:
    return f"仅限内部使用 / {standing}"
