"""A keyword is found however a program has encoded and drawn it, and its box holds its ink."""

from pathlib import Path

import numpy as np
import pikepdf
import pymupdf
import pytest

from stages.pdf.keywords import Keyword
from stages.pdf.text import TextHit, search_text
from tests.simulators import pdfs, renderings
from tests.simulators.text_pdfs import Shown, boxes_page, cjk_page

MM = 25.4 / 72
SEAL_HERE = "盖单位章"


def _hits(path: Path, keyword: str | Keyword = SEAL_HERE, **choices: bool) -> tuple[TextHit, ...]:
    return search_text(path, [keyword], [0], **choices).hits[0]


def _hold_the_ink(path: Path, hit: TextHit, slack_mm: float = 0.3) -> None:
    """Check that all that is drawn on the page lies in the hit's box."""
    (image,) = renderings.by_mupdf(path, 127)
    dark = image.min(axis=2) < 128
    rows, columns = (np.flatnonzero(dark.any(axis=axis)) / 5 for axis in (1, 0))
    assert hit.x_mm - slack_mm <= columns[0] <= columns[-1] <= hit.x_mm + hit.w_mm + slack_mm
    assert hit.y_mm - slack_mm <= rows[0] <= rows[-1] <= hit.y_mm + hit.h_mm + slack_mm


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("GBK-EUC-H", "gbk"),
        ("GB-EUC-H", "gb2312"),
        ("GBKp-EUC-H", "gbk"),
        ("UniGB-UCS2-H", "utf-16-be"),
        ("UniGB-UTF16-H", "utf-16-be"),
    ],
)
def test_predefined_encodings_of_fonts_not_embedded_are_read(
    tmp_path: Path, encoding: str, codec: str
) -> None:
    path = cjk_page(tmp_path / "a.pdf", encoding, SEAL_HERE.encode(codec))
    (hit,) = _hits(path)
    assert hit.x_mm == pytest.approx(100 * MM, abs=0.2)
    assert hit.w_mm == pytest.approx(80 * MM, rel=0.02)
    _hold_the_ink(path, hit)


def test_vertical_writing_is_read_downwards(tmp_path: Path) -> None:
    path = cjk_page(tmp_path / "a.pdf", "UniGB-UCS2-V", SEAL_HERE.encode("utf-16-be"))
    (hit,) = _hits(path)
    assert hit.h_mm > 3 * hit.w_mm
    _hold_the_ink(path, hit)


@pytest.mark.parametrize("turn", [(1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0)])
def test_turned_text_is_found_where_it_stands(tmp_path: Path, turn: tuple[int, int, int, int]) -> None:
    path = boxes_page(tmp_path / "a.pdf", [Shown(SEAL_HERE, 200, 300, turn=turn)])
    (hit,) = _hits(path)
    assert (hit.w_mm > hit.h_mm) == (turn[0] != 0)
    _hold_the_ink(path, hit)


@pytest.mark.parametrize("turn", [(1, 0, 0, 1), (0, 1, -1, 0)])
def test_a_label_split_over_cells_of_one_row_is_one_hit(
    tmp_path: Path, turn: tuple[int, int, int, int]
) -> None:
    x, y = (60, 300) if turn[0] else (300, 60)
    # Drawn last word first, and far apart, as table cells are.
    texts = [
        Shown("（盖单位章）", x + 200 * turn[0], y + 200 * turn[1], size_pt=12, turn=turn),
        Shown("投标人：", x, y, size_pt=12, turn=turn),
    ]
    path = boxes_page(tmp_path / "a.pdf", texts)
    (hit,) = _hits(path, "投标人：（盖单位章）")
    _hold_the_ink(path, hit)
    assert max(hit.w_mm, hit.h_mm) == pytest.approx(272 * MM, abs=1)
    assert len(_hits(path, "投标人")) == len(_hits(path, "（盖单位章）")) == 1


def test_what_stands_on_different_rows_of_different_paragraphs_is_not_joined(tmp_path: Path) -> None:
    texts = [Shown("投标人", 60, 500), Shown("盖章", 200, 300)]
    assert _hits(boxes_page(tmp_path / "a.pdf", texts), "投标人盖章") == ()


def test_a_justified_line_with_wide_gaps_is_one_text(tmp_path: Path) -> None:
    path = boxes_page(tmp_path / "a.pdf", [Shown(SEAL_HERE, 40, 300, advance=4.0)])
    (hit,) = _hits(path)
    _hold_the_ink(path, hit)


def test_a_fill_in_line_within_the_keyword_does_not_matter(tmp_path: Path) -> None:
    path = boxes_page(tmp_path / "a.pdf", [Shown("投标人：____（盖章）", 40, 300)])
    (hit,) = _hits(path, "投标人:(盖章)")
    _hold_the_ink(path, hit)
    assert len(_hits(path, "/人.{1,8}盖章/")) == 1


def test_characters_one_below_the_other_are_one_hit(tmp_path: Path) -> None:
    texts = [Shown(char, 100, 400 - 24 * row) for row, char in enumerate("投标人")]
    path = boxes_page(tmp_path / "a.pdf", texts)
    (hit,) = _hits(path, "投标人")
    _hold_the_ink(path, hit)


