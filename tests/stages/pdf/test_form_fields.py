"""Every widget of a form is found on its page, whichever of the ways a form can be built it was."""

from pathlib import Path

import pikepdf
import pytest

from stages.documents import DocMDP, FieldKind, FormField
from stages.errors import InputRefused
from stages.inspect import inspect
from stages.pdf import form_fields as module
from stages.pdf.field_lock import FieldLock, LockAction
from stages.pdf.signature_fields import read_signature_fields
from tests.simulators import pdfs
from tests.simulators.pdfs import PageKind, source_file

MM = 72 / 25.4


def a4(rotate: bytes = b"", annotations: bytes = b"") -> bytes:
    more = rotate + (b" /Annots [%s]" % annotations if annotations else b"")
    return b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> %s >>" % more


def form(path: Path, fields: bytes, *bodies: bytes, pages: tuple[bytes, ...] = (a4(),)) -> Path:
    """Write a PDF whose pages are objects 3, 4, …, followed by the given objects."""
    kids = b" ".join(b"%d 0 R" % (3 + index) for index in range(len(pages)))
    return pdfs.raw(
        path,
        [
            b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [%s] >> >>" % fields,
            b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages)),
            *pages,
            *bodies,
        ],
    )


def fields_of(path: Path) -> tuple[FormField, ...]:
    return inspect(source_file(path)).fields


def test_a_field_that_is_its_own_widget_is_where_its_box_is_displayed(tmp_path: Path) -> None:
    widget = b"<< /FT /Tx /T (a) /V (x) /Subtype /Widget /Rect [100 700 200 730] /P 3 0 R >>"
    (field,) = fields_of(form(tmp_path / "a.pdf", b"4 0 R", widget))
    assert (field.name, field.kind, field.page_index, field.is_filled) == ("a", FieldKind.TEXT, 0, True)
    assert (field.x_mm, field.y_mm) == pytest.approx((100 / MM, 112 / MM))
    assert (field.w_mm, field.h_mm) == pytest.approx((100 / MM, 30 / MM))
    turned = form(tmp_path / "b.pdf", b"4 0 R", widget, pages=(a4(b"/Rotate 90"),))
    (field,) = fields_of(turned)
    assert (field.x_mm, field.y_mm) == pytest.approx((700 / MM, 100 / MM))
    assert (field.w_mm, field.h_mm) == pytest.approx((30 / MM, 100 / MM))


def test_kind_name_and_value_come_from_the_fields_above(tmp_path: Path) -> None:
    path = form(
        tmp_path / "a.pdf",
        b"5 0 R",
        b"<< /T (p) /FT /Sig /Kids [6 0 R 8 0 R] >>",
        b"<< /T (q) /Parent 5 0 R /V << /Type /Sig /Contents <00> >> /Kids [7 0 R] >>",
        b"<< /Parent 6 0 R /Subtype /Widget /Rect [200 20 10 10] /P 3 0 R >>",
        b"<< /T (r) /Parent 5 0 R /Subtype /Widget /Rect [0 0 0 0] >>",
        pages=(a4(), a4(b"", b"8 0 R 7 0 R")),
    )
    first, second = fields_of(path)
    assert (first.name, first.kind, first.is_filled) == ("p.q", FieldKind.SIGNATURE, True)
    assert first.page_index == 1  # what the page says of itself is believed before what the widget says
    assert first.w_mm == pytest.approx(190 / MM)
    assert (second.name, second.kind, second.is_filled, second.w_mm) == ("p.r", FieldKind.SIGNATURE, False, 0)
    assert [signature.field_name for signature in inspect(source_file(path)).signatures] == ["p.q"]
    assert [signature.field_name for signature in read_signature_fields(path)] == ["p.q"]


@pytest.mark.parametrize(
    ("entries", "is_filled"),
    [
        (b"/FT /Tx", False),
        (b"/FT /Tx /V ()", False),
        (b"/FT /Btn /V /Off", False),
        (b"/FT /Btn /V /Yes", True),
        (b"/FT /Ch /V [(a)]", True),
        (b"/FT /Sig /V null", False),
    ],
)
def test_a_field_is_filled_when_it_says_something(tmp_path: Path, entries: bytes, is_filled: bool) -> None:
    widget = b"<< /T (a) %s /Rect [0 0 9 9] /P 3 0 R >>" % entries
    (field,) = fields_of(form(tmp_path / "a.pdf", b"4 0 R", widget))
    assert field.is_filled is is_filled


@pytest.mark.parametrize(
    "entries",
    [
        b"/FT /Tx /Rect [0 0 9 9]",  # on no page
        b"/FT /Tx /Rect [0 0 9] /P 3 0 R",
        b"/FT /Tx /Rect [0 0 9 (a)] /P 3 0 R",
        b"/FT /Tx /Rect [0 0 9 99999999999] /P 3 0 R",
        b"/FT /Odd /Rect [0 0 9 9] /P 3 0 R",
    ],
)
def test_a_field_without_a_place_or_a_kind_is_not_listed(tmp_path: Path, entries: bytes) -> None:
    assert fields_of(form(tmp_path / "a.pdf", b"4 0 R", b"<< /T (a) %s >>" % entries)) == ()


