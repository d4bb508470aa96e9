"""A scan: from untrusted bytes to pages of pixels with a scale somebody may believe."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pymupdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, TiffImagePlugin

from stages import scans
from stages.errors import InputRefused
from stages.ingest import ScannedPage, read_scan

RED = (200, 30, 40)


def pages_of(path: Path) -> list[ScannedPage]:
    return list(read_scan(path))


def refusal_of(path: Path) -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        pages_of(path)
    assert path.name in str(caught.value)
    assert caught.value.zh
    return caught.value


def picture(width: int = 300, height: int = 200) -> Image.Image:
    """A left half in red on white, so that turns show."""
    image = Image.new("RGB", (width, height), "white")
    image.paste(RED, (0, 0, width // 2, height))
    return image


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def png_claiming(path: Path, width: int, height: int) -> Path:
    """A PNG whose header claims a size its few bytes do not hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    path.write_bytes(data + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize(("suffix", "tolerance"), [("png", 0), ("tif", 0), ("jpg", 6)])
def test_a_picture_is_one_page_in_its_own_colours(tmp_path: Path, suffix: str, tolerance: int) -> None:
    (page,) = pages_of(saved(tmp_path / f"scan.{suffix}", picture()))
    assert page.image.shape == (200, 300, 3)
    assert page.image.dtype == np.uint8
    assert np.abs(page.image[100, 50].astype(int) - RED).max() <= tolerance
    assert np.abs(page.image[100, 250].astype(int) - 255).max() <= tolerance


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_300_dpi_in_the_file_is_believed(tmp_path: Path, suffix: str) -> None:
    (page,) = pages_of(saved(tmp_path / f"scan.{suffix}", picture(), dpi=(300, 300)))
    assert page.px_per_mm == pytest.approx(300 / 25.4, rel=1e-3)
    assert page.scale_source == "dpi"


@pytest.mark.parametrize(
    "dpi", [(72, 72), (96, 96), (120, 120), (144, 144), (300, 310), (200, 100), (5000, 5000)], ids=str
)
def test_a_resolution_no_scanner_writes_is_not_believed(tmp_path: Path, dpi: tuple[int, int]) -> None:
    (page,) = pages_of(saved(tmp_path / "scan.png", picture(), dpi=dpi))
    assert page.px_per_mm is None
    assert page.scale_source == "unknown"


def test_a_resolution_that_would_make_a_page_longer_than_a3_is_not_believed(tmp_path: Path) -> None:
    believed = pages_of(saved(tmp_path / "a.png", picture(2600, 100), dpi=(150, 150)))[0]
    doubted = pages_of(saved(tmp_path / "b.png", picture(2700, 100), dpi=(150, 150)))[0]
    assert believed.px_per_mm == pytest.approx(150 / 25.4, rel=1e-3)
    assert doubted.px_per_mm is None


def test_dots_per_centimetre_count_as_such(tmp_path: Path) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[296], tags[282], tags[283] = 3, 118.11, 118.11
    (tiff,) = pages_of(saved(tmp_path / "scan.tif", picture(), tiffinfo=tags))
    assert tiff.px_per_mm == pytest.approx(11.811, rel=1e-3)
    data = io.BytesIO()
    picture().save(data, "JPEG", dpi=(118, 118))
    jpeg = bytearray(data.getvalue())
    assert jpeg[6:11] == b"JFIF\0"
    jpeg[13] = 2  # density unit: dots per cm (JFIF 1.02)
    (tmp_path / "scan.jpg").write_bytes(jpeg)
    (page,) = pages_of(tmp_path / "scan.jpg")
    assert page.px_per_mm == pytest.approx(11.8, rel=1e-3)


def test_a_picture_without_resolution_has_no_scale(tmp_path: Path) -> None:
    (page,) = pages_of(saved(tmp_path / "scan.png", picture()))
    assert (page.px_per_mm, page.scale_source) == (None, "unknown")


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn 90° clockwise to see it upright
    (page,) = pages_of(saved(tmp_path / "phone.jpg", picture(), exif=exif, quality=95))
    assert page.image.shape == (300, 200, 3)
    assert page.image[50, 100].astype(int)[1] < 60  # the red left half is now on top
    assert page.image[250, 100].min() > 245


def test_a_cmyk_jpeg_becomes_rgb(tmp_path: Path) -> None:
    (page,) = pages_of(saved(tmp_path / "press.jpg", picture().convert("CMYK"), quality=95))
    assert page.image.shape == (200, 300, 3)
    assert np.abs(page.image[100, 50].astype(int) - RED).max() <= 8
    assert page.image[100, 250].min() > 245


def test_a_cmyk_jpeg_with_a_damaged_or_foreign_profile_is_read_without_it(tmp_path: Path) -> None:
    foreign = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (foreign, b"no profile at all"):
        path = saved(tmp_path / "press.jpg", picture().convert("CMYK"), quality=95, icc_profile=profile)
        (page,) = pages_of(path)
        assert np.abs(page.image[100, 50].astype(int) - RED).max() <= 8


@pytest.mark.parametrize("suffix", ["tif", "png"])
def test_16_bit_grey_keeps_its_high_byte(tmp_path: Path, suffix: str) -> None:
    grey = np.full((40, 60), 0xFFFF, dtype=np.uint16)
    grey[:, :30] = 0x80FF
    (page,) = pages_of(saved(tmp_path / f"grey.{suffix}", Image.fromarray(grey)))
    assert page.image.shape == (40, 60, 3)
    assert page.image[20, 10].tolist() == [0x80] * 3
    assert page.image[20, 50].tolist() == [0xFF] * 3


def test_a_one_bit_tiff_is_black_and_white(tmp_path: Path) -> None:
    (page,) = pages_of(
        saved(
            tmp_path / "fax.tif", picture().convert("L").point(lambda v: v > 128, "1"), compression="group4"
        )
    )
    assert page.image[100, 50].tolist() == [0, 0, 0]
    assert page.image[100, 250].tolist() == [255, 255, 255]


def test_a_floating_point_tiff_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "float.tif", Image.fromarray(np.zeros((4, 4), dtype=np.float32)))
    assert "floating-point" in str(refusal_of(path))


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA"])
def test_transparency_lies_on_white(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 10, 20))
    path = saved(tmp_path / "clear.png", image.convert(mode), **({"transparency": 0} if mode == "P" else {}))
    (page,) = pages_of(path)
    assert page.image.shape == (20, 20, 3)
    if mode != "P":  # the palette's index 0 decides there
        assert page.image[10, 15].tolist() == [255] * 3
        assert page.image[10, 5].tolist() == [0] * 3


