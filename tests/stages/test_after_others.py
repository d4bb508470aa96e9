"""Files that others have signed take our seals where the standards let them, and stay good to outsiders."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pikepdf
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, StreamObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm, SigFieldSpec
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from stages.documents import (
    AfterOthers,
    Mark,
    PlannedDocument,
    SealFace,
    SignatureRequest,
    SignedDocument,
    Strip,
)
from stages.errors import PlacementRefused, SigningRefused
from stages.inspect import inspect
from stages.pdf.carriers import check_marks_allowed, signature_field_name, unfilled_fields
from stages.sign import sign
from stages.stamp import stamp
from stages.verdict_types import Lamp
from stages.verify import verify
from tests.simulators import pdfs, renderings
from tests.simulators.pdfs import source_file
from tests.simulators.signed_pdfs import NOW, Pki, blank_pdf, sign_pdf, with_empty_fields

LOGO_MM = 12.0
FIELD = SigFieldSpec("盖章", box=(100, 100, 250, 160))
"""52.9 × 21.2 mm on page 1."""


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki()


class UnsafeSigner:
    """Our key, in memory."""

    signature_algorithm = "sha256_rsa"
    chain = ()

    def __init__(self, pki: Pki) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.certificate = pki.issue("我方公司", key=self._key).certificate

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())


@pytest.fixture(scope="module")
def ours(pki: Pki) -> UnsafeSigner:
    return UnsafeSigner(pki)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SealFace]:
    folder = tmp_path_factory.mktemp("faces")
    made = pdfs.seal_face(folder), pdfs.seal_face(folder, "小章", LOGO_MM, LOGO_MM)
    return {face.name: face for face in made}


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pages, with two empty signature fields on the first."""
    folder = tmp_path_factory.mktemp("form")
    other = SigFieldSpec("other", box=(300, 300, 400, 400))
    return with_empty_fields(blank_pdf(folder / "plain.pdf", pages=3), folder / "form.pdf", FIELD, other)


def mark(page_index: int, x_mm: float, y_mm: float, seal: str = "公章", **more: object) -> Mark:
    side_mm = LOGO_MM if seal == "小章" else 42.0
    return Mark(page_index, seal, x_mm, y_mm, side_mm, side_mm, 0, **more)  # type: ignore[arg-type]


def in_field(path: Path, **more: object) -> Mark:
    """Return a small mark in the middle of the first field."""
    field = next(field for field in inspect(source_file(path)).fields if field.name == FIELD.sig_field_name)
    x, y = field.x_mm + (field.w_mm - LOGO_MM) / 2, field.y_mm + (field.h_mm - LOGO_MM) / 2
    return mark(field.page_index, x, y, "小章", field=field.name, **more)


def whole_line(
    path: Path,
    marks: Sequence[Mark],
    faces: dict[str, SealFace],
    signer: UnsafeSigner,
    out: Path,
    *,
    after_others: AfterOthers = AfterOthers.WIDGET,
) -> SignedDocument:
    source = source_file(path)
    planned = PlannedDocument(inspect(source), tuple(marks), after_others=after_others)
    stamped = stamp(source, planned, faces, out)
    request = SignatureRequest(signature_field_name(source.name, planned), NOW)
    signed = sign(stamped, signer, request)
    assert signed.path.read_bytes().startswith(path.read_bytes())
    return signed


def good_to_pyhanko(path: Path, pki: Pki) -> list[bool]:
    """Return for each signature whether stock pyHanko calls it good, changes after it included."""
    with path.open("rb") as file:
        reader = PdfFileReader(file, strict=False)
        context = ValidationContext(trust_roots=[pki.root], moment=NOW)
        logging.disable()
        try:
            embedded = reader.embedded_regular_signatures
            return [validate_pdf_signature(one, context).bottom_line for one in embedded]
        finally:
            logging.disable(logging.NOTSET)


def good_to_us(path: Path, pki: Pki) -> list[bool]:
    return [one.integrity is Lamp.PASSED for one in verify(path, pki.trust, NOW).signatures]


def changed_pages(before: Path, after: Path) -> list[bool]:
    pairs = zip(renderings.by_mupdf(before, 36), renderings.by_mupdf(after, 36), strict=True)
    return [bool((old != new).any()) for old, new in pairs]


