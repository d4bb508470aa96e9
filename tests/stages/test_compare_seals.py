"""Two files, each with one seal, set against each other."""

from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image

from pipeline.tryout.artwork import Artwork, draw_round_seal, draw_square_seal
from pipeline.tryout.specimens import draw_specimen_page
from seal_imaging import ImpressionUnusable
from seal_imaging.group import MAX_IMPRESSIONS, Kinship
from stages import compare_seals as module
from stages.compare_seals import compare_seals
from stages.errors import InputRefused
from stages.extract import extract
from stages.scans import ScannedPage, read_scan

COMPANY = "测试建设有限公司"


@pytest.fixture(scope="module")
def font() -> bytes:
    return bytes(pymupdf.Font("cjk").buffer)


def scan_of(path: Path, seals: list[Artwork], font: bytes, seed: int) -> Path:
    drawn = draw_specimen_page(
        seals,
        rng=np.random.default_rng(seed),
        font=font,
        px_per_mm=200 / 25.4,
        page_mm=(60, 60 * len(seals)),
        copies=1,
    )
    Image.fromarray(drawn.page).save(path, dpi=(200, 200))
    return path


def test_a_scan_is_of_the_seal_image_made_of_another_scan(font: bytes, tmp_path: Path) -> None:
    seal = draw_round_seal(COMPANY, font)
    old = scan_of(tmp_path / "old.png", [seal], font, 1)
    (made,) = extract(read_scan(old), tmp_path).seals
    compared = compare_seals(made.image, scan_of(tmp_path / "new.png", [seal], font, 2), tmp_path / "d.png")
    assert compared.comparison.answer is Kinship.SAME
    assert max(abs(value) for value in compared.comparison.stretch_percent) < 0.5
    with Image.open(compared.picture) as picture:
        assert picture.mode == "RGB"


def test_seals_of_two_shapes_differ(font: bytes, tmp_path: Path) -> None:
    first = scan_of(tmp_path / "a.png", [draw_round_seal(COMPANY, font)], font, 1)
    second = scan_of(tmp_path / "b.png", [draw_square_seal("张三之印", font)], font, 1)
    assert compare_seals(first, second, tmp_path / "d.png").comparison.answer is Kinship.DIFFERENT


def test_a_file_with_two_seals_or_none_is_refused(font: bytes, tmp_path: Path) -> None:
    seals = [draw_round_seal(COMPANY, font), draw_square_seal("张三之印", font)]
    both = scan_of(tmp_path / "both.png", seals, font, 1)
    with pytest.raises(ImpressionUnusable, match=r"both\.png: 2 different seals") as caught:
        compare_seals(both, both, tmp_path / "d.png")
    assert caught.value.zh
    Image.new("RGB", (300, 300), "white").save(tmp_path / "none.png")
    with pytest.raises(ImpressionUnusable, match="0 different seals"):
        compare_seals(tmp_path / "none.png", both, tmp_path / "d.png")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"no picture")
    with pytest.raises(InputRefused):
        compare_seals(tmp_path / "x.png", tmp_path / "x.png", tmp_path / "d.png")


def test_a_file_with_too_many_impressions_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Page:
        impressions = (None,) * (MAX_IMPRESSIONS + 1)

    Image.new("RGB", (30, 30), "white").save(tmp_path / "many.png")
    monkeypatch.setattr(module, "read_scanned_page", lambda _: Page)
    monkeypatch.setattr(
        module, "read_scan", lambda _: [ScannedPage(0, np.zeros((9, 9, 3), np.uint8), None, "unknown")]
    )
    with pytest.raises(InputRefused, match="more than 32"):
        compare_seals(tmp_path / "many.png", tmp_path / "many.png", tmp_path / "d.png")
