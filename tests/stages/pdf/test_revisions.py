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


def array(*numbers: int) -> generic.ArrayObject:
    return generic.ArrayObject([generic.NumberObject(number) for number in numbers])


def add_field(rect: generic.PdfObject, **more: generic.PdfObject) -> Change:
    """Add an empty signature field, drawn with what the file has already: with the text field's looks."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        page = writer.root["/Pages"]["/Kids"][0]
        old = page["/Annots"][0]["/AP"].raw_get("/N")
        looks = generic.IndirectObject(old.idnum, old.generation, writer)
        entries = {"/Subtype": generic.pdf_name("/Widget"), "/FT": generic.pdf_name("/Sig"), "/Rect": rect}
        entries |= {"/T": generic.pdf_string("x"), "/F": generic.NumberObject(4)}
        entries["/AP"] = generic.DictionaryObject({generic.pdf_name("/N"): looks})
        entries |= {f"/{key}": value for key, value in more.items()}
        field = writer.add_object(
            generic.DictionaryObject({generic.pdf_name(key): value for key, value in entries.items()})
        )
        for holder, key in ((page, "/Annots"), (writer.root["/AcroForm"], "/Fields")):
            holder[key].append(field)
            writer.update_container(holder[key])

    return change


SCRIPT = {
    generic.pdf_name("/S"): generic.pdf_name("/JavaScript"),
    generic.pdf_name("/JS"): generic.pdf_string("1"),
}


@pytest.mark.parametrize(
    ("change", "is_good"),
    [
        (add_field(array(0, 0, 0, 0)), True),
        (add_field(array(100, 300, 200, 400)), False),
        (add_field(array(100, 300, 200, 400, 0)), False),
        (add_field(generic.ArrayObject([*array(100, 300, 200), generic.pdf_name("/x")])), False),
        (add_field(array(0, 0, 0, 0), A=generic.DictionaryObject(SCRIPT)), False),
        (add_field(array(0, 0, 0, 0), AA=generic.DictionaryObject()), False),
        (add_field(array(0, 0, 0, 0), OC=generic.DictionaryObject()), False),
    ],
)
def test_a_new_field_shows_nothing_old_and_runs_nothing(
    signed: Path, pki: Pki, tmp_path: Path, change: Change, is_good: bool
) -> None:
    """A seal that is in the file could be shown once more elsewhere; a script could change what is seen."""
    verdict = verify(appended(signed, tmp_path / "a.pdf", change), pki.trust, NOW)
    assert (verdict.indication is Indication.TOTAL_PASSED) == is_good
    if not is_good:
        check_changed(verdict)


def in_page(key: str, value: Callable[[IncrementalPdfFileWriter], generic.PdfObject]) -> Change:
    def change(writer: IncrementalPdfFileWriter) -> None:
        page = writer.root["/Pages"]["/Kids"][0]
        page[generic.pdf_name(key)] = value(writer)
        writer.update_container(page)

    return change


def test_what_was_missing_when_signed_may_not_come_later(signed: Path, pki: Pki, tmp_path: Path) -> None:
    """A page whose content names an object that is not there: blank when signed, and full afterwards."""
    gap = 500
    waiting = in_page(
        "/Contents", lambda writer: generic.ArrayObject([generic.IndirectObject(gap, 0, writer)])
    )
    path = appended(signed, tmp_path / "plain.pdf", waiting)
    path = sign_pdf(path, tmp_path / "waiting.pdf", pki, field="Second", timestamp=pki.authority())
    data = path.read_bytes()
    root: bytes = re.findall(rb"/Root\s+(\d+ 0 R)", data)[-1]
    for number, is_good in ((gap + 1, True), (gap, False)):
        defined = b"\n%d 0 obj\n<< /Length 1 >>\nstream\nn\nendstream\nendobj\n" % number
        table = b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Root %s /Prev %s /Size %d >>\n" % (
            (number, len(data) + 1, root, last_startxref(data), gap + 2)
        )
        end = b"startxref\n%d\n%%%%EOF\n" % (len(data) + len(defined))
        (tmp_path / "a.pdf").write_bytes(data + defined + table + end)
        integrity = verify(tmp_path / "a.pdf", pki.trust, NOW).signatures[1].integrity
        assert integrity is (Lamp.PASSED if is_good else Lamp.FAILED)


def note(number: int) -> generic.DictionaryObject:
    entries = {"/Subtype": generic.pdf_name("/Square"), "/Rect": array(number, number, 50, 50)}
    return generic.DictionaryObject({generic.pdf_name(key): value for key, value in entries.items()})


def test_annotations_keep_their_order_and_may_stand_in_the_page_itself(pki: Pki, tmp_path: Path) -> None:
    """Many programs write links straight into /Annots; what lies on top may not change places."""
    with pymupdf.open() as document:
        document.new_page()
        document.save(tmp_path / "plain.pdf")
    notes = in_page(
        "/Annots", lambda writer: generic.ArrayObject([note(1), writer.add_object(note(2)), note(3)])
    )
    path = sign_pdf(appended(tmp_path / "plain.pdf", tmp_path / "a.pdf", notes), tmp_path / "b.pdf", pki)
    second = sign_pdf(path, tmp_path / "c.pdf", pki, field="Second")
    assert [one.integrity for one in verify(second, pki.trust, NOW).signatures] == [Lamp.PASSED] * 2

    def turned(writer: IncrementalPdfFileWriter) -> None:
        entries = writer.root["/Pages"]["/Kids"][0]["/Annots"]
        first, second, *rest = entries
        entries[:] = [second, first, *rest]
        writer.update_container(entries)

    def twice(writer: IncrementalPdfFileWriter) -> None:
        entries = writer.root["/Pages"]["/Kids"][0]["/Annots"]
        entries.append(entries.raw_get(1))
        writer.update_container(entries)

    for change in (turned, twice):
        changed = appended(path, tmp_path / "d.pdf", change)
        third = sign_pdf(changed, tmp_path / "e.pdf", pki, field="Third")
        assert verify(third, pki.trust, NOW).signatures[0].integrity is Lamp.FAILED
