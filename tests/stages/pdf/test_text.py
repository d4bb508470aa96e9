"""Keywords are found however they are typed, where a reader sees them, each once."""

from pathlib import Path

import numpy as np
import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.errors import InputRefused, PlacementRefused, PlanRefused
from stages.pdf import text as text_module
from stages.pdf import text_layer
from stages.pdf.folding import folded
from stages.pdf.keywords import keyword_pattern, needed_letters
from stages.pdf.text import search_text, without_repeats
from tests.simulators import pdfs, renderings
from tests.simulators.text_pdfs import Shown, boxes_page

MM = 25.4 / 72


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("cropped", [False, True])
def test_the_box_is_where_the_reader_sees_the_ink(tmp_path: Path, rotate: int, cropped: bool) -> None:
    document = pymupdf.open()
    page = document.new_page(width=500, height=700)
    page.insert_text((200, 300), "（盖单位章）", fontname="china-s", fontsize=20, color=(0.9, 0, 0))
    if cropped:
        page.set_cropbox(pymupdf.Rect(100, 150, 480, 600))
    page.set_rotation(rotate)
    path = tmp_path / "a.pdf"
    document.save(path)
    (hits,) = search_text(path, ["（盖单位章）"], [0]).hits
    (image,) = renderings.by_mupdf(path, 254)
    rows, columns = (np.flatnonzero(renderings.ink(image).any(axis=axis)) / 10 for axis in (1, 0))
    (hit,) = hits
    assert hit.x_mm - 0.5 < columns[0] < columns[-1] < hit.x_mm + hit.w_mm + 0.5
    assert hit.y_mm - 0.5 < rows[0] < rows[-1] < hit.y_mm + hit.h_mm + 0.5
    x, y = hit.centre_mm
    assert abs(x - (columns[0] + columns[-1]) / 2) < 2.5
    assert abs(y - (rows[0] + rows[-1]) / 2) < 2.5


@pytest.mark.parametrize(
    "keyword", ["（盖单位章）", "(盖单位章)", "盖 单位\u3000章", "/[（(]盖.{2}章/", "盖单位章"]
)
def test_widths_and_blanks_do_not_matter(tmp_path: Path, keyword: str) -> None:
    path = pdfs.text_pages(tmp_path / "a.pdf", [[(72, 100, "投标人：（盖 单 位 章）")], [(72, 90, "无关")]])
    (hits,) = search_text(path, [keyword], [0, 1]).hits
    assert [hit.page_index for hit in hits] == [0]
    assert hits[0].y_mm + hits[0].h_mm / 2 == pytest.approx(100 * MM, abs=4)


def test_a_keyword_split_over_two_lines_of_a_paragraph_is_found_on_the_longer_part(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 100), "请在此处由投标", fontname="china-s", fontsize=12)
    page.insert_text((72, 114), "人盖单位章并签字", fontname="china-s", fontsize=12)
    document.save(tmp_path / "a.pdf")
    (hits,) = search_text(tmp_path / "a.pdf", ["投标人盖单位章"], [0]).hits
    assert len(hits) == 1
    assert hits[0].y_mm < 114 * MM < hits[0].y_mm + hits[0].h_mm + 1
    assert hits[0].w_mm == pytest.approx(5 * 12 * MM, rel=0.1)


def test_text_drawn_twice_to_look_bold_counts_once(tmp_path: Path) -> None:
    line = "盖章处"
    path = pdfs.text_pages(tmp_path / "a.pdf", [[(72, 100, line), (72.4, 100, line), (72, 300, line)]])
    (hits,) = search_text(path, [line], [0]).hits
    assert len(hits) == 2


def test_overlapping_keywords_give_one_place(tmp_path: Path) -> None:
    path = pdfs.text_pages(tmp_path / "a.pdf", [[(72, 100, "（盖单位章）")]])
    search = search_text(path, ["（盖单位章）", "盖单位章"], [0])
    assert [len(hits) for hits in search.hits] == [1, 1]
    assert len(without_repeats([*search.hits[0], *search.hits[1]])) == 1


def test_pages_without_text_are_listed(tmp_path: Path) -> None:
    path = pdfs.text_pages(tmp_path / "a.pdf", [[(72, 100, "甲")], [], [(72, 100, "  ")]])
    assert search_text(path, ["甲"], [0, 1, 2]).pages_without_text == (1, 2)
    assert search_text(path, ["甲"], [0]).pages_without_text == ()


