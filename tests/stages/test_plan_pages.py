"""Pages of a size no paper has are known, and by choice carry seals as a print that fills A4 shows them."""

from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pymupdf
import pytest
from pydantic import TypeAdapter

from stages.authorities import Signer
from stages.documents import PlannedDocument, SealFace, SignatureRequest
from stages.errors import PlacementRefused
from stages.inspect import inspect
from stages.plan import plan
from stages.plan_rules import parse_plan
from stages.sign import sign
from stages.stamp import stamp
from tests.simulators import pdfs, renderings
from tests.simulators.pdfs import PageKind, source_file

Size = tuple[float, float]
A4_PIXELS_150 = (1240, 1754)


@pytest.fixture
def face(tmp_path: Path) -> SealFace:
    return pdfs.seal_face(tmp_path)


def scan(path: Path, box: Size, image: Size | None, *, user_unit: float = 1.0, rotate: int = 0) -> Path:
    """Write a page of a size in points that shows one picture of a size in pixels."""
    pdfs.build(path, [PageKind(media=(0, 0, *box), user_unit=user_unit, rotate=rotate)])
    if image is None:
        return path
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        w, h = (round(side) for side in image)
        picture = pdf.make_stream(bytes(-(-w // 8) * h), Width=w, Height=h, BitsPerComponent=1)
        picture.Type, picture.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
        picture.ColorSpace, picture.Decode = pikepdf.Name.DeviceGray, pikepdf.Array([1, 0])
        page = pdf.pages[0]
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=picture))
        page.Contents = pdf.make_stream(b"q %g 0 0 %g 0 0 cm /Im0 Do Q" % box)
        pdf.save(path)
    return path


@pytest.mark.parametrize(
    ("box", "image", "is_odd"),
    [
        ((595.28, 841.89), None, False),
        ((595, 842), (595, 842), False),  # A4 at 72 dots an inch
        ((595.28, 841.89), (2480, 3508), False),
        ((588, 835), (2450, 3480), False),  # cut to its content
        ((612, 792), (2550, 3300), False),  # Letter
        ((1190.55, 1683.78), None, False),  # A2
        ((2383.94, 3370.39), None, False),  # A0
        ((2383.94, 4213), None, False),  # A0 lengthened by a quarter
        ((737, 1043), None, False),  # 8K
        ((960, 540), None, False),  # slides
        ((4000, 3000), None, True),
        ((4000, 3000), (4000, 3000), True),
        (A4_PIXELS_150, None, True),
        (A4_PIXELS_150, A4_PIXELS_150, True),
        ((794, 1123), None, True),  # A4 at 96
        ((827, 1169), (827, 1169), True),  # A4 at 100, which is nearly A3
        ((827, 1169), None, False),
        ((3508, 2480), None, True),
        ((1011, 638), (1011, 638), True),  # an identity card at 300
        ((892.9, 1262.8), (2480, 3508), True),  # A4 at 150 %
        ((892.9, 1262.8), None, False),  # nothing says that it is a scan
        ((85, 85), None, True),
        ((14.17, 20.04), None, True),
    ],
)
def test_sizes_that_no_paper_has_are_known(
    tmp_path: Path, box: Size, image: Size | None, is_odd: bool
) -> None:
    document = inspect(source_file(scan(tmp_path / "a.pdf", box, image)))
    assert document.odd_pages == ((0,) if is_odd else ())
    assert ("page-box-odd" in {finding.code for finding in document.findings}) is is_odd


def test_a_user_unit_that_makes_pixels_true_to_size_is_no_mistake(tmp_path: Path) -> None:
    path = scan(tmp_path / "a.pdf", (3508, 4961), (3508, 4961), user_unit=0.24)  # A3 at 300
    assert inspect(source_file(path)).odd_pages == ()


def planned_and_stamped(path: Path, face: SealFace, choice: str, *rules: str) -> tuple[PlannedDocument, Path]:
    source = source_file(path)
    lines = "".join(f"  - {{seal: {face.name}, {rule}}}\n" for rule in rules)
    parsed = parse_plan(f"version: 1\nodd_pages: {choice}\nrules:\n{lines}".encode())
    planned = plan(source, inspect(source), parsed, {face.name: face})
    return planned, stamp(source, planned, {face.name: face}, path.with_name("stamped.pdf")).path


@pytest.mark.parametrize("rotate", [0, 90])
@pytest.mark.parametrize(("choice", "wide_mm"), [("as_a4", 210), ("as_a3", 297)])
def test_a_seal_on_a_fitted_page_has_its_size_in_a_print_that_fills_the_sheet(
    tmp_path: Path, face: SealFace, choice: str, wide_mm: float, rotate: int
) -> None:
    box = A4_PIXELS_150 if rotate == 0 else A4_PIXELS_150[::-1]
    path = scan(tmp_path / "a.pdf", box, box, rotate=rotate)
    planned, out = planned_and_stamped(path, face, choice, "pages: first, x_mm: 150, y_mm: 200")
    (page,), ((index, factor),) = planned.inspected.pages, planned.page_scales
    assert (index, factor) == (0, pytest.approx(wide_mm / (1240 * 25.4 / 72), rel=3e-4))
    assert page.width_mm == pytest.approx(wide_mm, rel=3e-4)
    image = next(renderings.by_mupdf(out, 72))
    assert image.shape[:2] == (1754, 1240)
    assert renderings.ink_box_mm(image, page) == pytest.approx((129, 179, 42, 42), abs=0.5)
    assert len(planned.warnings) == 1
    assert f"seals are sized for a print that fills {choice[-2:].upper()}" in planned.warnings[0]
    adapter = TypeAdapter(PlannedDocument)
    assert adapter.validate_json(adapter.dump_json(planned)) == planned


def test_a_page_wider_than_high_is_taken_as_a4_across(tmp_path: Path, face: SealFace) -> None:
    path = scan(tmp_path / "a.pdf", (4000, 3000), (4000, 3000))
    planned, out = planned_and_stamped(path, face, "as_a4", "pages: 1, x_mm: 60, y_mm: 60")
    (page,) = planned.inspected.pages
    assert (page.width_mm, page.height_mm) == pytest.approx((280, 210))
    image = next(renderings.by_mupdf(out, 72))
    assert renderings.ink_box_mm(image, page) == pytest.approx((39, 39, 42, 42), abs=0.3)


def test_keywords_and_strips_are_placed_in_the_millimetres_of_the_sheet(
    tmp_path: Path, face: SealFace
) -> None:
    path = tmp_path / "a.pdf"
    with pymupdf.open() as document:
        for _ in range(2):
            page = document.new_page(width=1240, height=1754)
            page.insert_text((600, 900), "盖章处", fontname="china-s", fontsize=25)
        document.save(path)
    planned, out = planned_and_stamped(path, face, "as_a4", "keyword: 盖章处", "paging: right")
    factor = 25.4 / 72 * 210 / (1240 * 25.4 / 72)
    by_keyword = [mark for mark in planned.marks if mark.strip is None]
    for mark in by_keyword:
        centre = (mark.x_mm + mark.w_mm / 2, mark.y_mm + mark.h_mm / 2)
        assert centre == pytest.approx((637.5 * factor, 892 * factor), abs=1)
    strips = [mark for mark in planned.marks if mark.strip is not None]
    assert [mark.x_mm + mark.w_mm for mark in strips] == pytest.approx([210, 210], abs=0.05)
    assert [mark.w_mm for mark in strips] == pytest.approx([21, 21])
    image = next(renderings.by_mupdf(out, 72))
    assert renderings.ink(image)[:, -2:].any()


def test_the_signature_lies_over_the_seal_on_a_fitted_page(
    tmp_path: Path, face: SealFace, tryout_signer: Signer
) -> None:
    path = scan(tmp_path / "a.pdf", (4000, 3000), None)
    source = source_file(path)
    parsed = parse_plan(
        "version: 1\nodd_pages: as_a4\nrules: [{seal: 公章, pages: 1, x_mm: 60, y_mm: 60}]".encode()
    )
    planned = plan(source, inspect(source), parsed, {face.name: face})
    stamped = stamp(source, planned, {face.name: face}, tmp_path / "out.pdf")
    signed = sign(stamped, tryout_signer, SignatureRequest("S", datetime(2026, 3, 2, tzinfo=UTC)))
    with pymupdf.open(signed.path) as document:
        (widget,) = document[0].widgets()
        assert tuple(widget.rect) == pytest.approx(
            [value * 4000 / 280 for value in (39, 39, 81, 81)], abs=0.1
        )


def test_form_fields_move_with_their_page(tmp_path: Path, face: SealFace) -> None:
    path = tmp_path / "a.pdf"
    with pymupdf.open() as document:
        page = document.new_page(width=4000, height=3000)
        widget = pymupdf.Widget()
        widget.field_name, widget.field_type = "盖章", pymupdf.PDF_WIDGET_TYPE_TEXT
        widget.rect = pymupdf.Rect(1000, 1500, 1400, 1800)
        page.add_widget(widget)
        document.save(path)
    planned, _ = planned_and_stamped(path, face, "as_a4", "pages: 1, x_mm: 60, y_mm: 60")
    (field,) = planned.inspected.fields
    assert (field.x_mm, field.y_mm, field.w_mm, field.h_mm) == pytest.approx((70, 105, 28, 21), abs=0.1)


def test_as_they_are_odd_pages_with_marks_are_warned_of(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(), PageKind(media=(0, 0, 4000, 3000))])
    planned, _ = planned_and_stamped(path, face, "as_is", "pages: 2, x_mm: 60, y_mm: 60")
    assert planned.page_scales == ()
    (warning,) = planned.warnings
    assert "第 2 页尺寸异常" in warning
    assert "pages 2 have a size no paper has (1411 × 1058 mm)" in warning
    elsewhere, _ = planned_and_stamped(path, face, "as_is", "pages: 1, x_mm: 60, y_mm: 60")
    assert elsewhere.warnings == ()


def test_odd_pages_are_refused_by_choice(tmp_path: Path, face: SealFace) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(), PageKind(media=(0, 0, 4000, 3000))])
    with pytest.raises(PlacementRefused, match=r"a\.pdf: pages 2 have a size no paper has") as caught:
        planned_and_stamped(path, face, "refuse", "pages: 1, x_mm: 60, y_mm: 60")
    assert "第 2 页尺寸异常" in caught.value.zh