def test_an_animated_png_gives_its_first_frame(tmp_path: Path) -> None:
    first, second = picture(), Image.new("RGB", (300, 200), "blue")
    path = saved(tmp_path / "moving.png", first, save_all=True, append_images=[second])
    (page,) = pages_of(path)
    assert page.image[100, 50].tolist() == list(RED)


def test_a_tiff_gives_every_page_in_order_each_with_its_scale(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (50 + index, 40), (index * 40, 0, 0)) for index in range(4)]
    path = saved(tmp_path / "pages.tif", frames[0], save_all=True, append_images=frames[1:], dpi=(200, 200))
    pages = pages_of(path)
    assert [page.page_index for page in pages] == [0, 1, 2, 3]
    assert [page.image.shape[1] for page in pages] == [50, 51, 52, 53]
    assert [int(page.image[0, 0, 0]) for page in pages] == [0, 40, 80, 120]
    assert all(page.px_per_mm == pytest.approx(200 / 25.4, rel=1e-3) for page in pages)


def test_an_image_of_60000_by_60000_px_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = png_claiming(tmp_path / "huge.png", 60_000, 60_000)
    assert "60000 x 60000 px" in str(refusal_of(path))


def test_a_later_tiff_page_over_the_pixel_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "pages.tif", picture(10, 10), save_all=True, append_images=[picture(200, 200)])
    monkeypatch.setattr(scans, "MAX_SCAN_PIXELS", 10_000)
    pages = read_scan(path)
    next(pages)
    with pytest.raises(InputRefused, match="page 2: 200 x 200 px"):
        next(pages)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_truncated_picture_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (90, 90, 3), dtype=np.uint8)
    whole = saved(tmp_path / f"whole.{suffix}", Image.fromarray(noise)).read_bytes()
    path = tmp_path / f"cut.{suffix}"
    path.write_bytes(whole[: max(12, int(len(whole) * share))])
    refusal_of(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.pdf"
    path.write_bytes(b"")
    assert "0 bytes" in str(refusal_of(path))


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    refusal_of(tmp_path / "nowhere.png")


def test_a_file_of_another_kind_is_refused_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "scan.jpg"
    path.write_bytes(b"MZ this is a program" * 10)
    assert "not a JPEG, PNG, TIFF or PDF" in str(refusal_of(path))
    gif = saved(tmp_path / "moving.png", picture(), format="GIF")
    refusal_of(gif)


def test_a_file_over_the_byte_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "MAX_SCAN_BYTES", 100)
    path = saved(tmp_path / "scan.png", picture())
    assert "limit for a scan is 100" in str(refusal_of(path))


def test_too_many_pages_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "MAX_SCAN_PAGES", 2)
    tiff = saved(tmp_path / "p.tif", picture(), save_all=True, append_images=[picture(), picture()])
    assert "more than 2 pages" in str(refusal_of(tiff))
    assert "more than 2 pages" in str(refusal_of(pdf_of(tmp_path / "p.pdf", [picture()] * 3)))


