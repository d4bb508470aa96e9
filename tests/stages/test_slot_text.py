"""Text set in a seal when it is stamped is drawn where its slot is, or refused with the reason."""

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pikepdf
import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.documents import PlannedDocument, SealFace, SlotAlign, TextSlot
from stages.errors import InputRefused, PlanRefused
from stages.inspect import inspect
from stages.pdf.slot_text import MAX_SLOTS, _operators, check_slots, check_text
from stages.plan import plan
from stages.plan_rules import parse_plan
from stages.stamp import stamp
from tests.simulators import pdfs, renderings
from tests.simulators.pdfs import PageKind, source_file

DPI = 254
DATE = TextSlot("日期", 20.0, 44.0, 30.0, 4.0, 20)
NUMBER = TextSlot("编号", 30.0, 50.0, 10.0, 3.0, 4, SlotAlign.LEFT)
RULE = "version: 1\nrules: [{seal: 公章, pages: all, x_mm: 80, y_mm: 90, text: {日期: 2026年3月1日}}]"


@pytest.fixture
def face(tmp_path: Path) -> SealFace:
    return replace(pdfs.seal_face(tmp_path), slots=(DATE, NUMBER))


def planned_by(path: Path, text: str, face: SealFace) -> PlannedDocument:
    source = source_file(path)
    return plan(source, inspect(source), parse_plan(text.encode()), {face.name: face})


def stamped(path: Path, text: str, face: SealFace, out: Path) -> tuple[PlannedDocument, Path]:
    planned = planned_by(path, text, face)
    return planned, stamp(source_file(path), planned, {face.name: face}, out).path


def box_of(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Return x0, y0, x1, y1 of a mask at DPI, in mm."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return columns[0] / 10, rows[0] / 10, (columns[-1] + 1) / 10, (rows[-1] + 1) / 10


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_the_text_stands_upright_in_its_slot_on_every_page(
    tmp_path: Path, face: SealFace, rotate: int
) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(rotate=rotate)])
    with_text, out = stamped(path, RULE, face, tmp_path / "o.pdf")
    _, plain = stamped(path, RULE.replace(", text: {日期: 2026年3月1日}", ""), face, tmp_path / "p.pdf")
    (mark,) = with_text.marks
    page, bare = (next(renderings.by_mupdf(file, DPI)).astype(int) for file in (out, plain))
    new = np.abs(page - bare).max(2) > 60
    x0, y0, x1, y1 = box_of(new)
    left, top = mark.x_mm + DATE.x_mm - 14, mark.y_mm + DATE.y_mm - 14
    assert left - 0.2 <= x0 < x1 <= left + DATE.w_mm + 0.2
    assert top - 0.2 <= y0 < y1 <= top + DATE.h_mm + 0.2
    assert (x0 + x1) / 2 == pytest.approx(left + DATE.w_mm / 2, abs=0.4)  # centred
    assert y1 - y0 > 0.7 * DATE.h_mm
    width_em = pymupdf.Font("cjk").text_length("2026年3月1日", 1)
    assert x1 - x0 == pytest.approx(width_em * DATE.h_mm, abs=1.2)  # bearings


def test_the_text_has_the_seal_s_colour_and_lets_print_through(tmp_path: Path, face: SealFace) -> None:
    bar = PageKind(content=b"0 g 0 552 595 6 re f")
    path = pdfs.build(tmp_path / "a.pdf", [bar])
    _, out = stamped(path, RULE, face, tmp_path / "o.pdf")
    page = next(renderings.by_mupdf(out, DPI))
    top = 842 - 558  # across the text
    assert page[int(top / 72 * DPI) + 2 : int((top + 6) / 72 * DPI) - 2, :2000].max() < 40
    assert renderings.ink(page).any()


@pytest.mark.needs_poppler
@pytest.mark.needs_qpdf
def test_outsiders_draw_it_too_and_find_nothing_wrong(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(rotate=90)])
    _, out = stamped(path, RULE, face, tmp_path / "o.pdf")
    subprocess.run(["qpdf", "--check", out], check=True, capture_output=True)
    ours, theirs = (
        renderings.ink(next(iter(pages)))
        for pages in (renderings.by_mupdf(out, DPI), renderings.by_poppler(out, DPI, tmp_path / "pages"))
    )
    theirs = theirs[: ours.shape[0], : ours.shape[1]]
    assert 2 * (ours & theirs).sum() / (ours.sum() + theirs.sum()) > 0.9


