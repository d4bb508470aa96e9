"""A keyword that is not there is answered with what is most like it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.errors import InputRefused
from stages.pdf.nearest import NearText, closest_part, nearest_in_file
from tests.simulators import pdfs


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    pages = [
        [(72.0, 100.0, "第一章 总则")],
        [(72.0, 100.0, "投标人（盖单位章）：某某公司"), (72.0, 300.0, "日期")],
    ]
    return pdfs.text_pages(tmp_path / "a.pdf", pages)


def test_the_closest_text_is_named_with_its_page(letter: Path) -> None:
    near = nearest_in_file(letter, "投标人（盖公章）", [0, 1])
    assert near == (NearText("投标人(盖单位章)", 1),)


@pytest.mark.parametrize("keyword", ["法定代表人签字", "/投标人.公章/"])
def test_nothing_is_named_when_nothing_is_alike(letter: Path, keyword: str) -> None:
    assert nearest_in_file(letter, keyword, [0, 1]) == ()


def test_a_page_that_cannot_be_read_is_refused(letter: Path) -> None:
    with pytest.raises(InputRefused, match="page 6"):
        nearest_in_file(letter, "盖章", [5])


@given(
    st.text("盖单位章人", min_size=1, max_size=8),
    st.text("盖单位章人", max_size=8),
    st.text("甲乙", max_size=5),
)
def test_a_part_that_is_the_same_needs_no_edit(wanted: str, before: str, after: str) -> None:
    distance, start, end = closest_part(wanted, before + wanted + after)
    assert distance == 0
    assert (before + wanted + after)[start:end] == wanted
