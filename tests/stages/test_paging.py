"""A paging seal's strips make the seal again, are never blank, and lie where sheets show their edges."""

import dataclasses
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from stages.documents import Mark, PageGeometry, SealFace
from stages.errors import InputRefused, PlacementRefused, PlanRefused
from stages.inspect import inspect
from stages.paging import MIN_INK_ALONG_MM, PagedMarks, cuts_of, even_groups, paging_marks
from stages.pdf.ink_profile import ink_profile
from stages.plan import plan
from stages.plan_rules import PagingRule, parse_plan
from tests.simulators import pdfs
from tests.simulators.pdfs import PageKind, source_file

A4 = PageGeometry((0, 0, 595.28, 841.89), 0, 1.0, 210.0, 297.0)
A4_ACROSS = dataclasses.replace(A4, rotate=90, width_mm=297.0, height_mm=210.0)


@pytest.fixture
def face(tmp_path: Path) -> SealFace:
    return pdfs.seal_face(tmp_path)


@pytest.fixture
def name_seal(tmp_path: Path) -> SealFace:
    """Two characters without a frame, 20 mm wide, with 4 mm of nothing between them."""
    image = Image.new("RGBA", (1400, 1400), (*pdfs.INK, 0))
    draw = ImageDraw.Draw(image)
    draw.rectangle([500, 600, 659, 799], fill=(*pdfs.INK, 255))
    draw.rectangle([740, 600, 899, 799], fill=(*pdfs.INK, 255))
    path = tmp_path / "name.png"
    image.save(path)
    return SealFace("法人章", path, source_file(path).sha256, (25.0, 30.0, 20.0, 10.0))


def paged(face: SealFace, pages: int | list[PageGeometry], text: str = "paging: right") -> PagedMarks:
    geometries = [A4] * pages if isinstance(pages, int) else pages
    (rule,) = parse_plan(f"version: 1\nrules: [{{seal: {face.name}, {text}}}]".encode()).rules
    assert isinstance(rule, PagingRule)
    return paging_marks(geometries, range(len(geometries)), rule, face, 0)


def widths(marks: tuple[Mark, ...]) -> list[float]:
    return [mark.w_mm for mark in marks]


