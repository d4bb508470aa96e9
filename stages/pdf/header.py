"""The comment behind a PDF's header, which some libraries make their own mark."""

from pathlib import Path

HEADER_BYTES = 64
_QPDF_MARKER, _COMMON_MARKER = b"%\xbf\xf7\xa2\xfe", b"%\xe2\xe3\xcf\xd3"
"""The second is what most programs write (ISO 32000-2 §7.5.2 wants four bytes over 127)."""


def hide_library(path: Path) -> None:
    """Put the usual comment in the place of the library's own, which two bidders would have in common."""
    with path.open("r+b") as file:
        where = file.read(HEADER_BYTES).find(_QPDF_MARKER)
        if where > 0:
            file.seek(where)
            file.write(_COMMON_MARKER)