def test_a_form_that_loops_is_walked_once(tmp_path: Path) -> None:
    looping = b"<< /T (a) /FT /Tx /Kids [4 0 R 5 0 R] >>"
    widget = b"<< /Subtype /Widget /Rect [0 0 9 9] /P 3 0 R /Kids [4 0 R] >>"
    path = form(tmp_path / "a.pdf", b"4 0 R 4 0 R", looping, widget)
    assert [field.name for field in fields_of(path)] == ["a"]
    assert read_signature_fields(path) == ()


@pytest.mark.parametrize(("limit", "value"), [("MAX_FIELDS", 2), ("MAX_FIELD_DEPTH", 1)])
def test_a_form_too_large_or_too_deep_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    path = form(tmp_path / "a.pdf", b"4 0 R", b"<< /T (a) /Kids [<< /T (b) /Kids [<< /T (c) >>] >>] >>")
    assert fields_of(path) == ()
    monkeypatch.setattr(module, limit, value)
    with pytest.raises(InputRefused, match=r"^a\.pdf: more than .* form fields") as caught:
        inspect(source_file(path))
    assert "表单域" in caught.value.zh


def test_no_more_fields_are_listed_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    widget = b"<< /FT /Tx /T (%d) /Rect [0 0 9 9] /P 3 0 R >>"
    path = form(tmp_path / "a.pdf", b"4 0 R 5 0 R 6 0 R", *(widget % number for number in range(3)))
    monkeypatch.setattr(module, "MAX_LISTED_WIDGETS", 2)
    assert [field.name for field in fields_of(path)] == ["0", "1"]


@pytest.mark.parametrize(
    ("reference", "lock", "docmdp", "locks"),
    [
        ("", "", None, ()),
        ("/FieldMDP << /Action /All >>", "", None, (FieldLock(LockAction.ALL),)),
        ("/FieldMDP << /Action /Odd >>", "", None, (FieldLock(LockAction.ALL),)),
        ("/FieldMDP null", "", None, (FieldLock(LockAction.ALL),)),
        ("", "/Action /Include /Fields [(a) (b.c)]", None, (FieldLock(LockAction.INCLUDE, ("a", "b.c")),)),
        ("", "/Action /Exclude /P 1", DocMDP.NO_CHANGES, (FieldLock(LockAction.EXCLUDE),)),
        ("", "/P 3", DocMDP.FILL_SIGN_ANNOTATE, ()),
        ("/DocMDP << /P 2 >>", "/P 3", DocMDP.FILL_AND_SIGN, ()),
    ],
)
def test_what_a_signature_and_its_fields_lock_forbid_is_known(
    tmp_path: Path, reference: str, lock: str, docmdp: DocMDP | None, locks: tuple[FieldLock, ...]
) -> None:
    method, _, parameters = reference.partition(" ")
    entry = f"/Reference [<< /TransformMethod {method} /TransformParams {parameters} >>]" if method else ""
    value = f"<< /T (s) /FT /Sig /Lock << {lock} >> /V << /Type /Sig /Contents <00> {entry} >> >>"
    (signature,) = inspect(source_file(form(tmp_path / "a.pdf", b"4 0 R", value.encode()))).signatures
    assert (signature.docmdp, signature.locks) == (docmdp, locks)


@pytest.mark.parametrize(
    ("lock", "locked"),
    [
        (FieldLock(LockAction.ALL), {"a", "a.b", "ab"}),
        (FieldLock(LockAction.INCLUDE, ("a",)), {"a", "a.b"}),
        (FieldLock(LockAction.EXCLUDE, ("a",)), {"ab"}),
        (FieldLock(LockAction.EXCLUDE), {"a", "a.b", "ab"}),
        (FieldLock(LockAction.INCLUDE), set()),
    ],
)
def test_a_lock_holds_for_the_fields_it_names_and_those_below(lock: FieldLock, locked: set[str]) -> None:
    assert {name for name in ("a", "a.b", "ab") if lock.is_locked(name)} == locked


def test_a_document_timestamp_is_told_from_a_signature(tmp_path: Path) -> None:
    value = b"<< /T (s) /FT /Sig /V << /Type /DocTimeStamp /Contents <00> >> >>"
    (signature,) = inspect(source_file(form(tmp_path / "a.pdf", b"4 0 R", value))).signatures
    assert signature.is_timestamp


def test_a_plain_file_has_no_fields(tmp_path: Path) -> None:
    assert fields_of(pdfs.build(tmp_path / "a.pdf", [PageKind()])) == ()
    odd = pdfs.with_catalogue(
        tmp_path / "b.pdf", tmp_path / "a.pdf", {"/AcroForm": pikepdf.Dictionary(Fields=3)}
    )
    assert fields_of(odd) == ()