def test_no_font_is_put_into_the_file(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    _, out = stamped(path, RULE, face, tmp_path / "o.pdf")
    assert b"/FontFile" not in out.read_bytes()[path.stat().st_size :]


def test_two_texts_of_one_seal_on_one_page_are_both_drawn(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    two = RULE.replace("2026年3月1日}", '2026年3月1日, 编号: "017"}')
    _, out = stamped(path, two, face, tmp_path / "o.pdf")
    _, one = stamped(path, RULE, face, tmp_path / "p.pdf")
    pages = [next(renderings.by_mupdf(file, DPI)).astype(int) for file in (out, one)]
    x0, y0, x1, y1 = box_of(np.abs(pages[0] - pages[1]).max(2) > 60)
    assert x0 == pytest.approx(80 - 21 + NUMBER.x_mm - 14, abs=0.4)  # at the slot's left
    assert y0 > 90 - 21 + NUMBER.y_mm - 14 - 0.2
    assert x1 - x0 < NUMBER.w_mm
    assert y1 - y0 < NUMBER.h_mm


def test_a_text_too_wide_is_narrowed_to_its_slot(tmp_path: Path, face: SealFace) -> None:
    wide = RULE.replace("2026年3月1日", "二〇二六年三月一日收")  # 10 squares of 4 mm in 30 mm
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    _, out = stamped(path, wide, face, tmp_path / "o.pdf")
    _, bare = stamped(path, RULE.replace(", text: {日期: 2026年3月1日}", ""), face, tmp_path / "p.pdf")
    pages = [next(renderings.by_mupdf(file, DPI)).astype(int) for file in (out, bare)]
    x0, _, x1, _ = box_of(np.abs(pages[0] - pages[1]).max(2) > 60)
    assert 28 < x1 - x0 <= 30.2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{地址: 某处}", "no text slot 地址"),
        ('{编号: "12345"}', "5 characters, the slot takes 4"),
        ("{日期: 二〇二六年三月一日收文专用章贰}", "too wide"),
        ('{日期: "\\u0002"}', "cannot be drawn, U\\+0002"),
        ('{日期: "\\U0010FFFD"}', "cannot be drawn"),
    ],
)
def test_a_text_that_cannot_stand_there_is_refused_when_it_is_planned(
    tmp_path: Path, face: SealFace, text: str, says: str
) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    rule = f"version: 1\nrules: [{{seal: 公章, pages: all, x_mm: 80, y_mm: 90, text: {text}}}]"
    with pytest.raises(PlanRefused, match=says) as refused:
        planned_by(path, rule, face)
    assert "rules[0].text" in str(refused.value)
    assert refused.value.zh


def test_a_paging_seal_takes_no_text() -> None:
    with pytest.raises(PlanRefused, match="takes no text") as refused:
        parse_plan("version: 1\nrules: [{seal: 公章, paging: right, text: {日期: 今天}}]".encode())
    assert "rules[0].text" in str(refused.value)


@pytest.mark.parametrize("text", ["{日期: ''}", "日期", "[1]", "{日期: 1.5}"])
def test_texts_that_are_none_are_refused(text: str) -> None:
    rule = f"{{seal: 公章, pages: all, x_mm: 8, y_mm: 9, text: {text}}}"
    with pytest.raises(PlanRefused, match="rules"):
        parse_plan(f"version: 1\nrules: [{rule}]".encode())


def test_slots_left_empty_are_warned_of_except_in_strips(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(), PageKind()])
    (warning,) = planned_by(path, RULE, face).warnings
    assert "编号" in warning
    assert "日期" not in warning
    assert planned_by(path, "version: 1\nrules: [{seal: 公章, paging: right}]", face).warnings == ()


def test_a_mark_with_a_text_its_seal_lost_is_not_stamped(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    planned = planned_by(path, RULE, face)
    with pytest.raises(PlanRefused, match="no text slot"):
        stamp(source_file(path), planned, {face.name: replace(face, slots=())}, tmp_path / "o.pdf")


@pytest.mark.parametrize(
    ("slot", "says"),
    [
        (replace(DATE, name=""), "name"),
        (replace(DATE, name="日\n期"), "name"),
        (replace(DATE, h_mm=0.5), "1 mm"),
        (replace(DATE, h_mm=float("nan")), "canvas"),
        (replace(DATE, x_mm=60.0), "canvas"),
        (replace(DATE, y_mm=-1.0), "canvas"),
        (replace(DATE, max_chars=0), "1 to"),
        (replace(DATE, max_chars=1000), "1 to"),
    ],
)
def test_a_slot_that_makes_no_sense_is_refused(slot: TextSlot, says: str) -> None:
    with pytest.raises(InputRefused, match=says) as refused:
        check_slots((slot,))
    assert refused.value.zh


def test_two_slots_of_one_name_and_too_many_are_refused() -> None:
    for slots in ((DATE, DATE), tuple(replace(DATE, name=str(n)) for n in range(MAX_SLOTS + 1))):
        with pytest.raises(InputRefused, match="at most"):
            check_slots(slots)


def test_svg_paths_become_pdf_paths() -> None:
    assert _operators("M.5 0H.25V.1L.3.4C.1.2.3.4.5.6Z") == (
        b"0.5 0 m 0.25 0 l 0.25 0.1 l 0.3 0.4 l 0.1 0.2 0.3 0.4 0.5 0.6 c h"
    )


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x9FFF), min_size=1, max_size=6))
def test_any_text_is_drawn_or_refused(value: str) -> None:
    slot = replace(DATE, max_chars=6, w_mm=40)
    face = SealFace("章", Path("none"), "0" * 64, (14.0, 14.0, 42.0, 42.0), (slot,))
    try:
        check_text(face, (("日期", value),))
    except PlanRefused as refused:
        assert "cannot be drawn" in str(refused) or "too wide" in str(refused)  # noqa: PT017


def test_a_signed_file_shows_the_text_in_the_signature_s_own_seal(tmp_path: Path, face: SealFace) -> None:
    from stages.pdf.base import open_base
    from stages.pdf.geometry import page_geometry
    from stages.pdf.increment import Increment
    from stages.pdf.widget import place_widget

    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    (mark,) = planned_by(path, RULE, face).marks
    sizes = []
    for shown in (mark, replace(mark, text=())):
        with open_base(path, name="a.pdf") as base:
            increment = Increment(base)
            entries = place_widget(increment, page_geometry(base.pdf.pages[0].obj), None, [shown], [face])
            assert b"/AP" in entries
            sizes.append(len(increment.render().data))
    assert sizes[0] > sizes[1] + 500


def test_the_file_still_opens_after_many_texts(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 30)
    _, out = stamped(path, RULE, face, tmp_path / "o.pdf")
    with pikepdf.open(out) as pdf:
        assert len(pdf.pages) == 30
