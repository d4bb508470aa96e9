"""Three renderers show each seal where the plan has it, to 0.2 mm, upright, on every kind of page."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from stages.authorities import Signer
from stages.documents import PlannedDocument, SealFace, SignatureRequest
from stages.inspect import inspect
from stages.plan import plan
from stages.plan_rules import parse_plan
from stages.sign import sign
from stages.stamp import stamp
from tests.simulators import page_matrix, pdfs, views
from tests.simulators.pdfs import source_file

DPI = 300
"""Renderers draw an image over all dots it touches: at 300 dpi that is up to 0.085 mm an edge."""
TOLERANCE_MM = 0.2
Matrix = tuple[list[page_matrix.Case], PlannedDocument, Path]


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> SealFace:
    return page_matrix.frame_face(tmp_path_factory.mktemp("seal"))


@pytest.fixture(scope="module")
def matrices(tmp_path_factory: pytest.TempPathFactory, face: SealFace) -> dict[str, Matrix]:
    made = {}
    for size in ("A4", "A0"):
        cases = page_matrix.turned_cases(size)
        made[size] = (
            list(cases),
            *page_matrix.stamped(tmp_path_factory.mktemp(size), list(cases.values()), face),
        )
    return made


@pytest.mark.parametrize(
    ("size", "engine"),
    [
        ("A4", "mupdf"),
        ("A4", "pdfium"),
        pytest.param("A4", "poppler", marks=pytest.mark.needs_poppler),
        ("A0", "mupdf"),
        ("A0", "pdfium"),
    ],
)
def test_a_seal_is_seen_where_it_was_planned_on_every_kind_of_page(
    matrices: dict[str, Matrix], face: SealFace, size: str, engine: str
) -> None:
    cases, planned, path = matrices[size]
    with views.ENGINES[engine](path) as renderer:
        for index, (name, rotate) in enumerate(cases):
            if engine == "poppler" and name in page_matrix.NOT_IN_POPPLER:
                continue
            if size == "A0" and rotate >= 180:
                continue  # benchmarks/stamping/matrix.py has them all
            seen = page_matrix.look(renderer, planned, index, face, DPI)
            assert seen.off_mm <= TOLERANCE_MM, (name, rotate, seen)
            assert seen.upright > 0.96, (name, rotate, seen)
            assert seen.otherwise < 0.85, (name, rotate, seen)


@pytest.mark.parametrize("engine", ["mupdf", "pdfium"])
def test_a_keyword_is_found_where_it_is_seen_on_every_kind_of_page(
    tmp_path: Path, face: SealFace, engine: str
) -> None:
    cases = page_matrix.turned_cases("A4")
    path = page_matrix.build(tmp_path / "a.pdf", list(cases.values()), text=b"SEALHERE")
    source = source_file(path)
    rules = parse_plan("version: 1\nrules: [{seal: 框章, keyword: SEALHERE}]".encode())
    planned = plan(source, inspect(source), rules, {face.name: face})
    assert [mark.page_index for mark in planned.marks] == list(range(len(cases)))
    with views.ENGINES[engine](path) as renderer:
        for mark, case in zip(planned.marks, cases, strict=True):
            page = planned.inspected.pages[mark.page_index]
            centre = (mark.x_mm + mark.w_mm / 2, mark.y_mm + mark.h_mm / 2)
            view = renderer.view(mark.page_index, page, (0, 0, page.width_mm, page.height_mm), 72)
            x, y, w, h = view.blue_box_mm
            assert centre == pytest.approx((x + w / 2, y + h / 2), abs=0.7), case


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("name", ["offset boxes", "user unit", "reversed corners"])
def test_a_seal_that_the_signature_itself_shows_is_seen_where_it_was_planned(
    tmp_path: Path, face: SealFace, tryout_signer: Signer, name: str, rotate: int
) -> None:
    kind = page_matrix.turned_cases("A4")[(name, rotate)]
    plain = page_matrix.build(tmp_path / "a.pdf", [kind])
    source = source_file(pdfs.with_signature_field(tmp_path / "signed.pdf", plain))
    rules = parse_plan("version: 1\nrules: [{seal: 框章, pages: 1, x_mm: 77.7, y_mm: 88.8}]".encode())
    planned = plan(source, inspect(source), rules, {face.name: face})
    stamped = stamp(source, planned, {face.name: face}, tmp_path / "out.pdf")
    assert stamped.widget_marks
    signed = sign(stamped, tryout_signer, SignatureRequest("S", datetime(2026, 3, 2, tzinfo=UTC)))
    for engine in ("mupdf", "pdfium"):
        with views.ENGINES[engine](signed.path) as renderer:
            seen = page_matrix.look(renderer, planned, 0, face, DPI)
        assert seen.off_mm <= TOLERANCE_MM, (engine, seen)
        assert seen.upright > 0.96, (engine, seen)
        assert seen.otherwise < 0.85, (engine, seen)
