"""Pages as pictures: as a reader shows them, in the size asked for, and nothing without end."""

import io
from pathlib import Path

import numpy as np
import pikepdf
import pymupdf
import pytest
from PIL import Image

from stages.errors import InputRefused
from stages.pdf import render
from stages.pdf.render import MAX_PICTURE_SIDE_PX, open_for_view, render_page


def _document(path: Path, *sizes_pt: tuple[float, float]) -> Path:
    document = pymupdf.open()
    for width, height in sizes_pt:
        page = document.new_page(width=width, height=height)
        page.draw_rect(pymupdf.Rect(0, 0, width / 2, height / 2), fill=(1, 0, 0), color=None)
    document.save(path)
    return path


def _picture(path: Path, page_index: int = 0, side_px: int = 200) -> Image.Image:
    document = open_for_view(path)
    try:
        return Image.open(io.BytesIO(render_page(document, page_index, max_side_px=side_px)))
    finally:
        document.close()


def test_the_longer_side_is_as_asked_and_the_pixels_are_those_of_the_page(tmp_path: Path) -> None:
    picture = _picture(_document(tmp_path / "a.pdf", (595, 842)))
    picture.load()  # checks every chunk
    assert picture.size == pytest.approx((141, 200), abs=1)  # a pixel begun is a pixel
    assert picture.mode == "RGB"
    pixels = np.asarray(picture)
    assert tuple(pixels[50, 30]) == (255, 0, 0)
    assert tuple(pixels[150, 100]) == (255, 255, 255)


def test_a_turned_page_is_shown_turned(tmp_path: Path) -> None:
    with pikepdf.open(_document(tmp_path / "a.pdf", (595, 842))) as pdf:
        pdf.pages[0].rotate(90, relative=False)
        pdf.save(tmp_path / "turned.pdf")
    picture = _picture(tmp_path / "turned.pdf")
    assert picture.size == pytest.approx((200, 141), abs=1)
    assert picture.getpixel((150, 30)) == (255, 0, 0)


def test_an_a0_page_and_a_strip_stay_within_the_limit(tmp_path: Path) -> None:
    path = _document(tmp_path / "a.pdf", (2384, 3370), (3, 14_000))
    assert _picture(path, side_px=300).size == pytest.approx((212, 300), abs=1)
    assert _picture(path, 1, side_px=300).size[1] == pytest.approx(300, abs=1)
    assert max(_picture(path, 1, side_px=10**9).size) <= MAX_PICTURE_SIDE_PX + 1


@pytest.mark.parametrize("page_index", [-1, 1])
def test_a_page_that_is_not_there_is_refused(tmp_path: Path, page_index: int) -> None:
    with pytest.raises(InputRefused, match="there is no page"):
        _picture(_document(tmp_path / "a.pdf", (100, 100)), page_index)


def test_what_is_no_pdf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"nothing")
    with pytest.raises(InputRefused):
        _picture(tmp_path / "a.pdf")


def test_a_page_of_an_impossible_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "MAX_PAGE_SIDE_PT", 99.0)
    with pytest.raises(InputRefused, match="page 1 cannot be drawn"):
        _picture(_document(tmp_path / "a.pdf", (100, 100)))