def pdf_of(path: Path, pictures: list[Image.Image], *, width_pt: float = 300, height_pt: float = 200) -> Path:
    with pymupdf.open() as document:
        for one in pictures:
            data = io.BytesIO()
            one.save(data, "PNG")
            page = document.new_page(width=width_pt, height=height_pt)
            page.insert_image(page.rect, stream=data.getvalue(), keep_proportion=False)
        document.save(path)
    return path


def test_a_pdf_scan_is_rendered_at_its_images_resolution_with_the_pages_scale(tmp_path: Path) -> None:
    (page,) = pages_of(pdf_of(tmp_path / "scan.pdf", [picture(1200, 800)]))  # 288 dpi
    assert page.image.shape == (800, 1200, 3)
    assert page.px_per_mm == pytest.approx(288 / 25.4)
    assert page.scale_source == "pdf"
    assert np.abs(page.image[400, 300].astype(int) - RED).max() <= 1


@pytest.mark.parametrize(("width_px", "dpi"), [(100, 150), (6000, 600)])
def test_the_resolution_of_a_pdf_scan_stays_within_limits(tmp_path: Path, width_px: int, dpi: int) -> None:
    (page,) = pages_of(
        pdf_of(tmp_path / "scan.pdf", [picture(width_px, width_px * 2 // 3)], width_pt=72, height_pt=48)
    )
    assert page.px_per_mm == pytest.approx(dpi / 25.4)
    assert page.image.shape[1] == dpi


def test_a_drawn_pdf_page_is_rendered_at_300_dpi_and_upright(tmp_path: Path) -> None:
    path = tmp_path / "drawn.pdf"
    with pymupdf.open() as document:
        page = document.new_page(width=144, height=72)
        page.draw_rect(pymupdf.Rect(0, 0, 72, 72), fill=(1, 0, 0), color=None)
        page.set_rotation(90)
        document.save(path)
    (scanned,) = pages_of(path)
    assert scanned.image.shape == (600, 300, 3)
    assert scanned.image[100, 150].tolist() == [255, 0, 0]
    assert scanned.image[500, 150].tolist() == [255, 255, 255]


def test_the_user_unit_of_a_pdf_page_counts(tmp_path: Path) -> None:
    path = tmp_path / "unit.pdf"
    with pikepdf.new() as document:
        page = document.add_blank_page(page_size=(72, 36))
        page.obj.UserUnit = 2
        document.save(path)
    (scanned,) = pages_of(path)
    assert scanned.image.shape[1] == pytest.approx(600)
    assert scanned.px_per_mm == pytest.approx(300 / 25.4)


def test_an_encrypted_pdf_is_refused(tmp_path: Path) -> None:
    plain = pdf_of(tmp_path / "plain.pdf", [picture()])
    path = tmp_path / "locked.pdf"
    with pikepdf.open(plain) as document:
        document.save(path, encryption=pikepdf.Encryption(user="secret", owner="secret"))
    assert "encrypted" in str(refusal_of(path))


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_a_truncated_pdf_is_refused(tmp_path: Path, share: float) -> None:
    whole = pdf_of(tmp_path / "whole.pdf", [picture()]).read_bytes()
    path = tmp_path / "cut.pdf"
    path.write_bytes(whole[: max(40, int(len(whole) * share))])
    refusal_of(path)


def test_a_pdf_with_an_image_of_60000_by_60000_px_is_refused(tmp_path: Path) -> None:
    path = pdf_of(tmp_path / "bomb.pdf", [picture()])
    with pikepdf.open(path, allow_overwriting_input=True) as document:
        for image in document.pages[0].get_images().values():
            image.Width = image.Height = 60_000
        document.save(path)
    assert "60000 x 60000 px" in str(refusal_of(path))


def test_a_pdf_page_of_ten_metres_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "banner.pdf"
    with pymupdf.open() as document:
        document.new_page(width=14_000, height=14_000)
        document.save(path)
    assert "too large for a scan" in str(refusal_of(path))


def test_reading_a_damaged_pdf_writes_nothing_to_stdout(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cut.pdf"
    path.write_bytes(pdf_of(tmp_path / "whole.pdf", [picture()]).read_bytes()[:300])
    refusal_of(path)
    assert capfd.readouterr().out == ""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(["jpg", "png", "tif", "pdf"]))
def test_damaged_bytes_are_read_or_refused_and_nothing_else(tmp_path: Path, seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    whole = tmp_path / f"whole.{kind}"
    if not whole.exists():
        if kind == "pdf":
            pdf_of(whole, [picture(60, 40)], width_pt=60, height_pt=40)
        else:
            saved(whole, picture(60, 40), dpi=(300, 300))
    data = bytearray(whole.read_bytes())
    for position in rng.integers(0, len(data), size=rng.integers(1, 12)):
        data[position] = rng.integers(0, 256)
    path = tmp_path / f"damaged.{kind}"
    path.write_bytes(data)
    try:
        pages = pages_of(path)
    except InputRefused:
        return
    assert all(page.image.ndim == 3 and page.image.shape[2] == 3 for page in pages)