def test_only_the_pages_asked_for_are_searched(tmp_path: Path) -> None:
    path = pdfs.text_pages(tmp_path / "a.pdf", [[(72, 100, "甲")]] * 4)
    assert [hit.page_index for hit in search_text(path, ["甲"], [1, 3]).hits[0]] == [1, 3]


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(b"nothing")
    with pytest.raises(InputRefused, match="text cannot be read"):
        search_text(tmp_path / "x.pdf", ["甲"], [0])
    path = pdfs.text_pages(tmp_path / "a.pdf", [[(72, 100, "甲")]])
    with pytest.raises(InputRefused, match="page 8"):
        search_text(path, ["甲"], [7])


def test_limits_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pdfs.text_pages(tmp_path / "a.pdf", [[(72, 100, "甲"), (72, 300, "甲")]])
    monkeypatch.setattr(text_module, "MAX_HITS", 1)
    with pytest.raises(PlacementRefused, match="more than 1 times"):
        search_text(path, ["甲"], [0])
    monkeypatch.setattr(text_layer, "MAX_PAGE_CHARS", 1)
    with pytest.raises(InputRefused, match="more than 1 characters"):
        search_text(path, ["甲"], [0])


@pytest.mark.parametrize(
    ("keyword", "says"),
    [("", "empty"), (" \u200b", "empty"), ("/(/", "no regular"), ("x" * 201, "longer than")],
)
def test_keywords_that_cannot_be_searched_for_are_refused(keyword: str, says: str) -> None:
    with pytest.raises(PlanRefused, match=says) as caught:
        keyword_pattern(keyword)
    assert caught.value.zh


@given(st.text(min_size=1, max_size=30))
def test_every_text_finds_itself(text: str) -> None:
    if folded(text) and not (len(text) > 2 and text.startswith("/") and text.endswith("/")):
        assert [*keyword_pattern(text).spans(folded("前" + text + "后"))]


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert folded(folded(text)) == folded(text)


EXPRESSIONS = {
    "第[一二三四五]章": "第章",
    "投标人.{0,4}章+": "投标人章",
    "甲?乙*丙{0,2}丁": "丁",
    r"(公司|集团)盖章\(印\)": "",
    "(甲|乙)丙": "",
    "(甲乙)?丙[^丁]戊": "丙戊",
    "(?i)a甲": "",
    "((甲)乙)丙": "",
    r"[(]甲[)]\章乙": "甲乙",
    "(a[)]乙)?丙": "",
    "甲{2}乙": "乙",
}


@pytest.mark.parametrize(("source", "needed"), EXPRESSIONS.items())
def test_an_expression_needs_the_letters_that_stand_by_themselves(source: str, needed: str) -> None:
    assert needed_letters(source) == frozenset(needed)


@given(st.data(), st.sampled_from([source for source in EXPRESSIONS if r"\章" not in source]))
def test_whatever_an_expression_matches_has_the_letters_it_needs(data: st.DataObject, source: str) -> None:
    text = data.draw(st.from_regex(source, fullmatch=True))
    assert needed_letters(source) <= set(text)


@given(st.text(alphabet="甲乙_", min_size=1, max_size=5), st.text(alphabet="甲乙", max_size=12))
def test_a_plain_keyword_is_found_alike_with_and_without_lines_to_fill_in(keyword: str, text: str) -> None:
    pattern = keyword_pattern(keyword.replace("_", "") or "甲")
    with_line = [span for span in pattern.spans(text + "丙_丙") if span[1] <= len(text)]
    assert [*pattern.spans(text)] == with_line


def test_an_expression_that_is_slow_on_every_page_is_refused_by_what_it_takes_in_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.pdf.keywords.MATCH_TOTAL_S", 0.05)
    slow = Shown("a" * 16 + "b", 20, 100, size_pt=3)  # some 10 ms a page, far below what one page may take
    path = boxes_page(tmp_path / "a.pdf", [slow])
    with pymupdf.open(path) as one, pymupdf.open() as many:
        for _ in range(40):
            many.insert_pdf(one)
        many.save(tmp_path / "many.pdf")
    pages = range(40)
    assert search_text(tmp_path / "many.pdf", ["/a+b/"], pages).hits[0]
    with pytest.raises(PlanRefused, match=r"longer than 0\.05 s on the pages of one file") as caught:
        search_text(tmp_path / "many.pdf", ["/(a|a)+$/"], pages)
    assert "一个文件" in caught.value.zh


@pytest.mark.parametrize("keyword", ["/(a|aa)+$/", "/(a|a)+$/"])
def test_an_expression_that_would_never_end_is_refused(
    tmp_path: Path, keyword: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.pdf.keywords.MATCH_TIMEOUT_S", 0.1)
    path = boxes_page(tmp_path / "a.pdf", [Shown("a" * 200 + "b", 20, 100, size_pt=1.5)])
    with pytest.raises(PlanRefused, match=r"longer than 0\.1 s on one page") as caught:
        search_text(path, [keyword], [0])
    assert "重复" in caught.value.zh
