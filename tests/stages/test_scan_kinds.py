"""Scans as scanners, phones and office software really write them: each is read right, or refused plainly."""

import io
import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pymupdf
import pytest
from PIL import Image, ImageCms

from stages.errors import InputRefused
from stages.ingest import ScannedPage, read_scan

RED = (200, 30, 40)
BLUE = (30, 60, 190)


def corners() -> Image.Image:
    """A picture whose four quarters differ: red, blue, grey, white."""
    image = Image.new("RGB", (120, 80), "white")
    image.paste(RED, (0, 0, 60, 40))
    image.paste(BLUE, (60, 0, 120, 40))
    image.paste((90, 90, 90), (0, 40, 60, 80))
    return image


def only_page(path: Path) -> ScannedPage:
    (page,) = read_scan(path)
    return page


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_exif_orientation_of_a_phone_shows_the_page_upright(tmp_path: Path, orientation: int) -> None:
    undone = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = corners() if undone is None else corners().transpose(undone)
    exif = Image.Exif()
    exif[0x0112] = orientation
    page = only_page(saved(tmp_path / "phone.jpg", stored, exif=exif, quality=98, subsampling=0))
    assert page.image.shape == (80, 120, 3)
    wanted = np.asarray(corners()).astype(int)
    for y, x in ((20, 30), (20, 90), (60, 30), (60, 90)):
        assert np.abs(page.image[y, x] - wanted[y, x]).max() <= 6


@pytest.mark.parametrize("name", ["deep.tif", "deep.png"])
def test_16_bit_colours_keep_their_high_byte(tmp_path: Path, name: str) -> None:
    deep = (np.asarray(corners())[..., ::-1].astype(np.uint16)) * 257
    path = tmp_path / name
    path.write_bytes(cv2.imencode(path.suffix, deep)[1].tobytes())
    assert (only_page(path).image == np.asarray(corners())).all()


def test_a_palette_picture_has_its_colours(tmp_path: Path) -> None:
    page = only_page(saved(tmp_path / "palette.png", corners().quantize(8)))
    assert np.abs(page.image.astype(int) - np.asarray(corners()).astype(int)).max() <= 2


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_picture_is_grey(tmp_path: Path, mode: str) -> None:
    page = only_page(saved(tmp_path / "grey.png", corners().convert(mode)))
    assert page.image.shape == (80, 120, 3)
    assert (page.image[..., 0] == page.image[..., 2]).all()


