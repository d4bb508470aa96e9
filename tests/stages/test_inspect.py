"""What inspect says of a PDF is so, and what it refuses it refuses in one clear line."""

from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.documents import DocMDP, InspectedDocument, Severity
from stages.errors import Damaged, InputRefused
from stages.inspect import inspect
from stages.pdf.base import open_base
from tests.simulators import pdfs
from tests.simulators.pdfs import PageKind, source_file


def codes(path: Path) -> set[str]:
    document = inspect(source_file(path))
    for finding in document.findings:
        assert finding.message
        assert finding.message_zh
    return {finding.code for finding in document.findings}


def test_pages_are_as_displayed(tmp_path: Path) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(), PageKind(rotate=90), PageKind(user_unit=2)])
    document = inspect(source_file(path))
    assert document.source_sha256 == source_file(path).sha256
    assert [(round(p.width_mm), round(p.height_mm)) for p in document.pages] == [
        (210, 297),
        (297, 210),
        (420, 594),
    ]
    assert document.signatures == ()


def test_fonts_named_in_gbk_are_named(tmp_path: Path) -> None:
    path = pdfs.raw(
        tmp_path / "a.pdf",
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]"
            b" /Resources << /Font << /F#ff 4 0 R >> >> >>",
            b"<< /Type /Font /Subtype /TrueType /BaseFont /#cb#ce#cc#e5 >>",
        ],
    )
    (finding,) = [f for f in inspect(source_file(path)).findings if f.code == "fonts-not-embedded"]
    assert "宋体" in finding.message


def test_a_hybrid_file_is_said_to_be_one(tmp_path: Path) -> None:
    assert "hybrid-xref" in codes(pdfs.hybrid(tmp_path / "h.pdf"))


def signed(tmp_path: Path, *, level: int | None = None, perms: bool = False) -> InspectedDocument:
    plain = pdfs.build(tmp_path / "plain.pdf", [PageKind()])
    return inspect(
        source_file(pdfs.with_signature_field(tmp_path / "s.pdf", plain, level=level, perms=perms))
    )


def test_a_signature_is_found_by_its_full_name_with_its_instant(tmp_path: Path) -> None:
    (signature,) = signed(tmp_path).signatures
    assert signature.field_name == "甲方.签名1"
    assert signature.docmdp is None
    assert signature.signed_at == datetime(2024, 3, 1, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("perms", [False, True])
@pytest.mark.parametrize(
    ("level", "docmdp"),
    [
        (1, DocMDP.NO_CHANGES),
        (2, DocMDP.FILL_AND_SIGN),
        (3, DocMDP.FILL_SIGN_ANNOTATE),
        (7, DocMDP.NO_CHANGES),
    ],
)
def test_a_certification_says_what_it_allows(tmp_path: Path, level: int, docmdp: DocMDP, perms: bool) -> None:
    document = signed(tmp_path, level=level, perms=perms)
    assert [signature.docmdp for signature in document.signatures] == [docmdp]
    said = {finding.code: finding.severity for finding in document.findings}
    assert said["existing-signatures"] is Severity.WARNING
    assert said.get("certified-no-changes") == (Severity.ERROR if docmdp is DocMDP.NO_CHANGES else None)


def test_a_certification_named_only_in_perms_counts(tmp_path: Path) -> None:
    plain = pdfs.build(tmp_path / "plain.pdf", [PageKind()])
    perms = pikepdf.Dictionary(DocMDP=pikepdf.Dictionary(Type=pikepdf.Name.Sig, M=pikepdf.String("D:99")))
    path = pdfs.with_catalogue(tmp_path / "a.pdf", plain, {"/Perms": perms})
    (signature,) = inspect(source_file(path)).signatures
    assert signature.docmdp is DocMDP.FILL_AND_SIGN
    assert signature.signed_at is None


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"", "empty"), (b"hello", "not a PDF"), (b"%PDF-1.7\n" + b"x" * 5000, "damaged or cut off")],
)
def test_bad_input_is_one_line_with_the_name_in_the_package(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "f00d"
    path.write_bytes(data)
    with pytest.raises(InputRefused) as caught:
        inspect(source_file(path, "商务/投标函.pdf"))
    assert str(caught.value).startswith("商务/投标函.pdf: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "f00d" not in str(caught.value)
    assert caught.value.zh.startswith("商务/投标函.pdf：")


def test_objects_that_are_not_where_the_file_says_are_noticed(tmp_path: Path) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 3)
    data = path.read_bytes()
    start, here = data.rindex(b"startxref"), data.index(b"2 0 obj")
    tail = b"startxref\n%d\n%%%%EOF\n" % (int(data[start + 9 :].split()[0]) + 6)
    path.write_bytes(data[:here] + b"%slip\n" + data[here:start] + tail)
    with pytest.raises(InputRefused, match=r"^a\.pdf: the PDF is damaged"):
        inspect(source_file(path))


def test_a_file_of_no_pages_and_a_broken_tree_are_refused_by_name(tmp_path: Path) -> None:
    catalogue = b"<< /Type /Catalog /Pages 2 0 R >>"
    empty = pdfs.raw(tmp_path / "a.pdf", [catalogue, b"<< /Type /Pages /Kids [] /Count 0 >>"])
    with pytest.raises(InputRefused, match=r"^a\.pdf: .*no pages"):
        inspect(source_file(empty))
    broken = pdfs.raw(tmp_path / "b.pdf", [catalogue, b"<< /Type /Pages /Kids [null] /Count 1 >>"])
    with pytest.raises(InputRefused, match=r"^b\.pdf: .*page tree"):
        inspect(source_file(broken))


def test_an_empty_field_of_our_name_is_taken(tmp_path: Path) -> None:
    """A form prepared for signing has one; signing must choose the next name instead of failing."""
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        named = [
            pikepdf.Dictionary(FT=pikepdf.Name.Sig, T=pikepdf.String(name)) for name in ("Signature1", "别的")
        ]
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[pdf.make_indirect(field) for field in named])
        pdf.save(path)
    assert inspect(source_file(path)).taken_names == ("Signature1",)


