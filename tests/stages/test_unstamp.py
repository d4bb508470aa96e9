"""An unsigned stamping is taken back to the byte, and nothing else is taken for one."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.authorities import Signer
from stages.documents import SignatureRequest
from stages.errors import InputRefused, PlacementRefused
from stages.inspect import inspect
from stages.pdf import base, own_increment
from stages.pdf.own_increment import find_own_increment
from stages.plan import plan
from stages.plan_rules import parse_plan
from stages.sign import sign
from stages.stamp import stamp
from stages.unstamp import Before, unstamp
from tests.simulators import pdfs
from tests.simulators.pdfs import PageKind, source_file

RULES = parse_plan(
    "version: 1\nrules:\n"
    "  - {seal: 公章, pages: all, x_mm: 60, y_mm: 60}\n"
    "  - {seal: 公章, paging: right}\n".encode()
)


def _original(path: Path, kind: str) -> Path:
    pages = [PageKind(), PageKind(rotate=90), PageKind(inherit=True)]
    if kind == "hybrid":
        return pdfs.hybrid(path)
    pdfs.build(path, pages, object_streams=kind.startswith("stream"))
    data = path.read_bytes()
    if kind.endswith("no line end"):
        path.write_bytes(data.rstrip())
    if kind == "table, no id":
        with pikepdf.open(path) as pdf:
            assert "/ID" in pdf.trailer
        start = data.rindex(b"/ID")
        end = data.index(b"]", start) + 1
        path.write_bytes(data[:start] + b" " * (end - start) + data[end:])
    if kind == "table, junk behind":
        path.write_bytes(data + b"\x00" * 40 + b"<!-- from a web server -->")
    return path


KINDS = [
    "table",
    "table, no line end",
    "table, no id",
    "table, junk behind",
    "stream",
    "stream, no line end",
    "hybrid",
]


def _stamped(original: Path, folder: Path) -> Path:
    face = pdfs.seal_face(folder)
    source = source_file(original)
    planned = plan(source, inspect(source), RULES, {face.name: face})
    return stamp(source, planned, {face.name: face}, folder / "stamped.pdf").path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("recorded", [False, True])
def test_what_is_taken_back_is_the_file_before_to_the_byte(tmp_path: Path, kind: str, recorded: bool) -> None:
    original = _original(tmp_path / "a.pdf", kind)
    data = original.read_bytes()
    stamped = _stamped(original, tmp_path)
    sha256 = hashlib.sha256(data).hexdigest()
    before = Before(sha256, len(data)) if recorded else None
    taken = unstamp(stamped, tmp_path / "back.pdf", before=before)
    assert taken.path.read_bytes() == data
    assert (taken.sha256, taken.size_bytes) == (sha256, len(data))
    assert find_own_increment(original) is None


def test_stamped_twice_is_taken_back_one_stamping_at_a_time(tmp_path: Path) -> None:
    first = _stamped(_original(tmp_path / "a.pdf", "table"), tmp_path)
    (tmp_path / "again").mkdir()
    second = _stamped(first, tmp_path / "again")
    back = unstamp(second, tmp_path / "1.pdf", before=None)
    assert back.path.read_bytes() == first.read_bytes()
    twice = unstamp(back.path, tmp_path / "2.pdf", before=None)
    assert twice.path.read_bytes() == (tmp_path / "a.pdf").read_bytes()


@pytest.mark.parametrize("kind", ["table", "stream"])
def test_a_file_signed_since_is_refused_and_told_to_be_voided(
    tmp_path: Path, tryout_signer: Signer, kind: str
) -> None:
    face = pdfs.seal_face(tmp_path)
    source = source_file(_original(tmp_path / "a.pdf", kind))
    planned = plan(source, inspect(source), RULES, {face.name: face})
    stamped = stamp(source, planned, {face.name: face}, tmp_path / "stamped.pdf")
    sign(stamped, tryout_signer, SignatureRequest("Signature1", datetime(2026, 3, 2, tzinfo=UTC)))
    with pytest.raises(PlacementRefused, match="void the document"):
        unstamp(stamped.path, tmp_path / "back.pdf", before=None)
    assert not (tmp_path / "back.pdf").exists()


def test_a_file_another_program_saved_since_is_refused(tmp_path: Path) -> None:
    stamped = _stamped(_original(tmp_path / "a.pdf", "table"), tmp_path)
    with pikepdf.open(stamped) as pdf:
        pdf.save(tmp_path / "saved.pdf")
    longer = tmp_path / "longer.pdf"
    longer.write_bytes(stamped.read_bytes() + b"\n% more\n")
    for path in (tmp_path / "saved.pdf", longer):
        with pytest.raises(InputRefused, match="no stamping made here"):
            unstamp(path, tmp_path / "back.pdf", before=None)


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-1.7", b"startxref\n9\n%%EOF\n", b"xref\n0 x\nstartxref\n1\n%%EOF\n"]
)
def test_what_is_no_pdf_is_refused_in_one_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(data)
    with pytest.raises(InputRefused, match="no stamping made here"):
        unstamp(path, tmp_path / "back.pdf", before=None)


def test_a_file_that_cannot_be_read_or_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputRefused, match="cannot be read"):
        find_own_increment(tmp_path / "nothing.pdf")
    monkeypatch.setattr(own_increment, "MAX_FILE_BYTES", 10)
    assert base.MAX_FILE_BYTES > 10
    with pytest.raises(InputRefused, match="more than the limit"):
        find_own_increment(_original(tmp_path / "a.pdf", "table"))


def test_an_increment_longer_than_any_of_ours_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamped = _stamped(_original(tmp_path / "a.pdf", "table"), tmp_path)
    assert find_own_increment(stamped) is not None
    monkeypatch.setattr(own_increment, "MAX_INCREMENT_BYTES", 100)
    assert find_own_increment(stamped) is None


def test_the_stamped_file_itself_is_never_written_to(tmp_path: Path) -> None:
    stamped = _stamped(_original(tmp_path / "a.pdf", "table"), tmp_path)
    before = stamped.read_bytes()
    with pytest.raises(InputRefused, match="another path"):
        unstamp(stamped, stamped, before=None)
    assert stamped.read_bytes() == before


def test_a_record_of_another_file_is_not_believed(tmp_path: Path) -> None:
    stamped = _stamped(_original(tmp_path / "a.pdf", "table"), tmp_path)
    with pytest.raises(InputRefused, match="does not begin with"):
        unstamp(stamped, tmp_path / "back.pdf", before=Before("0" * 64, 100))
    assert not (tmp_path / "back.pdf").exists()


@pytest.fixture(scope="module")
def stamped_bytes(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, int]:
    folder = tmp_path_factory.mktemp("stamped")
    original = _original(folder / "a.pdf", "stream")
    return _stamped(original, folder).read_bytes(), original.stat().st_size


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_changed_byte_of_what_was_appended_is_seen(
    tmp_path: Path, stamped_bytes: tuple[bytes, int], data: st.DataObject
) -> None:
    """The cross-reference section says where, the digest says what: neither may be off."""
    whole, base_size = stamped_bytes
    xref = int(whole[whole.rindex(b"startxref") :].split()[1])
    at = data.draw(st.integers(base_size, xref - 1))
    change = data.draw(st.integers(1, 255))
    path = tmp_path / "changed.pdf"
    path.write_bytes(whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :])
    assert find_own_increment(path) is None
    path.write_bytes(whole)
    found = find_own_increment(path)
    assert found is not None
    assert found.base_size_bytes == base_size
