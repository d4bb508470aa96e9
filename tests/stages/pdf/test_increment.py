"""An increment is understood by every reader, whatever the file it follows is like."""

import io
import re
import subprocess
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pikepdf.settings import get_qpdf_limits, set_qpdf_limits
from pyhanko.pdf_utils.reader import PdfFileReader

from stages.errors import InputRefused
from stages.pdf import base as base_module
from stages.pdf import increment as increment_module
from stages.pdf.increment import Increment, RenderedIncrement, append_increment, open_base
from stages.pdf.structure import MAX_PAGES, inherited, page_at, walk_pages
from stages.pdf.syntax import array_with, dictionary_with, number, reference, value_token
from tests.simulators import pdfs
from tests.simulators.pdfs import PageKind

KINDS = ("table", "stream", "hybrid", "linearised", "no newline")


def made(kind: str, folder: Path) -> Path:
    path = folder / "base.pdf"
    match kind:
        case "hybrid":
            return pdfs.hybrid(path)
        case "linearised":
            pdfs.build(folder / "plain.pdf", [PageKind()] * 3)
            with pikepdf.open(folder / "plain.pdf") as pdf:
                pdf.save(path, linearize=True)
            return path
        case "no newline":
            page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>"
            node = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
            return pdfs.raw(path, [b"<< /Type /Catalog /Pages 2 0 R >>", node, page])
        case _:
            return pdfs.build(path, [PageKind()] * 3, object_streams=kind == "stream")


def with_note(path: Path, out: Path) -> RenderedIncrement:
    """Append a note to the first page and a new stream."""
    with open_base(path) as base:
        increment = Increment(base)
        page = next(walk_pages(base.pdf))
        increment.add_stream(b"/Kind /New", b"new data")
        note = increment.add(b"<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (note) /F 4 >>")
        changes = {"/Annots": array_with(None, [reference(note)])}
        increment.put(page.objgen, dictionary_with(page, changes))
        rendered = increment.render()
    append_increment(path, out, rendered.data, base_size_bytes=rendered.base_size_bytes)
    return rendered


@pytest.mark.parametrize("kind", KINDS)
def test_three_readers_see_what_was_appended(kind: str, tmp_path: Path) -> None:
    path, out = made(kind, tmp_path), tmp_path / "out.pdf"
    with_note(path, out)
    assert out.read_bytes().startswith(path.read_bytes())
    with pikepdf.open(out) as pdf:
        assert str(pdf.pages[0].Annots[0].Contents) == "note"
        assert pdf.get_warnings() == []
    reader = PdfFileReader(io.BytesIO(out.read_bytes()), strict=False)
    first = reader.root["/Pages"]["/Kids"][0]
    while "/Kids" in first:
        first = first["/Kids"][0]
    assert first["/Annots"][0]["/Contents"] == "note"
    with open_base(out) as again:  # an increment can follow an increment
        assert again.xref_is_stream == (kind == "stream")


