"""Seals on pages whose content or structure is odd: seen, red, in their place, and nothing else changes."""

import itertools
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pikepdf
import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from stages.documents import Mark, PlannedDocument, SealFace, Strip, TextSlot
from stages.inspect import inspect
from stages.pdf.drawing import marks_box
from stages.pdf.geometry import after, mark_space, to_user_space, transformed, turned, turned_box, user_box
from stages.stamp import stamp
from tests.simulators import pdfs, renderings
from tests.simulators.pdfs import PageKind, source_file
from tests.stages.pdf.test_geometry import geometries

PAGE_MM = 100.0
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 283.4646 283.4646] %s >>"
TURN_DPI = 508
"""20 dots a mm: a seal's own resolution."""

BREAKING_OFF = (
    b"q 3 0 0 3 50 50 cm BT /F1 9 Tf (a) Tj",
    b"q 0 0 9 9 re W n q",
    b"Q Q 9 0 0 9 0 0 cm",
    b"/P BMC /P <</MCID 0>> BDC 1 1 1 rg",
    b"BT /F1 9 Tf (breaks (off",
    b"BT <4142",
    b"q BI /W 1 /H 1 /BPC 8 /CS /G ID \x00",
    b"/Gone gs 1 g 3 Tr BT 0 0 Td",
)
ENTRIES = (
    b"",
    b"/Contents null",
    b"/Contents 4 0 R",
    b"/Contents 4 0 R /Resources << >> /Group << /S /Transparency /CS /DeviceCMYK /I true /K true >>",
    b"/Contents 4 0 R /Resources << /XObject null /ExtGState [1] >>",
    b"/Contents 4 0 R /Resources << /ColorSpace << /DefaultRGB [/CalRGB << /WhitePoint [0.9505 1 1.089]"
    b" /Gamma [2.2 2.2 2.2] /Matrix [0.4124 0.2126 0.0193 0.3576 0.7152 0.1192 0.1805 0.0722 0.9505]"
    b" >>] >> >>",
)


@pytest.fixture
def face(tmp_path: Path) -> SealFace:
    return pdfs.seal_face(tmp_path, w_mm=42, h_mm=30)


def stamped(path: Path, face: SealFace, marks: Iterable[Mark]) -> Path:
    source = source_file(path)
    planned = PlannedDocument(inspect(source), tuple(marks))
    return stamp(source, planned, {face.name: face}, path.with_name("stamped.pdf")).path


def check_seal(image: renderings.Rgb, what: bytes) -> None:
    """Check that the seal is whole, where it was planned, and red."""
    per_mm = image.shape[0] / PAGE_MM
    rows, columns = (np.flatnonzero(renderings.ink(image).any(axis=axis)) for axis in (1, 0))
    found = [edges[at] / per_mm for edges in (columns, rows) for at in (0, -1)]
    assert found == pytest.approx([40, 82, 50, 80], abs=0.8), what
    red = image[renderings.ink(image)].astype(int).mean(axis=0)
    assert red[0] > 150, what
    assert red[1:].max() < 90, what


@pytest.mark.needs_poppler
def test_content_that_breaks_off_anywhere_takes_a_seal(tmp_path: Path, face: SealFace) -> None:
    side = PAGE_MM * 72 / 25.4
    kinds = [PageKind(media=(0, 0, side, side), content=content) for content in BREAKING_OFF]
    path = pdfs.build(tmp_path / "a.pdf", kinds)
    out = stamped(path, face, (Mark(index, face.name, 40, 50, 42, 30, 0) for index in range(len(kinds))))
    for image, kind in zip(renderings.by_mupdf(out, 72), kinds, strict=True):
        check_seal(image, kind.content)
    run = pdfs_by_poppler(out, tmp_path / "pages")
    for image, kind in zip(run, kinds, strict=True):
        check_seal(image, kind.content)


