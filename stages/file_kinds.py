"""What a file of a package is, told by its bytes: its name may say anything."""

import re
import zipfile
import zlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from stages.office.compound import MAGIC as COMPOUND_MAGIC
from stages.office.compound import Compound, read_compound

MAX_ZIP_ENTRIES_READ = 20_000
MAX_PART_BYTES = 4 * 1024 * 1024
HEAD_BYTES = 1024


class FileKind(StrEnum):
    """Kinds of files that packages hold."""

    PDF = "PDF"
    DOC = "doc"
    DOCX = "docx"
    XLS = "xls"
    XLSX = "xlsx"
    XLSB = "xlsb"
    PPT = "ppt"
    PPTX = "pptx"
    ODT = "odt"
    ODS = "ods"
    ODP = "odp"
    RTF = "rtf"
    JPEG = "JPEG"
    PNG = "PNG"
    TIFF = "TIFF"
    ZIP = "zip"
    RAR = "rar"
    SEVEN_ZIP = "7z"
    OFD = "OFD"
    DWG = "DWG"
    DXF = "DXF"
    PROGRAM = "program"
    UNKNOWN = "unknown"


OFFICE = frozenset(
    {
        *(FileKind.DOC, FileKind.DOCX, FileKind.XLS, FileKind.XLSX, FileKind.XLSB, FileKind.PPT),
        *(FileKind.PPTX, FileKind.ODT, FileKind.ODS, FileKind.ODP, FileKind.RTF),
    }
)
"""What LibreOffice makes a PDF of."""
SPREADSHEETS = frozenset({FileKind.XLS, FileKind.XLSX, FileKind.XLSB, FileKind.ODS})
PICTURES = frozenset({FileKind.JPEG, FileKind.PNG, FileKind.TIFF})


@dataclass(frozen=True)
class KnownFile:
    """What a file is.

    Attributes:
        is_encrypted: an office file that asks for a password; never set for other kinds.
        has_macros: an office file that brings programs along.
    """

    kind: FileKind
    is_encrypted: bool = False
    has_macros: bool = False


_MAGICS = (
    (b"Rar!\x1a\x07", FileKind.RAR),
    (b"7z\xbc\xaf\x27\x1c", FileKind.SEVEN_ZIP),
    (b"\xff\xd8\xff", FileKind.JPEG),
    (b"\x89PNG\r\n\x1a\n", FileKind.PNG),
    (b"II*\0", FileKind.TIFF),
    (b"MM\0*", FileKind.TIFF),
    (b"II+\0", FileKind.TIFF),
    (b"MM\0+", FileKind.TIFF),
    (b"{\\rt", FileKind.RTF),  # Word reads {\rt as well as {\rtf
    (b"MZ", FileKind.PROGRAM),
    (b"\x7fELF", FileKind.PROGRAM),
    (b"AutoCAD Binary DXF", FileKind.DXF),
)
_DWG = re.compile(rb"AC(1\.\d|10\d\d)")
_DXF = re.compile(rb"\s*(999\r?\n[^\n]*\n\s*)*0\r?\nSECTION\r?\n")
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")

_OOXML_MAIN = (
    (re.compile(rb"wordprocessingml\.(document|template)\.main\+xml"), FileKind.DOCX),
    (re.compile(rb"ms-word\.(document|template)\.macroEnabled", re.IGNORECASE), FileKind.DOCX),
    (re.compile(rb"ms-excel\.sheet\.binary\.macroEnabled", re.IGNORECASE), FileKind.XLSB),
    (re.compile(rb"spreadsheetml\.(sheet|template)\.main\+xml"), FileKind.XLSX),
    (re.compile(rb"ms-excel\.(sheet|template)\.macroEnabled", re.IGNORECASE), FileKind.XLSX),
    (re.compile(rb"presentationml\.(presentation|slideshow|template)\.main\+xml"), FileKind.PPTX),
    (
        re.compile(rb"ms-powerpoint\.(presentation|slideshow|template)\.macroEnabled", re.IGNORECASE),
        FileKind.PPTX,
    ),
)
_ODF_TYPES = (
    (b"application/vnd.oasis.opendocument.text", FileKind.ODT),
    (b"application/vnd.oasis.opendocument.spreadsheet", FileKind.ODS),
    (b"application/vnd.oasis.opendocument.presentation", FileKind.ODP),
)
_COMPOUND_MAIN = (
    ("worddocument", FileKind.DOC),
    ("workbook", FileKind.XLS),
    ("book", FileKind.XLS),
    ("powerpoint document", FileKind.PPT),
)
_COMPOUND_MACROS = frozenset({"vba", "_vba_project", "_vba_project_cur", "macros"})


