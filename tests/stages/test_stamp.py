"""Marks are drawn where they were planned, at their true size, upright, and nothing else changes."""

import dataclasses
import itertools
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pikepdf
import pymupdf
import pytest

from stages.documents import DocMDP, Mark, PlannedDocument, SealFace
from stages.errors import InputRefused, PlacementRefused, PlanRefused
from stages.inspect import inspect
from stages.plan import plan
from stages.plan_rules import PlanRules, parse_plan
from stages.stamp import stamp
from tests.simulators import pdfs, renderings
from tests.simulators.pdfs import PageKind, source_file

DPI = 254
"""Renderers move an image's edges to whole dots: at 254 dpi that is 0.1 mm."""
BOXES = (
    PageKind(crop=(50, 80, 500, 700)),
    PageKind(content=b"q 2 0 0 2 50 50 cm q 0 1 -1 0 9 9 cm BT /F1 9 Tf (a Q \\) Q) Tj ET"),
    PageKind(content=b"3 0 0 3 70 70 cm Q Q 0.5 0 0 0.5 9 9 cm"),
)


@pytest.fixture
def face(tmp_path: Path) -> SealFace:
    return pdfs.seal_face(tmp_path, w_mm=42, h_mm=30)


def rules(*lines: str, extra: str = "") -> PlanRules:
    return parse_plan(
        ("version: 1\n" + extra + "\nrules:\n" + "\n".join(f"  - {line}" for line in lines)).encode()
    )


def as_is(path: Path) -> pikepdf.Pdf:
    return pikepdf.open(path, inherit_page_attributes=False)


def planned_and_stamped(
    path: Path, plan_rules: PlanRules, face: SealFace, out: Path
) -> tuple[PlannedDocument, Path]:
    source = source_file(path)
    planned = plan(source, inspect(source), plan_rules, {face.name: face})
    return planned, stamp(source, planned, {face.name: face}, out).path


@pytest.fixture
def matrix(tmp_path: Path, face: SealFace) -> tuple[PlannedDocument, Path]:
    """Pages whose content leaves its state open, in every turn; tests of the page matrix have the boxes."""
    kinds = [
        dataclasses.replace(kind, rotate=rotate)
        for kind, rotate in itertools.product(BOXES, (0, 90, 180, 270))
    ]
    path = pdfs.build(tmp_path / "matrix.pdf", kinds)
    places = [
        f'{{seal: 公章, pages: "{number}", x_mm: {40 + number}, y_mm: {60 + number % 7}}}'
        for number in range(1, len(kinds) + 1)
    ]
    return planned_and_stamped(path, rules(*places), face, tmp_path / "stamped.pdf")


def check_marks(planned: PlannedDocument, images: Iterable[renderings.Rgb], face: SealFace) -> None:
    assert len(planned.marks) == len(planned.inspected.pages)
    for mark, image in zip(planned.marks, images, strict=True):
        geometry = planned.inspected.pages[mark.page_index]
        measured = renderings.ink_box_mm(image, geometry)
        wanted = (mark.x_mm, mark.y_mm, mark.w_mm, mark.h_mm)
        # Poppler does not know UserUnit and gives such a page fewer dots: 0.2 mm is two dots of the others.
        tolerance = 0.2 * max(1.0, geometry.width_mm / image.shape[1] / 0.0999)
        assert measured == pytest.approx(wanted, abs=tolerance), f"page {mark.page_index + 1}: {geometry}"
        mask = renderings.ink(image)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        # A UserUnit that Poppler does not know leaves half the pixels: a stroke's edges weigh more.
        assert renderings.likeness(cut, face) > (0.95 if geometry.user_unit == 1 else 0.9)


def test_marks_are_where_they_were_planned_whatever_the_content_leaves_behind_in_mupdf(
    matrix: tuple[PlannedDocument, Path], face: SealFace
) -> None:
    planned, stamped = matrix
    check_marks(planned, renderings.by_mupdf(stamped, DPI), face)


@pytest.mark.needs_poppler
def test_marks_are_where_they_were_planned_whatever_the_content_leaves_behind_in_poppler(
    matrix: tuple[PlannedDocument, Path], face: SealFace, tmp_path: Path
) -> None:
    planned, stamped = matrix
    check_marks(planned, renderings.by_poppler(stamped, DPI, tmp_path / "pages"), face)