@pytest.mark.needs_poppler
def test_pages_of_odd_structure_take_a_red_seal(tmp_path: Path, face: SealFace) -> None:
    count = len(ENTRIES)
    first_page = 6
    kids = b" ".join(b"%d 0 R" % (first_page + index) for index in range(count))
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d /Resources << >> >>" % (kids, count),
        b"null",
        b"[5 0 R null 5 0 R]",
        b"<< /Length 12 >>\nstream\n0 0 9 9 re f\nendstream",
        *(PAGE % entry for entry in ENTRIES),
    ]
    path = pdfs.raw(tmp_path / "a.pdf", bodies)
    out = stamped(path, face, (Mark(index, face.name, 40, 50, 42, 30, 0) for index in range(count)))
    for images in (renderings.by_mupdf(out, 72), pdfs_by_poppler(out, tmp_path / "pages")):
        for image, entry in zip(images, ENTRIES, strict=True):
            check_seal(image, entry)


def pdfs_by_poppler(path: Path, folder: Path) -> Iterable[renderings.Rgb]:
    """Yield pages as Poppler shows them; what it complains of is the pages' own."""
    folder.mkdir()
    subprocess.run(["pdftoppm", "-r", "72", path, folder / "p"], check=True, capture_output=True, timeout=60)
    for file in sorted(folder.glob("p*.ppm")):
        yield np.asarray(Image.open(file))


@pytest.mark.parametrize(("rotate", "angle_deg"), [*itertools.product((0, 90), (30.0, -7.5, 180.0))])
def test_a_turned_seal_is_turned_about_its_middle(
    tmp_path: Path, face: SealFace, rotate: int, angle_deg: float
) -> None:
    side = PAGE_MM * 72 / 25.4
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(media=(0, 0, side, side), rotate=rotate, content=b"")])
    mark = Mark(0, face.name, 30, 40, 42, 30, 0, angle_deg=angle_deg)
    shown = renderings.ink(next(renderings.by_mupdf(stamped(path, face, [mark]), TURN_DPI)))
    canvas = Image.open(face.image_path).getchannel("A")  # 20 px/mm, the seal in its middle
    turned_canvas = canvas.rotate(-angle_deg, Image.Resampling.BILINEAR, center=(700, 700))
    page_px = round(PAGE_MM * 20)
    wanted = np.zeros((page_px, page_px), bool)
    left, top = 51 * 20 - 700, 55 * 20 - 700  # the mark's middle is at 51, 55 mm
    alpha = np.asarray(turned_canvas)[max(0, -top) :, max(0, -left) :] > 127
    rows, columns = min(page_px, alpha.shape[0]), min(page_px, alpha.shape[1])
    wanted[max(0, top) : max(0, top) + rows, max(0, left) : max(0, left) + columns] = alpha[:rows, :columns]
    for axis in (0, 1):
        edges = [np.flatnonzero(mask.any(axis=axis))[[0, -1]] / 20 for mask in (shown, wanted)]
        assert edges[0] == pytest.approx(edges[1], abs=0.1)
    shown = shown[:page_px, :page_px]
    assert 2 * (shown & wanted).sum() / (shown.sum() + wanted.sum()) > 0.97


@given(geometries(), st.floats(0, 100), st.floats(0, 100), st.floats(-400, 400))
def test_turning_keeps_the_middle_and_the_lengths(page: object, x: float, y: float, angle: float) -> None:
    mark = Mark(0, "公章", x, y, 42, 30, 0, angle_deg=angle)
    middle = x + 21, y + 15
    space = mark_space(page, mark)  # type: ignore[arg-type]
    to_user = to_user_space(page)  # type: ignore[arg-type]
    assert transformed(space, *middle) == pytest.approx(transformed(to_user, *middle), abs=1e-6)
    corner = np.subtract(transformed(space, x, y), transformed(space, *middle))
    upright = np.subtract(transformed(to_user, x, y), transformed(to_user, *middle))
    assert np.hypot(*corner) == pytest.approx(np.hypot(*upright), rel=1e-9)
    x0, y0, x1, y1 = marks_box(page, [mark])  # type: ignore[arg-type]
    for point in ((x, y), (x + 42, y), (x, y + 30), (x + 42, y + 30)):
        px, py = transformed(space, *point)
        assert x0 - 1e-6 <= px <= x1 + 1e-6
        assert y0 - 1e-6 <= py <= y1 + 1e-6
    assert user_box(page, turned_box(mark)) == pytest.approx((x0, y0, x1, y1))  # type: ignore[arg-type]


