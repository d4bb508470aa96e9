"""Kinds of files that cannot become a PDF here, and what whoever sent one is to do."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from stages.file_kinds import FileKind

_OFFICE_SUFFIXES = frozenset(
    {
        *(".docx", ".docm", ".dotx", ".dotm", ".xlsx", ".xlsm", ".xltx", ".xltm", ".xlsb"),
        *(".pptx", ".pptm", ".potx", ".potm", ".ppsx", ".ppsm", ".odt", ".ods", ".odp"),
    }
)
_ADVICE: Mapping[FileKind, tuple[str, str]] = {
    FileKind.DWG: ("a CAD drawing; export it as PDF from CAD", "CAD 图纸，请在 CAD 软件中导出为 PDF"),
    FileKind.DXF: ("a CAD drawing; export it as PDF from CAD", "CAD 图纸，请在 CAD 软件中导出为 PDF"),
    FileKind.OFD: (
        "an OFD file, which is not read yet; export it as PDF",
        "OFD 文件暂不支持，请先导出为 PDF",
    ),
    FileKind.ZIP: ("an archive; unpack it, or put it in the package as a zip", "压缩包，请先解压"),
    FileKind.RAR: ("an archive inside an archive inside the package; unpack it", "多层压缩包，请先解压"),
    FileKind.SEVEN_ZIP: ("a 7z archive; pack it as zip or rar", "7z 压缩包，请改用 zip 或 rar"),
    FileKind.PROGRAM: ("a program, not a document; take it out", "程序文件，不是文档，请从文件包中移除"),
}
_BROKEN_OFFICE = (
    "an office file that is damaged or cut off; open it and save it again, or export it as PDF",
    "Office 文件已损坏或不完整，请打开后重新保存，或导出为 PDF",
)


def is_broken_office(name: str, kind: FileKind) -> bool:
    """Return whether a file has the name of an office file, and only the shell of one."""
    return kind is FileKind.ZIP and PurePosixPath(name).suffix.lower() in _OFFICE_SUFFIXES


def advice(name: str, kind: FileKind) -> tuple[str, str] | None:
    """Return what to say of a file, in English and Chinese; None of one that may become a PDF."""
    if is_broken_office(name, kind):
        return _BROKEN_OFFICE
    return _ADVICE.get(kind)