@pytest.mark.needs_qpdf
@pytest.mark.parametrize("object_streams", [False, True])
def test_qpdf_finds_nothing_wrong_and_the_original_is_a_prefix(
    tmp_path: Path, face: SealFace, object_streams: bool
) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 3, object_streams=object_streams)
    _, out = planned_and_stamped(path, rules("{seal: 公章, paging: right}"), face, tmp_path / "o.pdf")
    assert out.read_bytes().startswith(path.read_bytes())
    subprocess.run(["qpdf", "--check", out], check=True, capture_output=True)


@pytest.mark.needs_qpdf
def test_a_hybrid_file_is_stamped_in_the_classic_form(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.hybrid(tmp_path / "hybrid.pdf")
    _, out = planned_and_stamped(
        path, rules("{seal: 公章, pages: all, x_mm: 100, y_mm: 100}"), face, tmp_path / "o.pdf"
    )
    subprocess.run(["qpdf", "--check", out], check=True, capture_output=True)
    with pymupdf.open(out) as document:
        assert "hybrid" in document[0].get_text()
    assert renderings.ink(next(renderings.by_mupdf(out, 50))).any()


@pytest.mark.parametrize("side", ["right", "left", "top", "bottom"])
@pytest.mark.parametrize("count", [2, 7, 25])
def test_strips_put_together_again_are_the_seal(
    tmp_path: Path, face: SealFace, side: str, count: int
) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(rotate=90 * (n % 2)) for n in range(count)])
    planned, out = planned_and_stamped(
        path, rules(f"{{seal: 公章, paging: {side}}}"), face, tmp_path / "o.pdf"
    )
    upright = side in ("left", "right")
    across_mm = (42 if upright else 30) / count
    pieces = []
    with pymupdf.open(out) as document:
        for mark in sorted(planned.marks, key=lambda mark: mark.strip.start if mark.strip else 0):
            page = planned.inspected.pages[mark.page_index]
            assert (mark.w_mm if upright else mark.h_mm) == pytest.approx(across_mm)
            edge = {
                "right": mark.x_mm + mark.w_mm - page.width_mm,
                "left": mark.x_mm,
                "bottom": mark.y_mm + mark.h_mm - page.height_mm,
                "top": mark.y_mm,
            }
            assert edge[side] == pytest.approx(0)
            box = (mark.x_mm, mark.y_mm, mark.w_mm, mark.h_mm)
            pieces.append(renderings.ink_within(document[mark.page_index], box))
    together = np.concatenate(pieces, axis=1 if upright else 0)
    assert renderings.likeness(together, face) >= 0.98


def test_one_image_serves_every_strip_and_mark(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 25)
    _, out = planned_and_stamped(
        path,
        rules("{seal: 公章, paging: right}", "{seal: 公章, pages: all, x_mm: 60, y_mm: 60}"),
        face,
        tmp_path / "o.pdf",
    )
    appended = out.read_bytes()[path.stat().st_size :]
    assert appended.count(b"/Subtype /Image") == 2  # the colour plane and its soft mask
    assert len(appended) < 40_000


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 3)
    plan_rules = rules("{seal: 公章, paging: right}")
    _, first = planned_and_stamped(path, plan_rules, face, tmp_path / "1.pdf")
    _, second = planned_and_stamped(path, plan_rules, face, tmp_path / "2.pdf")
    assert first.read_bytes() == second.read_bytes()


def test_black_text_stays_black_under_the_seal_and_can_be_selected(tmp_path: Path, face: SealFace) -> None:
    bar = PageKind(content=b"0 g 0 400 595 60 re f BT /F1 12 Tf 1 0 0 1 60 60 Tm (kept) Tj ET")
    path = pdfs.build(tmp_path / "a.pdf", [bar])
    y_mm = 297 - 430 / 72 * 25.4
    _, out = planned_and_stamped(
        path, rules(f"{{seal: 公章, pages: first, x_mm: 100, y_mm: {y_mm:.2f}}}"), face, tmp_path / "o.pdf"
    )
    image = next(renderings.by_mupdf(out, 72))
    assert renderings.ink(image).any()
    assert image[842 - 458 : 842 - 402, 100:500].max() < 40
    with pymupdf.open(out) as document:
        assert "kept" in document[0].get_text()


