"""Print stays as dark under a seal as beside it, and the seal red, whatever the page and the renderer."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from stages.authorities import Signer
from stages.documents import PlannedDocument, SealFace, SignatureRequest
from stages.inspect import inspect
from stages.plan import plan
from stages.plan_rules import PlanRules, parse_plan
from stages.sign import sign
from stages.stamp import stamp
from tests.simulators import page_matrix, pdfs, print_below, views
from tests.simulators.pdfs import source_file

ENGINES = ["mupdf", "pdfium", pytest.param("poppler", marks=pytest.mark.needs_poppler)]


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> SealFace:
    return page_matrix.frame_face(tmp_path_factory.mktemp("seal"))


def in_the_middle(extra: str = "") -> PlanRules:
    place = f"x_mm: {print_below.MIDDLE_MM:.3f}, y_mm: {print_below.MIDDLE_MM:.3f}"
    return parse_plan(f"version: 1\n{extra}\nrules: [{{seal: 框章, pages: 1, {place}}}]".encode())


def check_colours(path: Path, planned: PlannedDocument, engine: str, kind: str) -> None:
    with views.ENGINES[engine](path) as renderer:
        seen = print_below.colours(renderer, planned.inspected.pages[0])
    for beside, under in zip(seen["print"], seen["print under ink"], strict=True):
        assert under <= beside + 4, (kind, engine, seen)
    red, green, blue = seen["ink"]
    assert red - max(green, blue) > 120, (kind, engine, seen)
    assert print_below.contrast(seen["ink"], seen["print under ink"]) > 2.5, (kind, engine, seen)


@pytest.mark.parametrize("engine", ENGINES)
def test_print_is_as_dark_under_a_seal_as_beside_it(tmp_path: Path, face: SealFace, engine: str) -> None:
    for kind in print_below.KINDS:
        source = source_file(print_below.page(tmp_path / "a.pdf", kind))
        planned = plan(source, inspect(source), in_the_middle(), {face.name: face})
        out = stamp(source, planned, {face.name: face}, tmp_path / "out.pdf").path
        check_colours(out, planned, engine, kind)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("after_others", ["widget", "annotations"])
def test_print_is_as_dark_under_a_seal_that_is_no_page_content(
    tmp_path: Path, face: SealFace, tryout_signer: Signer, engine: str, after_others: str
) -> None:
    plain = print_below.page(tmp_path / "a.pdf", "grey scan")
    source = source_file(pdfs.with_signature_field(tmp_path / "signed.pdf", plain))
    rules = in_the_middle(f"after_others: {after_others}")
    planned = plan(source, inspect(source), rules, {face.name: face})
    stamped = stamp(source, planned, {face.name: face}, tmp_path / "out.pdf")
    signed = sign(stamped, tryout_signer, SignatureRequest("S", datetime(2026, 3, 2, tzinfo=UTC)))
    check_colours(signed.path, planned, engine, after_others)
