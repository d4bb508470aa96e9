"""Each thing pre-flight can say of a file is said of a file that has it, and not of a plain one."""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest

from stages.documents import Finding, HowDerived, Origin, Severity
from stages.inspect import inspect
from stages.pdf import annotations, attachments, properties
from stages.pdf.sayings import SAYINGS, say
from tests.simulators import pdfs
from tests.simulators.pdfs import PageKind, source_file

JS = b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"
EMBEDDED = b"<< /Font << /F1 << /Subtype /Type3 >> >> >>"
FILE = b"<< /Type /Filespec /F (a.xls) /UF (a.xls) /EF << /F 4 0 R >> >>"
CONTENT = b"<< /Length 10 >>\nstream\n0 0 9 9 re\nendstream"


def one_page(
    path: Path,
    *,
    root: bytes = b"",
    page: bytes = b"",
    tree: bytes = b"/Count 1",
    box: bytes = b"/MediaBox [0 0 595 842]",
    resources: bytes = EMBEDDED,
    more: Sequence[bytes] = (CONTENT,),
    trailer: bytes = b"",
) -> Path:
    """Write a page whose content is object 4, the first of `more`."""
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % root,
        b"<< /Type /Pages /Kids [3 0 R] %s >>" % tree,
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R %s /Resources %s %s >>" % (box, resources, page),
        *more,
    ]
    return pdfs.raw(path, bodies, trailer=trailer)


def found(path: Path) -> dict[str, Finding]:
    return {finding.code: finding for finding in inspect(source_file(path)).findings}


def xmp(text: bytes, *, packed: bool) -> bytes:
    data = zlib.compress(text) if packed else text
    head = b"/Subtype /XML /Length %d%s" % (len(data), b" /Filter /FlateDecode" if packed else b"")
    return b"<< /Type /Metadata %s >>\nstream\n%s\nendstream" % (head, data)


def annotation(kind: bytes, rest: bytes = b"/F 4") -> dict[str, bytes]:
    return {"page": b"/Annots [<< /Subtype /%s /Rect [0 0 9 9] %s >>]" % (kind, rest)}


def font(name: bytes, rest: bytes = b"") -> dict[str, bytes]:
    return {"resources": b"<< /Font << /F1 << /Subtype /TrueType /BaseFont /%s %s >> >> >>" % (name, rest)}


def picture(rest: bytes) -> dict[str, object]:
    image = b"<< /Subtype /Image /Width 1 /Height 1 /Length 1 %s >>\nstream\nx\nendstream" % rest
    return {"resources": b"<< /XObject << /I 5 0 R >> >>", "more": (CONTENT, image)}


def layers(default: bytes, usage: bytes = b"") -> dict[str, object]:
    layer = b"<< /Type /OCG /Name (draft) %s >>" % usage
    return {"root": b"/OCProperties << /OCGs [5 0 R] /D << %s >> >>" % default, "more": (CONTENT, layer)}


def form(fields: bytes, rest: bytes = b"") -> dict[str, bytes]:
    return {"root": b"/AcroForm << /Fields [%s] %s >>" % (fields, rest)}


def claim(part: bytes) -> dict[str, object]:
    text = b"<x pdfaid:part='%s' pdfaid:conformance='B'/>" % part
    return {"root": b"/Metadata 5 0 R", "more": (CONTENT, xmp(text, packed=True))}


