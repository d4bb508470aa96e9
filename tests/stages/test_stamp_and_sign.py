"""What is stamped can be signed, whatever the file is like, and outsiders find both sound."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pikepdf
import pytest

from pipeline.keys import open_signer
from pipeline.tryout.pki import TryoutPki
from stages.authorities import Signer
from stages.documents import SignatureRequest, SourceFile
from stages.errors import PlacementRefused
from stages.inspect import inspect
from stages.plan import plan
from stages.plan_rules import parse_plan
from stages.sign import sign
from stages.stamp import stamp
from tests.simulators import pdfs, renderings
from tests.simulators.outsiders import pdfsig, pyhanko, run
from tests.simulators.pdfs import PageKind, source_file

REQUEST = SignatureRequest("Signature1", datetime(2026, 3, 2, tzinfo=UTC))
EVERYWHERE = parse_plan(
    "version: 1\nrules:\n"
    "  - {seal: 公章, keyword: （盖单位章）}\n"
    "  - {seal: 公章, paging: right}\n"
    "  - {seal: 公章, pages: last, x_mm: 60, y_mm: 60}\n".encode()
)
ONE_MARK = parse_plan("version: 1\nrules: [{seal: 公章, pages: first, x_mm: 60, y_mm: 60}]".encode())


def check_whole_line(source: SourceFile, tmp_path: Path, pki: TryoutPki, signer: Signer) -> None:
    face = pdfs.seal_face(tmp_path)
    planned = plan(source, inspect(source), EVERYWHERE, {face.name: face})
    stamped = stamp(source, planned, {face.name: face}, tmp_path / "out.pdf")
    signed = sign(stamped, signer, REQUEST)
    assert signed.path.read_bytes().startswith(source.path.read_bytes())
    run("qpdf", "--check", signed.path)
    assert "Signature is Valid" in pdfsig(tmp_path, signed.path, pki.root)
    (status,) = pyhanko(signed.path, pki.root)
    assert status.bottom_line


@pytest.mark.needs_poppler
@pytest.mark.needs_qpdf
@pytest.mark.parametrize("kind", ["table", "stream", "hybrid"])
def test_every_kind_of_file_is_stamped_and_signed(
    tmp_path: Path, tryout_pki: TryoutPki, tryout_signer: Signer, kind: str
) -> None:
    path = tmp_path / "a.pdf"
    if kind == "hybrid":
        pdfs.hybrid(path)
    else:
        pdfs.build(path, [PageKind(rotate=90), PageKind(inherit=True)], object_streams=kind == "stream")
    check_whole_line(source_file(path), tmp_path, tryout_pki, tryout_signer)


@pytest.mark.needs_shared
@pytest.mark.needs_poppler
@pytest.mark.needs_qpdf
@pytest.mark.parametrize("name", ["bt10_ndrc_std_design", "bt12_gz_construction", "bt14_mof_order87"])
def test_real_tender_texts_are_stamped_and_signed(
    tmp_path: Path, shared: Path, tryout_pki: TryoutPki, tryout_signer: Signer, name: str
) -> None:
    check_whole_line(source_file(shared / "bids" / f"{name}.pdf"), tmp_path, tryout_pki, tryout_signer)


@pytest.mark.needs_poppler
def test_a_second_signer_leaves_the_first_signature_good(
    tmp_path: Path, tryout_pki: TryoutPki, tryout_signer: Signer
) -> None:
    face = pdfs.seal_face(tmp_path)
    faces = {face.name: face}
    first = source_file(pdfs.build(tmp_path / "a.pdf", [PageKind()] * 2))
    stamped = stamp(first, plan(first, inspect(first), EVERYWHERE, faces), faces, tmp_path / "1.pdf")
    second = source_file(sign(stamped, tryout_signer, REQUEST).path)
    inspected = inspect(second)
    assert [signature.field_name for signature in inspected.signatures] == ["Signature1"]
    with pytest.raises(PlacementRefused, match="already has 1 signatures"):
        stamp(second, plan(second, inspected, EVERYWHERE, faces), faces, tmp_path / "2.pdf")
    shutil.copyfile(second.path, tmp_path / "before.pdf")
    again = stamp(second, plan(second, inspected, ONE_MARK, faces), faces, tmp_path / "2.pdf")
    other = open_signer(tryout_pki.maker_uri, pin=tryout_pki.pin("maker"))
    signed = sign(again, other, replace(REQUEST, field_name="Signature2"))
    assert signed.path.read_bytes().startswith((tmp_path / "before.pdf").read_bytes())
    assert pdfsig(tmp_path, signed.path, tryout_pki.root).count("Signature is Valid") == 2
    old, new = (renderings.ink(next(renderings.by_mupdf(p, 72))) for p in (second.path, signed.path))
    assert new.sum() > old.sum()  # the widget shows the second seal


@pytest.mark.needs_poppler
@pytest.mark.needs_qpdf
def test_by_choice_a_second_signer_s_paging_seal_is_annotations(
    tmp_path: Path, tryout_pki: TryoutPki, tryout_signer: Signer
) -> None:
    face = pdfs.seal_face(tmp_path)
    faces = {face.name: face}
    first = source_file(pdfs.build(tmp_path / "a.pdf", [PageKind(), PageKind(rotate=90)]))
    stamped = stamp(first, plan(first, inspect(first), ONE_MARK, faces), faces, tmp_path / "1.pdf")
    second = source_file(sign(stamped, tryout_signer, REQUEST).path)
    chosen = EVERYWHERE.model_copy(update={"after_others": "annotations"})
    planned = plan(second, inspect(second), chosen, faces)
    again = stamp(second, planned, faces, tmp_path / "2.pdf")
    signed = sign(again, tryout_signer, replace(REQUEST, field_name="Signature2"))
    run("qpdf", "--check", signed.path)
    assert pdfsig(tmp_path, signed.path, tryout_pki.root).count("Signature is Valid") == 2
    for drawn in (renderings.by_mupdf, partial(renderings.by_poppler, folder=tmp_path / "pages")):
        old, new = (
            [renderings.ink(page).sum() for page in drawn(path, dpi=72)]
            for path in (second.path, signed.path)
        )
        assert new[0] > old[0]
        assert new[1] > old[1]


def test_pages_that_share_their_list_of_annotations_do_not_share_a_signature(
    tmp_path: Path, tryout_signer: Signer
) -> None:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> /Annots 6 0 R >>"
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R 4 0 R 5 0 R] /Count 3 >>",
        *[page] * 3,
        b"[]",
    ]
    face = pdfs.seal_face(tmp_path)
    faces = {face.name: face}
    first = source_file(pdfs.raw(tmp_path / "a.pdf", bodies))
    stamped = stamp(first, plan(first, inspect(first), ONE_MARK, faces), faces, tmp_path / "1.pdf")
    second = source_file(sign(stamped, tryout_signer, REQUEST).path)
    chosen = EVERYWHERE.model_copy(update={"after_others": "annotations"})
    planned = plan(second, inspect(second), chosen, faces)
    again = stamp(second, planned, faces, tmp_path / "2.pdf")
    signed = sign(again, tryout_signer, replace(REQUEST, field_name="Signature2"))
    with pikepdf.open(signed.path) as pdf:
        kinds = [[str(one.Subtype) for one in page.get("/Annots", [])] for page in pdf.pages]
    assert kinds == [["/Widget", "/Stamp"], ["/Stamp"], ["/Widget"]]
