"""Pages whose text layer says nothing are read by their picture, as far as the plan lets."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from stages.documents import PlannedDocument, SealFace
from stages.errors import NothingToMark
from stages.inspect import inspect
from stages.page_text import PageLine, PageText, TextSource
from stages.pdf.text import LayerOnly
from stages.plan import plan
from stages.plan_rules import parse_plan
from tests.simulators import pdfs
from tests.simulators.paper import scanned
from tests.simulators.pdfs import source_file
from tests.simulators.text_pdfs import Shown, boxes_page


class Reads(LayerOnly):
    """Reads 盖章处 at (30, 40) mm on every page it is asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def read(self, path: Path, page_indices: Sequence[int]) -> Mapping[int, PageText]:
        self.asked += page_indices
        boxes = tuple((28.0 + 2 * k, 38.0, 30.0 + 2 * k, 42.0) for k in range(3))
        return dict.fromkeys(page_indices, PageText((PageLine("盖章处", boxes, 0),), source=TextSource.OCR))


@pytest.fixture
def face(faces: dict[str, SealFace]) -> SealFace:
    return faces["公章"]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    return pdfs.text_pages(tmp_path / "mixed.pdf", [[(300, 400, "盖章处")], [], [(72, 90, "正文")]])


def _planned(path: Path, face: SealFace, reads: Reads, rule: str, ocr: str = "auto") -> PlannedDocument:
    source = source_file(path)
    rules = parse_plan(f"version: 1\nocr: {ocr}\nrules: [{{seal: {face.name}, {rule}}}]".encode())
    return plan(source, inspect(source), rules, {face.name: face}, texts=reads)


def test_pages_without_text_are_read_and_the_hits_named(mixed: Path, face: SealFace) -> None:
    reads = Reads()
    planned = _planned(mixed, face, reads, "keyword: 盖章处")
    assert reads.asked == [1]
    assert [mark.page_index for mark in planned.marks] == [0, 1]
    mark = planned.marks[1]
    assert (mark.x_mm + mark.w_mm / 2, mark.y_mm + mark.h_mm / 2) == pytest.approx((31, 40))
    (warning,) = planned.warnings
    assert "pages 2: keywords were found by OCR" in warning


@pytest.mark.parametrize(("ocr", "asked"), [("never", []), ("always", [0, 1, 2])])
def test_the_plan_says_whether_pages_are_read(
    mixed: Path, face: SealFace, ocr: str, asked: list[int]
) -> None:
    reads = Reads()
    planned = _planned(mixed, face, reads, "keyword: 盖章处", ocr)
    assert reads.asked == asked
    assert ("not searched there" in str(planned.warnings)) == (ocr == "never")


def test_only_pages_that_the_rules_select_are_read(mixed: Path, face: SealFace) -> None:
    reads = Reads()
    _planned(mixed, face, reads, "keyword: 盖章处, pages: first")
    assert reads.asked == []


def test_a_page_of_unmapped_glyphs_is_read(tmp_path: Path, face: SealFace) -> None:
    reads = Reads()
    path = boxes_page(tmp_path / "a.pdf", [Shown(None, 100, 300, glyphs=6)])
    assert len(_planned(path, face, reads, "keyword: 盖章处").marks) == 1
    assert reads.asked == [0]


@pytest.mark.parametrize(("keyword", "asked"), [("页码", []), ("盖章处", [0])])
def test_a_scan_with_a_page_number_is_read_when_the_keyword_is_missing(
    tmp_path: Path, face: SealFace, keyword: str, asked: list[int]
) -> None:
    paper = pdfs.text_pages(tmp_path / "paper.pdf", [[(72, 90, "正文")]])
    reads = Reads()
    path = scanned(paper, tmp_path / "scan.pdf", dpi=50, note="页码 1")
    assert len(_planned(path, face, reads, f"keyword: {keyword}").marks) == 1
    assert reads.asked == asked


def test_more_pages_than_the_limit_are_not_read_and_that_is_said(
    mixed: Path, face: SealFace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.plan_search.MAX_OCR_PAGES", 2)
    reads = Reads()
    planned = _planned(mixed, face, reads, "keyword: 盖章处", "always")
    assert reads.asked == []
    assert "pages 1-3 need OCR, more than the limit of 2" in planned.warnings[0]


def test_a_miss_says_how_pages_were_searched_and_what_is_alike(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.text_pages(tmp_path / "a.pdf", [[(72, 90, "投标人（盖单位章）")], []])
    told = r"searched: 1 \(text layer\), 2 \(OCR\); did you mean 投标人\(盖单位章\) on page 1\?"
    with pytest.raises(NothingToMark, match=told) as caught:
        _planned(path, face, Reads(), 'keyword: 投标人（盖公章）, files: "a*"')
    assert "是否应为“投标人(盖单位章)”（第 1 页）" in caught.value.zh
