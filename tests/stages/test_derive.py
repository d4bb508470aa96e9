"""What becomes of a package's files before inspection: as they are, converted, or refused."""

import hashlib
from pathlib import Path

import pytest
from PIL import Image

from stages.derive import Choices, derive, derived_name, name_clashes
from stages.documents import HowDerived
from stages.errors import InputRefused
from stages.office import libreoffice
from tests.simulators.office_files import compound_bytes, docx_bytes, odt_bytes, zip_bytes
from tests.simulators.pdfs import source_file as source_of


def made(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"<xml/>", b""])
def test_a_pdf_and_what_nobody_knows_stay_as_they_are(tmp_path: Path, data: bytes) -> None:
    source = source_of(made(tmp_path, "a.pdf", data))
    assert derive(source, tmp_path, Choices()) is source


@pytest.mark.parametrize(
    ("data", "words", "advice"),
    [
        (b"AC1032\0\0", "CAD drawing", "在 CAD 软件中导出为 PDF"),
        (b"  0\nSECTION\n", "CAD drawing", "在 CAD 软件中导出为 PDF"),
        (zip_bytes({"OFD.xml": ""}), "OFD", "导出为 PDF"),
        (zip_bytes({"a.pdf": "%PDF-"}), "archive", "解压"),
        (b"Rar!\x1a\x07\x01\x00", "archive", "解压"),
        (b"7z\xbc\xaf\x27\x1c", "7z", "zip"),
        (b"MZ\x90\0", "program", "移除"),
        (odt_bytes(encrypted=True), "password", "取消密码"),
        (compound_bytes({"EncryptedPackage": b""}), "password", "取消密码"),
    ],
)
def test_what_cannot_become_a_pdf_is_refused_with_advice(
    tmp_path: Path, data: bytes, words: str, advice: str
) -> None:
    with pytest.raises(InputRefused, match=words) as caught:
        derive(source_of(made(tmp_path, "附件.x", data)), tmp_path, Choices())
    assert "附件.x" in str(caught.value)
    assert advice in caught.value.zh


def test_a_picture_becomes_a_pdf_that_remembers_it(tmp_path: Path) -> None:
    Image.new("RGB", (30, 40)).save(tmp_path / "营业执照.PNG")
    source = source_of(tmp_path / "营业执照.PNG")
    (tmp_path / "scratch").mkdir()
    pdf = derive(source, tmp_path / "scratch", Choices())
    assert (pdf.name, pdf.names) == ("营业执照.pdf", ("营业执照.pdf", "营业执照.PNG"))
    assert pdf.sha256 == hashlib.sha256(pdf.path.read_bytes()).hexdigest()
    origin = pdf.origin
    assert origin is not None
    assert (origin.path, origin.name, origin.sha256) == (source.path, source.name, source.sha256)
    assert origin.how is HowDerived.CONVERTED
    assert [finding.code for finding in origin.findings] == ["picture-converted", "picture-without-size"]


def test_nothing_is_converted_that_was_not_allowed(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="switched off"):
        derive(source_of(made(tmp_path, "a.docx", docx_bytes())), tmp_path, Choices(convert=False))


def test_without_libreoffice_an_office_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libreoffice, "PROGRAM", "no-such-program-anywhere")
    with pytest.raises(InputRefused, match="no LibreOffice here"):
        derive(source_of(made(tmp_path, "a.docx", docx_bytes())), tmp_path, Choices())


def test_the_pdf_is_called_as_people_expect() -> None:
    assert [derived_name(name) for name in ("a/投标函.docx", "v1.2 报价.XLSX", "扫描件")] == [
        "a/投标函.pdf",
        "v1.2 报价.pdf",
        "扫描件.pdf",
    ]


def test_two_files_that_would_become_one_are_both_refused_and_a_pdf_of_that_name_stays(
    tmp_path: Path,
) -> None:
    names = {
        "报价.docx": docx_bytes(),
        "报价.ODT": odt_bytes(),
        "函.docx": docx_bytes(),
        "函.PDF": b"%PDF-1.7",
    }
    files = [source_of(made(tmp_path, name, data)) for name, data in names.items()]
    files.append(source_of(made(tmp_path, "另.docx", docx_bytes())))
    clashes = name_clashes(files)
    assert set(clashes) == {"报价.docx", "报价.ODT", "函.docx"}
    assert "would become 报价.pdf" in str(clashes["报价.docx"])
    assert "重名" in clashes["函.docx"].zh


def test_a_file_that_vanished_is_said_so(tmp_path: Path) -> None:
    source = source_of(made(tmp_path, "a.pdf", b"%PDF-"))
    source.path.unlink()
    with pytest.raises(InputRefused, match="cannot be read"):
        name_clashes([source])
