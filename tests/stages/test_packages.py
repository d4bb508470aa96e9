"""A bid package taken in: a folder, an archive or one document; names, limits, what zips do to the unwary."""

import hashlib
import os
import stat
import unicodedata
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.documents import BidPackage
from stages.errors import InputRefused
from stages.packages import open_package
from stages.packing import limits
from tests.simulators.office_files import docx_bytes
from tests.simulators.rar_files import rar5_bytes

PDF = b"%PDF-1.7\n%%EOF\n"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def zip_of(path: Path, entries: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, body in entries.items():
            archive.writestr(name, body)
    return path


def zip_with_raw_name(path: Path, raw: bytes, *, flags: int = 0) -> Path:
    """A zip whose one entry's name is exactly these bytes, in both headers."""
    marker = "N" * len(raw)
    plain = zip_of(path, {marker: PDF}).read_bytes()
    assert plain.count(marker.encode()) == 2
    data = bytearray(plain.replace(marker.encode(), raw))
    if flags:
        data[7] |= flags >> 8
        data[data.index(b"PK\x01\x02") + 9] |= flags >> 8
    path.write_bytes(data)
    return path


def refusal_of(source: Path, scratch: Path) -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        open_package(source, scratch)
    assert caught.value.zh
    return caught.value


def names_of(package: BidPackage) -> list[str]:
    return [file.name for file in package.files]


def test_a_folder_is_read_recursively_sorted_hashed_and_not_copied(tmp_path: Path, scratch: Path) -> None:
    folder = tmp_path / "投标文件"
    (folder / "技术").mkdir(parents=True)
    (folder / "技术" / "方案.pdf").write_bytes(PDF + b"2")
    (folder / "商务.pdf").write_bytes(PDF)
    package = open_package(folder, scratch)
    assert package.name == "投标文件"
    assert names_of(package) == ["商务.pdf", "技术/方案.pdf"]
    first = package.files[0]
    assert first.path == folder / "商务.pdf"
    assert (first.size_bytes, first.sha256) == (len(PDF), hashlib.sha256(PDF).hexdigest())
    assert not any(scratch.iterdir())


def test_hidden_files_and_what_systems_leave_behind_are_skipped(tmp_path: Path, scratch: Path) -> None:
    entries = ["bid.pdf", ".DS_Store", "Thumbs.db", "__MACOSX/._bid.pdf", ".git/config", "a/.hidden.pdf"]
    folder = tmp_path / "bid"
    for name in entries:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PDF)
    assert names_of(open_package(folder, scratch)) == ["bid.pdf"]
    zipped = zip_of(tmp_path / "bid.zip", dict.fromkeys(entries, PDF))
    assert names_of(open_package(zipped, scratch)) == ["bid.pdf"]


def test_what_is_no_pdf_stays_in_the_package(tmp_path: Path, scratch: Path) -> None:
    source = zip_of(tmp_path / "bid.zip", {"a.pdf": PDF, "b.docx": b"PK", "c.pdf": b""})
    assert names_of(open_package(source, scratch)) == ["a.pdf", "b.docx", "c.pdf"]


def test_a_zip_is_unpacked_into_scratch_byte_for_byte(tmp_path: Path, scratch: Path) -> None:
    source = zip_of(tmp_path / "bid.zip", {"b/2.pdf": PDF + b"2", "a.pdf": PDF, "b/": b""})
    package = open_package(source, scratch)
    assert package.name == "bid"
    assert names_of(package) == ["a.pdf", "b/2.pdf"]
    for file in package.files:
        assert file.path.is_relative_to(scratch)
        assert hashlib.sha256(file.path.read_bytes()).hexdigest() == file.sha256
        assert file.path.stat().st_size == file.size_bytes


def test_unpacking_again_over_what_a_killed_run_left_gives_the_same(tmp_path: Path, scratch: Path) -> None:
    source = zip_of(tmp_path / "bid.zip", {"a.pdf": PDF})
    assert open_package(source, scratch) == open_package(source, scratch)


def test_one_pdf_is_a_package_of_one(tmp_path: Path, scratch: Path) -> None:
    path = tmp_path / "投标函.pdf"
    path.write_bytes(PDF)
    package = open_package(path, scratch)
    assert (package.name, names_of(package)) == ("投标函", ["投标函.pdf"])
    assert package.files[0].path == path


