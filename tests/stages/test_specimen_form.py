"""The blank form, printed (rendered) and read back by the detectors that will read a scan of it."""

from pathlib import Path

import cv2
import numpy as np
import pymupdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seal_imaging import ImpressionUnusable, form
from seal_imaging.form import FormCode, FormKind
from seal_imaging.form_code import read_code
from seal_imaging.locate import find_form
from stages.errors import InputRefused
from stages.extract import extract
from stages.ingest import read_scan
from stages.specimen_form import MAX_APPLICANT_CHARS, draw_example, draw_form

DPI = 300
PX_PER_MM = DPI / 25.4
ORDER_NUMBER = "AC2021111313"


def printed(path: Path) -> np.ndarray:
    with pymupdf.open(path) as document:
        assert document.page_count == 1
        pixmap = document[0].get_pixmap(dpi=DPI, alpha=False)
        flat = np.frombuffer(pixmap.samples, dtype=np.uint8)
        return flat.reshape(pixmap.height, pixmap.width, 3).copy()


@pytest.fixture
def sheet(tmp_path: Path) -> np.ndarray:
    draw_form(tmp_path / "form.pdf", order_number=ORDER_NUMBER, applicant="测试建设有限公司")
    return printed(tmp_path / "form.pdf")


def test_the_form_is_a4(sheet: np.ndarray) -> None:
    height, width = sheet.shape[:2]
    assert (width / PX_PER_MM, height / PX_PER_MM) == pytest.approx(form.PAGE_MM, abs=0.1)


def test_every_mark_is_found_within_a_tenth_of_a_millimetre(sheet: np.ndarray) -> None:
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    dictionary = cv2.aruco.getPredefinedDictionary(form.ARUCO_DICTIONARY)
    corners, ids, _ = cv2.aruco.ArucoDetector(dictionary, parameters).detectMarkers(
        cv2.cvtColor(sheet, cv2.COLOR_RGB2GRAY)
    )
    found = {int(marker): corner.reshape(4, 2) for marker, corner in zip(np.ravel(ids), corners, strict=True)}
    assert sorted(found) == [marker for marker, _, _ in form.MARKERS]
    for marker, x_mm, y_mm in form.MARKERS:
        side_mm = form.MARKER_MM
        square_mm = np.array([(0, 0), (side_mm, 0), (side_mm, side_mm), (0, side_mm)])
        # A pixel's centre lies half a pixel from its corner.
        assert np.abs((found[marker] + 0.5) / PX_PER_MM - square_mm - np.array([x_mm, y_mm])).max() < 0.1


def test_the_reader_of_scanned_forms_finds_its_scale(sheet: np.ndarray) -> None:
    pose = find_form(sheet)
    assert pose is not None
    assert pose.px_per_mm == pytest.approx(PX_PER_MM, rel=1e-3)
    assert abs(pose.turn_deg) < 0.05


def test_the_qr_code_says_the_order_number(sheet: np.ndarray) -> None:
    x, y, w, h = (round(v * PX_PER_MM) for v in form.QR_BOX_MM)
    text, _, _ = cv2.QRCodeDetector().detectAndDecode(cv2.cvtColor(sheet, cv2.COLOR_RGB2GRAY))
    assert form.read_qr_text(text) == form.FormCode(ORDER_NUMBER)
    assert sheet[y : y + h, x : x + w].min() == 0


def test_every_box_is_drawn_where_the_geometry_says(sheet: np.ndarray) -> None:
    grey = sheet.min(axis=2)
    for row in form.ROWS:
        for x_mm, y_mm, w_mm, h_mm in row.boxes:
            middle_y, middle_x = round((y_mm + h_mm / 2) * PX_PER_MM), round((x_mm + w_mm / 2) * PX_PER_MM)
            inside = grey[
                round((y_mm + 1) * PX_PER_MM) : round((y_mm + h_mm - 1) * PX_PER_MM),
                round((x_mm + 1) * PX_PER_MM) : round((x_mm + w_mm - 1) * PX_PER_MM),
            ]
            assert inside.min() == 255
            for edge_mm in (x_mm, x_mm + w_mm):
                assert (
                    grey[middle_y, round(edge_mm * PX_PER_MM) - 1 : round(edge_mm * PX_PER_MM) + 2].min()
                    < 200
                )
            for edge_mm in (y_mm, y_mm + h_mm):
                assert (
                    grey[round(edge_mm * PX_PER_MM) - 1 : round(edge_mm * PX_PER_MM) + 2, middle_x].min()
                    < 200
                )


