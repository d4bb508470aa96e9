"""Office files through the real LibreOffice: pages, no macros, nothing read from elsewhere, no trace."""

import subprocess
from pathlib import Path

import pikepdf
import pymupdf
import pytest
from PIL import Image

from stages.derive import Choices, derive
from stages.documents import HowDerived, SourceFile
from stages.errors import InputRefused
from stages.file_kinds import FileKind
from stages.office import libreoffice
from stages.office.libreoffice import convert_to_pdf
from stages.outside import Limits
from tests.simulators.office_files import docx_bytes, linked_picture, odt_bytes, pptx_bytes, xlsx_bytes
from tests.simulators.pdfs import source_file as source_of

pytestmark = pytest.mark.needs_libreoffice


def derived(folder: Path, name: str, data: bytes) -> SourceFile:
    (folder / name).write_bytes(data)
    scratch = folder / f"scratch-{name}"
    scratch.mkdir()
    return derive(source_of(folder / name), scratch, Choices())


def pages_of(path: Path) -> list[tuple[int, int, str]]:
    with pymupdf.open(path) as pdf:
        return [(round(p.rect.width), round(p.rect.height), p.get_text().strip()) for p in pdf]


def test_a_word_document_becomes_a_pdf_that_says_who_wrote_it_and_not_what_made_it(tmp_path: Path) -> None:
    made = derived(tmp_path, "投标函.docx", docx_bytes(font="某不存在的字体"))
    assert made.name == "投标函.pdf"
    assert pages_of(made.path) == [(595, 842, "投标函（盖单位章）")]
    assert made.origin is not None
    assert made.origin.how is HowDerived.CONVERTED
    assert made.origin.tool.startswith("LibreOffice 7") or made.origin.tool.startswith("LibreOffice 2")
    assert [(f.code, "某不存在的字体" in f.message_zh) for f in made.origin.findings] == [
        ("office-converted", False),
        ("fonts-replaced", True),
    ]
    with pikepdf.open(made.path) as pdf:
        assert dict(pdf.docinfo.items()) == {"/Title": "投标函", "/Author": "王小明"}
        assert "/Metadata" not in pdf.Root
        assert "/DocChecksum" not in pdf.trailer
    data = made.path.read_bytes()
    assert b"LibreOffice" not in data
    assert str(tmp_path).encode() not in data


def test_the_same_document_converted_again_gives_the_same_bytes(tmp_path: Path) -> None:
    first = derived(tmp_path, "a.docx", docx_bytes())
    assert derived(tmp_path, "b.docx", docx_bytes()).sha256 == first.sha256


def test_a_sheet_is_printed_as_it_was_set_up_and_a_slide_in_its_own_size(tmp_path: Path) -> None:
    assert [page[:2] for page in pages_of(derived(tmp_path, "a.xlsx", xlsx_bytes()).path)] == [(842, 595)]
    assert [page[:2] for page in pages_of(derived(tmp_path, "a.pptx", pptx_bytes()).path)] == [(720, 540)]


def test_a_sheet_that_prints_on_too_many_pages_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libreoffice, "MAX_OFFICE_PAGES", 2)
    with pytest.raises(InputRefused, match=r"prints on \d+ pages") as caught:
        derived(tmp_path, "wide.xlsx", xlsx_bytes(columns=60))
    assert "调整为一页宽" in caught.value.zh


def test_wps_files_are_read_for_what_they_are(tmp_path: Path) -> None:
    """WPS writes .wps, .et and .dps as Word's, Excel's and PowerPoint's compound files under other names."""
    (tmp_path / "a.docx").write_bytes(docx_bytes(font="仿宋_GB2312"))
    command = ["soffice", "--headless", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"]
    command += ["--convert-to", "doc", "--outdir", str(tmp_path), str(tmp_path / "a.docx")]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    made = derived(tmp_path, "投标函.wps", (tmp_path / "a.doc").read_bytes())
    assert pages_of(made.path)[0][2] == "投标函（盖单位章）"
    assert made.origin is not None
    fonts = next(f.message for f in made.origin.findings if f.code == "fonts-replaced")
    assert "仿宋_GB2312" in fonts


def test_nothing_is_read_from_the_machine_and_macros_are_said_not_to_have_run(tmp_path: Path) -> None:
    Image.new("RGB", (50, 50), "red").save(tmp_path / "secret.png")
    data = docx_bytes(
        body=linked_picture("rId5"), links={"rId5": (tmp_path / "secret.png").as_uri()}, macros=True
    )
    made = derived(tmp_path, "a.docm", data)
    with pymupdf.open(made.path) as pdf:
        assert pdf[0].get_images() == []
    assert made.origin is not None
    assert "macros-not-run" in [finding.code for finding in made.origin.findings]


def test_a_document_that_cannot_be_opened_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    data = docx_bytes().replace(b"word/document.xml", b"word/missing_.xml")
    with pytest.raises(InputRefused, match=r"LibreOffice cannot open it.*export it as PDF") as caught:
        derived(tmp_path, "a.docx", data)
    assert "导出为 PDF" in caught.value.zh


def test_a_conversion_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(timeout_s=0.05, cpu_s=10, memory_bytes=4 * 1024**3, file_bytes=1 << 20)
    monkeypatch.setattr(libreoffice, "LIMITS", limits)
    (tmp_path / "a.odt").write_bytes(odt_bytes())
    with pytest.raises(InputRefused, match="took more than"):
        convert_to_pdf(tmp_path / "a.odt", FileKind.ODT, tmp_path, name="a.odt")


def test_too_large_a_file_is_refused_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libreoffice, "MAX_OFFICE_BYTES", 100)
    with pytest.raises(InputRefused, match="limit for office files"):
        derived(tmp_path, "a.docx", docx_bytes())