def _wide_gamut() -> bytes:
    """The profile of a space with a much redder red than sRGB's, as Adobe RGB has a greener green."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = bytearray(lab)
    count = int.from_bytes(profile[128:132], "big")
    for entry in range(count):
        at = 132 + 12 * entry
        if profile[at : at + 4] in (b"rTRC", b"gTRC", b"bTRC"):
            start = int.from_bytes(profile[at + 4 : at + 8], "big")
            # A parametric curve of type 0: a plain gamma of 1.0 in place of sRGB's.
            profile[start : start + 16] = b"para" + bytes(4) + b"\0\0\0\0" + (0x10000).to_bytes(4, "big")
    return bytes(profile)


def test_colours_go_through_the_profile_in_the_file(tmp_path: Path) -> None:
    grey = Image.new("RGB", (20, 20), (64, 64, 64))
    plain = only_page(saved(tmp_path / "plain.png", grey)).image[10, 10]
    profiled = only_page(saved(tmp_path / "profiled.png", grey, icc_profile=_wide_gamut())).image[10, 10]
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = only_page(saved(tmp_path / "srgb.png", grey, icc_profile=srgb)).image[10, 10]
    assert plain.tolist() == [64, 64, 64]
    assert np.abs(same.astype(int) - 64).max() <= 1
    assert profiled.min() > 120  # linear light 64 is a much lighter sRGB
    damaged = only_page(saved(tmp_path / "damaged.png", grey, icc_profile=b"no profile")).image[10, 10]
    assert damaged.tolist() == [64, 64, 64]


@pytest.mark.parametrize(
    ("name", "head", "word"),
    [
        ("photo.heic", b"\0\0\0\x18ftypheic", "HEIC"),
        ("photo.jpg", b"\0\0\0\x18ftypmif1", "HEIF"),
        ("scan.jp2", b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        ("scan.jpg", b"\xff\x4f\xff\x51", "JPEG 2000"),
        ("picture.webp", b"RIFF\0\0\0\0WEBP", "WebP"),
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"),
        ("all.rar", b"Rar!\x1a\x07", "rar"),
    ],
)
def test_what_people_send_instead_of_a_scan_is_called_by_its_name(
    tmp_path: Path, name: str, head: bytes, word: str
) -> None:
    (tmp_path / name).write_bytes(head + bytes(100))
    with pytest.raises(InputRefused, match=word) as caught:
        list(read_scan(tmp_path / name))
    assert "JPEG、PNG、TIFF 或 PDF" in caught.value.zh


def test_a_zip_by_mistake_is_called_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "scan.pdf", "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(InputRefused, match="zip archive"):
        list(read_scan(tmp_path / "scan.pdf"))


def _png(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def test_a_pdf_page_of_several_images_is_rendered_whole_at_the_right_scale(tmp_path: Path) -> None:
    path = tmp_path / "strips.pdf"
    with pymupdf.open() as document:
        page = document.new_page(width=144, height=288)  # 50.8 × 101.6 mm
        for number, colour in enumerate((RED, BLUE, (90, 90, 90))):  # a scanner's strips, 200 dpi
            strip = pymupdf.Rect(0, 96 * number, 144, 96 * number + 96)
            page.insert_image(strip, stream=_png(Image.new("RGB", (400, 267), colour)), keep_proportion=False)
        document.save(path)
    scanned = only_page(path)
    assert scanned.px_per_mm == pytest.approx(200 / 25.4, rel=0.01)
    assert scanned.image.shape[0] == pytest.approx(800, abs=4)
    for y, colour in ((100, RED), (400, BLUE), (700, (90, 90, 90))):
        assert np.abs(scanned.image[y, 200].astype(int) - colour).max() <= 2


@pytest.mark.parametrize("turn_deg", [90, 180, 270])
def test_a_turned_pdf_page_is_upright_at_the_same_scale(tmp_path: Path, turn_deg: int) -> None:
    path = tmp_path / "turned.pdf"
    with pymupdf.open() as document:
        page = document.new_page(width=86.4, height=57.6)  # 120 × 80 px at 100 dpi, rendered at 150
        page.insert_image(page.rect, stream=_png(corners().resize((360, 240))))
        page.set_rotation(turn_deg)
        document.save(path)
    scanned = only_page(path)
    wanted = np.rot90(np.asarray(corners().resize((360, 240))), -turn_deg // 90)
    assert scanned.px_per_mm == pytest.approx(300 / 25.4, rel=0.01)
    assert scanned.image.shape == wanted.shape
    h, w = wanted.shape[:2]
    for y, x in ((h // 4, w // 4), (h // 4, 3 * w // 4), (3 * h // 4, w // 4)):
        assert np.abs(scanned.image[y, x].astype(int) - wanted[y, x]).max() <= 3


_COUNTING = """
import resource, sys
from pathlib import Path
from stages.ingest import read_scan

first = last = 0
for page in read_scan(Path(sys.argv[1])):
    # The peak only grows: what later pages add to that of the first five is what is not given back.
    last = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if page.page_index == 4:
        first = last
print(page.page_index + 1, first, last)
"""


@pytest.mark.parametrize("kind", ["pdf", "tif"])
def test_a_hundred_pages_take_no_more_memory_than_five(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(1)
    small = rng.integers(0, 255, (110, 78, 3), dtype=np.uint8)
    page = Image.fromarray(cv2.resize(small, (1240, 1754)))  # A4 at 150 dpi, 6.5 MB of pixels
    path = tmp_path / f"hundred.{kind}"
    if kind == "tif":
        page.save(path, save_all=True, append_images=[page] * 99, compression="jpeg", dpi=(150, 150))
    else:
        data = io.BytesIO()
        page.save(data, "JPEG", quality=70)
        with pymupdf.open() as document:
            for number in range(100):  # an image of its own for each page: nothing is shared
                one = document.new_page(width=595, height=842)
                one.insert_image(one.rect, stream=data.getvalue() + bytes([number]))
            document.save(path)
    script = tmp_path / "count.py"
    script.write_text(textwrap.dedent(_COUNTING))
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, str(script), str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    pages, first_kib, last_kib = (int(word) for word in done.stdout.split())
    assert pages == 100
    assert last_kib - first_kib < 40 * 1024
