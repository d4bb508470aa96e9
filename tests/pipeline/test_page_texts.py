"""Pages are looked into by processes that may be killed, and read by OCR once."""

import gzip
import os
from pathlib import Path

import pikepdf
import pymupdf
import pytest

from pipeline import page_children, page_texts
from pipeline.page_children import PageChildren
from pipeline.page_texts import GuardedTexts, KeptReadings
from stages.errors import InputRefused, PlanRefused
from stages.page_text import PageLine, PageText, TextSource
from stages.pdf.keywords import Keyword
from tests.pipeline.conftest import write_pdf
from tests.simulators.paper import scanned

READ = PageText((PageLine("盖章", ((1.0, 2.0, 3.0, 4.0), (3.0, 2.0, 5.0, 4.0)), 0),), 0, TextSource.OCR)


@pytest.fixture(scope="module")
def children() -> PageChildren:
    return page_children.page_children()


@pytest.fixture
def texts(tmp_path: Path, children: PageChildren) -> GuardedTexts:
    return GuardedTexts(tmp_path / "home" / "ocr", children)


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A page of 10^12 texts: forms that draw forms that draw forms."""
    path = write_pdf(tmp_path / "endless.pdf", pages=2)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        page = pdf.pages[1]
        inner = pdf.make_stream(b"BT /F 9 Tf (x) Tj ET")
        inner.Resources = pikepdf.Dictionary(
            Font=pikepdf.Dictionary(
                F=pikepdf.Dictionary(
                    Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
                )
            )
        )
        for _ in range(12):
            inner.Type, inner.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
            inner.BBox = pikepdf.Array([0, 0, 9, 9])
            outer = pdf.make_stream(b"/A Do " * 10)
            outer.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(A=inner))
            inner = outer
        page.Contents, page.Resources = inner, inner.Resources
        pdf.save(path)
    return path


def test_keywords_are_found_as_in_this_process(texts: GuardedTexts, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", "投标文件", pages=3)
    found = texts.search(path, [Keyword("投标文件"), Keyword("投標文件", True)], [0, 2], annotations=True)
    assert [[hit.page_index for hit in hits] for hits in found.hits] == [[0, 2], [0, 2]]
    (near,) = texts.nearest(path, "投票文件", [0])
    assert near.text == "投标文件"


def test_what_is_refused_there_is_refused_here(texts: GuardedTexts, tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(b"nothing")
    with pytest.raises(InputRefused, match="text cannot be read") as caught:
        texts.search(tmp_path / "x.pdf", [Keyword("甲")], [0], annotations=True)
    assert caught.value.zh
    with pytest.raises(PlanRefused, match="no regular expression"):
        texts.search(tmp_path / "x.pdf", [Keyword("/(/")], [0], annotations=True)


def test_a_page_that_never_ends_is_given_up_and_named(
    texts: GuardedTexts, tmp_path: Path, endless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = write_pdf(tmp_path / "good.pdf")
    texts.search(good, [Keyword("投标")], [0], annotations=True)  # the process is there
    monkeypatch.setattr(page_texts, "PAGE_TIMEOUT_S", 0.5)
    with pytest.raises(InputRefused, match="page 2 takes too long") as caught:
        texts.search(endless, [Keyword("投标")], [0, 1], annotations=True)
    assert "第 2 页" in caught.value.zh
    monkeypatch.setattr(page_texts, "PAGE_TIMEOUT_S", 20)
    assert len(texts.search(good, [Keyword("投标")], [0], annotations=True).hits[0]) == 1


def test_a_scan_is_read_once_whoever_asks(
    texts: GuardedTexts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, children: PageChildren
) -> None:
    path = scanned(write_pdf(tmp_path / "a.pdf", "盖章处", pages=1), tmp_path / "scan.pdf", dpi=100)
    first = texts.read(path, [0])
    assert "盖章处" in first[0].lines[0].text
    (kept,) = (tmp_path / "home" / "ocr").glob("*/*")
    assert not kept.name.endswith(".new")

    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(PageChildren, "ask", never)
    with pymupdf.open(path) as document:  # the same page in another file
        document.new_page(pno=0)
        document.save(tmp_path / "other.pdf")
    assert GuardedTexts(tmp_path / "home" / "ocr", children).read(path, [0]) == first


def test_without_an_engine_pages_stay_unread(
    texts: GuardedTexts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise page_texts.ReaderUnavailable("no engine", zh="没有引擎")

    monkeypatch.setattr(PageChildren, "ask", unavailable)
    assert texts.read(write_pdf(tmp_path / "a.pdf"), [0]) == {}


def test_what_is_no_pdf_is_refused_before_it_is_read(texts: GuardedTexts, tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(b"nothing")
    with pytest.raises(InputRefused, match="pages cannot be read"):
        texts.read(tmp_path / "x.pdf", [0])


def test_a_kept_reading_comes_back_and_a_spoilt_one_does_not(tmp_path: Path) -> None:
    kept = KeptReadings(tmp_path)
    kept.put("ab" * 32, READ)
    assert kept.get("ab" * 32) == READ
    assert kept.get("cd" * 32) is None
    (path,) = tmp_path.glob("*/*")
    whole = path.read_bytes()
    for spoilt in (whole[:-9], b"x", gzip.compress(b"{}"), whole[:10] + b"\xff" + whole[11:]):
        path.write_bytes(spoilt)
        assert kept.get("ab" * 32) is None


def test_the_oldest_readings_go_when_there_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        KeptReadings(tmp_path).put(f"{number:064d}", READ)
    for number, path in enumerate(sorted(tmp_path.glob("*/*"))):
        os.utime(path, (number, number))
    monkeypatch.setattr(page_texts, "MAX_KEPT_PAGES", 5)
    KeptReadings(tmp_path).put("f" * 64, READ)
    assert len([*tmp_path.glob("*/*")]) == 4
    assert KeptReadings(tmp_path).get("f" * 64) == READ


def test_the_oldest_readings_go_in_a_process_that_stays_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_texts, "MAX_KEPT_PAGES", 5)
    monkeypatch.setattr(page_texts, "PRUNED_EVERY", 3)
    kept = KeptReadings(tmp_path)
    for number in range(20):
        kept.put(f"{number:064d}", READ)
        assert len([*tmp_path.glob("*/*")]) <= 7


def test_a_folder_that_cannot_be_written_is_no_error_and_nothing_is_left_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    KeptReadings(tmp_path / "file").put("ab" * 32, READ)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    KeptReadings(tmp_path / "folder").put("ab" * 32, READ)
    assert [*(tmp_path / "folder").glob("*/*")] == []
