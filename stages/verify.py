"""Check every signature of a PDF as an outsider would, believing nothing but the trust anchors."""

from datetime import datetime
from pathlib import Path

from stages.authorities import TrustAnchors
from stages.pdf.judge import judge_pdf
from stages.verdict_types import DocumentVerdict
from stages.verdicts import check_verified, verdict_json

__all__ = ["check_verified", "verdict_json", "verify"]


def verify(path: Path, trust: TrustAnchors, now: datetime) -> DocumentVerdict:
    """Return the verdict on any PDF; a bad signature is a verdict, not an error.

    Raises:
        InputRefused: no readable PDF, encrypted, or over a limit.
    """
    return judge_pdf(path, trust, now)
