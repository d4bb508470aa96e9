"""Scanned pictures on pages: true size where the picture says it, A4 where not, a JPEG's own bytes."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pymupdf
import pytest
from PIL import Image

from stages.errors import InputRefused
from stages.office import picture_pages
from stages.office.picture_pages import pdf_of_picture

A4_PX = (1654, 2339)
"""At 200 dpi: 210.06 mm × 297.05 mm."""


def scan(path: Path, *, mode: str = "RGB", size: tuple[int, int] = A4_PX, **options: Any) -> Path:
    """A white page with a black square at its top left."""
    picture = Image.new("RGB", size, "white")
    picture.paste("black", (0, 0, size[0] // 4, size[0] // 4))
    picture.convert(mode).save(path, **options)
    return path


def page_mm(pdf: Path) -> tuple[float, float]:
    with pymupdf.open(pdf) as document:
        rect = document[0].rect
    return (rect.width / 72 * 25.4, rect.height / 72 * 25.4)


def dark_corner(pdf: Path, page_index: int = 0) -> str:
    """Which corner of the displayed page is dark."""
    with pymupdf.open(pdf) as document:
        pixmap = document[page_index].get_pixmap(dpi=20, colorspace=pymupdf.csGRAY)
    page = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.stride)[:, : pixmap.width]
    rows, columns = np.nonzero(page < 64)
    up = "top" if rows.mean() < pixmap.height / 2 else "bottom"
    return f"{up} {'left' if columns.mean() < pixmap.width / 2 else 'right'}"


@pytest.mark.parametrize(
    ("name", "mode"), [("a.jpg", "RGB"), ("a.jpg", "L"), ("a.png", "RGB"), ("a.tif", "1"), ("a.jpg", "CMYK")]
)
def test_a_scan_that_states_its_resolution_keeps_its_size(tmp_path: Path, name: str, mode: str) -> None:
    source = scan(tmp_path / name, mode=mode, dpi=(200, 200))
    assert pdf_of_picture(source, tmp_path / "out.pdf", name=name) == (1, 0)
    assert page_mm(tmp_path / "out.pdf") == pytest.approx((210.06, 297.05), abs=0.05)
    assert dark_corner(tmp_path / "out.pdf") == "top left"


def test_the_bytes_of_a_jpeg_go_into_the_pdf_unchanged(tmp_path: Path) -> None:
    source = scan(tmp_path / "a.jpg", dpi=(300, 300), quality=71)
    pdf_of_picture(source, tmp_path / "out.pdf", name="a.jpg")
    with pikepdf.open(tmp_path / "out.pdf") as pdf:
        assert pdf.pages[0].Resources.XObject.Im0.read_raw_bytes() == source.read_bytes()


def test_a_photo_held_sideways_is_shown_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: shown, the picture is turned 90° clockwise
    source = scan(tmp_path / "a.jpg", size=(400, 300), exif=exif)
    pdf_of_picture(source, tmp_path / "out.pdf", name="a.jpg")
    width, height = page_mm(tmp_path / "out.pdf")
    assert height > width
    assert dark_corner(tmp_path / "out.pdf") == "top right"


def test_a_mirrored_photo_is_turned_over(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 2
    source = scan(tmp_path / "a.jpg", size=(300, 400), exif=exif)
    pdf_of_picture(source, tmp_path / "out.pdf", name="a.jpg")
    assert dark_corner(tmp_path / "out.pdf") == "top right"


@pytest.mark.parametrize("dpi", [None, (72, 72), (96, 96), (300, 150), (4000, 4000)])
@pytest.mark.parametrize(("size", "page"), [((300, 400), (210, 297)), ((400, 300), (297, 210))])
def test_without_a_resolution_to_believe_a_picture_is_laid_on_a4(
    tmp_path: Path, dpi: tuple[int, int] | None, size: tuple[int, int], page: tuple[int, int]
) -> None:
    source = scan(tmp_path / "a.png", size=size, **({"dpi": dpi} if dpi else {}))
    assert pdf_of_picture(source, tmp_path / "out.pdf", name="a.png") == (1, 1)
    assert page_mm(tmp_path / "out.pdf") == pytest.approx(page, abs=0.01)


def test_every_page_of_a_fax_is_a_page(tmp_path: Path) -> None:
    pages = [Image.new("1", (200, 300), 1) for _ in range(3)]
    pages[0].save(
        tmp_path / "a.tif", save_all=True, append_images=pages[1:], compression="group4", dpi=(200, 200)
    )
    assert pdf_of_picture(tmp_path / "a.tif", tmp_path / "out.pdf", name="a.tif") == (3, 0)


def test_the_same_picture_makes_the_same_bytes_and_names_no_tool(tmp_path: Path) -> None:
    source = scan(tmp_path / "a.png", size=(60, 80))
    made = []
    for name in ("one.pdf", "two.pdf"):
        pdf_of_picture(source, tmp_path / name, name="a.png")
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    assert b"/Info" not in made[0]


def test_a_picture_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png"):
        source = scan(tmp_path / name, size=(300, 400))
        source.write_bytes(source.read_bytes()[:-200] if name == "a.png" else source.read_bytes()[:900])
        with pytest.raises(InputRefused, match="damaged"):
            pdf_of_picture(source, tmp_path / "out.pdf", name=name)


def test_too_many_pixels_or_frames_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    with pytest.raises(InputRefused, match="pixels"):
        pdf_of_picture(tmp_path / "a.png", tmp_path / "out.pdf", name="a.png")
    monkeypatch.setattr(picture_pages, "MAX_PICTURE_FRAMES", 1)
    pages = [Image.new("1", (20, 30)) for _ in range(2)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(InputRefused, match="2 pictures"):
        pdf_of_picture(tmp_path / "a.tif", tmp_path / "out.pdf", name="a.tif")
