"""Scanned pages are read, and what is read stands where it is printed."""

from pathlib import Path

import pymupdf
import pytest

from seal_imaging import PrintedLine, PrintedPageReader
from stages.errors import InputRefused
from stages.page_text import TextSource
from stages.pdf.keywords import keyword_pattern
from stages.pdf.page_pictures import read_picture
from stages.pdf.text import TextHit, find_on_page, search_text
from tests.simulators import pdfs
from tests.simulators.paper import scanned

SEAL_HERE = "（盖单位章）"


@pytest.fixture(scope="module")
def reader() -> PrintedPageReader:
    return PrintedPageReader()


@pytest.fixture
def form(tmp_path: Path) -> Path:
    lines = [(40.0, 30.0, "投标函附录"), (30.0, 70.0, "投标人：__________（盖单位章）")]
    document = pymupdf.open()
    page = document.new_page(width=270, height=100)
    for x, y, text in lines:
        page.insert_text((x, y), text, fontname="china-s", fontsize=12)
    document.save(tmp_path / "form.pdf")
    return tmp_path / "form.pdf"


def _hits(path: Path, reader: PrintedPageReader) -> list[TextHit]:
    content = read_picture(path, 0, reader)
    assert content.source is TextSource.OCR
    whole, hits = find_on_page(
        content, 0, [keyword_pattern("投标人：（盖单位章）"), keyword_pattern(SEAL_HERE)]
    )
    assert len(whole) == 1  # over the fill-in line
    return hits


@pytest.mark.parametrize(("skew_deg", "noise"), [(0.0, 0.0), (1.0, 8.0)])
def test_a_keyword_on_a_scan_is_found_where_it_is_printed(
    form: Path, tmp_path: Path, reader: PrintedPageReader, skew_deg: float, noise: float
) -> None:
    (truth,) = search_text(form, [SEAL_HERE], [0]).hits[0]
    path = scanned(form, tmp_path / "scan.pdf", skew_deg=skew_deg, noise=noise)
    (hit,) = _hits(path, reader)
    assert hit.by_ocr
    slack_mm = 1.5 if not skew_deg else 3.5  # the skewed sheet is larger than the straight one
    assert hit.centre_mm == pytest.approx(truth.centre_mm, abs=slack_mm)
    assert hit.w_mm == pytest.approx(truth.w_mm, rel=0.15)


@pytest.mark.parametrize("turned", [1, 2, 3])
def test_a_sheet_that_lay_turned_on_the_glass_is_read(
    form: Path, tmp_path: Path, reader: PrintedPageReader, turned: int
) -> None:
    (truth,) = search_text(form, [SEAL_HERE], [0]).hits[0]
    x, y = truth.centre_mm
    width, height = 270 * 25.4 / 72, 100 * 25.4 / 72
    expected = {1: (y, width - x), 2: (width - x, height - y), 3: (height - y, x)}[turned]
    (hit,) = _hits(scanned(form, tmp_path / "scan.pdf", turned=turned), reader)
    assert hit.centre_mm == pytest.approx(expected, abs=1.5)


def test_a_blank_page_is_not_shown_to_the_engine(tmp_path: Path) -> None:
    class NeverAsked:
        def read(self, page: object) -> list[PrintedLine]:
            raise AssertionError

    path = pdfs.text_pages(tmp_path / "a.pdf", [[]])
    assert read_picture(path, 0, NeverAsked()).lines == ()


def test_a_page_that_is_not_there_cannot_be_drawn(tmp_path: Path, reader: PrintedPageReader) -> None:
    path = pdfs.text_pages(tmp_path / "a.pdf", [[]])
    with pytest.raises(InputRefused, match="page 8 cannot be drawn"):
        read_picture(path, 7, reader)
