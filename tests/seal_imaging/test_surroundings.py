"""A table is no paper: photos of sheets on dark coloured tables are read like scans."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.tryout.artwork import Artwork
from pipeline.tryout.specimens import draw_specimen_page, photograph
from seal_imaging import read_page
from seal_imaging.surroundings import find_surroundings

BROWN, RED_WOOD, NAVY = (66, 40, 30), (110, 40, 30), (25, 35, 80)


def _sheet(seals: list[Artwork], font: bytes) -> NDArray[np.uint8]:
    return draw_specimen_page(seals, rng=np.random.default_rng(2), font=font, px_per_mm=200 / 25.4).page


def _on_table(
    page: NDArray[np.uint8], table_rgb: tuple[int, int, int], rng: np.random.Generator
) -> NDArray[np.uint8]:
    photo, _ = photograph(page, rng, tilt=0.04, size_px=(1500, 2000))
    bare, _ = photograph(np.full_like(page, 255), np.random.default_rng(3), tilt=0.04, size_px=(1500, 2000))
    table = (bare == (104, 92, 80)).all(2)
    grain = np.clip(rng.normal(1.0, 0.12, (*photo.shape[:2], 1)), 0.5, 1.5)
    return np.where(table[..., None], (table_rgb * grain).astype(np.uint8), photo)


@pytest.mark.parametrize("cut_px", [0, 260], ids=["whole sheet", "sheet cut off below"])
@pytest.mark.parametrize("table_rgb", [BROWN, RED_WOOD, NAVY], ids=["brown", "red wood", "navy"])
def test_seals_are_found_on_a_sheet_that_lies_on_a_coloured_table(
    font: bytes, round_seal: Artwork, square_seal: Artwork, table_rgb: tuple[int, int, int], cut_px: int
) -> None:
    photo = _on_table(_sheet([round_seal, square_seal], font), table_rgb, np.random.default_rng(3))
    photo = np.ascontiguousarray(photo[: photo.shape[0] - cut_px])
    assert len(read_page(photo, None).impressions) == 6


def test_a_scan_has_no_surroundings(font: bytes, round_seal: Artwork) -> None:
    assert find_surroundings(_sheet([round_seal], font)) is None