def test_several_seals_on_one_page_are_shown_by_one_widget(
    form: Path, tmp_path: Path, pki: Pki, faces: dict[str, SealFace], ours: UnsafeSigner
) -> None:
    theirs = sign_pdf(form, tmp_path / "theirs.pdf", pki, field="甲方")
    marks = [mark(1, 20, 30), mark(1, 100, 30, angle_deg=20), mark(1, 60, 150, "小章")]
    signed = whole_line(theirs, marks, faces, ours, tmp_path / "out.pdf")
    assert good_to_pyhanko(signed.path, pki) == good_to_us(signed.path, pki) == [True, True]
    assert changed_pages(theirs, signed.path) == [False, True, False]
    with pikepdf.open(signed.path) as pdf:
        widget = pdf.pages[1].Annots[-1]
        assert list(widget.AP.N.BBox) == list(widget.Rect)
        assert len(widget.AP.N.Resources.XObject) == 2


def test_an_empty_field_takes_the_signature_and_keeps_its_box(
    form: Path, tmp_path: Path, pki: Pki, faces: dict[str, SealFace], ours: UnsafeSigner
) -> None:
    theirs = sign_pdf(form, tmp_path / "theirs.pdf", pki, field="甲方")
    ours_in_it = in_field(theirs)
    signed = whole_line(theirs, [ours_in_it], faces, ours, tmp_path / "out.pdf")
    assert signed.field_name == "盖章"
    assert good_to_pyhanko(signed.path, pki) == good_to_us(signed.path, pki) == [True, True]
    geometry = inspect(source_file(theirs)).pages[0]
    page = next(renderings.by_mupdf(signed.path, 254)).copy()
    page[:2300] = 255  # MuPDF marks the other field, which is still empty, in red
    measured = renderings.ink_box_mm(page, geometry)
    wanted = (ours_in_it.x_mm, ours_in_it.y_mm, LOGO_MM, LOGO_MM)
    assert measured == pytest.approx(wanted, abs=0.2)
    with pikepdf.open(theirs) as before, pikepdf.open(signed.path) as after:
        old, new = (pdf.Root.AcroForm.Fields[0] for pdf in (before, after))
        assert list(old.Rect) == list(new.Rect)
        assert "/V" in new
        assert len(before.Root.AcroForm.Fields) == len(after.Root.AcroForm.Fields)


def test_an_unsigned_form_keeps_its_seals_in_the_pages_and_signs_in_its_field(
    form: Path, tmp_path: Path, pki: Pki, faces: dict[str, SealFace], ours: UnsafeSigner
) -> None:
    too_large_for_the_field = mark(0, 40, 230, field="盖章")
    marks = [too_large_for_the_field, mark(2, 20, 30)]
    signed = whole_line(form, marks, faces, ours, tmp_path / "out.pdf")
    assert signed.field_name == "盖章"
    assert good_to_pyhanko(signed.path, pki) == [True]
    assert changed_pages(form, signed.path) == [True, False, True]
    with pikepdf.open(signed.path) as pdf:
        assert pdf.Root.AcroForm.Fields[0].AP.N.read_bytes() == b""
        assert pdf.Root.AcroForm.SigFlags == 3


@pytest.mark.parametrize(
    ("level", "where", "refused"),
    [
        (MDPPerm.NO_CHANGES, "field", "nothing may be added"),
        (MDPPerm.NO_CHANGES, "nowhere", "nothing may be added"),
        (MDPPerm.FILL_FORMS, "field", ""),
        (MDPPerm.FILL_FORMS, "nowhere", ""),
        (MDPPerm.FILL_FORMS, "page", "would break the certification"),
        (MDPPerm.ANNOTATE, "field", ""),
        (MDPPerm.ANNOTATE, "nowhere", ""),
    ],
)
def test_a_certification_is_obeyed_before_any_key_is_used(
    form: Path,
    tmp_path: Path,
    pki: Pki,
    faces: dict[str, SealFace],
    ours: UnsafeSigner,
    level: MDPPerm,
    where: str,
    refused: str,
) -> None:
    theirs = sign_pdf(form, tmp_path / "theirs.pdf", pki, field="甲方", certify=True, level=level)
    marks = {"field": [in_field(theirs)], "page": [mark(1, 20, 30)], "nowhere": []}[where]
    inspected = inspect(source_file(theirs))
    if refused:
        with pytest.raises(PlacementRefused, match=refused) as caught:
            check_marks_allowed("a.pdf", inspected, marks)
        assert "作者" in caught.value.zh
        return
    check_marks_allowed("a.pdf", inspected, marks)
    signed = whole_line(theirs, marks, faces, ours, tmp_path / "out.pdf")
    assert good_to_pyhanko(signed.path, pki) == good_to_us(signed.path, pki) == [True, True]


