"""A scan of our form with papers beside it gives the seals of the form alone."""

from pathlib import Path

import cv2
import numpy as np
import pymupdf
import pytest
from PIL import Image

from pipeline.tryout.artwork import Artwork, draw_round_seal, draw_square_seal
from pipeline.tryout.foreign_forms import Stranger, draw_foreign_form
from pipeline.tryout.specimens import draw_filled_form
from seal_imaging import Reason, RgbImage
from seal_imaging.form import SealKind
from stages.extract import extract, extraction_json
from stages.extraction import ExtractedSeals, PageKind
from stages.scans import read_scan

COMPANY = "测试建设有限公司"
DPI = 150
PX_PER_MM = DPI / 25.4


@pytest.fixture(scope="module")
def font() -> bytes:
    return bytes(pymupdf.Font("cjk").buffer)


@pytest.fixture(scope="module")
def company_seal(font: bytes) -> Artwork:
    return draw_round_seal(COMPANY, font)


@pytest.fixture(scope="module")
def form_page(company_seal: Artwork, font: bytes) -> RgbImage:
    seals = [company_seal, draw_square_seal("张三之印", font)]
    return draw_filled_form("AC1", seals, np.random.default_rng(4), font, px_per_mm=PX_PER_MM).page


@pytest.fixture(scope="module")
def stamped_copy(company_seal: Artwork, font: bytes) -> RgbImage:
    """An ID copy with the company's own seal on the sheet."""
    strangers = {Stranger.ID_COPY, Stranger.BLACK_WRITING}
    return draw_foreign_form(
        [company_seal], np.random.default_rng(5), font, strangers=strangers, px_per_mm=PX_PER_MM
    ).page


def text_page() -> RgbImage:
    page = np.full((round(297 * PX_PER_MM), round(210 * PX_PER_MM), 3), 250, np.uint8)
    for row in range(200, 1500, 40):
        cv2.putText(page, "All statements are true and complete.", (150, row), 0, 0.9, (30, 30, 30), 2)
    return page


def scanned(pages: list[RgbImage], folder: Path) -> ExtractedSeals:
    first, *others = (Image.fromarray(page) for page in pages)
    path = folder / "批.pdf"
    first.save(path, save_all=True, append_images=others, resolution=DPI)
    return extract(read_scan(path), folder)


def test_a_stamped_copy_beside_the_form_gives_no_specimen(
    form_page: RgbImage, stamped_copy: RgbImage, tmp_path: Path
) -> None:
    extracted = scanned([stamped_copy, form_page, text_page()], tmp_path)
    copy, form, text = extracted.pages
    assert [page.kind for page in extracted.pages] == [
        PageKind.FOREIGN_FORM,
        PageKind.FORM,
        PageKind.SUPPORTING,
    ]
    assert [note.code for note in copy.notes] == ["beside-form"]
    assert (form.notes, text.impressions) == ((), ())
    assert [seal.row for seal in extracted.seals] == [SealKind.OFFICIAL, SealKind.LEGAL_REPRESENTATIVE]
    members = sorted(member for seal in extracted.seals for member in seal.members)
    assert members == list(form.impressions)
    for index in copy.impressions:
        assert Reason.FORM_MISMATCH in extracted.impressions[index].refusing
    assert copy.impressions
    shown = extraction_json(extracted)["impressions"]
    assert isinstance(shown, list)
    assert any(advice["refuses"] for advice in shown[copy.impressions[0]]["advice"])


def test_without_a_stamped_form_other_papers_give_their_seals(
    stamped_copy: RgbImage, font: bytes, tmp_path: Path
) -> None:
    blank = draw_filled_form("AC1", [], np.random.default_rng(4), font, px_per_mm=PX_PER_MM).page
    extracted = scanned([stamped_copy, blank], tmp_path)
    assert [len(seal.members) for seal in extracted.seals] == [3]
    assert extracted.pages[0].notes == ()
