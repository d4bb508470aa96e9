"""Make a PDF of an office file with LibreOffice: no macro runs, nothing is fetched, all within limits."""

import shutil
import subprocess
import threading
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import pikepdf

from stages.errors import InputRefused
from stages.file_kinds import FileKind
from stages.outside import Limits, Running, is_installed, started

PROGRAM = "soffice"
LIMITS = Limits(timeout_s=180.0, cpu_s=300, memory_bytes=4 * 1024**3, file_bytes=1024**3)
MAX_OFFICE_BYTES = 200 * 1024 * 1024
MAX_OFFICE_PAGES = 3_000

_ONE_AT_A_TIME = threading.Lock()
"""A converter takes a core and half a gigabyte."""

_FILTERS = {
    **dict.fromkeys((FileKind.DOC, FileKind.DOCX, FileKind.ODT, FileKind.RTF), "writer_pdf_Export"),
    **dict.fromkeys((FileKind.XLS, FileKind.XLSX, FileKind.XLSB, FileKind.ODS), "calc_pdf_Export"),
    **dict.fromkeys((FileKind.PPT, FileKind.PPTX, FileKind.ODP), "impress_pdf_Export"),
}
_OPTIONS = (
    '{"ReduceImageResolution":{"type":"boolean","value":"false"},"Quality":{"type":"long","value":"95"},'
    '"ExportFormFields":{"type":"boolean","value":"false"}}'
)
"""Pictures keep their resolution, and a form is printed: a bid has no fields to fill in."""

