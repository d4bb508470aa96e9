"""Rars taken in: both kinds, names as they were meant, and everything a hostile one could try."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.documents import BidPackage
from stages.errors import InputRefused
from stages.packages import open_package
from stages.packing import limits, rars
from tests.simulators.rar_files import COPY, HARD_LINK, RAR5, rar4_bytes, rar5_bytes

pytestmark = pytest.mark.needs_unar
PDF = b"%PDF-1.7\n%%EOF\n"


def opened(folder: Path, data: bytes, name: str = "投标文件.rar") -> BidPackage:
    (folder / name).write_bytes(data)
    return open_package(folder / name, folder / "scratch")


def refusal_of(folder: Path, data: bytes) -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        opened(folder, data)
    assert caught.value.zh
    return caught.value


def test_a_rar_is_unpacked_byte_for_byte_under_numbers(tmp_path: Path) -> None:
    bodies = {"技术/方案.pdf": os.urandom(3_000_000), "商务.pdf": PDF, "空.pdf": b"", ".DS_Store": b"x"}
    package = opened(tmp_path, rar5_bytes(bodies))
    assert package.name == "投标文件"
    assert {file.name for file in package.files} == {"技术/方案.pdf", "商务.pdf", "空.pdf"}
    for file in package.files:
        assert file.path.suffix == ".bin"
        assert file.path.read_bytes() == bodies[file.name]
        assert file.sha256 == hashlib.sha256(bodies[file.name]).hexdigest()


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_names_of_an_older_rar_are_read_as_they_were_meant(tmp_path: Path, encoding: str) -> None:
    names = ["投标函.pdf", "技术\\施工方案.pdf"]
    package = opened(tmp_path, rar4_bytes({name.encode(encoding): PDF for name in names}))
    assert [file.name for file in package.files] == ["技术/施工方案.pdf", "投标函.pdf"]
    assert all(file.path.read_bytes() == PDF for file in package.files)


@pytest.mark.parametrize("name", ["../evil.pdf", "/etc/evil.pdf", "C:/evil.pdf", "a/../../evil.pdf"])
def test_a_name_that_leads_out_refuses_the_whole_rar(tmp_path: Path, name: str) -> None:
    assert "leads out of the package" in str(refusal_of(tmp_path, rar5_bytes({"good.pdf": PDF, name: PDF})))
    assert not [path for path in tmp_path.rglob("*") if "evil" in path.name]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (rar5_bytes({"a.pdf": PDF}, encrypted=True), "encrypted"),
        (rar5_bytes({"a.pdf": PDF}, volume=True), "several volumes"),
        (rar5_bytes({"a.pdf": b""}, link_to="/etc/passwd"), "a link or device"),
        (rar5_bytes({"a.pdf": b""}, link_to="b.pdf", link_kind=HARD_LINK), "a link or device"),
        (rar5_bytes({"a.pdf": b""}, link_to="b.pdf", link_kind=COPY), "a link or device"),
        (rar5_bytes({"a.pdf": PDF}, claimed_bytes=5 * 1024**3), "the limit for one file"),
        (rar5_bytes({"a.pdf": PDF}, claimed_bytes=900 * 1024**2), "a zip bomb"),
        (rar5_bytes({"a.pdf": PDF}, claimed_bytes=1000), "damaged"),
        (rar5_bytes({"a.pdf": PDF}).replace(PDF, PDF[:-1] + b"X"), "damaged"),
        (rar5_bytes({"a.pdf": os.urandom(5000)})[:3000], "damaged"),
        (RAR5, "damaged"),
        (rar5_bytes({}), "holds no file"),
        (rar5_bytes({"a.pdf": PDF, "A.PDF": PDF}), "one name to many systems"),
        (rar4_bytes({b"a.pdf": PDF}).replace(PDF, PDF[:-1] + b"X"), "damaged"),
    ],
)
def test_what_is_wrong_with_a_rar_is_said(tmp_path: Path, data: bytes, words: str) -> None:
    error = refusal_of(tmp_path, data)
    assert words in str(error)
    assert "投标文件" in str(error)


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PACKAGE_ENTRIES", 3)
    assert "the limit is 3" in str(refusal_of(tmp_path, rar5_bytes(dict.fromkeys("abcdef", PDF))))


def test_without_a_program_to_unpack_it_a_rar_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rars, "is_installed", lambda program: False)
    assert "no unar here" in str(refusal_of(tmp_path, rar5_bytes({"a.pdf": PDF})))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from([rar5_bytes({"a.pdf": PDF * 9, "b.pdf": PDF}), rar4_bytes({b"a.pdf": PDF * 9})]),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_a_damaged_rar_is_read_or_refused_and_nothing_else(
    tmp_path: Path, kind: bytes, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(kind)
    for position, value in changes:
        data[8 + position % (len(data) - 8)] = value
    try:
        files = opened(tmp_path, bytes(data)).files
    except InputRefused:
        return
    assert all(file.path.is_relative_to(tmp_path / "scratch") for file in files)
