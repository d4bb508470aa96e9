"""Which fonts an office file asks for, and which of them this machine does not have."""

import re
import subprocess
import zipfile
import zlib
from functools import cache
from pathlib import Path

from stages.file_kinds import FileKind, KnownFile

MAX_PARTS = 400
MAX_PART_BYTES = 16 * 1024 * 1024
MAX_SCANNED_BYTES = 64 * 1024 * 1024
MAX_FONT_NAME_CHARS = 60
MAX_FONTS = 200

_PARTS = re.compile(
    r"(word/(document|styles|numbering|header\d*|footer\d*)\.xml|xl/styles\.xml|ppt/slides/slide\d+\.xml"
    r"|ppt/slideMasters/slideMaster\d+\.xml|content\.xml|styles\.xml)$"
)
"""Themes are left out: each names Calibri and some sixty others, whether a text is set in them or not."""
_NAMES = re.compile(
    rb'(?:w:(?:ascii|eastAsia|hAnsi)|typeface|svg:font-family)="([^"+]+)"|<(?:\w+:)?name val="([^"]+)"'
)
_CHANGES = re.compile(rb"<w:(ins|del|moveFrom) ")

# What the older formats are searched for: their font tables are UTF-16, and these are what bids are set in.
_KNOWN_NAMES = (
    *(
        "宋体",
        "新宋体",
        "仿宋",
        "仿宋_GB2312",
        "黑体",
        "楷体",
        "楷体_GB2312",
        "隶书",
        "幼圆",
        "微软雅黑",
        "等线",
    ),
    *(
        "方正小标宋简体",
        "方正小标宋_GBK",
        "方正仿宋_GBK",
        "方正黑体_GBK",
        "方正楷体_GBK",
        "华文仿宋",
        "华文楷体",
    ),
    *("华文宋体", "华文中宋", "Times New Roman", "Calibri", "Cambria", "Arial"),
)


def fonts_asked_for(path: Path, known: KnownFile) -> frozenset[str]:
    """Return the fonts that a file names for its text; a damaged file names none."""
    if known.kind in (FileKind.DOC, FileKind.XLS, FileKind.PPT):
        return _in_compound(path)
    if known.kind is FileKind.RTF:
        return _in_rtf(path)
    found: set[str] = set()
    for text in _parts(path):
        for match in _NAMES.finditer(text):
            name = (match[1] or match[2]).decode("utf-8", errors="replace").replace("&apos;", "").strip()
            if 0 < len(name) <= MAX_FONT_NAME_CHARS and len(found) < MAX_FONTS:
                found.add(name)
    return frozenset(found)


def has_tracked_changes(path: Path) -> bool:
    """Return whether a docx holds insertions or deletions that nobody has accepted yet."""
    return any(_CHANGES.search(text) for text in _parts(path))


def missing_fonts(path: Path, known: KnownFile) -> tuple[str, ...]:
    """Return the fonts a file asks for that are not installed, sorted."""
    installed = installed_fonts()
    asked = fonts_asked_for(path, known)
    return tuple(sorted(name for name in asked if name.casefold() not in installed))


@cache
def installed_fonts() -> frozenset[str]:
    """Return the case-folded family names that fontconfig knows."""
    try:
        listed = subprocess.run(
            ["fc-list", ":", "family"], capture_output=True, check=False, timeout=20, text=True
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    return frozenset(name.strip().casefold() for line in listed.splitlines() for name in line.split(","))


def _parts(path: Path) -> list[bytes]:
    """Return the XML parts of a zipped office file that may name fonts, within limits."""
    parts: list[bytes] = []
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if _PARTS.match(name)]
            for name in names[:MAX_PARTS]:
                with archive.open(name) as part:
                    parts.append(part.read(MAX_PART_BYTES))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        pass
    return parts


def _in_compound(path: Path) -> frozenset[str]:
    with path.open("rb") as file:
        data = file.read(MAX_SCANNED_BYTES)
    found = [name for name in _KNOWN_NAMES if name.encode("utf-16-le") in data]
    return frozenset(name for name in found if not any(x != name and x.startswith(name) for x in found))


def _in_rtf(path: Path) -> frozenset[str]:
    """Return known names in the font table; RTF writes what is not ASCII as bytes of the code page."""
    with path.open("rb") as file:
        data = file.read(MAX_PART_BYTES).lower()
    return frozenset(name for name in _KNOWN_NAMES if _rtf_name(name) in data)


def _rtf_name(name: str) -> bytes:
    escaped = "".join(chr(byte) if byte < 128 else f"\\'{byte:02x}" for byte in name.encode("gbk"))
    return f"{escaped};".lower().encode()