@pytest.mark.needs_qpdf
@pytest.mark.parametrize("kind", KINDS)
def test_qpdf_finds_nothing_wrong(kind: str, tmp_path: Path) -> None:
    path, out = made(kind, tmp_path), tmp_path / "out.pdf"
    with_note(path, out)
    with_note(out, out)
    done = subprocess.run(["qpdf", "--check", out], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_offsets_point_at_the_bodies_and_numbers_are_new(kind: str, tmp_path: Path) -> None:
    path, out = made(kind, tmp_path), tmp_path / "out.pdf"
    rendered = with_note(path, out)
    data = out.read_bytes()
    with pikepdf.open(path, inherit_page_attributes=False) as old:
        highest = max(obj.objgen[0] for obj in old.objects)
    fresh = [objgen for objgen in rendered.body_offsets if objgen[0] > highest]
    assert len(fresh) == 2
    for objgen, offset in rendered.body_offsets.items():
        assert data[:offset].endswith(b"%d %d obj\n" % objgen)
        assert data[offset:].startswith(b"<<")


def test_the_same_bytes_come_out_again(tmp_path: Path) -> None:
    path = made("stream", tmp_path)
    first, second = with_note(path, tmp_path / "1.pdf"), with_note(path, tmp_path / "2.pdf")
    assert first.data == second.data


def test_identity_keeps_its_first_half_and_info_stays(tmp_path: Path) -> None:
    path, out = made("table", tmp_path), tmp_path / "out.pdf"
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.docinfo["/Author"] = "某人"
        pdf.save(path, deterministic_id=True)
    rendered = with_note(path, out)
    with pikepdf.open(path) as old, pikepdf.open(out) as new:
        assert bytes(old.trailer.ID[0]) == bytes(new.trailer.ID[0])
        assert bytes(old.trailer.ID[1]) != bytes(new.trailer.ID[1])
        assert str(new.docinfo["/Author"]) == "某人"
    assert b"Producer" not in rendered.data


def test_appending_in_place_only_appends(tmp_path: Path) -> None:
    path = made("table", tmp_path)
    before = path.read_bytes()
    rendered = with_note(path, path)
    assert path.read_bytes() == before + rendered.data


def test_a_base_that_grew_meanwhile_is_refused(tmp_path: Path) -> None:
    path = made("table", tmp_path)
    rendered = with_note(path, path)
    with pytest.raises(InputRefused, match="start over"):
        append_increment(path, path, rendered.data, base_size_bytes=rendered.base_size_bytes)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=20, unique=True),
    st.sampled_from(["table", "stream"]),
)
def test_any_set_of_objects_is_found_again(tmp_path: Path, gaps: list[int], kind: str) -> None:
    path, out = made(kind, tmp_path), tmp_path / "out.pdf"
    with open_base(path) as base:
        increment = Increment(base)
        numbers = [increment.new_object_number() for _ in range(max(gaps) + 1)]
        for gap in gaps:
            increment.put((numbers[gap], 0), b"(value %d)" % gap)
        append_increment(path, out, increment.render().data)
    with pikepdf.open(out) as pdf:
        assert pdf.get_warnings() == []
        assert all(str(pdf.get_object(numbers[gap], 0)) == f"value {gap}" for gap in gaps)


def refusal_of(path: Path) -> InputRefused:
    with pytest.raises(InputRefused) as caught, open_base(path, name="标书.pdf"):
        pass
    assert str(caught.value).startswith("标书.pdf: ")
    assert caught.value.zh.startswith("标书.pdf：")
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"PK\3\4 a zip", "not a PDF"),
        (b"\n\nHTTP/1.1 200\n%PDF-1.7\n", "before %PDF-"),
        (b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\n", "no startxref"),
        (b"%PDF-1.7\nstartxref\n99999\n%%EOF", "outside"),
        (b"%PDF-1.7\nstartxref\n3\n%%EOF", "does not point at"),
    ],
)
def test_what_is_no_whole_pdf_is_refused(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "x").write_bytes(data)
    assert says in str(refusal_of(tmp_path / "x"))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.96])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    data = made(kind, tmp_path).read_bytes()
    cut = tmp_path / "cut.pdf"
    cut.write_bytes(data[: int(len(data) * share)])
    assert "damaged or cut off" in str(refusal_of(cut))