def test_nothing_is_printed_in_colour(sheet: np.ndarray) -> None:
    assert (sheet.max(axis=2).astype(int) - sheet.min(axis=2)).max() <= 2


def test_the_words_are_text_and_the_file_is_small_and_names_no_machine(tmp_path: Path) -> None:
    path = tmp_path / "form.pdf"
    draw_form(path, order_number=ORDER_NUMBER, applicant="测试建设有限公司")
    assert path.stat().st_size < 60_000
    with pymupdf.open(path) as document:
        text = document[0].get_text()
        assert document[0].get_images() == []
        assert document.metadata["producer"] == "Sealine"
        assert document.metadata["creationDate"] == ""
    words = ["印模采集表", "此表仅用于办理电子签章业务", ORDER_NUMBER, "测试建设有限公司"]
    words += [row.label for row in form.ROWS] + list(form.SpecimenForm(ORDER_NUMBER).instructions)
    for word in words:
        assert word in text


def test_the_same_words_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        draw_form(tmp_path / name, order_number=ORDER_NUMBER)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_a_long_applicant_stays_on_its_line(tmp_path: Path) -> None:
    path = tmp_path / "form.pdf"
    draw_form(path, order_number="A" * form.MAX_ORDER_NUMBER_CHARS, applicant="长" * MAX_APPLICANT_CHARS)
    with pymupdf.open(path) as document:
        right_pt = max(word[2] for word in document[0].get_text("words") if "长" in word[4])
    assert right_pt / 72 * 25.4 <= form.ORDER_BOX_MM[0] + form.ORDER_BOX_MM[2] + 0.1


@pytest.mark.parametrize(
    "order_number", ["", "A B", "订单", "A" * (form.MAX_ORDER_NUMBER_CHARS + 1), "a/b\n"]
)
def test_a_malformed_order_number_is_refused(tmp_path: Path, order_number: str) -> None:
    with pytest.raises(InputRefused) as caught:
        draw_form(tmp_path / "form.pdf", order_number=order_number)
    assert caught.value.zh


@pytest.mark.parametrize("applicant", ["长" * (MAX_APPLICANT_CHARS + 1), "a\nb"])
def test_a_malformed_applicant_is_refused(tmp_path: Path, applicant: str) -> None:
    with pytest.raises(InputRefused):
        draw_form(tmp_path / "form.pdf", order_number=ORDER_NUMBER, applicant=applicant)


@pytest.mark.parametrize("kind", FormKind)
def test_each_kind_of_form_is_told_by_its_code_and_has_its_own_rows(tmp_path: Path, kind: FormKind) -> None:
    path = tmp_path / "form.pdf"
    draw_form(path, order_number=ORDER_NUMBER, kind=kind)
    page = printed(path)
    pose = find_form(page)
    assert pose is not None
    assert read_code(page, pose) == FormCode(ORDER_NUMBER, kind)
    with pymupdf.open(path) as document:
        text = document[0].get_text()
    template = form.TEMPLATES[kind]
    for words in (template.title, "此表仅用于办理电子签章业务", *(f"{name}：" for name in template.fields)):
        assert words in text
    assert [row.kind for row in form.ROWS if row.label in text] == list(template.rows)


@pytest.mark.parametrize("kind", FormKind)
def test_the_example_says_so_in_words_and_code_and_is_refused_as_a_specimen(
    tmp_path: Path, kind: FormKind
) -> None:
    path = tmp_path / "example.pdf"
    draw_example(path, kind=kind)
    with pymupdf.open(path) as document:
        assert "填写样例" in document[0].get_text()
        assert "SAMPLE" in document[0].get_text()
    with pytest.raises(ImpressionUnusable, match="example") as caught:
        extract(read_scan(path), tmp_path)
    assert "填写样例" in caught.value.zh


def _read_qr(code: NDArray[np.uint8]) -> str:
    """Read as a careful reader does: what cv2 misses at one scale it reads at another."""
    half = cv2.resize(code, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    readers = (cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco())
    read = (reader.detectAndDecode(picture)[0] for picture in (code, half) for reader in readers)
    return next(filter(None, read), "")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order_number=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True))
def test_every_order_number_reads_back(tmp_path: Path, order_number: str) -> None:
    draw_form(tmp_path / "form.pdf", order_number=order_number)
    x, y, w, h = (round(v * PX_PER_MM) for v in form.QR_BOX_MM)
    code = printed(tmp_path / "form.pdf")[y : y + h, x : x + w]
    assert form.read_qr_text(_read_qr(code)) == form.FormCode(order_number)
