"""Lines of text cut out of ink."""

import numpy as np

from seal_imaging.simplified import SIMPLIFIED
from seal_imaging.strips import (
    STRIP_PX,
    clear_frame,
    find_lines,
    runs,
    strip_of,
    strip_of_cells,
    without_specks,
)


def _page(*boxes: tuple[int, int, int, int], side: int = 400) -> np.ndarray:
    ink = np.zeros((side, side), np.float32)
    for x, y, w, h in boxes:
        ink[y : y + h, x : x + w] = 1
    return ink


def test_runs_join_over_small_gaps() -> None:
    line = np.array([0, 1, 1, 0, 1, 0, 0, 0, 1], bool)
    assert runs(line, gap=1) == [(1, 3), (4, 5), (8, 9)]
    assert runs(line, gap=2) == [(1, 5), (8, 9)]
    assert runs(np.zeros(5, bool), gap=1) == []


def test_lines_are_found_top_to_bottom() -> None:
    boxes = [(50, 60, 300, 40), (100, 150, 200, 30)]
    assert find_lines(_page(*boxes)) == boxes


def test_a_rule_is_no_line_of_text() -> None:
    assert find_lines(_page((20, 200, 360, 4))) == []


def test_a_strip_is_dark_on_white_at_the_reader_s_height() -> None:
    strip = strip_of(_page((50, 60, 300, 40)), (50, 60, 300, 40))
    assert strip.shape[0] == STRIP_PX
    assert strip[0].min() == 255
    assert strip[STRIP_PX // 2, strip.shape[1] // 2] == 0


def test_cells_stand_side_by_side() -> None:
    strip = strip_of_cells([np.ones((30, 30), np.float32), np.ones((30, 60), np.float32)])
    assert strip.shape[0] == STRIP_PX
    assert len(runs(strip[STRIP_PX // 2] < 128, gap=1)) == 2


def test_a_frame_and_a_rule_are_cleared_and_text_is_not() -> None:
    framed = _page((0, 0, 400, 12), (0, 388, 400, 12), (0, 0, 12, 400), (388, 0, 12, 400), (12, 200, 376, 4))
    text = _page((60, 60, 200, 40), (60, 260, 200, 40))
    assert np.array_equal(clear_frame(np.maximum(framed, text)), text)


def test_the_ink_handed_in_is_left_as_it_was() -> None:
    ink = _page((0, 0, 400, 12), (60, 60, 3, 3))
    before = ink.copy()
    clear_frame(ink)
    without_specks(ink, least_px=20)
    assert np.array_equal(ink, before)


def test_specks_go_and_strokes_stay() -> None:
    left = without_specks(_page((60, 60, 3, 3), (100, 100, 20, 20)), least_px=20)
    assert left[60:63, 60:63].max() == 0
    assert left[100:120, 100:120].min() == 1


def test_every_simplified_form_is_in_gb_2312_and_none_is_its_own() -> None:
    for traditional, simplified in SIMPLIFIED.items():
        assert simplified.encode("gb2312")
        assert traditional != simplified