def test_a_file_cut_off_in_its_second_revision_is_refused(tmp_path: Path) -> None:
    path = made("table", tmp_path)
    rendered = with_note(path, tmp_path / "out.pdf")
    path.write_bytes(path.read_bytes() + rendered.data[: len(rendered.data) // 2])
    assert "middle of a revision" in str(refusal_of(path))


def test_bytes_slipped_in_are_noticed(tmp_path: Path) -> None:
    data = made("table", tmp_path).read_bytes()
    start = data.rindex(b"startxref")
    position = int(data[start + 9 :].split()[0])
    here = data.index(b"2 0 obj")
    slipped = data[:here] + b"%slip\n" + data[here:start] + b"startxref\n%d\n%%%%EOF\n" % (position + 6)
    (tmp_path / "x.pdf").write_bytes(slipped)
    with open_base(tmp_path / "x.pdf") as base:
        list(walk_pages(base.pdf))
        with pytest.raises(InputRefused, match="damaged"):
            Increment(base).render()


@pytest.mark.parametrize("user", ["", "secret"])
def test_an_encrypted_file_is_refused(tmp_path: Path, user: str) -> None:
    path = made("table", tmp_path)
    with pikepdf.open(path) as pdf:
        pdf.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(owner="o", user=user, R=6))
    assert "encrypted" in str(refusal_of(tmp_path / "locked.pdf"))


def test_a_file_without_pages_is_refused(tmp_path: Path) -> None:
    path = pdfs.raw(tmp_path / "x.pdf", [b"<< /Type /Catalog >>"])
    assert "no pages" in str(refusal_of(path))


def test_a_file_without_catalogue_is_refused(tmp_path: Path) -> None:
    path = pdfs.raw(tmp_path / "x.pdf", [b"(no dictionary)"])
    assert "damaged" in str(refusal_of(path))


def test_a_file_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made("table", tmp_path)
    monkeypatch.setattr(base_module, "MAX_FILE_BYTES", 100)
    assert "limit of 100" in str(refusal_of(path))
    assert "cannot be read" in str(refusal_of(tmp_path / "nothing.pdf"))


def test_a_page_tree_that_loops_is_refused(tmp_path: Path) -> None:
    node = b"<< /Type /Pages /Kids [2 0 R] /Count 1 /Parent 2 0 R >>"
    path = pdfs.raw(tmp_path / "x.pdf", [b"<< /Type /Catalog /Pages 2 0 R >>", node])
    with open_base(path) as base:
        with pytest.raises(InputRefused, match="loops"):
            list(walk_pages(base.pdf))
        with pytest.raises(InputRefused, match="deeper than"):
            inherited(base.pdf.Root.Pages, "/MediaBox")


def test_a_node_in_two_places_is_refused_and_so_is_a_root_without_kids(tmp_path: Path) -> None:
    catalogue = b"<< /Type /Catalog /Pages 2 0 R >>"
    twice = b"<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 0 >>"
    path = pdfs.raw(tmp_path / "x.pdf", [catalogue, twice, b"<< /Type /Pages /Kids [] /Count 0 >>"])
    with open_base(path) as base, pytest.raises(InputRefused, match="loops"):
        list(walk_pages(base.pdf))
    path = pdfs.raw(tmp_path / "y.pdf", [catalogue, b"<< /Type /Page /MediaBox [0 0 9 9] >>"])
    with open_base(path) as base, pytest.raises(InputRefused, match="root has no /Kids"):
        list(walk_pages(base.pdf))


@pytest.mark.parametrize(
    ("kids", "says"),
    [(b"[null]", "missing"), (b"[<< /Type /Page >>]", "no object of its own"), (b"(x)", "no array")],
)
def test_a_broken_page_tree_is_refused(tmp_path: Path, kids: bytes, says: str) -> None:
    node = b"<< /Type /Pages /Kids %s /Count 1 >>" % kids
    path = pdfs.raw(tmp_path / "x.pdf", [b"<< /Type /Catalog /Pages 2 0 R >>", node])
    with open_base(path) as base, pytest.raises(InputRefused, match=says):
        list(walk_pages(base.pdf))


def test_pages_over_the_limit_are_refused_and_a_page_that_is_not_there(tmp_path: Path) -> None:
    kids = b"3 0 R " * (MAX_PAGES + 1)
    node = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, MAX_PAGES + 1)
    bodies = [b"<< /Type /Catalog /Pages 2 0 R >>", node, b"<< /Type /Page /Parent 2 0 R >>"]
    with open_base(pdfs.raw(tmp_path / "x.pdf", bodies)) as base:
        with pytest.raises(InputRefused, match="more than 5000 pages"):
            list(walk_pages(base.pdf))
        assert page_at(base.pdf, 1).objgen == (3, 0)
    with open_base(made("table", tmp_path)) as base, pytest.raises(InputRefused, match="no page 9"):
        page_at(base.pdf, 8)


