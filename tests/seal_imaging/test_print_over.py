"""Print over a seal is taken off it, and the seal's ink goes on under the print in its own colour."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.tryout.artwork import Artwork
from pipeline.tryout.specimens import PHOTO, PRINTED_OVER, ImpressionTruth, PageLook
from seal_imaging import Impression, read_impressions
from tests.seal_imaging.conftest import Draw
from tests.seal_imaging.truth import pairs

UNEVEN_SCANNER = replace(PRINTED_OVER, fringe_px=0.5)
PRINTED_PHOTO = replace(PHOTO, printed_over=True, fringe_px=0.5)


def _over_truth(truth: ImpressionTruth, found: Impression) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return the ink found, over the box of the truth."""
    x, y, w, h = truth.box_px
    left, top, width, height = found.box_px
    page = np.zeros((max(y + h, top + height), max(x + w, left + width)), np.bool_)
    page[top : top + height, left : left + width] = found.ink > 0.5
    return page[y : y + h, x : x + w]


@pytest.mark.parametrize("look", [PRINTED_OVER, PRINTED_PHOTO], ids=["scan", "photo"])
def test_ink_goes_on_under_print_and_print_does_not_stay(
    draw: Draw, round_seal: Artwork, oval_seal: Artwork, square_seal: Artwork, look: PageLook
) -> None:
    drawn = draw([round_seal, oval_seal, square_seal], look=look, seed=11)
    recovered, left_over = [], []
    for truth, found in pairs(drawn.truths, read_impressions(drawn.page, drawn.px_per_mm)):
        ink = _over_truth(truth, found)
        recovered.append((ink & truth.mask & truth.printed).sum() / (truth.mask & truth.printed).sum())
        left_over.append((ink & truth.printed & ~truth.mask).sum() / ink.sum())
    assert np.mean(recovered) >= 0.85
    assert np.mean(left_over) <= 0.01


def test_coloured_rims_of_print_hide_no_seal(
    draw: Draw, round_seal: Artwork, rectangle_seal: Artwork, square_seal: Artwork
) -> None:
    drawn = draw([round_seal, rectangle_seal, square_seal], look=UNEVEN_SCANNER, seed=11)
    pairs(drawn.truths, read_impressions(drawn.page, drawn.px_per_mm))


def test_the_colour_is_that_of_the_middle_of_strokes(draw: Draw, finance_seal: Artwork) -> None:
    blurred = PageLook(density=(1.0, 1.0), missing=0.0, blur_px=2.5)
    drawn = draw([finance_seal], look=blurred, copies=1)
    (found,) = read_impressions(drawn.page, drawn.px_per_mm)
    assert found.ink_rgb == pytest.approx(finance_seal.ink_rgb, abs=16)