@given(st.floats(-360, 360), st.floats(-360, 360))
def test_two_turns_are_their_sum(first: float, second: float) -> None:
    both = after(turned(first, 3, 4), turned(second, 3, 4))
    assert both == pytest.approx(turned(first + second, 3, 4), abs=1e-9)


def test_a_quarter_turn_is_clockwise() -> None:
    x, y = transformed(turned(90, 0, 0), 1, 0)
    assert (x, y) == pytest.approx((0, 1))  # from the right to below: y runs down


def test_a_turned_strip_shows_its_own_part_only(tmp_path: Path, face: SealFace) -> None:
    side = PAGE_MM * 72 / 25.4
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(media=(0, 0, side, side), content=b"")])
    mark = Mark(0, face.name, 40, 40, 21, 30, 0, Strip("right", 0, 0.5), angle_deg=45)
    image = next(renderings.by_mupdf(stamped(path, face, [mark]), 254))
    shown = renderings.ink(image)
    x, y, w, h = turned_box(mark)
    rows, columns = np.flatnonzero(shown.any(axis=1)) / 10, np.flatnonzero(shown.any(axis=0)) / 10
    assert x - 0.1 <= columns[0]
    assert columns[-1] <= x + w + 0.1
    assert y - 0.1 <= rows[0]
    assert rows[-1] <= y + h + 0.1


def test_a_turned_seal_turns_its_text_along(tmp_path: Path, face: SealFace) -> None:
    side = PAGE_MM * 72 / 25.4
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(media=(0, 0, side, side), content=b"")])
    with_slot = replace(face, slots=(TextSlot("日期", 16, 44, 30, 4, 8),))
    seen = []
    for angle_deg in (0.0, 180.0):
        mark = Mark(0, face.name, 30, 40, 42, 30, 0, text=(("日期", "2026"),), angle_deg=angle_deg)
        seen.append(renderings.ink(next(renderings.by_mupdf(stamped(path, with_slot, [mark]), 127))))
    upright, turned_page = seen
    # 100 mm are 500 dots; the seal's middle is at 51, 55 mm.
    again = np.roll(turned_page[::-1, ::-1], (50, 10), (0, 1))
    assert 2 * (upright & again).sum() / (upright.sum() + again.sum()) > 0.95


def test_pages_with_the_same_marks_share_what_is_drawn(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 40, object_streams=True)
    out = stamped(path, face, (Mark(index, face.name, 40, 50, 42, 30, 0) for index in range(40)))
    with pikepdf.open(out) as pdf:
        assert len({page.Contents[-1].objgen for page in pdf.pages}) == 1
    with pymupdf.open(out) as document:
        assert all("plain" in page.get_text() for page in document)
    appended = out.stat().st_size - path.stat().st_size
    assert out.read_bytes()[path.stat().st_size :].count(b"/ObjStm") == 1
    assert appended < 12_000


def test_pages_of_an_archival_file_keep_their_colours(tmp_path: Path, face: SealFace) -> None:
    """Blended in the CMYK of its output intent, a PDF/A page's own RGB colours would change."""
    plain = pdfs.build(tmp_path / "a.pdf", [PageKind(), PageKind()])
    with pikepdf.open(plain, allow_overwriting_input=True, inherit_page_attributes=False) as pdf:
        pdf.pages[1].obj.Group = pikepdf.Dictionary(S=pikepdf.Name.Transparency)
        pdf.save(plain)
    intent = pikepdf.Dictionary(S=pikepdf.Name.GTS_PDFA1)
    path = pdfs.with_catalogue(tmp_path / "b.pdf", plain, {"/OutputIntents": pikepdf.Array([intent])})
    for source, groups in ((path, [True, True]), (plain, [None, False])):
        out = stamped(source, face, (Mark(index, face.name, 40, 50, 42, 30, 0) for index in range(2)))
        with pikepdf.open(out) as pdf:
            found = [page.obj.get("/Group") for page in pdf.pages]
        assert [group if group is None else "/CS" in group for group in found] == groups