@pytest.mark.parametrize("error", [pikepdf.PdfError("x"), UnicodeDecodeError("utf-8", b"\xa9", 0, 1, "x")])
def test_an_object_that_cannot_be_read_is_damage(tmp_path: Path, error: Exception) -> None:
    """Objects are read when they are asked for, and the reader's complaint may hold the file's own bytes."""
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    with pytest.raises(Damaged, match=r"^a\.pdf: .*an object of it cannot be read"), open_base(path):
        raise error


_SEEDS = ("table", "stream", "signed", "hybrid")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("seeds")
    plain = pdfs.build(folder / "plain.pdf", [PageKind()] * 2)
    return {
        "table": plain.read_bytes(),
        "stream": pdfs.build(folder / "stream.pdf", [PageKind()] * 2, object_streams=True).read_bytes(),
        "signed": pdfs.with_signature_field(folder / "s.pdf", plain, level=2, perms=True).read_bytes(),
        "hybrid": pdfs.hybrid(folder / "h.pdf").read_bytes(),
    }


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.sampled_from(_SEEDS),
    changes=st.lists(
        st.tuples(
            st.floats(0, 1),
            st.sampled_from(
                [b"", b"null", b"[", b"<<", b">>", b"-1", b"9 0 R", b"1 0 R", b"(", b"\xff", b"9" * 20]
            )
            | st.binary(min_size=1, max_size=3),
            st.integers(0, 12),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_whatever_the_bytes_a_file_is_inspected_or_refused_in_one_line(
    tmp_path: Path, seeds: dict[str, bytes], seed: str, changes: list[tuple[float, bytes, int]]
) -> None:
    data = seeds[seed]
    for where, new, dropped in changes:
        at = int(where * len(data))
        data = data[:at] + new + data[at + dropped :]
    path = tmp_path / "a.pdf"
    path.write_bytes(data)
    try:
        inspect(source_file(path))
        said = ("a.pdf: ", "a.pdf：")
    except InputRefused as refused:
        said = (str(refused), refused.zh)
    assert said[0].startswith("a.pdf: ")
    assert said[1].startswith("a.pdf：")
    assert "\n" not in said[0]