@pytest.mark.parametrize(
    ("raw", "flags", "name"),
    [
        ("投标函.pdf".encode("gbk"), 0, "投标函.pdf"),
        ("投标函.pdf".encode(), 0, "投标函.pdf"),
        ("投标函.pdf".encode(), 0x800, "投标函.pdf"),
        (b"caf\x82.pdf", 0, "caf\u00e9.pdf"),
        (unicodedata.normalize("NFD", "é.pdf").encode(), 0x800, "\u00e9.pdf"),
        (b"a\\b.pdf", 0, "a/b.pdf"),
        (b"./a.pdf", 0, "a.pdf"),
    ],
)
def test_names_are_read_as_they_were_meant(
    tmp_path: Path, scratch: Path, raw: bytes, flags: int, name: str
) -> None:
    source = zip_with_raw_name(tmp_path / "bid.zip", raw, flags=flags)
    assert names_of(open_package(source, scratch)) == [name]


@pytest.mark.parametrize(
    "name",
    [
        "../evil.pdf",
        "a/../../evil.pdf",
        "/etc/evil.pdf",
        "C:/evil.pdf",
        "..\\evil.pdf",
        "\\evil.pdf",
        "a//b.pdf",
    ],
)
def test_a_name_that_leads_out_refuses_the_whole_package(tmp_path: Path, scratch: Path, name: str) -> None:
    source = zip_of(tmp_path / "bid.zip", {"good.pdf": PDF, name: PDF})
    assert "leads out of the package" in str(refusal_of(source, scratch))
    assert not [path for path in tmp_path.rglob("*") if "evil" in path.name]


def test_a_name_with_a_nul_is_refused(tmp_path: Path, scratch: Path) -> None:
    source = zip_with_raw_name(tmp_path / "bid.zip", b"a.pdf\x00.exe")
    assert "control characters" in str(refusal_of(source, scratch))


