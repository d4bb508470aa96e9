"""A damaged or encrypted file becomes a sound one only when asked, unsigned, and loses nothing unsaid."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pymupdf
import pytest

from stages.documents import HowDerived, SourceFile
from stages.errors import Damaged, Encrypted, InputRefused
from stages.inspect import inspect
from stages.pdf import mending
from stages.pdf.mending import MendChoices, check_appendable, decrypt, mended, repair
from tests.simulators import pdfs
from tests.simulators.pdfs import source_file

BOTH = MendChoices(repair=True, decrypt=True)


def texts(path: Path) -> list[str]:
    with pymupdf.open(path) as document:
        return [page.get_text() for page in document]


def three_pages(folder: Path) -> Path:
    return pdfs.text_pages(
        folder / "sound.pdf", [[(60, 60, f"第 {n} 页 投标人（盖单位章）")] for n in (1, 2, 3)]
    )


def junk_before(data: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n\r\n" + data


def no_end(data: bytes) -> bytes:
    return data[: data.rindex(b"startxref")]


def no_trailer(data: bytes) -> bytes:
    """A download that ended a little too soon."""
    return data[: data.rindex(b"xref\n0 ") + 20]


def wrong_startxref(data: bytes) -> bytes:
    return data[: data.rindex(b"startxref")] + b"startxref\n17\n%%EOF\n"


def shifted_offsets(data: bytes) -> bytes:
    """Line ends changed in transit: every object stands further back than the table says."""
    where = data.index(b"\n", 12) + 1
    return data[:where] + b"%" + b"x" * 40 + b"\n" + data[where:]


@pytest.mark.parametrize("damage", [junk_before, no_end, no_trailer, wrong_startxref, shifted_offsets])
def test_a_damaged_file_is_repaired_only_when_asked(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    sound = three_pages(tmp_path)
    path = tmp_path / "a.pdf"
    path.write_bytes(damage(sound.read_bytes()))
    source = source_file(path, "商务/投标函.pdf")
    with pytest.raises(Damaged, match=r"^商务/投标函\.pdf: .*--repair"):
        mended(source, tmp_path / "made", MendChoices(decrypt=True))
    copy = mended(source, tmp_path / "made", MendChoices(repair=True))
    assert texts(copy.path) == texts(sound)
    assert copy.name == source.name
    assert copy.origin is not None
    assert (copy.origin.path, copy.origin.sha256, copy.origin.how) == (
        path,
        source.sha256,
        HowDerived.REPAIRED,
    )
    assert [finding.code for finding in copy.origin.findings] == ["repaired"]
    assert copy.sha256 == source_file(copy.path).sha256
    assert subprocess.run(["qpdf", "--check", copy.path], capture_output=True, check=False).returncode == 0
    assert "repaired" in {finding.code for finding in inspect(copy).findings}


def test_a_sound_file_is_left_as_it_is(tmp_path: Path) -> None:
    source = source_file(three_pages(tmp_path))
    assert mended(source, tmp_path / "made", BOTH) is source
    assert not (tmp_path / "made").exists()


def test_the_same_damage_is_repaired_to_the_same_bytes_that_name_no_tool(tmp_path: Path) -> None:
    tree = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>"
    path = pdfs.raw(tmp_path / "a.pdf", [b"<< /Type /Catalog /Pages 2 0 R >>", tree, page])
    path.write_bytes(no_end(path.read_bytes()))
    first = repair(source_file(path), tmp_path / "one").path.read_bytes()
    assert repair(source_file(path), tmp_path / "two").path.read_bytes() == first
    assert b"%\xbf\xf7\xa2\xfe" not in first
    assert b"qpdf" not in first.lower()
    assert b"/Producer" not in first


def test_what_somebody_signed_is_not_repaired(tmp_path: Path) -> None:
    signed = pdfs.with_signature_field(tmp_path / "s.pdf", three_pages(tmp_path))
    signed.write_bytes(no_end(signed.read_bytes()))
    with pytest.raises(InputRefused, match=r"^s\.pdf: somebody has signed it"):
        mended(source_file(signed), tmp_path / "made", BOTH)
    assert list((tmp_path / "made").iterdir()) == []


def test_lost_pages_are_said_and_nothing_is_made(tmp_path: Path) -> None:
    catalogue = b"<< /Type /Catalog /Pages 2 0 R >>"
    tree = b"<< /Type /Pages /Kids [3 0 R 4 0 R 5 0 R] /Count 3 >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>"
    path = pdfs.raw(tmp_path / "a.pdf", [catalogue, tree, page])
    path.write_bytes(no_end(path.read_bytes()))
    with pytest.raises(InputRefused, match=r"^a\.pdf: the PDF is cut off: 2 pages are lost and 1 are left"):
        repair(source_file(path), tmp_path / "made")


def test_pages_that_would_be_empty_are_not_repaired(tmp_path: Path) -> None:
    catalogue = b"<< /Type /Catalog /Pages 2 0 R >>"
    tree = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 9 0 R >>"
    path = pdfs.raw(tmp_path / "a.pdf", [catalogue, tree, page])
    path.write_bytes(no_end(path.read_bytes()))
    with pytest.raises(InputRefused, match="1 objects are missing, and 1 of 1 pages would be empty"):
        repair(source_file(path), tmp_path / "made")


def test_a_length_that_is_an_object_of_its_own_is_not_missing(tmp_path: Path) -> None:
    """Quartz, Cairo and GhostScript write streams so, since they learn the length only behind them."""
    content = b"BT /F1 12 Tf 60 60 Td (x) Tj ET"
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R 6 0 R]/Count 2>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
        b"<</Length 5 0 R>>\nstream\n" + content + b"\nendstream",
        str(len(content)).encode(),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
    ]
    sound = pdfs.raw(tmp_path / "sound.pdf", bodies).read_bytes()
    damaged = tmp_path / "a.pdf"
    damaged.write_bytes(junk_before(sound))
    copy = repair(source_file(damaged), tmp_path / "mended")
    assert copy.origin is not None
    assert [finding.code for finding in copy.origin.findings] == ["repaired"]


def test_missing_objects_are_said(tmp_path: Path) -> None:
    catalogue = b"<< /Type /Catalog /Pages 2 0 R >>"
    tree = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    drawn = b"/Contents 4 0 R /Resources << /XObject << /I 9 0 R >> >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] %s >>" % drawn
    content = b"<< /Length 5 >>\nstream\n/I Do\nendstream"
    path = pdfs.raw(tmp_path / "a.pdf", [catalogue, tree, page, content])
    path.write_bytes(no_end(path.read_bytes()))
    origin = repair(source_file(path), tmp_path / "made").origin
    assert origin is not None
    assert [finding.code for finding in origin.findings] == ["repaired", "objects-missing"]


@pytest.mark.parametrize(
    "data", [b"%PDF-1.7\n" + b"x" * 3000, b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"]
)
def test_what_no_reader_can_follow_is_beyond_repair(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(data)
    with pytest.raises(InputRefused, match=r"^a\.pdf: it is damaged beyond repair"):
        mended(source_file(path), tmp_path / "made", BOTH)


def encrypted(folder: Path, *, user: str = "", locked: bool = True) -> SourceFile:
    path = folder / "locked.pdf"
    allow = pikepdf.Permissions(modify_other=not locked, modify_form=not locked)
    with pikepdf.open(three_pages(folder)) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(owner="boss", user=user, allow=allow))
    return source_file(path)


def test_a_file_locked_by_its_author_is_opened_only_when_asked(tmp_path: Path) -> None:
    source = encrypted(tmp_path)
    with pytest.raises(Encrypted, match=r"^locked\.pdf: .*forbids changing pages, filling in and signing"):
        mended(source, tmp_path / "made", MendChoices(repair=True))
    copy = mended(source, tmp_path / "made", MendChoices(decrypt=True))
    assert texts(copy.path) == texts(tmp_path / "sound.pdf")
    assert copy.origin is not None
    assert copy.origin.how is HowDerived.DECRYPTED
    (said,) = copy.origin.findings
    assert said.code == "decrypted"
    assert "forbids changing pages" in said.message
    assert "禁止修改页面" in said.message_zh
    check_appendable(copy)


def test_a_file_whose_author_forbids_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(Encrypted, match="forbids nothing"):
        check_appendable(encrypted(tmp_path, locked=False))


def test_a_file_that_needs_a_password_stays_closed(tmp_path: Path) -> None:
    source = encrypted(tmp_path, user="geheim")
    with pytest.raises(InputRefused, match=r"^locked\.pdf: the PDF is encrypted and needs a password"):
        mended(source, tmp_path / "made", BOTH)
    with pytest.raises(InputRefused, match=r"^locked\.pdf: the PDF is encrypted and needs a password"):
        decrypt(source, tmp_path / "made")


def test_encrypted_and_damaged_needs_both_choices(tmp_path: Path) -> None:
    source = encrypted(tmp_path)
    source.path.write_bytes(wrong_startxref(source.path.read_bytes()))
    source = source_file(source.path)
    with pytest.raises(Encrypted, match="allow decrypting"):
        mended(source, tmp_path / "made", MendChoices(repair=True))
    copy = mended(source, tmp_path / "made", BOTH)
    assert texts(copy.path) == texts(tmp_path / "sound.pdf")
    assert copy.origin is not None
    assert {finding.code for finding in copy.origin.findings} == {"repaired", "decrypted"}


def test_encryption_for_certificates_is_refused_by_name(tmp_path: Path) -> None:
    source = encrypted(tmp_path)
    source.path.write_bytes(source.path.read_bytes().replace(b"/Standard", b"/Adobe.PS"))
    with pytest.raises(InputRefused, match=r"^locked\.pdf: the PDF is encrypted for certain certificates"):
        check_appendable(source_file(source.path))


def test_a_repair_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(no_end(three_pages(tmp_path).read_bytes()))
    monkeypatch.setattr(mending, "REWRITE_TIMEOUT_S", 0.001)
    with pytest.raises(InputRefused, match=r"^a\.pdf: it cannot be repaired within the time allowed"):
        repair(source_file(path), tmp_path / "made")


def test_pages_another_reader_sees_differently_are_named() -> None:
    answer = {"missing_objects": 0, "other_pages": 3, "different": list(range(2, 12))}
    (finding,) = mending._losses(answer)
    assert finding.code == "repair-looks-different"
    assert "pages 2, 3, 4, 5, 6, 7, 8, 9 …" in finding.message


def test_what_no_other_reader_can_open_is_said_not_to_be_compared() -> None:
    (finding,) = mending._losses({"missing_objects": 0, "other_pages": None, "different": []})
    assert finding.code == "repair-not-compared"