def test_dictionaries_are_written_again_with_their_references(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        child = pdf.make_indirect(pikepdf.Dictionary(Deep=1))
        parent = pikepdf.Dictionary(Child=child, Old=1, Gone=2)
        text = dictionary_with(parent, {"/Old": b"9", "/Sp ace": b"true"}, without=["/Gone"])
        assert b"/Child %s" % reference(child.objgen) in text
        assert b"/Sp#20ace true" in text
        assert b"Gone" not in text
        assert parent.Old == 1
        assert value_token(child) == reference(child.objgen)
        assert value_token(pikepdf.Name.X) == b"/X"
        assert array_with(pikepdf.Array([1]), [b"7 0 R"]).split() == [b"[", b"1", b"7", b"0", b"R", b"]"]


@given(st.floats(-1e6, 1e6))
def test_numbers_have_no_exponent_and_keep_five_decimals(value: float) -> None:
    token = number(value)
    assert set(token) <= set(b"-.0123456789")
    assert float(token) == pytest.approx(value, abs=0.6e-5)


def test_a_size_too_low_lets_no_new_object_take_an_old_one_s_number(tmp_path: Path) -> None:
    """Programs that cut a file down leave such a /Size, and readers go by the table."""
    path = made("table", tmp_path)
    path.write_bytes(re.sub(rb"/Size \d+", b"/Size 3", path.read_bytes()))
    with pikepdf.open(path, suppress_warnings=True) as pdf:
        highest = max(thing.objgen[0] for thing in pdf.objects)
    with open_base(path) as base:
        assert base.next_number == highest + 1


@pytest.mark.parametrize("kind", ["table", "stream"])
def test_no_new_object_gets_a_number_that_a_page_waits_for(kind: str, tmp_path: Path) -> None:
    """A reference to nothing is null; an object of its number would be shown where nothing was."""
    path, out = made(kind, tmp_path), tmp_path / "waiting.pdf"
    with open_base(path) as base:
        assert base.awaited == frozenset()
        gap = base.next_number + 6
        page, increment = page_at(base.pdf, 0), Increment(base, packs=True)
        increment.put(page.objgen, dictionary_with(page, {"/Thumb": b"%d 0 R" % gap}))
        rendered = increment.render()
    append_increment(path, out, rendered.data, base_size_bytes=rendered.base_size_bytes)
    assert (b"/Thumb" in out.read_bytes()) == (kind == "table")  # else it is packed
    with open_base(out) as base:
        assert base.awaited == {gap}
        increment = Increment(base)
        added = [increment.add(b"null")[0] for _ in range(12)]
        assert gap not in added
    with open_base(out) as base:  # a section that is a stream has a number itself
        increment = Increment(base)
        while increment.add(b"null")[0] < gap - 1:
            pass
        assert b"\n%d 0 obj" % gap not in increment.render().data


def test_objects_that_inflate_without_end_are_not_unpacked(tmp_path: Path) -> None:
    """A file of a megabyte may inflate to gigabytes; what may be inflated is limited in the whole process."""
    path = made("stream", tmp_path)
    with open_base(path):
        pass
    assert get_qpdf_limits()["flate_max_memory"] == base_module.MAX_INFLATED_BYTES
    previous = set_qpdf_limits(flate_max_memory=50)
    try:
        assert isinstance(refusal_of(path), InputRefused)
    finally:
        set_qpdf_limits(**previous)


def test_an_increment_over_its_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(increment_module, "MAX_INCREMENT_BYTES", 1_000)
    with open_base(made("table", tmp_path)) as base:
        increment = Increment(base)
        increment.add_stream(b"", bytes(900))
        assert len(increment.render().data) > 900
        increment.add_stream(b"", bytes(100))
        with pytest.raises(InputRefused, match="over 1000 bytes"):
            increment.render()


def test_object_streams_hold_few_objects_and_none_of_a_later_generation(tmp_path: Path) -> None:
    with open_base(made("stream", tmp_path)) as base:
        increment = Increment(base, packs=True)
        for _ in range(150):
            increment.add(b"<< >>")
        increment.put((3, 1), b"<< >>")
        data = increment.render().data
    assert data.count(b"/Type /ObjStm") == 2
    assert re.findall(rb"/N (\d+)", data) == [b"100", b"50"]
    assert b"\n3 1 obj\n" in b"\n" + data
