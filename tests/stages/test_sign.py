"""A signature that other people's programs believe, made by appending only."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pikepdf
import pymupdf
import pytest
from asn1crypto import cms as asn1_cms
from asn1crypto import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pipeline.keys import open_signer
from pipeline.tryout.pki import TryoutPki
from stages.authorities import Signer
from stages.documents import Mark, SealFace, SignatureRequest, SignedDocument, StampedDocument
from stages.errors import Indeterminate, InputRefused, SigningRefused, Untrusted
from stages.sign import MAX_TEXT_CHARACTERS, find_signature, sign
from tests.simulators.keys import write_pem_signer
from tests.simulators.outsiders import contents_of, openssl_cms_verify, pdfsig, pyhanko, run, signed_bytes_of

NOW = datetime.now(UTC).replace(microsecond=0)
REQUEST = SignatureRequest("Signature1", NOW, reason="投标文件签署", location="Beijing (CN)")
MARK = Mark(0, "公章", 20.0, 30.0, 42.0, 42.0, 0)


def write_pdf(path: Path, *, rotate: int = 0, modern: bool = False, pages: int = 2) -> Path:
    """Write a PDF with a classic cross-reference, or with streams when modern."""
    document = pymupdf.open()
    for number in range(pages):
        page = document.new_page(width=595, height=842)
        page.insert_text((72, 72), f"投标函 page {number + 1}", fontname="china-s")
        page.set_rotation(rotate)
    document.save(path, use_objstms=int(modern), no_new_id=True)
    return path


def stamped(path: Path, mark: Mark | None = MARK, face: SealFace | None = None) -> StampedDocument:
    shown = (mark,) if mark is not None and face is not None else ()
    seals = (face,) if face is not None else ()
    return StampedDocument(path, path.stat().st_size, mark, shown, seals)


def write_seal(path: Path) -> SealFace:
    """Write a red ring of 42 mm on the canvas, with a bar at its top to tell which way is up."""
    image = Image.new("RGBA", (1400, 1400), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((280, 280, 1119, 1119), outline=(220, 20, 20, 255), width=30)
    draw.rectangle((600, 340, 800, 480), fill=(220, 20, 20, 255))
    image.save(path)
    return SealFace("公章", path, hashlib.sha256(path.read_bytes()).hexdigest(), (14.0, 14.0, 42.0, 42.0))


def form_on(path: Path, *, form_indirect: bool, fields_indirect: bool) -> None:
    """Give a PDF a form with one text field."""
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        field = pdf.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Widget,
                FT=pikepdf.Name.Tx,
                T="标段 1",
                Rect=[100, 100, 200, 120],
                P=pdf.pages[0].obj,
            )
        )
        fields: pikepdf.Object = pikepdf.Array([field])
        fields = pdf.make_indirect(fields) if fields_indirect else fields
        form = pikepdf.Dictionary(Fields=fields, DA="/Helv 0 Tf 0 g")
        pdf.Root.AcroForm = pdf.make_indirect(form) if form_indirect else form
        annotations = pikepdf.Array([field])
        pdf.pages[0].obj.Annots = pdf.make_indirect(annotations) if fields_indirect else annotations
        pdf.save(path)


def check_outside(folder: Path, signed: SignedDocument, root: x509.Certificate, count: int = 1) -> None:
    """Ask openssl, pdfsig, qpdf and pyHanko; each must find every signature good."""
    openssl_cms_verify(folder, contents_of(signed), signed_bytes_of(signed), root)
    report = pdfsig(folder, signed.path, root)
    assert report.count("Signature is Valid") == count, report
    assert report.count("Certificate is Trusted") == count, report
    run("qpdf", "--check", signed.path)
    statuses = pyhanko(signed.path, root)
    assert len(statuses) == count
    assert all(status.bottom_line for status in statuses), [
        status.pretty_print_details() for status in statuses
    ]


@pytest.mark.needs_openssl
@pytest.mark.needs_poppler
@pytest.mark.needs_qpdf
@pytest.mark.parametrize("modern", [False, True])
def test_others_find_the_signature_good(
    tmp_path: Path, tryout_pki: TryoutPki, tryout_signer: Signer, modern: bool
) -> None:
    path = write_pdf(tmp_path / "a.pdf", modern=modern)
    original = path.read_bytes()
    signed = sign(stamped(path), tryout_signer, REQUEST)
    assert path.read_bytes()[: len(original)] == original
    assert signed.base_size_bytes == len(original)
    check_outside(tmp_path, signed, tryout_pki.root)
    report = pdfsig(tmp_path, path, tryout_pki.root)
    assert "ETSI.CAdES.detached" in report
    assert "Total document signed" in report


@pytest.mark.needs_openssl
@pytest.mark.needs_poppler
@pytest.mark.needs_qpdf
@pytest.mark.parametrize(
    ("form_indirect", "fields_indirect"), [(False, False), (True, False), (False, True), (True, True)]
)
def test_a_form_keeps_its_fields(
    tmp_path: Path, tryout_pki: TryoutPki, tryout_signer: Signer, form_indirect: bool, fields_indirect: bool
) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    form_on(path, form_indirect=form_indirect, fields_indirect=fields_indirect)
    signed = sign(stamped(path), tryout_signer, REQUEST)
    check_outside(tmp_path, signed, tryout_pki.root)
    with pikepdf.open(path) as pdf:
        form = pdf.Root.AcroForm
        assert [str(field.T) for field in form.Fields] == ["标段 1", "Signature1"]
        assert int(form.SigFlags) == 3
        assert str(form.DA) == "/Helv 0 Tf 0 g"
        assert len(pdf.pages[0].Annots) == 2


@pytest.mark.needs_openssl
@pytest.mark.needs_poppler
@pytest.mark.needs_qpdf
def test_a_second_signature_leaves_the_first_one_good(
    tmp_path: Path, tryout_pki: TryoutPki, tryout_signer: Signer
) -> None:
    # Another key: pdfsig cannot tell the trust of one certificate in two signatures, pyHanko's neither.
    other = open_signer(tryout_pki.maker_uri, pin=tryout_pki.pin("maker"))
    path = write_pdf(tmp_path / "a.pdf")
    face = write_seal(tmp_path / "seal.png")
    first = sign(stamped(path), tryout_signer, REQUEST)
    before = path.read_bytes()
    second = sign(
        stamped(path, replace(MARK, x_mm=100), face), other, replace(REQUEST, field_name="Signature2")
    )
    assert path.read_bytes()[: len(before)] == before
    check_outside(tmp_path, second, tryout_pki.root, count=2)
    assert find_signature(path, "Signature1", base_size_bytes=first.base_size_bytes) == first


def test_the_same_key_may_sign_twice(tmp_path: Path, tryout_pki: TryoutPki, tryout_signer: Signer) -> None:
    path = write_pdf(tmp_path / "a.pdf", modern=True)
    for field_name in ("Signature1", "Signature2"):
        sign(stamped(path), tryout_signer, replace(REQUEST, field_name=field_name))
    assert [status.bottom_line for status in pyhanko(path, tryout_pki.root)] == [True, True]


@pytest.mark.needs_openssl
@pytest.mark.needs_poppler
def test_an_elliptic_curve_key_signs_as_well(tmp_path: Path) -> None:
    uri, root = write_pem_signer(tmp_path / "key.pem", NOW, kind="p256")
    asn1_root = x509.Certificate.load(root.public_bytes(Encoding.DER))
    paths = [write_pdf(tmp_path / f"{name}.pdf") for name in "ab"]
    signed = [sign(stamped(path), open_signer(uri, pin=None), REQUEST) for path in paths]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    openssl_cms_verify(tmp_path, contents_of(signed[0]), signed_bytes_of(signed[0]), asn1_root)
    assert "Signature is Valid" in pdfsig(tmp_path, paths[0], asn1_root)


@pytest.mark.needs_openssl
def test_one_byte_changed_anywhere_is_noticed(
    tmp_path: Path, tryout_pki: TryoutPki, tryout_signer: Signer
) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    signed = sign(stamped(path), tryout_signer, REQUEST)
    cms, content = contents_of(signed), bytearray(signed_bytes_of(signed))
    content[len(content) // 2] ^= 1
    with pytest.raises(AssertionError, match="openssl"):
        openssl_cms_verify(tmp_path, cms, bytes(content), tryout_pki.root)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    field_name=st.text(min_size=1, max_size=40).filter(lambda text: "." not in text),
    reason=st.text(max_size=60),
    instant=st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_the_same_document_key_and_request_give_the_same_bytes(
    tmp_path: Path, tryout_signer: Signer, field_name: str, reason: str, instant: datetime
) -> None:
    source = tmp_path / "source.pdf"
    if not source.exists():
        write_pdf(source)
    request = SignatureRequest(field_name, instant, reason=reason)
    results = []
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir(exist_ok=True)
        path = Path(shutil.copy(source, tmp_path / folder / "a.pdf"))
        sign(stamped(path), tryout_signer, request)
        results.append(path.read_bytes())
    assert results[0] == results[1]
    with pikepdf.open(path) as pdf:
        value = pdf.Root.AcroForm.Fields[0].V
        assert str(pdf.Root.AcroForm.Fields[0].T) == field_name
        assert str(value.get("/Reason", "")) == reason
        assert str(value.M) == f"D:{instant:%Y%m%d%H%M%S}+00'00'"


def test_a_time_in_another_zone_is_written_as_utc(tmp_path: Path, tryout_signer: Signer) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    beijing = datetime(2026, 5, 4, 7, 2, 1, tzinfo=timezone(timedelta(hours=8)))
    sign(stamped(path), tryout_signer, replace(REQUEST, signed_at=beijing))
    with pikepdf.open(path) as pdf:
        assert str(pdf.Root.AcroForm.Fields[0].V.M) == "D:20260503230201+00'00'"


def test_the_cms_is_pades_baseline(tmp_path: Path, tryout_signer: Signer) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    signed = sign(stamped(path), tryout_signer, REQUEST)
    content = asn1_cms.ContentInfo.load(contents_of(signed), strict=True)["content"]
    (info,) = content["signer_infos"]
    attributes = {attribute["type"].native: attribute["values"].native for attribute in info["signed_attrs"]}
    # ETSI EN 319 142-1 §6.3: these three, and no signing-time.
    assert set(attributes) == {"content_type", "message_digest", "signing_certificate_v2"}
    assert attributes["content_type"] == ["data"]
    assert attributes["message_digest"] == [hashlib.sha256(signed_bytes_of(signed)).digest()]
    (certificate_id,) = attributes["signing_certificate_v2"][0]["certs"]
    assert certificate_id["cert_hash"] == hashlib.sha256(tryout_signer.certificate.dump()).digest()
    assert certificate_id["issuer_serial"]["serial_number"] == tryout_signer.certificate.serial_number
    assert content["encap_content_info"]["content"].native is None
    assert {choice.chosen.dump() for choice in content["certificates"]} == {
        certificate.dump() for certificate in (tryout_signer.certificate, *tryout_signer.chain)
    }


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_the_seal_stands_upright_over_its_mark_on_a_turned_page(
    tmp_path: Path, tryout_signer: Signer, rotate: int
) -> None:
    path = write_pdf(tmp_path / "a.pdf", rotate=rotate)
    face = write_seal(tmp_path / "seal.png")
    mark = replace(MARK, x_mm=100.0, y_mm=120.0)
    sign(stamped(path, mark, face), tryout_signer, REQUEST)
    with pymupdf.open(path) as document:
        pixmap = document[0].get_pixmap(dpi=254, annots=True)  # 10 px/mm
    page = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.h, pixmap.w, pixmap.n)
    red = (page[..., 0] > 150) & (page[..., 1] < 100)
    rows, columns = np.where(red)
    assert abs(columns.min() - 1000) <= 3
    assert abs(columns.max() - 1420) <= 3
    assert abs(rows.min() - 1200) <= 3
    assert abs(rows.max() - 1620) <= 3
    # The bar is at the top, in the middle; opposite and at the sides there is nothing but paper.
    middle_px, in_px = 210, 65
    assert red[1200 + in_px, 1000 + middle_px]
    assert not red[1620 - in_px, 1000 + middle_px]
    assert not red[1200 + middle_px, 1000 + in_px]
    assert not red[1200 + middle_px, 1420 - in_px]


def test_an_empty_widget_covers_the_mark_and_draws_nothing(tmp_path: Path, tryout_signer: Signer) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    with pymupdf.open(path) as document:
        before = document[0].get_pixmap().samples
    sign(stamped(path), tryout_signer, REQUEST)
    with pymupdf.open(path) as document:
        assert document[0].get_pixmap(annots=True).samples == before
    with pikepdf.open(path) as pdf:
        (widget,) = pdf.pages[0].Annots
        x0, y0, x1, y1 = (float(number) / 72 * 25.4 for number in widget.Rect)
        height_mm = 842 / 72 * 25.4
        assert (x0, x1) == pytest.approx((20, 62), abs=0.01)
        assert (height_mm - y1, height_mm - y0) == pytest.approx((30, 72), abs=0.01)
        assert int(widget.F) == 132
        assert widget.P.objgen == pdf.pages[0].objgen


def test_without_a_mark_the_widget_is_invisible_on_the_first_page(
    tmp_path: Path, tryout_signer: Signer
) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    sign(stamped(path, None), tryout_signer, REQUEST)
    with pikepdf.open(path) as pdf:
        (widget,) = pdf.pages[0].Annots
        assert [float(number) for number in widget.Rect] == [0, 0, 0, 0]


def test_the_signature_is_found_again_in_the_file(tmp_path: Path, tryout_signer: Signer) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    signed = sign(stamped(path), tryout_signer, REQUEST)
    assert find_signature(path, "Signature1", base_size_bytes=signed.base_size_bytes) == signed
    with pytest.raises(Indeterminate, match="Signature2"):
        find_signature(path, "Signature2")


def test_a_byte_range_with_a_gap_is_not_taken_for_ours(tmp_path: Path, tryout_signer: Signer) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    signed = sign(stamped(path), tryout_signer, REQUEST)
    whole = path.read_bytes()
    old = b"[0 %10d %10d" % (signed.contents_start, signed.contents_end)
    path.write_bytes(whole.replace(old, b"[0 %10d %10d" % (signed.contents_start - 9, signed.contents_end)))
    with pytest.raises(Untrusted):
        find_signature(path, "Signature1")


def test_a_file_that_is_no_pdf_has_no_signature(tmp_path: Path, tryout_signer: Signer) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"no PDF")
    with pytest.raises(InputRefused):
        find_signature(path, "Signature1")
    with pytest.raises(InputRefused):
        sign(stamped(path), tryout_signer, REQUEST)
    assert path.read_bytes() == b"no PDF"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"field_name": ""}, "empty"),
        ({"field_name": "a.b"}, "period"),
        ({"field_name": "x" * (MAX_TEXT_CHARACTERS + 1)}, "field name of"),
        ({"reason": "x" * (MAX_TEXT_CHARACTERS + 1)}, "reason of"),
        ({"location": "x" * (MAX_TEXT_CHARACTERS + 1)}, "location of"),
        ({"signed_at": datetime(2026, 5, 4)}, "time zone"),  # noqa: DTZ001
    ],
)
def test_a_request_that_cannot_be_written_changes_nothing(
    tmp_path: Path, tryout_signer: Signer, change: dict[str, object], message: str
) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    before = path.read_bytes()
    with pytest.raises(SigningRefused, match=message) as caught:
        sign(stamped(path), tryout_signer, replace(REQUEST, **change))  # type: ignore[arg-type]
    assert caught.value.zh
    assert path.read_bytes() == before


def test_a_field_name_that_is_taken_is_refused(tmp_path: Path, tryout_signer: Signer) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    sign(stamped(path), tryout_signer, REQUEST)
    before = path.read_bytes()
    with pytest.raises(SigningRefused, match="already"):
        sign(stamped(path), tryout_signer, REQUEST)
    assert path.read_bytes() == before


def test_a_page_that_is_not_there_is_refused(tmp_path: Path, tryout_signer: Signer) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    with pytest.raises(InputRefused, match="page 10"):
        sign(stamped(path, replace(MARK, page_index=9)), tryout_signer, REQUEST)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"no image"),
        lambda path: path.unlink(),
        lambda path: Image.new("RGBA", (20, 20)).save(path),
    ],
)
def test_a_seal_image_that_is_none_is_refused(
    tmp_path: Path, tryout_signer: Signer, spoil: Callable[[Path], None]
) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    face = write_seal(tmp_path / "seal.png")
    spoil(face.image_path)
    content = face.image_path.read_bytes() if face.image_path.exists() else b""
    face = replace(face, image_sha256=hashlib.sha256(content).hexdigest())  # not the one kept in memory
    with pytest.raises(InputRefused, match="seal"):
        sign(stamped(path, MARK, face), tryout_signer, REQUEST)


def test_a_key_that_refuses_leaves_the_file_as_it_was(tmp_path: Path, tryout_signer: Signer) -> None:
    class Refusing:
        certificate, chain = tryout_signer.certificate, tryout_signer.chain
        signature_algorithm = "sha256_rsa"

        def sign(self, data: bytes) -> bytes:
            raise SigningRefused("device gone", zh="设备已拔出")

    path = write_pdf(tmp_path / "a.pdf")
    before = path.read_bytes()
    with pytest.raises(SigningRefused, match="device gone"):
        sign(stamped(path), Refusing(), REQUEST)
    assert path.read_bytes() == before


@pytest.mark.needs_shared
@pytest.mark.needs_poppler
def test_real_tender_forms_are_signed_and_believed(
    tmp_path: Path, shared: Path, tryout_pki: TryoutPki, tryout_signer: Signer
) -> None:
    sources = sorted((shared / "bids").rglob("*.pdf"))
    assert sources
    for source in sources:
        path = Path(shutil.copy(source, tmp_path / "a.pdf"))
        sign(stamped(path), tryout_signer, REQUEST)
        report = pdfsig(tmp_path, path, tryout_pki.root)
        assert "Signature is Valid" in report, source.name
        assert "Certificate is Trusted" in report, source.name
        assert all(status.bottom_line for status in pyhanko(path, tryout_pki.root)), source.name
