"""Which pages, which places on a page, and several seals side by side."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.documents import PageGeometry, SealFace
from stages.errors import NothingToMark, PlacementRefused, PlanRefused
from stages.page_selection import select_pages
from stages.pdf.text import LayerOnly, TextSearch
from stages.plan_draft import Draft
from stages.plan_rules import PositionRule
from tests.simulators import pdfs
from tests.simulators.pdfs import PageKind
from tests.stages.plans import centre, planned


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    line, again = (300.0, 400.0, "（盖单位章）"), (300.0, 600.0, "（盖单位章）")
    return pdfs.text_pages(
        tmp_path / "letters.pdf", [[line, again], [(50, 50, "目录")], [line], [line, again]]
    )


@pytest.mark.parametrize(
    ("selection", "skipped", "pages"),
    [
        ("all", 2, [2, 3, 4]),
        ("odd", 1, [2, 4]),
        ("even", 2, [3]),
        ("first", 1, []),
        ("2-3,-1", 2, [2, 4]),
        ("all", 9, []),
    ],
)
def test_pages_at_the_beginning_are_skipped_whatever_is_selected(
    selection: str, skipped: int, pages: list[int]
) -> None:
    assert list(select_pages(selection, 5, skip_first=skipped)) == pages


def test_every_kind_of_rule_can_skip_pages(letters: Path, faces: dict[str, SealFace]) -> None:
    result = planned(
        letters,
        faces,
        "{seal: 公章, keyword: 盖单位章, skip_first: 1}",
        "{seal: 公章, pages: odd, skip_first: 1, x_mm: 50, y_mm: 50}",
        "{seal: 公章, paging: right, skip_first: 1}",
    )
    assert [mark.page_index for mark in result.marks] == [2, 3, 3, 2, 1, 2, 3]
    with pytest.raises(NothingToMark, match="none of first after the first 1"):
        planned(letters, faces, "{seal: 公章, pages: first, skip_first: 1, x_mm: 9, y_mm: 9, files: l*}")


@pytest.mark.parametrize(
    ("occurrence", "pages"),
    [("first", [0, 2, 3]), ("last", [0, 2, 3]), ("2", [0, 3]), ("all", [0, 0, 2, 3, 3])],
)
def test_occurrences_can_be_counted_on_each_page(
    letters: Path, faces: dict[str, SealFace], occurrence: str, pages: list[int]
) -> None:
    rule = f"{{seal: 公章, keyword: 盖单位章, occurrence: {occurrence}, per: page}}"
    result = planned(letters, faces, rule)
    assert [mark.page_index for mark in result.marks] == pages
    upper = [centre(mark)[1] < 180 for mark in result.marks if mark.page_index == 0]
    assert upper == {"first": [True], "last": [False], "2": [False], "all": [True, False]}[occurrence]


def test_a_count_that_no_page_reaches_is_refused(letters: Path, faces: dict[str, SealFace]) -> None:
    with pytest.raises(NothingToMark, match="stands 5 times in all, not 3"):
        planned(letters, faces, "{seal: 公章, keyword: 盖单位章, occurrence: 3, per: page, files: l*}")


def test_a_place_may_be_given_from_the_middle_of_the_page(tmp_path: Path, faces: dict[str, SealFace]) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(), PageKind(rotate=90)])
    result = planned(path, faces, "{seal: 公章, pages: all, from: center, x_mm: -10, y_mm: 20}")
    assert centre(result.marks[0]) == pytest.approx((95, 168.5), abs=0.01)
    assert centre(result.marks[1]) == pytest.approx((138.5, 125), abs=0.01)


def test_seals_stand_side_by_side_with_their_middle_at_the_place(
    tmp_path: Path, faces: dict[str, SealFace]
) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    rule = "{seals: [公章, 法人章], pages: 1, x_mm: 100, y_mm: 100"
    company, person = planned(path, faces, rule + ", gap_mm: 3}").marks
    assert (company.seal, person.seal) == ("公章", "法人章")
    assert person.x_mm - (company.x_mm + company.w_mm) == pytest.approx(3)
    assert (company.x_mm + person.x_mm + person.w_mm) / 2 == pytest.approx(100)
    assert centre(company)[1] == centre(person)[1] == pytest.approx(100)
    upper, lower = planned(path, faces, rule + ", row: vertical}").marks
    assert lower.y_mm - (upper.y_mm + upper.h_mm) == pytest.approx(2)
    assert centre(upper)[0] == centre(lower)[0] == pytest.approx(100)


def test_a_row_at_the_edge_is_moved_inside_as_one(letters: Path, faces: dict[str, SealFace]) -> None:
    result = planned(letters, faces, "{seals: [公章, 法人章], pages: 1, x_mm: 200, y_mm: 100}")
    company, person = result.marks
    assert person.x_mm + person.w_mm == pytest.approx(210, abs=0.01)
    assert person.x_mm - (company.x_mm + company.w_mm) == pytest.approx(2)
    assert "公章、法人章 moved 22.0 mm" in result.warnings[0]


def test_a_page_smaller_than_the_row_is_refused(tmp_path: Path, faces: dict[str, SealFace]) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(media=(0, 0, 170, 170))])
    with pytest.raises(PlacementRefused, match=r"too small for 公章、法人章 \(64\.0 × 42\.0 mm\)"):
        planned(path, faces, "{seals: [公章, 法人章], pages: 1, x_mm: 20, y_mm: 20}")


@given(
    st.lists(st.floats(5, 45), min_size=1, max_size=4),
    st.floats(-50, 400),
    st.floats(-50, 400),
    st.floats(0, 10),
    st.sampled_from(["horizontal", "vertical"]),
)
def test_a_row_is_always_whole_and_on_its_page(
    widths: list[float], x: float, y: float, gap: float, row: str
) -> None:
    faces = {str(n): SealFace(str(n), Path(), "", (0, 0, w, w / 2)) for n, w in enumerate(widths)}
    page = PageGeometry((0, 0, 595, 842), 0, 1.0, 210, 297)
    rule = PositionRule.model_validate(
        {"seals": tuple(faces), "gap_mm": gap, "row": row, "pages": "all", "x_mm": 1, "y_mm": 1}
    )
    marks = Draft("a", (page,), faces).marks(0, rule, 0, (x, y))
    assert [mark.seal for mark in marks] == [*faces]
    for mark in marks:
        assert mark.x_mm >= -1e-9
        assert mark.y_mm >= -1e-9
        assert mark.x_mm + mark.w_mm <= 210 + 1e-9
        assert mark.y_mm + mark.h_mm <= 297 + 1e-9
    for one, other in pairwise(marks):
        space = other.x_mm - one.x_mm - one.w_mm if row == "horizontal" else other.y_mm - one.y_mm - one.h_mm
        assert space == pytest.approx(gap, abs=1e-6)


def test_an_expression_that_takes_too_long_is_refused_by_file_and_rule(
    letters: Path, faces: dict[str, SealFace]
) -> None:
    class UnsafeSlow(LayerOnly):
        def search(self, *_: object, **__: object) -> TextSearch:
            raise PlanRefused("keyword /(a+)+b/ takes longer than 5 s", zh="关键字 /(a+)+b/ 匹配超时")

    rules = ("{seal: 公章, keyword: 盖章}", "{seal: 公章, keyword: [/(a+)+b/, c]}")
    with pytest.raises(PlanRefused, match=r"^letters\.pdf: rules\[1\]\.keyword: keyword /\(a") as caught:
        planned(letters, faces, *rules, texts=UnsafeSlow())
    assert caught.value.zh.startswith("letters.pdf：rules[1].keyword：关键字")
