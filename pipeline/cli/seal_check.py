"""`sealine seal check`: does a scan show a seal that was made here, by its micro-pattern."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.options import HomeOption, JsonOption, open_app
from pipeline.cli.show import write_json, write_line, write_table
from pipeline.failures import ExitCode
from pipeline.seal_checks import CheckedScan
from stages.seal_check import PatternVerdict

EXIT_CODES = {
    PatternVerdict.FOUND: ExitCode.OK,
    PatternVerdict.ABSENT: ExitCode.UNTRUSTED,
    PatternVerdict.OTHER_SEAL: ExitCode.UNTRUSTED,
    PatternVerdict.UNCLEAR: ExitCode.INDETERMINATE,
    PatternVerdict.UNKNOWN: ExitCode.INDETERMINATE,
}
_SAYS = {
    PatternVerdict.FOUND: "防伪图样相符 / the pattern is there",
    PatternVerdict.ABSENT: "没有防伪图样 / the pattern is not there",
    PatternVerdict.OTHER_SEAL: "是另一枚印章的防伪图样 / another seal's pattern",
    PatternVerdict.UNCLEAR: "无法判断，请用更高分辨率扫描 / cannot be told; scan it finer",
    PatternVerdict.UNKNOWN: "不像此处制作的印章 / like no seal made here",
}


def check(
    context: typer.Context,
    scan: Annotated[Path, typer.Argument(help="扫描件或印章图像 / a scan, or a seal image")],
    seal: Annotated[
        str | None,
        typer.Option("--seal", help="应为哪枚印章 / which seal it should be", show_default=False),
    ] = None,
    home: HomeOption = None,
    json_: JsonOption = False,
) -> int:
    """核验防伪图样 / Look for a seal's micro-pattern in a print that was scanned at 300 dpi or more."""
    with open_app(context, home) as sealine:
        checked = sealine.seal_checks.check(scan, actor=sealine.actor, seal=seal)
    if json_:
        write_json(checked_json(checked))
    else:
        write_table(
            "印模 / impressions",
            ("页", "印章", "得分", "结论"),
            [
                (
                    one.page_index + 1,
                    one.seal or "",
                    "" if one.score is None else f"{one.score:.1f}",
                    _SAYS[one.verdict],
                )
                for one in checked.impressions
            ],
        )
        write_line(_SAYS[checked.verdict])
    return EXIT_CODES[checked.verdict]


def checked_json(checked: CheckedScan) -> dict[str, Any]:
    """Return what was found on a scan."""
    return {
        "verdict": checked.verdict.value,
        "impressions": [
            {
                "page": one.page_index + 1,
                "box_px": list(one.box_px),
                "verdict": one.verdict.value,
                "seal": one.seal,
                "score": None if one.score is None else round(one.score, 2),
                "expected": None if one.expected is None else round(one.expected, 2),
                "likeness": None if one.likeness is None else round(one.likeness, 4),
            }
            for one in checked.impressions
        ],
    }
