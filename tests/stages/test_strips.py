"""Strips of a paging seal, cut out of rendered pages and put together again, are the seal; none is blank."""

from pathlib import Path

import numpy as np
import pytest

from stages.documents import PlannedDocument, SealFace
from stages.inspect import inspect
from stages.plan import plan
from stages.plan_rules import parse_plan
from stages.stamp import stamp
from tests.simulators import pdfs, renderings, views
from tests.simulators.pdfs import PageKind, source_file

PX_PER_MM = 40.0


def paged(tmp_path: Path, face: SealFace, count: int, rule: str) -> tuple[PlannedDocument, Path]:
    kinds = [PageKind(media=(0, 0, 170 + 20 * (n % 3), 190), rotate=90 * (n % 4)) for n in range(count)]
    source = source_file(pdfs.build(tmp_path / "a.pdf", kinds))
    rules = parse_plan(f"version: 1\nrules: [{{seal: 公章, paging: {rule}}}]".encode())
    planned = plan(source, inspect(source), rules, {face.name: face})
    return planned, stamp(source, planned, {face.name: face}, tmp_path / "o.pdf").path


@pytest.mark.parametrize(
    ("count", "engine", "rule"),
    [
        (2, "poppler", "right"),
        (7, "poppler", "bottom, first_last: 1.5, edge_mm: 3"),
        (25, "poppler", "left, position_mm: 30"),
        (2, "pdfium", "top"),
        (7, "pdfium", "left, first_last: 2"),
        (25, "pdfium", "right, edge_mm: 2.5"),
        (25, "mupdf", "right, first_last: 1.5, edge_mm: 2.5"),
        (300, "mupdf", "right"),
        (800, "mupdf", "right"),
    ],
)
@pytest.mark.needs_poppler
def test_strips_put_together_again_are_the_seal_and_none_is_blank(
    tmp_path: Path, count: int, engine: str, rule: str
) -> None:
    face = pdfs.seal_face(tmp_path)
    planned, out = paged(tmp_path, face, count, rule)
    across = rule.startswith(("left", "right"))
    pieces = []
    with views.ENGINES[engine](out) as renderer:
        for mark in sorted(planned.marks, key=lambda mark: mark.strip.start if mark.strip else 0):
            box = (mark.x_mm, mark.y_mm, mark.w_mm, mark.h_mm)
            page = planned.inspected.pages[mark.page_index]
            view = renderer.view(mark.page_index, page, box, PX_PER_MM * 25.4)
            pieces.append(view.ink_within(box))
    assert len(pieces) == count
    assert min(piece.sum() for piece in pieces) > 20  # dots of 0.05 mm: half a square mm in all
    together = np.concatenate(pieces, axis=1 if across else 0)
    assert renderings.likeness(together, face) >= 0.98


@pytest.mark.parametrize("side", ["left", "bottom"])
def test_a_page_shows_no_more_of_the_seal_than_its_strip(tmp_path: Path, side: str) -> None:
    face = pdfs.seal_face(tmp_path)
    planned, out = paged(tmp_path, face, 4, side)
    with views.ENGINES["mupdf"](out) as renderer:
        for mark in planned.marks:
            page = planned.inspected.pages[mark.page_index]
            whole = (0.0, 0.0, page.width_mm, page.height_mm)
            ink = renderer.view(mark.page_index, page, whole, 254).ink_within(whole)
            x, y = round(mark.x_mm * 20), round(mark.y_mm * 20)
            right, below = round((mark.x_mm + mark.w_mm) * 20), round((mark.y_mm + mark.h_mm) * 20)
            assert ink.any()
            ink[max(0, y - 4) : below + 4, max(0, x - 4) : right + 4] = False
            assert not ink.any()


def as_bound(view: views.View, turn: str, size_mm: tuple[float, float]) -> views.View:
    """Return a whole page as it lies in the volume: landscape ones turned by 90°."""
    if turn == "as_displayed" or size_mm[0] < size_mm[1]:
        return view
    rgb = np.rot90(view.rgb, 1 if turn == "turned_left" else -1)
    return views.View(rgb, 0.0, 0.0, (view.mm_per_px[1], view.mm_per_px[0]))


@pytest.mark.parametrize(
    ("side", "engine", "turn"),
    [
        ("right", "mupdf", "turned_left"),
        ("right", "pdfium", "turned_right"),
        ("left", "mupdf", "turned_right"),
        ("top", "pdfium", "turned_left"),
        ("bottom", "mupdf", "turned_left"),
    ],
)
def test_strips_on_landscape_sheets_that_are_bound_turned_make_the_seal_in_the_volume(
    tmp_path: Path, side: str, engine: str, turn: str
) -> None:
    face = pdfs.seal_face(tmp_path)
    upright, across = (0, 0, 170, 190), (0, 0, 190, 170)
    kinds = [PageKind(media=upright), PageKind(media=across), PageKind(media=across, rotate=90)]
    kinds += [PageKind(media=upright, rotate=90), PageKind(media=across, rotate=180)]
    kinds += [PageKind(media=upright, rotate=270), PageKind(media=upright, rotate=180)]
    source = source_file(pdfs.build(tmp_path / "a.pdf", kinds))
    text = (
        f"version: 1\nrules: [{{seal: 公章, paging: {side}, landscape: {turn}, edge_mm: 1, position: 0.3}}]"
    )
    planned = plan(source, inspect(source), parse_plan(text.encode()), {face.name: face})
    out = stamp(source, planned, {face.name: face}, tmp_path / "o.pdf").path
    pieces = []
    w, h, cut = 170 * 25.4 / 72, 190 * 25.4 / 72, 42 / len(kinds)  # of the volume, of a strip
    at = max(0.0, 0.3 * (h if side in ("left", "right") else w) - 21)
    box = {
        "right": (w - 1 - cut, at, cut, 42.0),
        "left": (1.0, at, cut, 42.0),
        "top": (at, 1.0, 42.0, cut),
        "bottom": (at, h - 1 - cut, 42.0, cut),
    }[side]
    with views.ENGINES[engine](out) as renderer:
        for index, page in enumerate(planned.inspected.pages):
            whole = renderer.view(index, page, (0, 0, page.width_mm, page.height_mm), 20 * 25.4)
            bound = as_bound(whole, turn, (page.width_mm, page.height_mm))
            pieces.append(bound.ink_within(box))
    if side in ("left", "top"):
        pieces.reverse()
    together = np.concatenate(pieces, axis=1 if side in ("left", "right") else 0)
    assert renderings.likeness(together, face) >= 0.98