def kind_of(path: Path) -> KnownFile:
    """Return what a file is.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return KnownFile(kind)
    if head.startswith(COMPOUND_MAGIC):
        return _compound_kind(read_compound(path))
    if head.startswith(_ZIP_MAGICS):
        return _zip_kind(path)
    if b"%PDF-" in head:
        return KnownFile(FileKind.PDF)
    if _DWG.match(head):
        return KnownFile(FileKind.DWG)
    if _DXF.match(head):
        return KnownFile(FileKind.DXF)
    return KnownFile(FileKind.UNKNOWN)


def _zip_kind(path: Path) -> KnownFile:
    """Return what a zip is: many an office file is one; a damaged one is taken for a package."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()[:MAX_ZIP_ENTRIES_READ]
            names = {entry.filename for entry in entries}
            if "[Content_Types].xml" in names:
                return _ooxml_kind(_part(archive, "[Content_Types].xml"), names)
            if entries and entries[0].filename == "mimetype":
                return _odf_kind(archive, names)
            if "OFD.xml" in names:
                return KnownFile(FileKind.OFD)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        pass
    return KnownFile(FileKind.ZIP)


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        return part.read(MAX_PART_BYTES)


def _ooxml_kind(types: bytes, names: set[str]) -> KnownFile:
    has_macros = any(name.lower().endswith("vbaproject.bin") for name in names) or b"macroEnabled" in types
    for pattern, kind in _OOXML_MAIN:
        if pattern.search(types):
            return KnownFile(kind, has_macros=has_macros)
    return KnownFile(FileKind.UNKNOWN)


def _odf_kind(archive: zipfile.ZipFile, names: set[str]) -> KnownFile:
    declared = _part(archive, "mimetype")
    for media_type, kind in _ODF_TYPES:
        if declared.startswith(media_type):
            manifest = _part(archive, "META-INF/manifest.xml") if "META-INF/manifest.xml" in names else b""
            return KnownFile(
                kind,
                is_encrypted=b"encryption-data" in manifest,
                has_macros=any(name.startswith(("Basic/", "Scripts/")) for name in names),
            )
    return KnownFile(FileKind.UNKNOWN)


def _compound_kind(compound: Compound | None) -> KnownFile:
    if compound is None:
        return KnownFile(FileKind.UNKNOWN)
    if "encryptedpackage" in compound.root_names:  # [MS-OFFCRYPTO] §2.3.4: docx, xlsx and pptx alike
        return KnownFile(FileKind.DOCX, is_encrypted=True)
    for stream, kind in _COMPOUND_MAIN:
        if stream in compound.root_names:
            return KnownFile(
                kind,
                is_encrypted=_is_encrypted(kind, compound, compound.heads.get(stream, b"")),
                has_macros=bool(_COMPOUND_MACROS & compound.names),
            )
    return KnownFile(FileKind.UNKNOWN)


def _is_encrypted(kind: FileKind, compound: Compound, head: bytes) -> bool:
    if kind is FileKind.DOC:  # [MS-DOC] §2.5.2: FibBase, bit fEncrypted
        return len(head) > 11 and head[:2] == b"\xec\xa5" and bool(head[11] & 0x01)
    if kind is FileKind.XLS:
        return _has_file_pass(head)
    return "encryptedsummary" in compound.root_names  # [MS-PPT] §2.1


def _has_file_pass(head: bytes) -> bool:
    """Return whether a FilePass record follows the first BOF ([MS-XLS] §2.4.117)."""
    position = 0
    for _ in range(16):
        record = int.from_bytes(head[position : position + 2], "little")
        length = int.from_bytes(head[position + 2 : position + 4], "little")
        if record == 0x2F:
            return True
        if position + 4 + length >= len(head):
            return False
        position += 4 + length
    return False