_COMMON = "/org.openoffice.Office.Common"
_SETTINGS = (
    (f"{_COMMON}/Security/Scripting", "DisableMacrosExecution", "true"),
    (f"{_COMMON}/Security/Scripting", "MacroSecurityLevel", "3"),
    (f"{_COMMON}/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    (f"{_COMMON}/Security/Scripting", "DisableActiveContent", "true"),
    (f"{_COMMON}/Misc", "FirstRun", "false"),
    ("/org.openoffice.Setup/L10N", "ooSetupSystemLocale", "zh-CN"),
    ("/org.openoffice.Office.Linguistic/General", "DefaultLocale_CJK", "zh-CN"),
    ("/org.openoffice.Office.Writer/Content/Update", "Link", "0"),  # never (sw/inc/linkenum.hxx)
    ("/org.openoffice.Office.Calc/Content/Update", "Link", "1"),  # never (ScLkUpdMode)
)
_DOCUMENT_FONTS = (
    (
        "Noto Serif CJK SC",
        (
            *("宋体", "SimSun", "新宋体", "NSimSun", "华文宋体", "STSong", "华文中宋", "STZhongsong"),
            *("仿宋", "FangSong", "仿宋_GB2312", "FangSong_GB2312", "华文仿宋", "STFangsong", "方正仿宋_GBK"),
            *("楷体", "KaiTi", "楷体_GB2312", "KaiTi_GB2312", "华文楷体", "STKaiti", "方正楷体_GBK"),
            *("方正小标宋简体", "方正小标宋_GBK"),
        ),
    ),
    (
        "Noto Sans CJK SC",
        (
            "黑体",
            "SimHei",
            "微软雅黑",
            "Microsoft YaHei",
            "等线",
            "DengXian",
            "方正黑体_GBK",
            "幼圆",
            "YouYuan",
        ),
    ),
)
"""What stands in for a font that is not installed: serifs for serifs, else everything is set in a sans."""


def convert_to_pdf(source: Path, kind: FileKind, scratch: Path, *, name: str) -> Path:
    """Return a PDF of an office file, as it would be printed by its author's own page setup.

    Args:
        kind: one of `file_kinds.OFFICE`; decides how LibreOffice reads the file, whatever its name.
        scratch: where a folder `office` is made, that nobody else uses meanwhile.

    Raises:
        InputRefused: LibreOffice is not installed; the file is over MAX_OFFICE_BYTES, cannot be opened,
            takes longer than LIMITS, or makes more than MAX_OFFICE_PAGES pages.
    """
    if not is_installed(PROGRAM):
        raise InputRefused(
            f"{name}: an office file, and no LibreOffice here; install it, or export the file as PDF",
            zh=f"{name}：这是 Office 文件，而本机没有安装 LibreOffice；请安装，或先导出为 PDF",
        )
    if source.stat().st_size > MAX_OFFICE_BYTES:
        raise InputRefused(
            f"{name}: more than {MAX_OFFICE_BYTES} bytes, the limit for office files; export it as PDF",
            zh=f"{name}：超过 Office 文件的上限 {MAX_OFFICE_BYTES} 字节，请先导出为 PDF",
        )
    folder = _prepared(scratch)
    input_path = folder / f"document.{kind.value}"
    shutil.copyfile(source, input_path)  # LibreOffice leaves lock files beside what it opens
    command = [
        *(PROGRAM, "--headless", "--nologo", "--nodefault", "--norestore", "--nolockcheck"),
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",
        *("--convert-to", f"pdf:{_FILTERS[kind]}:{_OPTIONS}", "--outdir", str(folder / "out")),
        str(input_path),
    ]
    environment = {
        "LC_ALL": "C.UTF-8",  # there wherever Debian is; without UTF-8 it hangs on a Chinese path
        "FONTCONFIG_FILE": str(folder / "fonts.conf"),
        "SAL_USE_VCLPLUGIN": "svp",
    }
    with _ONE_AT_A_TIME, started(command, folder=folder, limits=LIMITS, environment=environment) as running:
        while running.output.read(65536):
            pass
    made = folder / "out" / "document.pdf"
    _check_ended(running, made, name=name)
    _check_pages(made, name=name)
    return made


@cache
def tool_name() -> str:
    """Return the program with its version, for the records."""
    try:
        said = subprocess.run(
            [PROGRAM, "--version"], capture_output=True, check=False, timeout=60, text=True
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        said = ""
    words = said.split()
    return " ".join(words[:2]) if len(words) > 1 else "LibreOffice"


def _prepared(scratch: Path) -> Path:
    """Return a fresh folder with a profile that nobody has used."""
    folder = scratch / "office"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "profile" / "user").mkdir(parents=True)
    (folder / "profile" / "user" / "registrymodifications.xcu").write_text(_profile(), encoding="utf-8")
    (folder / "fonts.conf").write_text(_font_settings(), encoding="utf-8")
    return folder


def _profile() -> str:
    items = "".join(
        f'<item oor:path="{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
        for path, name, value in _SETTINGS
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<oor:items xmlns:oor="http://openoffice.org/2001/registry" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{items}</oor:items>'
    )


def _font_settings() -> str:
    rules = "".join(
        f'<match target="pattern"><test name="family" qual="any"><string>{escape(name)}</string></test>'
        f'<edit name="family" mode="append" binding="strong"><string>{stand_in}</string></edit></match>'
        for stand_in, names in _DOCUMENT_FONTS
        for name in names
    )
    return (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f'<include ignore_missing="yes">/etc/fonts/fonts.conf</include>{rules}</fontconfig>'
    )


def _check_ended(running: Running, made: Path, *, name: str) -> None:
    if running.was_timed_out:
        raise InputRefused(
            f"{name}: LibreOffice took more than {LIMITS.timeout_s:.0f} s over it; export it as PDF",
            zh=f"{name}：LibreOffice 转换超过 {LIMITS.timeout_s:.0f} 秒，请先导出为 PDF",
        )
    if not made.is_file():
        how = f" (it ended with {running.exit_code})" if running.exit_code else ""
        raise InputRefused(
            f"{name}: LibreOffice cannot open it{how}: damaged, or protected by a password; export it as PDF",
            zh=f"{name}：LibreOffice 无法打开此文件（已损坏或有密码保护），请先导出为 PDF",
        )


def _check_pages(made: Path, *, name: str) -> None:
    try:
        with pikepdf.open(made) as pdf:
            pages = len(pdf.pages)
    except pikepdf.PdfError as error:
        raise InputRefused(
            f"{name}: LibreOffice made no readable PDF of it; export it as PDF",
            zh=f"{name}：LibreOffice 未能生成可读的 PDF，请先导出为 PDF",
        ) from error
    if not 0 < pages <= MAX_OFFICE_PAGES:
        raise InputRefused(
            f"{name}: prints on {pages} pages, not 1 to {MAX_OFFICE_PAGES}; set up its pages (fit to width), "
            "or export it as PDF",
            zh=f"{name}：打印为 {pages} 页，超出 1 至 {MAX_OFFICE_PAGES} 页；请调整为一页宽，或先导出为 PDF",
        )
