"""Derive: make the PDF that can be stamped of a file that is none yet, and remember what came in."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pikepdf
import PIL

from stages.documents import Finding, HowDerived, Origin, SourceFile
from stages.errors import InputRefused
from stages.file_kinds import OFFICE, PICTURES, SPREADSHEETS, FileKind, KnownFile, kind_of
from stages.office.authorship import without_tool
from stages.office.fonts import has_tracked_changes, missing_fonts
from stages.office.libreoffice import convert_to_pdf, tool_name
from stages.office.picture_pages import pdf_of_picture
from stages.pdf.mending import MendChoices, mended
from stages.pdf.sayings import say, some_names
from stages.refused_kinds import advice

MANY_PAGES = 100
"""A spreadsheet that prints on more pages than this was probably never set up for printing."""

_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Choices:
    """What may be done to a file so that it can be stamped; whatever is done is recorded.

    Attributes:
        convert: office files and pictures become PDF.
        repair: a damaged PDF is written anew.
        decrypt: a PDF that opens without a password is written without its encryption.
    """

    convert: bool = True
    repair: bool = False
    decrypt: bool = False


USUAL_CHOICES = Choices()


def derive(source: SourceFile, scratch: Path, choices: Choices) -> SourceFile:
    """Return the PDF to be stamped, with what came in as its origin; a file that is a PDF, as it is.

    What is of no known kind comes back as it is too: inspection says what is wrong with it.

    Args:
        scratch: a folder for this file alone; the PDF stays in it.

    Raises:
        InputRefused: a kind of file that cannot become a PDF here, a password, a damaged file, a limit.
        Damaged, Encrypted: a PDF needs one of the two choices, and was given the other.
    """
    known = kind_of(source.path)
    refused = advice(source.name, known.kind)
    if refused is not None:
        fact, fact_zh = refused
        raise InputRefused(f"{source.name}: {fact}", zh=f"{source.name}：{fact_zh}")
    if known.kind in OFFICE | PICTURES and not choices.convert:
        raise InputRefused(
            f"{source.name}: {known.kind}, not a PDF, and converting is switched off; export it as PDF",
            zh=f"{source.name}：不是 PDF（{known.kind}），且未允许转换，请先导出为 PDF",
        )
    if known.kind in OFFICE:
        return _from_office(source, known, scratch)
    if known.kind in PICTURES:
        return _from_picture(source, scratch)
    if known.kind is FileKind.PDF and (choices.repair or choices.decrypt):
        return mended(source, scratch, MendChoices(repair=choices.repair, decrypt=choices.decrypt))
    return source


def derived_name(name: str) -> str:
    """Return what the PDF made of a file is called: 投标函.docx becomes 投标函.pdf."""
    return str(PurePosixPath(name).with_suffix(".pdf"))


def name_clashes(files: Sequence[SourceFile]) -> dict[str, InputRefused]:
    """Return, by name, the files whose PDF would have a name that another file of the package has or gets.

    Raises:
        InputRefused: a file cannot be read.
    """
    try:
        converted = [file for file in files if kind_of(file.path).kind in OFFICE | PICTURES]
    except OSError as error:
        raise InputRefused(
            f"a file of the package cannot be read ({error.strerror}); submit it again",
            zh="文件包中有文件无法读取，请重新提交",
        ) from error
    become = {file.name: derived_name(file.name) for file in converted}
    wanted = Counter(become.get(file.name, file.name).casefold() for file in files)
    return {
        name: InputRefused(
            f"{name}: would become {new_name}, and another file of the package is or becomes that too; "
            "rename one, or take one out",
            zh=f"{name}：转换后名为 {new_name}，与文件包中另一文件重名，请改名或移除其中一个",
        )
        for name, new_name in become.items()
        if wanted[new_name.casefold()] > 1
    }


def _from_office(source: SourceFile, known: KnownFile, scratch: Path) -> SourceFile:
    if known.is_encrypted:
        raise InputRefused(
            f"{source.name}: protected by a password; save it without one, or export it as PDF",
            zh=f"{source.name}：有打开密码，请取消密码后保存，或导出为 PDF",
        )
    made = convert_to_pdf(source.path, known.kind, scratch, name=source.name)
    path = without_tool(made, scratch / "converted.pdf")
    shutil.rmtree(scratch / "office")
    with pikepdf.open(path) as pdf:
        pages = len(pdf.pages)
    findings = _office_findings(source, known, pages)
    return _derived(source, path, HowDerived.CONVERTED, tool_name(), findings)


def _from_picture(source: SourceFile, scratch: Path) -> SourceFile:
    path = scratch / "converted.pdf"
    pages, without_dpi = pdf_of_picture(source.path, path, name=source.name)
    findings = [say("picture-converted", pages=pages)]
    if without_dpi:
        findings.append(say("picture-without-size", pages=without_dpi))
    tool = f"pikepdf {pikepdf.__version__}, Pillow {PIL.__version__}"
    return _derived(source, path, HowDerived.CONVERTED, tool, findings)


def _office_findings(source: SourceFile, known: KnownFile, pages: int) -> list[Finding]:
    findings = [say("office-converted", kind=known.kind, pages=pages)]
    missing = missing_fonts(source.path, known)
    if missing:
        findings.append(say("fonts-replaced", fonts=some_names(missing)))
    if known.has_macros:
        findings.append(say("macros-not-run"))
    if known.kind is FileKind.DOCX and has_tracked_changes(source.path):
        findings.append(say("tracked-changes"))
    if known.kind in SPREADSHEETS and pages > MANY_PAGES:
        findings.append(say("many-printed-pages", pages=pages))
    return findings


def _derived(
    source: SourceFile, path: Path, how: HowDerived, tool: str, findings: Sequence[Finding]
) -> SourceFile:
    """Return the PDF made of a file; its origin is what came in first, however often it was changed."""
    digest = hashlib.sha256()
    with path.open("rb") as made:
        while chunk := made.read(_CHUNK_BYTES):
            digest.update(chunk)
    origin = source.origin or Origin(source.path, source.name, source.size_bytes, source.sha256, how, tool)
    return SourceFile(
        path=path,
        name=derived_name(source.name),
        size_bytes=path.stat().st_size,
        sha256=digest.hexdigest(),
        origin=replace(origin, findings=(*origin.findings, *findings)),
    )