@pytest.mark.parametrize(
    "space",
    [b"/DeviceGray", b"[/CalGray << /WhitePoint [0.95 1 1.09] >>]", b"[/ICCBased 0 0 R]", b"/DeviceCMYK"],
)
def test_a_seal_keeps_its_colour_on_a_page_that_blends_in_grey(
    tmp_path: Path, face: SealFace, space: bytes
) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    with pikepdf.open(path, allow_overwriting_input=True, inherit_page_attributes=False) as pdf:
        colours = pikepdf.Object.parse(space.replace(b"0 0 R", b"null"))
        if isinstance(colours, pikepdf.Array) and colours[0] == pikepdf.Name.ICCBased:
            colours[1] = pdf.make_stream(b"", N=1, Alternate=pikepdf.Name.DeviceGray)
        pdf.pages[0].Group = pikepdf.Dictionary(S=pikepdf.Name.Transparency, CS=colours, K=True)
        pdf.save(path)
    before = next(renderings.by_mupdf(path, 72))
    planned, out = planned_and_stamped(
        path, rules("{seal: 公章, pages: all, x_mm: 100, y_mm: 100}"), face, tmp_path / "o.pdf"
    )
    after = next(renderings.by_mupdf(out, DPI))
    check_marks(planned, [after], face)
    below = next(renderings.by_mupdf(out, 72))
    assert np.array_equal(before[500:], below[500:])
    with as_is(out) as pdf:
        assert pdf.pages[0].Group.K is True


def test_a_page_that_shares_its_resources_keeps_them(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 2)
    before = list(renderings.by_mupdf(path, 72))
    _, out = planned_and_stamped(
        path, rules('{seal: 公章, pages: "1", x_mm: 100, y_mm: 100}'), face, tmp_path / "o.pdf"
    )
    after = list(renderings.by_mupdf(out, 72))
    assert np.array_equal(before[1], after[1])
    assert not np.array_equal(before[0], after[0])
    with as_is(path) as old, as_is(out) as new:
        shared = old.pages[1].Parent.Resources.objgen
        assert new.get_object(shared).unparse(resolved=True) == old.get_object(shared).unparse(resolved=True)


def test_a_name_that_the_page_uses_already_is_left_to_it(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(content=b"/GS0 gs 0 0 10 10 re f")])
    with pikepdf.open(path, allow_overwriting_input=True, inherit_page_attributes=False) as pdf:
        pdf.pages[0].Parent.Resources.ExtGState = pikepdf.Dictionary(GS0=pikepdf.Dictionary(ca=1))
        pdf.save(path)
    _, out = planned_and_stamped(
        path, rules("{seal: 公章, pages: all, x_mm: 100, y_mm: 100}"), face, tmp_path / "o.pdf"
    )
    with pikepdf.open(out) as pdf:
        states = pdf.pages[0].Resources.ExtGState
        assert "/BM" not in states.GS0
        assert pikepdf.Name.Multiply == states.GS1.BM


def test_somebody_elses_signature_leaves_the_only_mark_to_the_widget(tmp_path: Path, face: SealFace) -> None:
    plain = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 2)
    path = pdfs.with_signature_field(tmp_path / "signed.pdf", plain)
    source = source_file(path)
    planned = plan(
        source,
        inspect(source),
        rules("{seal: 公章, pages: first, x_mm: 100, y_mm: 100}"),
        {face.name: face},
    )
    stamped = stamp(source, planned, {face.name: face}, tmp_path / "o.pdf")
    assert stamped.widget_faces == (face,)
    assert stamped.widget_marks == planned.marks
    assert stamped.path.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "rule", ["{seal: 公章, pages: all, x_mm: 60, y_mm: 60}", "{seal: 公章, paging: right}"]
)
def test_more_than_one_mark_on_a_signed_file_is_refused(tmp_path: Path, face: SealFace, rule: str) -> None:
    plain = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 2)
    path = pdfs.with_signature_field(tmp_path / "signed.pdf", plain)
    with pytest.raises(PlacementRefused, match="already has 1 signatures") as caught:
        planned_and_stamped(path, rules(rule), face, tmp_path / "o.pdf")
    assert "签名" in caught.value.zh


def test_a_certification_that_allows_nothing_is_obeyed(tmp_path: Path, face: SealFace) -> None:
    plain = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    path = pdfs.with_signature_field(tmp_path / "signed.pdf", plain, level=1, perms=True)
    assert inspect(source_file(path)).signatures[0].docmdp is DocMDP.NO_CHANGES
    with pytest.raises(PlacementRefused, match="nothing may be added"):
        planned_and_stamped(
            path, rules("{seal: 公章, pages: first, x_mm: 60, y_mm: 60}"), face, tmp_path / "o.pdf"
        )