@pytest.mark.parametrize(
    ("drawn", "keyword"),
    [
        (["⺠", "事"], "民事"),
        (["⼈", "⽒"], "人氏"),
        (["⻓", "⻋", "⼾"], "长车户"),
        (["（", "盖", "章", "）"], "【盖章】"),
        (["二", "○", "二"], "二〇二"),
        (["A", "—", "1"], "Ａ-１"),
        (["合", "\u00ad", "同", "\u200b"], "合同"),
        (["签", "\ufe00", "字"], "签字"),
        (["of", "ﬁ", "ce"], "office"),
    ],
)
def test_other_code_points_of_the_same_character_count_as_it(
    tmp_path: Path, drawn: list[str], keyword: str
) -> None:
    path = boxes_page(tmp_path / "a.pdf", [Shown(drawn, 100, 300)])
    (hit,) = _hits(path, keyword)
    assert hit.h_mm > 4


def test_traditional_characters_are_the_same_by_choice_only(tmp_path: Path) -> None:
    path = boxes_page(tmp_path / "a.pdf", [Shown("投標人蓋單位章簽署", 100, 300)])
    assert _hits(path, "盖单位章签署") == ()
    assert len(_hits(path, Keyword("盖单位章签署", simplified=True))) == 1
    assert len(_hits(path, Keyword("/[盖蓋]单位章簽/", simplified=True))) == 1
    assert len(_hits(path, "蓋單位章")) == 1


def test_an_invisible_text_layer_of_a_scanner_is_searched(tmp_path: Path) -> None:
    path = boxes_page(tmp_path / "a.pdf", [Shown(SEAL_HERE, 100, 300, mode=3)])
    assert len(_hits(path)) == 1


def test_text_under_a_white_box_is_found(tmp_path: Path) -> None:
    path = boxes_page(tmp_path / "a.pdf", [Shown(SEAL_HERE, 100, 300)], after=b"1 g 90 290 200 40 re f")
    assert len(_hits(path)) == 1


def test_text_in_a_form_xobject_is_found_where_it_is_drawn(tmp_path: Path) -> None:
    source = boxes_page(tmp_path / "s.pdf", [Shown(SEAL_HERE, 100, 300)])
    path = tmp_path / "a.pdf"
    with pikepdf.open(source) as pdf:
        page = pdf.pages[0]
        form = pdf.make_stream(page.Contents.read_bytes())
        form.Type, form.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
        form.BBox, form.Resources = page.MediaBox, page.Resources
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Fm=form))
        page.Contents = pdf.make_stream(b"q .5 0 0 .5 50 60 cm /Fm Do Q")
        pdf.save(path)
    (hit,) = _hits(path)
    _hold_the_ink(path, hit)


def test_what_a_glyph_is_said_to_be_counts(tmp_path: Path) -> None:
    span = b"/Span <</ActualText <FEFF76D67AE0>>> BDC"
    path = boxes_page(tmp_path / "a.pdf", [Shown("XY", 100, 300)], before=span, after=b"EMC")
    assert len(_hits(path, "盖章")) == 1


def test_text_outside_of_the_visible_box_is_no_hit(tmp_path: Path) -> None:
    source = boxes_page(tmp_path / "s.pdf", [Shown(SEAL_HERE, 100, 500), Shown(SEAL_HERE, 100, 100)])
    path = tmp_path / "a.pdf"
    with pikepdf.open(source) as pdf:
        pdf.pages[0].CropBox = pikepdf.Array([0, 0, 400, 300])
        pdf.save(path)
    (hit,) = _hits(path)
    assert hit.centre_mm[1] == pytest.approx(190 * MM, abs=1)


def test_layers_that_are_off_are_not_searched(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    off = document.add_ocg("草稿", on=False)
    page.insert_text((72, 100), "草稿盖章", fontname="china-s", oc=off)
    page.insert_text((72, 200), "正稿盖章", fontname="china-s")
    document.save(tmp_path / "a.pdf")
    (hit,) = _hits(tmp_path / "a.pdf", "盖章")
    assert hit.centre_mm[1] > 150 * MM


def test_form_values_and_notes_are_searched_unless_the_rule_says_not(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.add_freetext_annot(pymupdf.Rect(72, 72, 300, 120), "Sign here", fontsize=14)
    document.save(tmp_path / "a.pdf")
    assert len(_hits(tmp_path / "a.pdf", "Sign here")) == 1
    assert _hits(tmp_path / "a.pdf", "Sign here", annotations=False) == ()


@pytest.mark.parametrize("says", [None, "\ue123\ue124\ue125\ue126"])
def test_a_page_whose_glyphs_are_no_known_characters_is_named(tmp_path: Path, says: str | None) -> None:
    path = boxes_page(tmp_path / "a.pdf", [Shown(says, 100, 300, glyphs=4)])
    search = search_text(path, [SEAL_HERE], [0])
    assert search.pages_unmapped == search.pages_unread == (0,)
    assert search.pages_without_text == ()


def test_a_few_unmapped_bullets_do_not_make_a_page_unreadable(tmp_path: Path) -> None:
    texts = [Shown("\uf0b7", 40, 300 - 30 * row) for row in range(4)] + [Shown("正文" * 12, 60, 300, 10.0)]
    search = search_text(boxes_page(tmp_path / "a.pdf", texts), ["正文"], [0])
    assert search.pages_unread == ()
    assert len(search.hits[0]) == 12


@pytest.mark.parametrize("unit", [1.0, 2.5])
def test_the_size_of_a_user_space_unit_counts(tmp_path: Path, unit: float) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [pdfs.PageKind(user_unit=unit)])
    (hit,) = _hits(path, "plain")
    assert hit.x_mm == pytest.approx(60 * MM * unit, abs=0.3)
    assert hit.y_mm + hit.h_mm == pytest.approx((841.89 - 60) * MM * unit, abs=2 * unit)
