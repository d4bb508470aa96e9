"""Verification for whoever asks: several files, each with its verdict or the reason it could not be read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.clock import utc_now
from pipeline.failures import error_json, refusals
from pipeline.roots import read_crls, read_roots
from stages.authorities import TrustAnchors
from stages.errors import InputRefused
from stages.verdicts import verdict_json
from stages.verify import verify


def verify_files(files: Sequence[Path], trust: Path | None, crls: Sequence[Path] = ()) -> dict[str, Any]:
    """Return `{"files": […]}`, one entry a file in the order given.

    Raises:
        UsageRefused: the trust file holds no certificate, or a list file no revocation list.
    """
    anchors = TrustAnchors(roots=read_roots(trust) if trust else (), crls=read_crls(crls))
    now = utc_now()
    entries = []
    for path in files:
        try:
            if not path.is_file():
                raise InputRefused(f"{path}: no such file", zh=f"{path}：没有这个文件")
            entries.append(verdict_json(path, verify(path, anchors, now)))
        except refusals() as error:
            entries.append(
                {
                    "file": str(path),
                    "indication": None,
                    "signatures": [],
                    "causes": [],
                    "error": error_json(error),
                }
            )
    return {"files": entries}