PRINT_ONLY = b"/Usage << /Print << /PrintState /ON >> /View << /ViewState /OFF >> >>"
EVENTS = b"".join(
    b"<< /Event /%s /Category [/%s] /OCGs [5 0 R] >> " % (event, event) for event in (b"Print", b"View")
)
CASES: list[tuple[str, dict[str, object], str]] = [
    ("pages-rotated", {"page": b"/Rotate 90"}, "pages 1 "),
    ("user-unit", {"page": b"/UserUnit 2"}, "pages 1 "),
    ("page-box-odd", {"box": b"/MediaBox [0 0 4000 3000]"}, "1411 × 1058 mm"),
    ("page-box-disputed", {"page": b"/CropBox [700 0 900 100]"}, "pages 1:"),
    ("page-box-disputed", {"page": b"/CropBox [-200 9 590 99]"}, "pages 1:"),
    ("page-box-disputed", {"page": b"/Rotate 90.0"}, "pages 1:"),
    ("page-box-disputed", {"page": b"/Rotate 45"}, "pages 1:"),
    ("page-box-missing", {"box": b""}, "pages 1 "),
    ("page-box-missing", {"box": b"/MediaBox [0 0 595]"}, "pages 1 "),
    ("page-count-wrong", {"tree": b"/Count 7"}, "7 pages and has 1"),
    ("page-count-wrong", {"tree": b""}, "says it has ? pages"),
    ("slips", {"trailer": b"/Size 3"}, "2 slips in the file"),
    ("page-labels", {"root": b"/PageLabels << >>"}, ""),
    ("page-thumbnails", {"page": b"/Thumb 4 0 R"}, "pages 1 "),
    ("pages-blank", {"more": (b"<< /Length 1 >>\nstream\n \nendstream",)}, "pages 1 "),
    ("pages-without-fonts", picture(b""), "pages 1 "),
    ("image-codecs", picture(b"/Filter [/FlateDecode /JBIG2Decode]"), "JBIG2"),
    ("alternate-images", picture(b"/Alternates []"), "1 pictures"),
    ("external-content", picture(b"/F (elsewhere.tif)"), "1 pictures"),
    ("external-content", {"more": (b"<< /Length 0 /F (a) >>\nstream\n\nendstream",)}, "1 pictures"),
    ("fonts-not-embedded", font(b"SimSun"), "SimSun; first on page 1"),
    ("fonts-standard", font(b"Helvetica"), "Helvetica"),
    ("fonts-standard", font(b"TimesNewRomanPS-BoldMT"), "TimesNewRomanPS-BoldMT"),
    ("javascript", {"root": b"/OpenAction " + JS}, "the document itself"),
    ("javascript", {"root": b"/AA << /WP %s >>" % JS}, "the document itself"),
    ("javascript", {"root": b"/Names << /JavaScript << >> >>"}, "the document itself"),
    ("javascript", {"root": b"/OpenAction << /S /GoTo /Next [<< /S /GoTo >> %s] >>" % JS}, "document"),
    ("javascript", {"page": b"/AA << /O %s >>" % JS}, "pages 1)"),
    ("javascript", annotation(b"Link", b"/F 4 /A " + JS), "pages 1)"),
    ("javascript", form(b"<< /T (a) /FT /Tx /AA << /K %s >> >>" % JS), "the form"),
    ("launch-action", {"root": b"/OpenAction << /S /Launch >>"}, "the document itself"),
    ("submit-action", annotation(b"Link", b"/A << /S /SubmitForm >>"), "pages 1)"),
    ("show-hide-action", annotation(b"Link", b"/A << /S /SetOCGState >>"), "pages 1)"),
    ("multimedia", annotation(b"RichMedia"), "pages 1)"),
    ("multimedia", {"root": b"/OpenAction << /S /Rendition >>"}, "the document itself"),
    ("uri-action", annotation(b"Link", b"/A << /S /URI >>"), ""),
    ("attachments", {"root": b"/Names << /EmbeddedFiles << /Names [(x) %s] >> >>" % FILE}, "(a.xls)"),
    (
        "attachments",
        {"root": b"/Names << /EmbeddedFiles << /Kids [%s] >> >>" % (b"<< /Names [(x) %s] >>" % FILE)},
        "a.xls",
    ),
    ("attachments", {"root": b"/AF [%s]" % FILE}, "a.xls"),
    ("attachments", annotation(b"FileAttachment", b"/FS " + FILE), "a.xls"),
    ("portfolio", {"root": b"/Collection << >>"}, ""),
    ("optional-content", layers(b""), ""),
    ("layers-hidden", layers(b"/OFF [5 0 R]"), "(draft)"),
    ("layers-hidden", layers(b"/BaseState /OFF"), "(draft)"),
    ("layers-print-differ", layers(b"/AS [%s]" % EVENTS, PRINT_ONLY), "(draft)"),
    ("annotations-hidden", annotation(b"FreeText", b"/F 6"), "pages 1)"),
    ("annotations-hidden", annotation(b"Widget", b"/FT /Tx /F 36"), "pages 1)"),
    ("annotations-not-printed", annotation(b"FreeText", b""), "pages 1)"),
    ("comments", annotation(b"Highlight"), "1 comments"),
    ("redactions-not-applied", annotation(b"Redact"), "1 places"),
    ("form-fields", form(b"<< /T (a) /FT /Tx >> << /T (b) /FT /Ch >>"), "2 fields"),
    ("form-calculates", form(b"", b"/CO [4 0 R]"), "(1)"),
    ("form-redrawn", form(b"", b"/NeedAppearances true"), ""),
    ("xfa-form", form(b"", b"/XFA []"), ""),
    ("empty-signature-fields", form(b"<< /T (A) /FT /Sig >>"), "1 signature"),
    ("usage-rights", {"root": b"/Perms << /UR3 << >> >>"}, ""),
    ("tagged", {"root": b"/StructTreeRoot << >> /MarkInfo << /Marked true >>"}, ""),
    ("pdf-a1", claim(b"1"), "PDF/A-1b"),
    ("pdf-a", claim(b"2"), "PDF/A-2b"),
    ("metadata", {"trailer": b"/Info << /Author (Li Lei) /Producer (WPS) >>"}, "author Li Lei, made by WPS"),
    (
        "metadata",
        {
            "root": b"/Metadata 5 0 R",
            "more": (CONTENT, xmp(b"<dc:creator><rdf:li>Li Lei</rdf:li></dc:creator>", packed=False)),
        },
        "author Li Lei",
    ),
]