@pytest.mark.parametrize(
    ("action", "names", "field_allowed", "page_allowed"),
    [
        (FieldMDPAction.ALL, None, False, False),
        (FieldMDPAction.INCLUDE, ["盖章"], False, True),
        (FieldMDPAction.INCLUDE, ["other"], True, True),
        (FieldMDPAction.EXCLUDE, ["盖章"], True, False),
    ],
)
def test_a_lock_holds_for_just_the_fields_it_names(
    form: Path,
    tmp_path: Path,
    pki: Pki,
    faces: dict[str, SealFace],
    ours: UnsafeSigner,
    action: FieldMDPAction,
    names: list[str] | None,
    field_allowed: bool,
    page_allowed: bool,
) -> None:
    locking = SigFieldSpec("锁", field_mdp_spec=FieldMDPSpec(action, names))
    theirs = with_empty_fields(form, tmp_path / "locking.pdf", locking)
    theirs = sign_pdf(theirs, tmp_path / "theirs.pdf", pki, field="锁")
    for wanted, allowed in ((in_field(theirs), field_allowed), (mark(1, 20, 30), page_allowed)):
        if not allowed:
            with pytest.raises(PlacementRefused, match="锁 locks the form"):
                check_marks_allowed("a.pdf", inspect(source_file(theirs)), [wanted])
            continue
        signed = whole_line(theirs, [wanted], faces, ours, tmp_path / "out.pdf")
        assert good_to_pyhanko(signed.path, pki) == good_to_us(signed.path, pki) == [True, True]


def test_the_field_s_own_lock_becomes_ours(
    form: Path, tmp_path: Path, pki: Pki, faces: dict[str, SealFace], ours: UnsafeSigner
) -> None:
    lock = FieldMDPSpec(FieldMDPAction.INCLUDE, ["other"])
    path = with_empty_fields(
        form, tmp_path / "a.pdf", SigFieldSpec("锁", box=(20, 20, 200, 200), field_mdp_spec=lock)
    )
    signed = whole_line(path, [mark(0, 20, 220, field="锁")], faces, ours, tmp_path / "out.pdf")
    assert good_to_pyhanko(signed.path, pki) == [True]
    inspected = inspect(source_file(signed.path))
    assert inspected.signatures[0].locks[0].names == ("other",)
    with pytest.raises(PlacementRefused, match="锁 locks the form, and ours in field other"):
        check_marks_allowed("a.pdf", inspected, [mark(0, 110, 160, "小章", field="other")])


def test_what_does_not_fit_into_a_field_of_a_signed_form_is_refused(
    form: Path, tmp_path: Path, pki: Pki
) -> None:
    inspected = inspect(source_file(sign_pdf(form, tmp_path / "theirs.pdf", pki, field="甲方")))
    inside = in_field(form)
    check_marks_allowed("a.pdf", inspected, [inside])
    for wrong in (mark(0, 40, 230, field="盖章"), mark(1, inside.x_mm, inside.y_mm, "小章", field="盖章")):
        with pytest.raises(PlacementRefused, match="not lie within the signature field 盖章") as caught:
            check_marks_allowed("a.pdf", inspected, [wrong])
        assert "超出签名域" in caught.value.zh


def test_one_signature_fills_one_field(form: Path, tmp_path: Path, pki: Pki) -> None:
    both = [in_field(form), mark(0, 110, 160, "小章", field="other")]
    unsigned = inspect(source_file(form))
    assert signature_field_name("a.pdf", PlannedDocument(unsigned, tuple(both))) == "盖章"
    assert unfilled_fields(unsigned, both) == ("other",)
    theirs = inspect(source_file(sign_pdf(form, tmp_path / "theirs.pdf", pki, field="甲方")))
    with pytest.raises(PlacementRefused, match="2 signature fields") as caught:
        check_marks_allowed("a.pdf", theirs, both)
    assert "2 个签名域" in caught.value.zh


