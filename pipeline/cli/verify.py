"""`sealine verify`: what an outsider can say of signed files."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.options import CrlOption, JsonOption, TrustOption
from pipeline.cli.show import write_json, write_line
from pipeline.failures import ExitCode
from pipeline.verifying import verify_files

LAMPS = {"passed": "●通过", "failed": "✕不通过", "unknown": "○未知"}
_NAMES = {"integrity": "完整性", "identity": "签名人身份", "trust": "证书可信", "time": "时间"}
INDICATIONS = {"TOTAL-PASSED": "通过", "INDETERMINATE": "无法确定", "TOTAL-FAILED": "不通过"}
EXIT_CODES = {
    "TOTAL-PASSED": ExitCode.OK,
    "INDETERMINATE": ExitCode.INDETERMINATE,
    "TOTAL-FAILED": ExitCode.UNTRUSTED,
}
_WORST_FIRST = (ExitCode.UNTRUSTED, ExitCode.INPUT_REFUSED, ExitCode.INDETERMINATE, ExitCode.OK)
"""Of several files the worst decides: a forged one is not hidden by one that could not be checked."""


def verify(
    files: Annotated[list[Path], typer.Argument(help="PDF 文件 / signed PDFs")],
    trust: TrustOption = None,
    crl: CrlOption = None,
    json_: JsonOption = False,
) -> int:
    """验签 / Verify: integrity, identity, trust and time, each its own lamp."""
    document = verify_files(files, trust, crl or ())
    if json_:
        write_json(document)
    else:
        for file in document["files"]:
            show_verdict(file)
    codes = {EXIT_CODES.get(file["indication"], ExitCode.INPUT_REFUSED) for file in document["files"]}
    return next(code for code in _WORST_FIRST if code in codes)


def show_verdict(file: dict[str, Any]) -> None:
    """Show the verdict of one file."""
    write_line(
        f"{file['file']}：{INDICATIONS.get(file['indication'], '不能受理')} {file['indication'] or ''}"
    )
    if file.get("error"):
        write_line(f"  {file['error']['message_zh']} / {file['error']['message']}")
    for signature in file["signatures"]:
        lamps = "  ".join(f"{name} {LAMPS[signature[key]]}" for key, name in _NAMES.items())
        write_line(f"  {signature['field']}  {signature['signer']}")
        write_line(f"    {lamps}")
        if signature["timestamp"]:
            write_line(f"    时间戳 {signature['timestamp']}  {signature['timestamp_authority']}")
        for cause in signature["causes"]:
            write_line(f"    · {cause['message_zh']} / {cause['message']}")
    for cause in file["causes"]:
        write_line(f"  · {cause['message_zh']} / {cause['message']}")