def test_a_name_too_long_is_refused(tmp_path: Path, scratch: Path) -> None:
    refusal_of(zip_of(tmp_path / "bid.zip", {"n" * 600: PDF}), scratch)
    refusal_of(zip_of(tmp_path / "deep.zip", {"d/" * 30 + "a.pdf": PDF}), scratch)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_in_a_zip_are_refused(tmp_path: Path, scratch: Path, kind: int) -> None:
    source = tmp_path / "bid.zip"
    with zipfile.ZipFile(source, "w") as archive:
        entry = zipfile.ZipInfo("link.pdf")
        entry.create_system = 3
        entry.external_attr = (kind | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    assert "link or device" in str(refusal_of(source, scratch))


def test_names_that_differ_only_in_case_are_refused(tmp_path: Path, scratch: Path) -> None:
    source = zip_of(tmp_path / "bid.zip", {"Bid.pdf": PDF, "bid.PDF": PDF})
    assert "one name to many systems" in str(refusal_of(source, scratch))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_occurs_twice_is_refused(tmp_path: Path, scratch: Path) -> None:
    source = tmp_path / "bid.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("a.pdf", PDF)
        archive.writestr("a.pdf", PDF + b"other")
    refusal_of(source, scratch)


def test_a_zip_bomb_is_refused_while_unpacking(tmp_path: Path, scratch: Path) -> None:
    source = zip_of(tmp_path / "bomb.zip", {"zeros.pdf": bytes(40 * 1024 * 1024)})
    assert "zip bomb" in str(refusal_of(source, scratch))
    written = sum(path.stat().st_size for path in scratch.rglob("*") if path.is_file())
    assert written < 16 * 1024 * 1024


def test_a_zip_bomb_that_lies_about_its_size_is_refused(tmp_path: Path, scratch: Path) -> None:
    body = bytes(40 * 1024 * 1024)
    path = zip_of(tmp_path / "bomb.zip", {"zeros.pdf": body})
    data = path.read_bytes().replace(len(body).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    path.write_bytes(data)
    refusal_of(path, scratch)
    written = sum(file.stat().st_size for file in scratch.rglob("*") if file.is_file())
    assert written < 16 * 1024 * 1024


def test_a_small_file_may_be_compressed_as_well_as_it_likes(tmp_path: Path, scratch: Path) -> None:
    source = zip_of(tmp_path / "bid.zip", {"zeros.pdf": bytes(5 * 1024 * 1024)})
    assert open_package(source, scratch).files[0].size_bytes == 5 * 1024 * 1024


def test_an_encrypted_zip_is_refused(tmp_path: Path, scratch: Path) -> None:
    path = zip_of(tmp_path / "bid.zip", {"a.pdf": PDF})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert "encrypted" in str(refusal_of(path, scratch))


def test_an_unusual_compression_is_refused(tmp_path: Path, scratch: Path) -> None:
    source = zip_of(tmp_path / "bid.zip", {"a.pdf": PDF * 50}, compression=zipfile.ZIP_LZMA)
    assert "compressed by method 14" in str(refusal_of(source, scratch))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_truncated_zip_is_refused(tmp_path: Path, scratch: Path, share: float) -> None:
    path = zip_of(tmp_path / "bid.zip", {f"{n}.pdf": os.urandom(500) for n in range(5)})
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "damaged" in str(refusal_of(path, scratch))


def test_a_zip_entry_whose_bytes_changed_is_refused(tmp_path: Path, scratch: Path) -> None:
    path = zip_of(tmp_path / "bid.zip", {"a.pdf": os.urandom(500)}, compression=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    assert "damaged" in str(refusal_of(path, scratch))


def test_an_empty_package_is_refused(tmp_path: Path, scratch: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert "no file" in str(refusal_of(folder, scratch))
    assert "no file" in str(refusal_of(zip_of(tmp_path / "empty.zip", {}), scratch))
    assert "no file" in str(refusal_of(zip_of(tmp_path / "hidden.zip", {".a": b""}), scratch))


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path, scratch: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.pdf").write_bytes(PDF)
    for number, target in enumerate([outside / "secret.pdf", outside, tmp_path / "nowhere"]):
        folder = tmp_path / f"bid{number}"
        folder.mkdir()
        (folder / "link.pdf").symlink_to(target)
        assert "leads out of it" in str(refusal_of(folder, scratch))


def test_a_link_inside_the_folder_is_read(tmp_path: Path, scratch: Path) -> None:
    folder = tmp_path / "bid"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(PDF)
    (folder / "b.pdf").symlink_to(folder / "a.pdf")
    assert names_of(open_package(folder, scratch)) == ["a.pdf", "b.pdf"]


def test_folders_nested_too_deep_are_refused(tmp_path: Path, scratch: Path) -> None:
    deep = tmp_path / "bid" / "/".join("d" * 18)
    deep.mkdir(parents=True)
    (deep / "a.pdf").write_bytes(PDF)
    assert "nested more than" in str(refusal_of(tmp_path / "bid", scratch))


def test_a_folder_that_cannot_be_read_is_refused(tmp_path: Path, scratch: Path) -> None:
    folder = tmp_path / "bid"
    folder.mkdir()
    (folder / "loop.pdf").symlink_to(folder / "gone.pdf")
    assert "cannot be read" in str(refusal_of(folder, scratch))


def test_a_pipe_in_the_folder_is_refused_and_not_waited_for(tmp_path: Path, scratch: Path) -> None:
    folder = tmp_path / "bid"
    folder.mkdir()
    os.mkfifo(folder / "pipe.pdf")
    assert "not a regular file" in str(refusal_of(folder, scratch))


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [
        ("MAX_PACKAGE_FILES", 2, "more than 2 files"),
        ("MAX_PACKAGE_BYTES", 40, "more than 40 bytes in all"),
        ("MAX_FILE_BYTES", 10, "more than 10 bytes"),
    ],
)
def test_limits_hold_for_folders_and_zips(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, words: str
) -> None:
    monkeypatch.setattr(limits, limit, value)
    entries = {f"{number}.pdf": PDF for number in range(3)}
    folder = tmp_path / "bid"
    folder.mkdir()
    for name, body in entries.items():
        (folder / name).write_bytes(body)
    assert words in str(refusal_of(folder, scratch))
    assert words in str(refusal_of(zip_of(tmp_path / "bid.zip", entries), scratch))


def test_too_many_entries_are_refused_before_any_is_unpacked(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_PACKAGE_ENTRIES", 2)
    refusal_of(zip_of(tmp_path / "bid.zip", dict.fromkeys("abc", PDF)), scratch)
    assert not [path for path in scratch.rglob("*") if path.is_file()]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# A name that begins with NUL cannot be written by zipfile: it would be empty.
@given(
    name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(lambda name: name[0] != "\0")
)
def test_whatever_a_zip_calls_its_files_nothing_is_written_outside(
    tmp_path: Path, scratch: Path, name: str
) -> None:
    source = zip_of(tmp_path / "bid.zip", {name: PDF, "plain.pdf": PDF})
    before = set(tmp_path.iterdir())
    try:
        package = open_package(source, scratch)
    except InputRefused:
        package = None
    assert set(tmp_path.iterdir()) == before
    if package is not None:
        assert all(file.path.resolve().is_relative_to(scratch.resolve()) for file in package.files)
        assert all(".." not in file.name.split("/") for file in package.files)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_zip_is_read_or_refused_and_nothing_else(
    tmp_path: Path, scratch: Path, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(zip_of(tmp_path / "bid.zip", {"a.pdf": PDF * 9, "b.pdf": PDF}).read_bytes())
    for position, value in changes:
        data[position % len(data)] = value
    (tmp_path / "bid.zip").write_bytes(data)
    try:
        files = open_package(tmp_path / "bid.zip", scratch).files
    except InputRefused:
        return
    assert all(file.path.is_relative_to(scratch) for file in files)


def test_a_zip_in_a_package_is_unpacked_under_its_name(tmp_path: Path, scratch: Path) -> None:
    inner = zip_of(tmp_path / "inner.zip", {"方案.pdf": PDF + b"2", ".hidden": b"x"}).read_bytes()
    source = zip_of(tmp_path / "bid.zip", {"商务.pdf": PDF, "标书/技术.ZIP": inner})
    package = open_package(source, scratch)
    assert names_of(package) == ["商务.pdf", "标书/技术/方案.pdf"]
    assert package.files[1].path.read_bytes() == PDF + b"2"
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "技术.zip").write_bytes(inner)
    assert names_of(open_package(folder, scratch)) == ["技术/方案.pdf"]


def test_archives_deeper_than_once_stay_closed(tmp_path: Path, scratch: Path) -> None:
    data = zip_of(tmp_path / "3.zip", {"a.pdf": PDF}).read_bytes()
    data = zip_of(tmp_path / "2.zip", {"3.zip": data}).read_bytes()
    source = zip_of(tmp_path / "1.zip", {"2.zip": data})
    assert names_of(open_package(source, scratch)) == ["2/3.zip"]


def test_an_office_file_and_a_platform_s_container_are_not_unpacked(tmp_path: Path, scratch: Path) -> None:
    container = zip_of(tmp_path / "inner.zip", {"a.xml": PDF}).read_bytes()
    source = zip_of(tmp_path / "bid.zip", {"a.docx": docx_bytes(), "b.zip": docx_bytes(), "c.GEF": container})
    assert names_of(open_package(source, scratch)) == ["a.docx", "b.zip", "c.GEF"]


@pytest.mark.needs_unar
def test_a_rar_in_a_zip_is_unpacked_and_its_name_said_when_it_cannot_be(
    tmp_path: Path, scratch: Path
) -> None:
    source = zip_of(tmp_path / "bid.zip", {"技术.rar": rar5_bytes({"方案.pdf": PDF})})
    assert names_of(open_package(source, scratch)) == ["技术/方案.pdf"]
    source = zip_of(tmp_path / "bid.zip", {"技术.rar": rar5_bytes({}, encrypted=True)})
    assert "技术.rar: the rar is encrypted" in str(refusal_of(source, scratch))


def test_two_archives_that_hold_one_name_are_refused(tmp_path: Path, scratch: Path) -> None:
    inner = zip_of(tmp_path / "inner.zip", {"a.pdf": PDF}).read_bytes()
    source = zip_of(tmp_path / "bid.zip", {"x.zip": inner, "x/a.pdf": PDF})
    assert "one name to many systems" in str(refusal_of(source, scratch))


def test_limits_count_what_is_in_nested_archives(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = zip_of(tmp_path / "inner.zip", {f"{n}.pdf": PDF for n in range(4)}).read_bytes()
    source = zip_of(tmp_path / "bid.zip", {"x.zip": inner})
    monkeypatch.setattr(limits, "MAX_PACKAGE_FILES", 3)
    assert "more than 3 files" in str(refusal_of(source, scratch))


def test_one_office_file_or_picture_is_a_package_of_one(tmp_path: Path, scratch: Path) -> None:
    (tmp_path / "投标函.docx").write_bytes(docx_bytes())
    (tmp_path / "扫描.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    assert names_of(open_package(tmp_path / "投标函.docx", scratch)) == ["投标函.docx"]
    assert names_of(open_package(tmp_path / "扫描.jpg", scratch)) == ["扫描.jpg"]
