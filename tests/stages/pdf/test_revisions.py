"""What is appended after a signature without touching one signed object, and still changes what is seen."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pymupdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from stages.verdict_types import DocumentVerdict, Indication, Lamp
from stages.verify import verify
from tests.simulators.signed_pdfs import NOW, Pki, sign_pdf

Change = Callable[[IncrementalPdfFileWriter], None]


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki()


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Path:
    """A form with one text field, signed."""
    plain = tmp_path_factory.mktemp("form") / "form.pdf"
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        page.insert_text((72, 72), "price 100")
        widget = pymupdf.Widget()
        widget.field_name, widget.field_value = "price", "100"
        widget.field_type = pymupdf.PDF_WIDGET_TYPE_TEXT
        widget.rect = pymupdf.Rect(72, 100, 200, 120)
        page.add_widget(widget)
        document.save(plain)
    writer = IncrementalPdfFileWriter(io.BytesIO(plain.read_bytes()), strict=False)
    set_in_form("/DA", generic.pdf_string("/Helv 10 Tf 0 g"))(writer)
    plain.write_bytes(_written(writer))
    return sign_pdf(plain, plain.with_name("signed.pdf"), pki, timestamp=pki.authority())


def set_in_form(key: str, value: generic.PdfObject) -> Change:
    def change(writer: IncrementalPdfFileWriter) -> None:
        form = writer.root["/AcroForm"]
        form[generic.pdf_name(key)] = value
        writer.update_container(form)

    return change


def _written(writer: IncrementalPdfFileWriter) -> bytes:
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def appended(source: Path, target: Path, change: Change) -> Path:
    writer = IncrementalPdfFileWriter(io.BytesIO(source.read_bytes()), strict=False)
    change(writer)
    target.write_bytes(_written(writer))
    return target


def with_empty_update(data: bytes, trailer: bytes) -> bytes:
    """Append a cross-reference section that lists nothing, under a trailer of one's own."""
    return data + b"xref\n0 0\ntrailer\n<<%s>>\nstartxref\n%d\n%%%%EOF\n" % (trailer, len(data))


def last_startxref(data: bytes) -> bytes:
    found: bytes = re.findall(rb"startxref\s+(\d+)", data)[-1]
    return found


def add_dss(writer: IncrementalPdfFileWriter) -> None:
    writer.root[generic.pdf_name("/DSS")] = generic.DictionaryObject({})
    writer.update_root()


def check_changed(verdict: DocumentVerdict) -> None:
    assert verdict.indication is Indication.TOTAL_FAILED
    assert verdict.signatures[0].integrity is Lamp.FAILED
    assert "changed-after-signing" in {cause.code for cause in verdict.signatures[0].causes}


WHITE = generic.pdf_string("/Helv 10 Tf 1 g")


@pytest.mark.parametrize(
    ("key", "value", "again"),
    [
        ("/NeedAppearances", generic.BooleanObject(True), False),
        ("/DA", WHITE, False),
        ("/DA", WHITE, True),
    ],
)
def test_a_form_may_not_be_drawn_anew(
    signed: Path, pki: Pki, tmp_path: Path, key: str, value: generic.PdfObject, again: bool
) -> None:
    """Viewers draw the fields again from values nobody saw, or in white: a shadow attack on forms."""
    path = appended(signed, tmp_path / "a.pdf", set_in_form(key, value))
    if again:
        path = sign_pdf(path, tmp_path / "b.pdf", pki, field="Second", timestamp=pki.authority())
    check_changed(verify(path, pki.trust, NOW))


def test_a_form_may_get_what_it_lacked(signed: Path, pki: Pki, tmp_path: Path) -> None:
    path = appended(signed, tmp_path / "a.pdf", set_in_form("/NeedAppearances", generic.BooleanObject(False)))
    assert verify(path, pki.trust, NOW).indication is Indication.TOTAL_PASSED


def test_a_smaller_size_hides_no_objects(signed: Path, pki: Pki, tmp_path: Path) -> None:
    """Objects from /Size on are missing to a reader (ISO 32000-2 Table 15): the page would be empty."""
    data = signed.read_bytes()
    size = int(re.findall(rb"/Size\s+(\d+)", data)[-1])
    root: bytes = re.findall(rb"/Root\s+(\d+ 0 R)", data)[-1]
    path = tmp_path / "a.pdf"
    kept = b"/Root %s /Prev %s /Size " % (root, last_startxref(data))
    path.write_bytes(with_empty_update(data, kept + str(size).encode()))
    assert verify(path, pki.trust, NOW).indication is Indication.TOTAL_PASSED
    path.write_bytes(with_empty_update(data, kept + b"3"))
    check_changed(verify(path, pki.trust, NOW))


def test_nothing_stands_behind_the_last_revision(signed: Path, pki: Pki, tmp_path: Path) -> None:
    """Bytes behind an allowed revision, closed by a second pointer to that revision's own table."""
    path = appended(signed, tmp_path / "a.pdf", add_dss)
    data = path.read_bytes()
    assert verify(path, pki.trust, NOW).indication is Indication.TOTAL_PASSED
    path.write_bytes(data + b"\r\n ")
    assert verify(path, pki.trust, NOW).indication is Indication.TOTAL_PASSED
    hidden = b"\n4 0 obj\n<</Evil true>>\nendobj\nstartxref\n%s\n%%%%EOF\n" % last_startxref(data)
    path.write_bytes(data + hidden)
    check_changed(verify(path, pki.trust, NOW))
