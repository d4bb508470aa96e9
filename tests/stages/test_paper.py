"""Pages are counted by the paper people know, and by millimetres where no paper fits."""

import pytest

from stages.documents import PageGeometry
from stages.paper import count_papers, paper_words


def page(width_mm: float, height_mm: float) -> PageGeometry:
    return PageGeometry((0.0, 0.0, 1.0, 1.0), 0, 1.0, width_mm, height_mm)


def test_pages_are_counted_by_paper_and_way_round() -> None:
    pages = [page(210, 297)] * 120 + [page(420.2, 296.9)] * 3 + [page(100, 50.2), page(100.3, 50)]
    assert paper_words(pages) == (
        "A4 ×120, A3 landscape ×3, 100 × 50 mm ×2",
        "A4 ×120, A3 横 ×3, 100 × 50 mm ×2",
    )
    assert [(count.name, count.is_landscape, count.pages) for count in count_papers(pages)] == [
        ("A4", False, 120),
        ("A3", True, 3),
        (None, True, 2),
    ]


@pytest.mark.parametrize(
    ("size", "name"),
    [((215.9, 279.4), "Letter"), ((184, 260), "16K"), ((841, 1189), "A0"), ((182, 257), "JIS B5")],
)
def test_paper_has_its_name(size: tuple[float, float], name: str) -> None:
    assert paper_words([page(*size)])[0] == f"{name} ×1"


def test_many_sizes_are_cut_short() -> None:
    assert paper_words([page(300 + 20 * n, 50) for n in range(9)])[0].endswith("×1, … (+3)")


def test_no_pages_have_no_words() -> None:
    assert paper_words([]) == ("", "")
