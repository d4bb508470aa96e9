"""`sealine plan`: keep stamp plans under names, show them, take them out of use."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import HomeOption, JsonOption, open_app
from pipeline.cli.show import write_json, write_line, write_table
from pipeline.documents_json import preset_json
from pipeline.folders import check_out_file
from pipeline.plans import builtin_presets, read_plan
from stages.plan_schema import plan_schema

app = typer.Typer(help="用印方案 / stamp plans", no_args_is_help=True, rich_markup_mode=None)

NameArgument = Annotated[str, typer.Argument(help="方案名称 / the preset's name")]
EXAMPLE = "施工投标文件"


@app.command("list")
def list_(context: typer.Context, home: HomeOption = None, json_: JsonOption = False) -> None:
    """列出方案 / List the presets: saved ones, then those that come with the program."""
    with open_app(context, home) as sealine:
        presets = [preset_json(preset) for preset in sealine.plans.list(actor=sealine.actor)]
    if json_:
        write_json({"presets": presets})
        return
    rows = [
        (
            preset["name"],
            "自带 / built in" if preset["builtin"] else preset["version"],
            "、".join(preset["seals"]),
            preset["rules"],
            preset["document_type"],
            preset["saved_at"],
        )
        for preset in presets
    ]
    write_table("用印方案 / presets", ("名称", "版本", "印章", "规则", "文件类型", "保存于"), rows)


@app.command("save")
def save(
    context: typer.Context,
    name: NameArgument,
    file: Annotated[Path, typer.Argument(help="用印方案 YAML / the stamp plan")],
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """保存方案 / Keep a plan under a name. Earlier versions stay, and so does what was signed by them."""
    with open_app(context, home) as sealine:
        preset = preset_json(sealine.plans.save(name, read_plan(file), actor=sealine.actor))
    if json_:
        write_json(preset)
    else:
        write_line(f"已保存 / saved: {preset['name']}，第 {preset['version']} 版")


@app.command("show")
def show(
    context: typer.Context,
    name: NameArgument,
    version: Annotated[
        int | None, typer.Option("--version", min=0, help="版本，0 为自带的 / version, 0 = built in")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="写入文件 / into a file")] = None,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """显示方案 / Show a preset's plan, or write it to a file."""
    with open_app(context, home) as sealine:
        preset = sealine.plans.show(name, actor=sealine.actor, version=version)
        versions = sealine.plans.versions(name, actor=sealine.actor)
    if out is not None:
        check_out_file(out).write_bytes(preset.plan)
    if json_:
        text = preset.plan.decode("utf-8-sig")
        write_json({**preset_json(preset), "plan": text, "versions": [one.version for one in versions]})
    elif out is None:
        _write_plan(preset.plan)


@app.command("remove")
def remove(
    context: typer.Context, name: NameArgument, home: HomeOption = None, json_: JsonOption = False
) -> None:
    """停用方案 / Take a preset out of use; what was signed by it stays as it is."""
    with open_app(context, home) as sealine:
        sealine.plans.remove(name, actor=sealine.actor)
    if json_:
        write_json({"name": name})
    else:
        write_line(f"已停用 / removed: {name}")


@app.command("schema")
def schema(json_: JsonOption = False) -> None:
    """方案的 JSON Schema / The JSON schema of plans, for editors and programs."""
    write_json(plan_schema())


@app.command("example")
def example(json_: JsonOption = False) -> None:
    """方案样例 / A plan to start from, as YAML."""
    plan = next(preset.plan for preset in builtin_presets() if preset.name == EXAMPLE)
    if json_:
        write_json({"plan": plan.decode()})
    else:
        _write_plan(plan)


def _write_plan(plan: bytes) -> None:
    sys.stdout.write(plan.decode("utf-8-sig"))
    sys.stdout.flush()
