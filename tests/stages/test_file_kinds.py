"""What a file is, by its bytes: office files are zips or compound files too, and names may lie."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.file_kinds import FileKind, KnownFile, kind_of
from tests.simulators.office_files import (
    compound_bytes,
    docx_bytes,
    odt_bytes,
    pptx_bytes,
    xlsx_bytes,
    zip_bytes,
)

_FIB = b"\xec\xa5" + bytes(9)
_XLS = bytes.fromhex("09080400 00060500".replace(" ", ""))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"%PDF-1.7\n", KnownFile(FileKind.PDF)),
        (b"junk before\n%PDF-1.4\n", KnownFile(FileKind.PDF)),
        (docx_bytes(), KnownFile(FileKind.DOCX)),
        (docx_bytes(macros=True), KnownFile(FileKind.DOCX, has_macros=True)),
        (xlsx_bytes(), KnownFile(FileKind.XLSX)),
        (pptx_bytes(), KnownFile(FileKind.PPTX)),
        (odt_bytes(), KnownFile(FileKind.ODT)),
        (odt_bytes(encrypted=True), KnownFile(FileKind.ODT, is_encrypted=True)),
        (compound_bytes({"WordDocument": _FIB + b"\x12"}), KnownFile(FileKind.DOC)),
        (compound_bytes({"WordDocument": _FIB + b"\x13"}), KnownFile(FileKind.DOC, is_encrypted=True)),
        (
            compound_bytes({"WordDocument": _FIB + b"\x12", "VBA": b""}),
            KnownFile(FileKind.DOC, has_macros=True),
        ),
        (compound_bytes({"Workbook": _XLS}), KnownFile(FileKind.XLS)),
        (compound_bytes({"Workbook": _XLS + b"\x2f\0\2\0xx"}), KnownFile(FileKind.XLS, is_encrypted=True)),
        (compound_bytes({"PowerPoint Document": b""}), KnownFile(FileKind.PPT)),
        (
            compound_bytes({"PowerPoint Document": b"", "EncryptedSummary": b""}),
            KnownFile(FileKind.PPT, is_encrypted=True),
        ),
        (
            compound_bytes({f"{n}": b"" for n in range(9)} | {"EncryptedPackage": b""}),
            KnownFile(FileKind.DOCX, is_encrypted=True),
        ),
        (compound_bytes({"Contents": b""}), KnownFile(FileKind.UNKNOWN)),
        (compound_bytes({"MBD0/WordDocument": _FIB, "Workbook": _XLS}), KnownFile(FileKind.XLS)),
        (compound_bytes({"MBD0/EncryptedPackage": b"", "Workbook": _XLS}), KnownFile(FileKind.XLS)),
        (
            compound_bytes({"MBD0/WordDocument": _FIB, "PowerPoint Document": b""}),
            KnownFile(FileKind.PPT),
        ),
        (
            compound_bytes({"_VBA_PROJECT_CUR/VBA": b"", "Workbook": _XLS}),
            KnownFile(FileKind.XLS, has_macros=True),
        ),
        (compound_bytes({"WORKBOOK": _XLS}), KnownFile(FileKind.XLS)),
        (compound_bytes({"worddocument": _FIB + b"\x13"}), KnownFile(FileKind.DOC, is_encrypted=True)),
        (compound_bytes({"ENCRYPTEDPACKAGE": b""}), KnownFile(FileKind.DOCX, is_encrypted=True)),
        (b"{\\rtf1 x}", KnownFile(FileKind.RTF)),
        (zip_bytes({"a.pdf": b"%PDF-"}), KnownFile(FileKind.ZIP)),
        (zip_bytes({"[Content_Types].xml": "<Types/>"}), KnownFile(FileKind.UNKNOWN)),
        (zip_bytes({"OFD.xml": "<OFD/>", "Doc_0/Document.xml": ""}), KnownFile(FileKind.OFD)),
        (b"PK\x03\x04 cut short", KnownFile(FileKind.ZIP)),
        (b"Rar!\x1a\x07\x01\x00", KnownFile(FileKind.RAR)),
        (b"7z\xbc\xaf\x27\x1c", KnownFile(FileKind.SEVEN_ZIP)),
        (b"AC1032\0\0", KnownFile(FileKind.DWG)),
        (b"  0\r\nSECTION\r\n  2\r\nHEADER\r\n", KnownFile(FileKind.DXF)),
        (b"999\ndxf by hand\n  0\nSECTION\n", KnownFile(FileKind.DXF)),
        (b"\xff\xd8\xff\xe0", KnownFile(FileKind.JPEG)),
        (b"MZ\x90\0", KnownFile(FileKind.PROGRAM)),
        (b"<?xml version='1.0'?>", KnownFile(FileKind.UNKNOWN)),
        (b"", KnownFile(FileKind.UNKNOWN)),
    ],
)
def test_a_file_is_what_its_bytes_say(tmp_path: Path, data: bytes, expected: KnownFile) -> None:
    path = tmp_path / "lying-name.pdf"
    path.write_bytes(data)
    assert kind_of(path) == expected


def test_a_large_office_file_is_known_though_its_directory_is_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "pictures.ppt"
    streams = {f"{n}": b"" for n in range(9)} | {"PowerPoint Document": b""}
    path.write_bytes(compound_bytes(streams, directory_behind_bytes=8 << 20))
    assert kind_of(path) == KnownFile(FileKind.PPT)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    which=st.sampled_from([compound_bytes({"WordDocument": _FIB}), docx_bytes(), odt_bytes()]),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8),
    share=st.floats(0.05, 1),
)
def test_a_damaged_file_is_some_kind_and_nothing_else(
    tmp_path: Path, which: bytes, changes: list[tuple[int, int]], share: float
) -> None:
    data = bytearray(which[: max(16, int(len(which) * share))])
    for position, value in changes:
        data[8 + position % (len(data) - 8)] = value
    (tmp_path / "damaged").write_bytes(data)
    assert kind_of(tmp_path / "damaged").kind in FileKind
