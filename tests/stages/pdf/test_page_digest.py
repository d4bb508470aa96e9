"""A page's digest changes with its picture, and with nothing else."""

from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from stages.errors import InputRefused
from stages.pdf.page_digest import PageDigests
from tests.simulators import pdfs


def _digests(path: Path) -> list[str]:
    with pikepdf.open(path, inherit_page_attributes=False) as pdf:
        digests = PageDigests(pdf)
        return [digests.digest(index) for index in range(len(pdf.pages))]


@pytest.fixture
def two_pages(tmp_path: Path) -> Path:
    return pdfs.text_pages(tmp_path / "a.pdf", [[(72, 100, "甲")], [(72, 100, "乙")]])


def _changed(path: Path, change: Callable[[pikepdf.Pdf], None]) -> list[str]:
    out = path.with_name("b.pdf")
    with pikepdf.open(path) as pdf:
        change(pdf)
        pdf.save(out, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return _digests(out)


def test_pages_that_differ_have_different_digests(two_pages: Path) -> None:
    first, second = _digests(two_pages)
    assert first != second
    assert _digests(two_pages) == [first, second]


def test_a_page_among_others_keeps_its_digest(two_pages: Path) -> None:
    def reverse(pdf: pikepdf.Pdf) -> None:
        pdf.pages.reverse()
        pdf.docinfo["/Title"] = "other"

    assert _changed(two_pages, reverse) == _digests(two_pages)[::-1]


def _turn(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].Rotate = 90


def _crop(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].CropBox = pikepdf.Array([0, 0, 300, 300])


def _draw(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].contents_add(b"0 0 9 9 re f")


def _annotate(pdf: pikepdf.Pdf) -> None:
    note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Square, Rect=[0, 0, 9, 9])
    pdf.pages[0].Annots = pikepdf.Array([pdf.make_indirect(note)])


@pytest.mark.parametrize("change", [_turn, _crop, _draw, _annotate])
def test_what_changes_the_picture_changes_the_digest(
    two_pages: Path, change: Callable[[pikepdf.Pdf], None]
) -> None:
    before, after = _digests(two_pages), _changed(two_pages, change)
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_resources_that_lead_back_to_themselves_end(two_pages: Path) -> None:
    def loop(pdf: pikepdf.Pdf) -> None:
        form = pdf.make_stream(b"/A Do", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
        form.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(A=form))
        pdf.pages[0].Resources.XObject = pikepdf.Dictionary(A=form)

    assert len(_changed(two_pages, loop)) == 2


def test_a_page_that_is_not_there_is_refused(two_pages: Path) -> None:
    with pikepdf.open(two_pages) as pdf, pytest.raises(InputRefused, match="page 10 cannot be read"):
        PageDigests(pdf).digest(9)
