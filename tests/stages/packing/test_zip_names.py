"""Names that zips say twice, wrongly or ambiguously; and single files that are no package."""

import hashlib
import re
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from stages.packages import open_package
from tests.simulators.office_files import docx_bytes, zip_bytes
from tests.stages.test_packages import PDF, names_of, refusal_of, zip_with_raw_name


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("name", "system", "meant"),
    [
        ("图片/1.jpg".encode("gbk"), 0, "图片/1.jpg"),  # also UTF-8, of ͼƬ
        ("目录/1.jpg".encode("gbk"), 0, "目录/1.jpg"),
        ("图片/1.jpg".encode(), 0, "图片/1.jpg"),
        ("café.pdf".encode(), 3, "café.pdf"),
    ],
)
def test_gbk_that_is_utf8_too_is_gbk_where_windows_wrote_it(
    tmp_path: Path, scratch: Path, name: bytes, system: int, meant: str
) -> None:
    source = zip_with_raw_name(tmp_path / "bid.zip", name)
    data = bytearray(source.read_bytes())
    data[data.index(b"PK\x01\x02") + 5] = system
    source.write_bytes(data)
    assert names_of(open_package(source, scratch)) == [meant]


def zip_with_path_field(path: Path, raw: bytes, field: bytes) -> Path:
    """A zip whose one entry, by its directory, has this extra field 0x7075."""
    entry = zipfile.ZipInfo("N" * len(raw))
    entry.extra = b"\x55\x54\x01\0\0" + struct.pack("<HH", 0x7075, len(field)) + field
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, PDF)
    path.write_bytes(path.read_bytes().replace(b"N" * len(raw), raw))
    return path


def test_a_name_said_in_utf8_besides_is_the_name_when_it_is_of_the_same_bytes(
    tmp_path: Path, scratch: Path
) -> None:
    raw = "赵?.pdf".encode("gbk")  # GBK has no 𬬭
    field = b"\x01" + struct.pack("<I", zlib.crc32(raw)) + "赵𬬭.pdf".encode()
    source = zip_with_path_field(tmp_path / "bid.zip", raw, field)
    assert names_of(open_package(source, scratch)) == ["赵𬬭.pdf"]
    stale = zip_with_path_field(tmp_path / "old.zip", raw, b"\x01\0\0\0\0" + "旧.pdf".encode())
    assert names_of(open_package(stale, scratch)) == ["赵?.pdf"]


def test_a_name_said_in_utf8_is_held_to_the_same_rules(tmp_path: Path, scratch: Path) -> None:
    field = b"\x01" + struct.pack("<I", zlib.crc32(b"a.pdf")) + b"../evil.pdf"
    source = zip_with_path_field(tmp_path / "bid.zip", b"a.pdf", field)
    assert "leads out" in str(refusal_of(source, scratch))


def test_the_directory_says_the_name_where_an_entrys_own_header_says_another(
    tmp_path: Path, scratch: Path
) -> None:
    name = "投标函.pdf"
    source = zip_with_raw_name(tmp_path / "bid.zip", name.encode())
    data = source.read_bytes()
    where = data.index(name.encode())
    other = name.encode("gbk").ljust(len(name.encode()), b"_")
    source.write_bytes(data[:where] + other + data[where + len(other) :])
    assert names_of(open_package(source, scratch)) == [name]
    assert open_package(source, scratch).files[0].sha256 == hashlib.sha256(PDF).hexdigest()


@pytest.mark.parametrize(
    ("name", "data", "said", "said_zh"),
    [
        ("投标函.docx", docx_bytes()[:-30], "damaged or cut off; open it and save it again", "重新保存"),
        ("清单.ofd", zip_bytes({"OFD.xml": "<OFD/>"}), "an OFD file.*export it as PDF", "OFD 文件暂不支持"),
        ("包.7z", b"7z\xbc\xaf\x27\x1c", "pack it as zip or rar", "请改用 zip 或 rar"),
        ("图.dwg", b"AC1032\0\0", "export it as PDF from CAD", "CAD 图纸"),
        ("无.pdf", b"", "empty file", "空文件"),
        ("信.txt", b"hello", "unknown kind", "无法识别"),
    ],
)
def test_what_is_no_package_is_refused_with_what_to_do(
    tmp_path: Path, scratch: Path, name: str, data: bytes, said: str, said_zh: str
) -> None:
    (tmp_path / name).write_bytes(data)
    refusal = refusal_of(tmp_path / name, scratch)
    assert re.search(said, str(refusal))
    assert said_zh in refusal.zh


def test_what_is_not_there_is_refused(tmp_path: Path, scratch: Path) -> None:
    refusal_of(tmp_path / "nowhere", scratch)


def test_a_path_as_long_as_windows_has_is_taken_in(tmp_path: Path, scratch: Path) -> None:
    name = "/".join(
        ["某某工程施工招标投标文件" * 6, "技术部分" * 20, "施工组织设计" * 12, "图纸" * 14 + ".pdf"]
    )
    assert len(name) > 255
    source = zip_with_raw_name(tmp_path / "bid.zip", name.encode())
    assert names_of(open_package(source, scratch)) == [name]


def test_a_name_that_no_file_system_here_could_hold_is_refused_before_anything_is_signed(
    tmp_path: Path, scratch: Path
) -> None:
    source = zip_with_raw_name(tmp_path / "bid.zip", ("长" * 81 + ".pdf").encode("gbk"))
    refusal = refusal_of(source, scratch)
    assert "longer than 80 Chinese characters" in str(refusal)
    assert "超过 80 个汉字" in refusal.zh