@pytest.mark.parametrize(
    ("method", "action", "refused"),
    [
        ("/DocMDP", None, "certified"),
        ("/FieldMDP", "/All", "locks the form"),
        ("/FieldMDP", "/Exclude", "locks the form"),
        ("/FieldMDP", "/Include", ""),
    ],
)
def test_what_a_visible_signature_would_break_is_refused_before_any_key_is_used(
    tmp_path: Path, face: SealFace, method: str, action: str | None, refused: str
) -> None:
    plain = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    signed = pdfs.with_signature_field(tmp_path / "signed.pdf", plain)
    parameters = (
        pikepdf.Dictionary(P=2) if action is None else pikepdf.Dictionary(Action=pikepdf.Name(action))
    )
    path = tmp_path / "locked.pdf"
    with pikepdf.open(signed) as pdf:
        value = pdf.Root.AcroForm.Fields[0].Kids[0].V
        value.Reference = [
            pikepdf.Dictionary(TransformMethod=pikepdf.Name(method), TransformParams=parameters)
        ]
        pdf.save(path)
    one = rules("{seal: 公章, pages: first, x_mm: 60, y_mm: 60}")
    if not refused:
        planned_and_stamped(path, one, face, tmp_path / "o.pdf")
        return
    with pytest.raises(PlacementRefused, match=refused) as caught:
        planned_and_stamped(path, one, face, tmp_path / "o.pdf")
    assert "作者" in caught.value.zh


def test_the_widget_lies_over_the_first_mark_that_is_no_strip(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 2)
    source = source_file(path)
    faces = {face.name: face}
    both = rules("{seal: 公章, paging: right}", "{seal: 公章, pages: last, x_mm: 60, y_mm: 60}")
    planned = plan(source, inspect(source), both, faces)
    assert stamp(source, planned, faces, tmp_path / "o.pdf").widget_mark == planned.marks[-1]
    only = plan(source, inspect(source), rules("{seal: 公章, paging: right}"), faces)
    assert stamp(source, only, faces, tmp_path / "o.pdf").widget_mark is None


def test_pages_that_are_one_object_take_the_same_marks_or_none(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.one_page_twice(tmp_path / "a.pdf")
    source = source_file(path)
    assert "page-shared" in {finding.code for finding in inspect(source).findings}
    with pytest.raises(PlacementRefused, match="one object"):
        planned_and_stamped(
            path, rules('{seal: 公章, pages: "1", x_mm: 60, y_mm: 60}'), face, tmp_path / "o.pdf"
        )
    _, out = planned_and_stamped(
        path, rules("{seal: 公章, pages: all, x_mm: 60, y_mm: 60}"), face, tmp_path / "o.pdf"
    )
    assert all(renderings.ink(image).any() for image in renderings.by_mupdf(out, 50))


def test_the_original_is_never_the_output(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    before = path.read_bytes()
    with pytest.raises(InputRefused, match="must stay as it is"):
        planned_and_stamped(path, rules("{seal: 公章, pages: all, x_mm: 60, y_mm: 60}"), face, path)
    assert path.read_bytes() == before


def test_another_file_than_the_planned_one_is_refused(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    source = source_file(path)
    faces = {face.name: face}
    planned = plan(source, inspect(source), rules("{seal: 公章, pages: all, x_mm: 60, y_mm: 60}"), faces)
    pdfs.build(path, [PageKind()] * 2)
    with pytest.raises(InputRefused, match="not the one the plan was made for"):
        stamp(source, planned, faces, tmp_path / "o.pdf")


def test_a_seal_nobody_made_is_refused(tmp_path: Path) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    source = source_file(path)
    planned = PlannedDocument(inspect(source), (Mark(0, "财务章", 0, 0, 10, 10, 0),))
    with pytest.raises(PlanRefused, match="no seal 财务章"):
        stamp(source, planned, {}, tmp_path / "o.pdf")


def test_a_seal_picture_that_was_changed_is_refused(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    changed = dataclasses.replace(face, image_sha256="0" * 64)
    with pytest.raises(InputRefused, match="has been changed"):
        planned_and_stamped(
            path, rules("{seal: 公章, pages: all, x_mm: 60, y_mm: 60}"), changed, tmp_path / "o.pdf"
        )
    outside = dataclasses.replace(face, ink_box_mm=(60.0, 0.0, 20.0, 20.0))
    with pytest.raises(InputRefused, match="does not lie on the canvas"):
        planned_and_stamped(
            path, rules("{seal: 公章, pages: all, x_mm: 60, y_mm: 60}"), outside, tmp_path / "o.pdf"
        )
