"""A plan puts seals where its rules say, at their true size, or says why it cannot."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.documents import SealFace
from stages.errors import InputRefused, PlacementRefused, PlanRefused
from stages.inspect import inspect
from stages.page_selection import page_list, select_pages
from stages.paging import groups_of_pages
from stages.plan import plan, rule_hits
from stages.plan_fit import check_rules_used
from stages.plan_rules import parse_plan
from tests.simulators import pdfs
from tests.simulators.pdfs import PageKind, source_file
from tests.stages.plans import centre, planned


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    line = (300.0, 400.0, "（盖单位章）")
    return pdfs.text_pages(tmp_path / "letters.pdf", [[line], [], [line, (300, 600, "（盖单位章）")]])


def test_a_keyword_gets_the_seal_at_its_true_size(letters: Path, faces: dict[str, SealFace]) -> None:
    result = planned(letters, faces, "{seal: 公章, keyword: （盖单位章）}")
    assert [mark.page_index for mark in result.marks] == [0, 2, 2]
    assert all((mark.w_mm, mark.h_mm) == (42, 42) for mark in result.marks)
    assert centre(result.marks[0]) == pytest.approx(((300 + 36) * 25.4 / 72, 398 * 25.4 / 72), abs=2.5)
    assert result.warnings == (
        "第 2 页没有文字层或文字无法识别，未在其中查找关键字 / "
        "pages 2 have no text layer that can be read, keyword not searched there",
    )


@pytest.mark.parametrize(
    ("occurrence", "pages"), [("first", [0]), ("last", [2]), ("2", [2]), ("3", [2]), ("all", [0, 2, 2])]
)
def test_occurrences_are_counted_over_the_file(
    letters: Path, faces: dict[str, SealFace], occurrence: str, pages: list[int]
) -> None:
    result = planned(letters, faces, f"{{seal: 公章, keyword: 盖单位章, occurrence: {occurrence}}}")
    assert [mark.page_index for mark in result.marks] == pages
    assert (
        result.marks[-1]
        == planned(letters, faces, "{seal: 公章, keyword: 盖单位章}").marks[
            {"first": 0, "2": 1}.get(occurrence, 2)
        ]
    )


def test_anchor_and_offset_move_the_centre(letters: Path, faces: dict[str, SealFace]) -> None:
    def at(more: str) -> tuple[float, float]:
        rule = f"{{seal: 公章, keyword: 盖单位章, occurrence: first, {more}}}"
        return centre(planned(letters, faces, rule).marks[0])

    x, y = at("anchor: center")
    assert at("offset_mm: [5, -3]") == pytest.approx((x + 5, y - 3))
    assert at("anchor: left")[0] < x < at("anchor: right")[0]
    assert at("anchor: left")[1] == at("anchor: right")[1] == y
    assert at("anchor: top")[1] < y < at("anchor: bottom")[1]


@pytest.mark.parametrize(
    ("corner", "expected"),
    [
        ("top_left", (50, 70)),
        ("top_right", (160, 70)),
        ("bottom_left", (50, 227)),
        ("bottom_right", (160, 227)),
    ],
)
def test_positions_are_measured_from_a_corner(
    tmp_path: Path, faces: dict[str, SealFace], corner: str, expected: tuple[float, float]
) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    result = planned(path, faces, f"{{seal: 法人章, pages: 1, x_mm: 50, y_mm: 70, from: {corner}}}")
    assert centre(result.marks[0]) == pytest.approx(expected, abs=0.01)
    assert (result.marks[0].w_mm, result.marks[0].h_mm) == (20, 18)


def test_a_seal_at_the_edge_is_moved_inside_with_a_warning(
    tmp_path: Path, faces: dict[str, SealFace]
) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    result = planned(path, faces, "{seal: 公章, pages: 1, x_mm: 5, y_mm: 296}")
    (mark,) = result.marks
    assert (mark.x_mm, mark.y_mm) == pytest.approx((0, 297 - 42), abs=0.01)
    assert result.warnings[0].startswith(
        "第 1 页：公章 移动了 20.0 毫米以免超出页面 / page 1: 公章 moved 20.0 mm"
    )


@pytest.mark.parametrize("rule", ["pages: all, x_mm: 10, y_mm: 10", "paging: right"])
def test_a_page_smaller_than_the_seal_is_refused(
    tmp_path: Path, faces: dict[str, SealFace], rule: str
) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(), PageKind(media=(0, 0, 100, 100))])
    with pytest.raises(PlacementRefused, match=r"page 2 is 35\.3 × 35\.3 mm") as caught:
        planned(path, faces, f"{{seal: 公章, {rule}}}")
    assert "第 2 页" in caught.value.zh


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
@pytest.mark.parametrize("count", [2, 7, 25])
def test_strips_share_the_seal_equally_on_the_edge(
    tmp_path: Path, faces: dict[str, SealFace], side: str, count: int
) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()] * count)
    result = planned(path, faces, f"{{seal: 法人章, paging: {side}}}")
    assert [mark.page_index for mark in result.marks] == list(range(count))
    strips = [mark.strip for mark in result.marks if mark.strip]
    cuts = [n / count for n in range(count + 1)]
    assert sorted(strip.start for strip in strips) == pytest.approx(cuts[:-1])
    assert sorted(strip.end for strip in strips) == pytest.approx(cuts[1:])
    # Fanned out with page 1 on top, it shows the beginning at the right and bottom, the end elsewhere.
    assert (strips[0].start == 0) == (side in ("right", "bottom"))
    across, along = (20 / count, 18) if side in ("left", "right") else (18 / count, 20)
    for mark in result.marks:
        size = (mark.w_mm, mark.h_mm) if side in ("left", "right") else (mark.h_mm, mark.w_mm)
        assert size == pytest.approx((across, along))


def test_a_single_page_gets_no_paging_seal_silently(tmp_path: Path, faces: dict[str, SealFace]) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    result = planned(
        path, faces, "{seal: 公章, paging: right}", "{seal: 法人章, pages: 1, x_mm: 50, y_mm: 50}"
    )
    assert [mark.seal for mark in result.marks] == ["法人章"]
    assert result.warnings == ()


def test_paging_can_skip_repeat_and_move(tmp_path: Path, faces: dict[str, SealFace]) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 10)
    result = planned(path, faces, "{seal: 公章, paging: right, every: 4, skip_first: 1, position: 1}")
    assert [mark.page_index for mark in result.marks] == list(range(1, 10))
    assert [round(1 / (mark.strip.end - mark.strip.start)) for mark in result.marks if mark.strip] == [
        4
    ] * 4 + [5] * 5
    assert result.marks[0].y_mm == pytest.approx(297 - 42, abs=0.01)


def test_strips_too_thin_are_drawn_with_a_warning(tmp_path: Path, faces: dict[str, SealFace]) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 50)
    result = planned(path, faces, "{seal: 公章, paging: right}")
    assert len(result.marks) == 50
    assert result.warnings == (
        "骑缝章 公章：每页仅 0.84 毫米宽，可用 every 分段重复 / "
        "paging seal 公章: strips are only 0.84 mm wide (rules[0]); set `every` to repeat the seal",
    )


def test_a_keyword_missing_in_a_file_the_rule_names_is_refused(
    letters: Path, faces: dict[str, SealFace]
) -> None:
    with pytest.raises(
        PlacementRefused,
        match="keyword 合同专用 found nowhere, pages searched: 1, 3 \\(text layer\\), 2 \\(not readable\\)",
    ) as caught:
        planned(letters, faces, '{seal: 公章, keyword: 合同专用, files: "letters*"}')
    assert "合同专用" in caught.value.zh
    with pytest.raises(PlacementRefused, match="stands 3 times, not 4"):
        planned(letters, faces, '{seal: 公章, keyword: 盖单位章, occurrence: 4, files: "letters*"}')
    with pytest.raises(PlacementRefused, match="none of 9"):
        planned(letters, faces, '{seal: 公章, pages: "9", x_mm: 50, y_mm: 50, files: "letters*"}')


def test_a_file_without_any_mark_is_refused_unless_the_plan_allows_it(
    letters: Path, faces: dict[str, SealFace]
) -> None:
    with pytest.raises(PlacementRefused, match="no rule puts a seal on this file"):
        planned(letters, faces, "{seal: 公章, keyword: 合同专用}")
    with pytest.raises(PlacementRefused, match="no rule puts a seal on this file"):
        planned(letters, faces, '{seal: 公章, keyword: 盖单位章, files: "other.pdf"}')
    allowed = planned(letters, faces, "{seal: 公章, keyword: 合同专用}", extra="unmarked_files: allow")
    assert allowed.marks == ()


def test_files_are_chosen_by_pattern(letters: Path, faces: dict[str, SealFace]) -> None:
    both = (
        '{seal: 公章, pages: 1, x_mm: 50, y_mm: 50, files: ["商务/*.pdf", "x"]}',
        "{seal: 法人章, pages: 1, x_mm: 9, y_mm: 9}",
    )
    inside = planned(letters, faces, *both, name="商务/投标函.PDF")
    outside = planned(letters, faces, *both, name="技术/方案.pdf")
    assert [mark.rule for mark in inside.marks] == [0, 1]
    assert [mark.rule for mark in outside.marks] == [1]


def test_a_seal_nobody_knows_is_refused(letters: Path, faces: dict[str, SealFace]) -> None:
    with pytest.raises(
        PlanRefused, match=r"rules\[0\]\.seal: there is no seal 财务章; known seals: 公章、法人章"
    ):
        planned(letters, faces, "{seal: 财务章, keyword: 盖单位章}")


def test_marks_over_the_limit_are_refused(
    letters: Path, faces: dict[str, SealFace], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.plan.MAX_MARKS", 2)
    with pytest.raises(PlacementRefused, match="more than 2 marks"):
        planned(letters, faces, "{seal: 公章, keyword: 盖单位章}")


def test_text_that_cannot_be_read_is_refused_by_name(
    letters: Path, faces: dict[str, SealFace], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.pdf.text_layer.MAX_PAGE_CHARS", 1)
    with pytest.raises(InputRefused, match=r"^letters\.pdf: page 1 has more than 1"):
        planned(letters, faces, "{seal: 公章, keyword: 盖单位章}")


def test_rules_that_are_used_nowhere_in_the_package_are_refused(
    letters: Path, faces: dict[str, SealFace]
) -> None:
    rules = parse_plan(
        "version: 1\nunmarked_files: allow\nrules:\n"
        "  - {seal: 公章, keyword: 盖单位章}\n  - {seal: 公章, keyword: 合同专用}\n"
        "  - {seal: 公章, paging: right}\n".encode()
    )
    source = source_file(letters)
    hits = rule_hits(plan(source, inspect(source), rules, faces), rules)
    assert hits == (3, 0, 3)
    with pytest.raises(
        PlacementRefused, match=r"rules\[1\]: keyword 合同专用 found in none of 2 files"
    ) as caught:
        check_rules_used(rules, {("letters.pdf",): hits, ("b.pdf",): (0, 0, 0)})
    assert "合同专用" in caught.value.zh
    check_rules_used(rules, {("letters.pdf",): hits, ("b.pdf",): (0, 1, 0)})
    named = parse_plan('version: 1\nrules: [{seal: 公章, paging: right, files: "c*"}]'.encode())
    with pytest.raises(PlacementRefused, match=r"no file of the package matches c\*"):
        check_rules_used(named, {("letters.pdf",): (0,)})


@pytest.mark.parametrize(
    ("selection", "pages"),
    [
        ("all", [0, 1, 2, 3, 4]),
        ("odd", [0, 2, 4]),
        ("even", [1, 3]),
        ("first", [0]),
        ("last", [4]),
        ("1-3,5,-1", [0, 1, 2, 4]),
        ("-2--1", [3, 4]),
        ("4-99", [3, 4]),
        ("9,-9", []),
    ],
)
def test_page_selections(selection: str, pages: list[int]) -> None:
    assert list(select_pages(selection, 5)) == pages


@pytest.mark.parametrize("selection", ["", "some", "0", "1,", "1-2-3", "1.5", "1" * 3000])
def test_what_selects_no_pages_is_refused(selection: str) -> None:
    with pytest.raises(PlanRefused, match="selects no pages"):
        select_pages(selection, 5)


@given(st.integers(0, 300), st.integers(0, 40))
def test_groups_hold_every_page_once_and_none_is_alone(count: int, every: int) -> None:
    groups = groups_of_pages(range(count), every)
    assert [page for group in groups for page in group] == (list(range(count)) if count > 1 else [])
    assert all(len(group) > 1 for group in groups)


def test_page_numbers_for_people() -> None:
    assert page_list([0, 1, 2, 6, 8, 9]) == "1-3, 7, 9-10"


@pytest.mark.needs_shared
def test_a_model_tender_form_has_its_eighteen_places(shared: Path, faces: dict[str, SealFace]) -> None:
    path = shared / "bids" / "bt10_ndrc_std_design.pdf"
    result = planned(path, faces, "{seal: 公章, keyword: （盖单位章）}")
    assert len(result.marks) == 18