def joined(marks: tuple[Mark, ...]) -> list[float]:
    """Return the cuts of strips that follow one another without gap or overlap."""
    strips = sorted((mark.strip for mark in marks if mark.strip), key=lambda strip: strip.start)
    assert all(first.end == second.start for first, second in pairwise(strips))
    return [strips[0].start, *(strip.end for strip in strips)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(count=st.integers(2, 900), first_last=st.floats(1, 10))
def test_strips_over_the_gaps_of_a_seal_all_have_their_share_of_what_is_inked(
    name_seal: SealFace, count: int, first_last: float
) -> None:
    profile = ink_profile(name_seal, across=True)
    cuts = cuts_of(count, first_last, profile)
    assert (cuts[0], cuts[-1]) == (0, 1)
    least = 1 / (count - 2 + 2 * first_last)
    for start, end in pairwise(cuts):
        assert end - start >= 0.8 * least - 1e-9  # 4 of the seal's 20 mm are a gap
        assert profile.along_mm(start, end) * (end - start) * 20 >= least * 16 * 0.5 - 1e-9


@given(count=st.integers(2, 2000), most=st.integers(2, 60))
def test_even_groups_hold_every_page_once_and_leave_none_alone(count: int, most: int) -> None:
    groups = even_groups(range(count), most)
    assert [page for group in groups for page in group] == list(range(count))
    sizes = {len(group) for group in groups}
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 2
    assert max(sizes) <= max(most, 3)
    assert even_groups([4], most) == []


@pytest.mark.parametrize("count", [2, 7, 25, 300, 800])
def test_no_strip_of_a_round_seal_is_blank(face: SealFace, count: int) -> None:
    profile = ink_profile(face, across=True)
    marks = paged(face, count).marks
    assert len(marks) == count
    assert all(
        profile.along_mm(mark.strip.start, mark.strip.end) >= MIN_INK_ALONG_MM for mark in marks if mark.strip
    )


def test_a_cut_that_would_leave_blank_strips_leaves_the_gaps_out_and_says_so(name_seal: SealFace) -> None:
    found = paged(name_seal, 12)
    profile = ink_profile(name_seal, across=True)
    assert profile.along_mm(0.45, 0.55) == pytest.approx(0, abs=1e-6)
    assert all(profile.along_mm(mark.strip.start, mark.strip.end) > 1 for mark in found.marks if mark.strip)
    assert joined(found.marks)[-1] == pytest.approx(1)
    (warning,) = found.warnings
    assert "等宽切分会有空白条" in warning
    assert "would be blank on some pages, so gaps in the seal are not counted (rules[0])" in warning


def test_first_and_last_strip_are_wider_by_choice(face: SealFace) -> None:
    found = paged(face, 7, "paging: right, first_last: 1.5")
    assert widths(found.marks) == pytest.approx([1.5 * 42 / 8, *[42 / 8] * 5, 1.5 * 42 / 8])
    assert sum(widths(found.marks)) == pytest.approx(42)
    assert widths(paged(face, 2, "paging: right, first_last: 3").marks) == pytest.approx([21, 21])


def test_fronts_only_are_cut_for_sheets_printed_on_both_sides(face: SealFace) -> None:
    marks = paged(face, 7, "paging: right, sheets: fronts").marks
    assert [mark.page_index for mark in marks] == [0, 2, 4, 6]
    assert widths(marks) == pytest.approx([10.5] * 4)


@pytest.mark.parametrize(
    ("side", "back", "fronts_begin", "backs_begin"),
    [
        ("right", "left", True, True),
        ("left", "right", False, False),
        ("top", "top", False, True),
        ("bottom", "bottom", True, False),
    ],
)
def test_backs_show_a_seal_of_their_own_when_the_fanned_sheets_are_turned_over(
    face: SealFace, side: str, back: str, fronts_begin: bool, backs_begin: bool
) -> None:
    marks = paged(face, 8, f"paging: {side}, sheets: both").marks
    assert [mark.page_index for mark in marks] == list(range(8))
    fronts = tuple(mark for mark in marks if mark.page_index % 2 == 0)
    backs = tuple(mark for mark in marks if mark.page_index % 2)
    for part, edge, begins in ((fronts, side, fronts_begin), (backs, back, backs_begin)):
        assert joined(part) == pytest.approx([0, 0.25, 0.5, 0.75, 1])
        assert {mark.strip.side for mark in part if mark.strip} == {edge}
        assert (part[0].strip.start == 0 if part[0].strip else None) is begins


def test_one_back_alone_gets_no_strip(face: SealFace) -> None:
    marks = paged(face, 3, "paging: right, sheets: both").marks
    assert [mark.page_index for mark in marks] == [0, 2]


def test_auto_repeats_the_seal_so_that_no_strip_is_narrower_than_asked(face: SealFace) -> None:
    found = paged(face, 300, "paging: right, every: auto, min_strip_mm: 1.2")
    assert found.warnings == ()
    assert min(widths(found.marks)) >= 1.2
    begins = [mark.page_index for mark in found.marks if mark.strip and mark.strip.start == 0]
    assert begins == [300 * n // 9 for n in range(9)]
    exactly = paged(face, 35, "paging: right, every: auto, min_strip_mm: 1.2")
    assert widths(exactly.marks) == pytest.approx([1.2] * 35)
    weighted = paged(face, 100, "paging: right, every: auto, first_last: 2")
    assert weighted.warnings == ()
    assert min(widths(weighted.marks)) >= 1


def test_narrow_strips_are_refused_by_choice(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 50)
    source = source_file(path)
    text = "version: 1\nrules: [{seal: 公章, paging: right, narrow: refuse}]"
    with pytest.raises(
        PlacementRefused, match=r"a\.pdf: rules\[0\]: .* 0\.84 mm wide, less than 1 mm; set `every`"
    ) as caught:
        plan(source, inspect(source), parse_plan(text.encode()), {face.name: face})
    assert "每页仅 0.84 毫米" in caught.value.zh


def test_strips_that_runs_cannot_make_wider_get_another_advice(face: SealFace) -> None:
    (warning,) = paged(face, 3, "paging: right, every: auto, min_strip_mm: 20").warnings
    assert "strips are only 14.00 mm wide (rules[0]); lower `min_strip_mm`" in warning


def test_a_place_in_mm_is_the_same_on_pages_of_all_sizes(face: SealFace) -> None:
    mixed = [A4, A4_ACROSS, A4]
    found = paged(face, mixed, "paging: right, position_mm: 100")
    assert [mark.y_mm for mark in found.marks] == pytest.approx([79] * 3)
    assert found.warnings == ()
    by_share = paged(face, mixed)
    assert [mark.y_mm for mark in by_share.marks] == pytest.approx([127.5, 84, 127.5])
    (warning,) = by_share.warnings
    assert "页面大小不一" in warning
    assert "pages differ by 87 mm" in warning
    assert paged(face, mixed, "paging: right, position_mm: 2000").marks[1].y_mm == pytest.approx(210 - 42)


@pytest.mark.parametrize(
    ("side", "at"), [("right", 210 - 21 - 4), ("left", 4), ("top", 4), ("bottom", 297 - 21 - 4)]
)
def test_room_is_left_for_printers_that_cannot_print_at_the_edge(
    face: SealFace, side: str, at: float
) -> None:
    mark, _ = paged(face, 2, f"paging: {side}, edge_mm: 4").marks
    assert (mark.x_mm if side in ("right", "left") else mark.y_mm) == pytest.approx(at)


def test_room_at_the_edge_that_a_page_does_not_have_is_refused(tmp_path: Path, face: SealFace) -> None:
    narrow = PageKind(media=(0, 0, 150, 500))
    path = pdfs.build(tmp_path / "a.pdf", [narrow, narrow])
    source = source_file(path)
    text = "version: 1\nrules: [{seal: 公章, paging: right, edge_mm: 40}]"
    with pytest.raises(PlacementRefused, match="too small for 公章"):
        plan(source, inspect(source), parse_plan(text.encode()), {face.name: face})


def test_two_places_along_the_edge_are_refused() -> None:
    text = "version: 1\nrules: [{seal: 公章, paging: right, position: 0.5, position_mm: 9}]"
    with pytest.raises(PlanRefused, match="give either position or position_mm"):
        parse_plan(text.encode())


def test_a_seal_whose_picture_was_changed_is_not_cut(face: SealFace) -> None:
    with pytest.raises(InputRefused, match="has been changed"):
        paged(dataclasses.replace(face, image_sha256="0" * 64), 3)


def test_a_landscape_sheet_longer_than_the_volume_is_high_is_folded_and_not_turned(face: SealFace) -> None:
    a3_across = dataclasses.replace(A4, width_mm=420.0, height_mm=297.0)
    found = paged(face, [A4, A4_ACROSS, a3_across], "paging: right, landscape: turned_left")
    assert [mark.angle_deg for mark in found.marks] == [0, 90, 0]
    assert [mark.strip.side for mark in found.marks if mark.strip] == ["right"] * 3
    assert found.warnings == ()  # all are as high as the volume, as they are bound
    only_across = paged(face, [A4_ACROSS, a3_across], "paging: right, landscape: turned_right")
    assert [mark.angle_deg for mark in only_across.marks] == [270, 270]


def test_a_turned_page_without_room_for_the_strip_is_refused(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(media=(0, 0, 110, 100))] * 2)
    source = source_file(path)
    text = "version: 1\nrules: [{seal: 公章, paging: right, landscape: turned_left}]"
    with pytest.raises(PlacementRefused, match=r"too small for 公章 \(42\.0 × 21\.0 mm\)"):
        plan(source, inspect(source), parse_plan(text.encode()), {face.name: face})