def test_seals_on_several_pages_of_a_signed_file_need_a_choice(form: Path, tmp_path: Path, pki: Pki) -> None:
    inspected = inspect(source_file(sign_pdf(form, tmp_path / "theirs.pdf", pki, field="甲方")))
    marks = [mark(0, 20, 30), mark(1, 180, 100, strip=Strip("right", 0, 0.5))]
    with pytest.raises(PlacementRefused, match="after_others: annotations") as caught:
        check_marks_allowed("a.pdf", inspected, marks)
    assert "after_others" in caught.value.zh
    check_marks_allowed("a.pdf", inspected, marks, after_others=AfterOthers.ANNOTATIONS)


@pytest.mark.parametrize("certified", [False, True])
def test_seals_on_several_pages_become_annotations_where_those_are_allowed(
    form: Path, tmp_path: Path, pki: Pki, faces: dict[str, SealFace], ours: UnsafeSigner, certified: bool
) -> None:
    theirs = sign_pdf(
        form, tmp_path / "theirs.pdf", pki, field="甲方", certify=certified, level=MDPPerm.ANNOTATE
    )
    marks = [mark(0, 20, 30), mark(2, 180, 100, angle_deg=90, strip=Strip("right", 0.5, 1))]
    choice = AfterOthers.WIDGET if certified else AfterOthers.ANNOTATIONS
    signed = whole_line(theirs, marks, faces, ours, tmp_path / "out.pdf", after_others=choice)
    assert good_to_us(signed.path, pki) == [True, True]
    # Stock pyHanko takes any new annotation for a forbidden change; docs/plan.md says so.
    assert good_to_pyhanko(signed.path, pki) == [False, True]
    assert changed_pages(theirs, signed.path) == [True, False, True]
    with pikepdf.open(signed.path) as pdf:
        (stamp_annotation,) = pdf.pages[2].Annots
        assert stamp_annotation.Subtype == pikepdf.Name.Stamp
        assert int(stamp_annotation.F) == 4 + 64 + 128 + 512
        has_widget = any(one.get("/T") == "Signature1" for one in pdf.pages[0].Annots)
        assert has_widget
        assert sum(float(number) for number in pdf.Root.AcroForm.Fields[-1].Rect) == 0 or not certified


def stamped_by_hand(path: Path, out: Path, entries: Mapping[str, str | None]) -> Path:
    """Append a revision with a stamp annotation on page 3 that differs from ours in some entries."""
    with path.open("rb") as file, out.open("w+b") as target:
        writer = IncrementalPdfFileWriter(file, strict=False)
        pages = writer.root["/Pages"]["/Kids"]
        box = ArrayObject([NumberObject(number) for number in (0, 0, 90, 90)])
        form = writer.add_object(StreamObject({NameObject("/BBox"): box}, stream_data=b""))
        appearance = DictionaryObject({NameObject("/N"): form})
        odd = {"/D": form, "/Old": pages[2].raw_get("/Contents"), "/Other": pages.raw_get(0)}
        plain = {"/Subtype": NameObject("/Stamp"), "/Rect": box, "/AP": appearance, "/F": NumberObject(4)}
        annotation = DictionaryObject({NameObject(key): value for key, value in plain.items()})
        for key, value in entries.items():
            if value is None:
                del annotation[key]
            elif key == "/AP":
                appearance[NameObject("/D" if value == "/D" else "/N")] = odd[value]
            elif key == "/F":
                annotation[NameObject(key)] = NumberObject(value)
            elif key == "/N":
                form.get_object()[NameObject(value)] = NameObject("/Hidden")
            else:
                annotation[NameObject(key)] = odd.get(value) or NameObject(value)
        pages[2][NameObject("/Annots")] = ArrayObject([writer.add_object(annotation)])
        writer.update_container(pages[2])
        writer.write(target)
    return out