@pytest.mark.parametrize(("code", "parts", "says"), CASES)
def test_what_a_file_has_is_said_in_both_languages(
    tmp_path: Path, code: str, parts: dict[str, bytes], says: str
) -> None:
    findings = found(one_page(tmp_path / "a.pdf", **parts))  # type: ignore[arg-type]
    assert says in findings[code].message
    assert any("一" <= character <= "鿿" for character in findings[code].message_zh)
    assert findings[code].severity is SAYINGS[code][0]


def test_a_plain_file_has_nothing_said_of_it(tmp_path: Path) -> None:
    assert found(one_page(tmp_path / "a.pdf")) == {}


@pytest.mark.parametrize(
    "parts",
    [
        annotation(b"Popup", b"/F 2"),
        annotation(b"Widget", b"/FT /Sig /F 2"),
        annotation(b"Link", b""),
        {"root": b"/Names << /EmbeddedFiles << >> >>"},
        {"root": b"/OCProperties 7", "page": b"/Annots 9"},
        {"root": b"/Names [] /AcroForm [] /AF 1 /AA [] /OpenAction [3 0 R /Fit] /MarkInfo true"},
        {"resources": b"[/Font]"},
        {"root": b"/Metadata 4 0 R"},
    ],
)
def test_what_is_of_no_consequence_is_not_said(tmp_path: Path, parts: dict[str, bytes]) -> None:
    assert found(one_page(tmp_path / "a.pdf", **parts)) == {}  # type: ignore[arg-type]


def test_what_was_appended_to_can_be_read_as_it_was(tmp_path: Path) -> None:
    path = one_page(tmp_path / "a.pdf")
    data = path.read_bytes()
    start, end = int(data.split(b"startxref\n")[1].split()[0]), len(data) + 1
    table = b"xref\n0 1\n0000000000 65535 f \n"
    trailer = b"trailer\n<< /Size 5 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (start, end)
    path.write_bytes(data + b"\n" + table + trailer)
    assert "changed 1 times" in found(path)["earlier-revisions"].message


def test_being_hybrid_or_linear_is_no_earlier_revision(tmp_path: Path) -> None:
    assert "earlier-revisions" not in found(pdfs.hybrid(tmp_path / "h.pdf"))
    with pikepdf.open(pdfs.build(tmp_path / "a.pdf", [PageKind()])) as pdf:
        pdf.save(tmp_path / "linear.pdf", linearize=True)
    assert "earlier-revisions" not in found(tmp_path / "linear.pdf")


def test_a_chain_of_actions_without_end_is_left(tmp_path: Path) -> None:
    loop = b"<< /S /GoTo /Next 5 0 R >>"
    path = one_page(tmp_path / "a.pdf", root=b"/OpenAction 5 0 R", more=(CONTENT, loop))
    assert found(path) == {}


def test_a_name_tree_without_end_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MAX_TREE_NODES", 20)
    tree = b"<< /Kids [5 0 R 5 0 R] >>"
    path = one_page(tmp_path / "a.pdf", root=b"/Names << /EmbeddedFiles 5 0 R >>", more=(CONTENT, tree))
    assert found(path) == {}


def test_no_more_annotations_than_the_limit_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotations, "MAX_ANNOTATIONS", 2)
    note = b"<< /Subtype /Highlight /F 4 >> "
    path = one_page(tmp_path / "a.pdf", page=b"/Annots [%s]" % (note * 3))
    assert "2 comments" in found(path)["comments"].message


def test_metadata_that_grows_without_end_is_read_to_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(properties, "MAX_XMP_BYTES", 5000)
    bomb = xmp(b" " * 100_000 + b"pdfaid:part='1'", packed=True)
    assert found(one_page(tmp_path / "a.pdf", root=b"/Metadata 5 0 R", more=(CONTENT, bomb))) == {}


def test_what_the_making_of_a_file_had_to_say_is_repeated(tmp_path: Path) -> None:
    source = source_file(one_page(tmp_path / "a.pdf"))
    said = (say("pages-blank", pages="3"),)
    origin = Origin(tmp_path, "a.docx", 1, "0" * 64, HowDerived.CONVERTED, "t", said)
    findings = inspect(replace(source, origin=origin)).findings
    assert [(finding.severity, finding.message) for finding in findings] == [
        (Severity.INFO, "pages 3 are empty")
    ]