@pytest.mark.parametrize(
    ("entries", "is_good"),
    [
        ({}, True),
        ({"/Subtype": "/FreeText"}, False),
        ({"/A": "/Act"}, False),
        ({"/OC": "/Hidden"}, False),
        ({"/AP": None}, False),
        ({"/AP": "/D"}, False),
        ({"/AP": "/Old"}, False),
        ({"/P": "/Other"}, False),
        ({"/Rect": None}, False),
        ({"/F": None}, False),
        ({"/F": str(4 | 2)}, False),
        ({"/F": str(4 | 32)}, False),
        ({"/F": str(4 | 256)}, False),
        ({"/N": "/OC"}, False),
        ({"/N": "/Ref"}, False),
    ],
)
def test_only_plain_stamps_may_come_after_a_signature(
    form: Path, tmp_path: Path, pki: Pki, entries: dict[str, str | None], is_good: bool
) -> None:
    """A text, an action, a layer, an appearance with states or made of what was there, one that is
    hidden, not printed or not in the file: all change more."""
    theirs = sign_pdf(form, tmp_path / "theirs.pdf", pki, field="甲方")
    stamped = stamped_by_hand(theirs, tmp_path / "stamped.pdf", entries)
    assert good_to_us(stamped, pki) == [False]  # nobody answers for it
    again = sign_pdf(stamped, tmp_path / "again.pdf", pki, field="乙方")
    assert good_to_us(again, pki) == [is_good, True]
    causes = verify(again, pki.trust, NOW).signatures[0].causes
    assert ("stamped-later" in {cause.code for cause in causes}) == is_good


def test_a_document_timestamp_answers_for_no_stamp(form: Path, tmp_path: Path, pki: Pki) -> None:
    """Anybody gets one: whoever puts a stamp over a price need not sign for it."""
    theirs = sign_pdf(form, tmp_path / "theirs.pdf", pki, field="甲方")
    for name, path in (("good", theirs), ("bad", stamped_by_hand(theirs, tmp_path / "stamped.pdf", {}))):
        with path.open("rb") as file, (tmp_path / f"{name}.pdf").open("w+b") as out:
            writer = IncrementalPdfFileWriter(file, strict=False)
            stamper = PdfTimeStamper(pki.authority().stamper, field_name="时间戳")
            stamper.timestamp_pdf(writer, "sha256", output=out)
        assert good_to_us(tmp_path / f"{name}.pdf", pki) == [name == "good", True]


def test_a_stamp_after_a_certification_for_forms_is_a_change(form: Path, tmp_path: Path, pki: Pki) -> None:
    theirs = sign_pdf(form, tmp_path / "theirs.pdf", pki, field="甲方", certify=True)
    stamped = stamped_by_hand(theirs, tmp_path / "stamped.pdf", {})
    again = sign_pdf(stamped, tmp_path / "again.pdf", pki, field="乙方")
    assert good_to_us(again, pki) == [False, True]


def test_a_file_that_ends_with_a_document_timestamp_takes_a_seal(
    form: Path, tmp_path: Path, pki: Pki, faces: dict[str, SealFace], ours: UnsafeSigner
) -> None:
    theirs = sign_pdf(form, tmp_path / "theirs.pdf", pki, field="甲方", timestamp=pki.authority())
    with theirs.open("rb") as file, (tmp_path / "lta.pdf").open("w+b") as out:
        writer = IncrementalPdfFileWriter(file, strict=False)
        PdfTimeStamper(pki.authority().stamper, field_name="时间戳").timestamp_pdf(
            writer, "sha256", output=out
        )
    inspected = inspect(source_file(tmp_path / "lta.pdf"))
    assert [signature.is_timestamp for signature in inspected.signatures] == [False, True]
    signed = whole_line(tmp_path / "lta.pdf", [mark(1, 20, 30)], faces, ours, tmp_path / "out.pdf")
    assert good_to_pyhanko(signed.path, pki) == [True, True]
    assert good_to_us(signed.path, pki) == [True, True, True]


def test_a_field_that_is_not_empty_or_not_there_is_not_filled(
    form: Path, tmp_path: Path, faces: dict[str, SealFace], ours: UnsafeSigner
) -> None:
    source = source_file(form)
    planned = PlannedDocument(inspect(source), (in_field(form),))
    stamped = stamp(source, planned, faces, tmp_path / "out.pdf")
    sign(stamped, ours, SignatureRequest("盖章", NOW))
    with pytest.raises(SigningRefused, match="no empty signature field 盖章"):
        sign(stamped, ours, SignatureRequest("盖章", NOW))
