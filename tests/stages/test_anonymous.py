"""Files of an anonymous part (暗标) get no mark, and are refused when they tell whose they are."""

import io
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pikepdf
import pymupdf
import pytest
from PIL import Image

from stages.documents import HowDerived, Origin, PlannedDocument, SealFace
from stages.errors import InputRefused, NotAnonymous
from stages.inspect import inspect
from stages.page_text import PageLine, PageText, TextSource
from stages.pdf import object_traces, traces
from stages.pdf.text import LayerOnly
from stages.pdf.traces import find_names
from stages.plan import plan
from stages.plan_rules import parse_plan
from tests.simulators import pdfs
from tests.simulators.pdfs import PageKind, source_file
from tests.stages.plans import planned

BIDDER = "华山建设集团有限公司"
PARTS = "parts: [{name: 技术标, files: 技术/*, 暗标: true, names: [李四光]}]"
EVERYWHERE = "{seal: 公章, paging: right}"


def blind(path: Path, faces: dict[str, SealFace], *, name: str = "技术/方案.pdf") -> PlannedDocument:
    return planned(path, faces, EVERYWHERE, extra=f"bidder: {BIDDER}\n{PARTS}", name=name)


def changed(path: Path, change: Callable[[pikepdf.Pdf], None]) -> Path:
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        change(pdf)
        pdf.save(path, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return path


@pytest.fixture
def method(tmp_path: Path) -> Path:
    lines = [[(72.0, 100.0, "施工组织设计")], [(72.0, 100.0, "第二章")]]
    return pdfs.text_pages(tmp_path / "a.pdf", lines)


def annotate(pdf: pikepdf.Pdf, **entries: str) -> None:
    note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Rect=[9, 9, 20, 20])
    for key, text in entries.items():
        note[f"/{key}"] = pikepdf.String(text)
    pdf.pages[1].obj.Annots = pikepdf.Array([pdf.make_indirect(note)])


def outline(pdf: pikepdf.Pdf) -> None:
    with pdf.open_outline() as tree:
        tree.root.append(pikepdf.OutlineItem(f"{BIDDER}概况", 0))


def metadata(pdf: pikepdf.Pdf) -> None:
    with pdf.open_metadata(set_pikepdf_as_editor=False) as xmp:
        xmp["dc:creator"] = [BIDDER]


def attach(pdf: pikepdf.Pdf) -> None:
    pdf.attachments[f"{BIDDER}.txt"] = b"x"


def fill_in(pdf: pikepdf.Pdf) -> None:
    field = pikepdf.Dictionary(FT=pikepdf.Name.Tx, T=pikepdf.String("a"), V=pikepdf.String(BIDDER))
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[pdf.make_indirect(field)])


def describe(pdf: pikepdf.Pdf) -> None:
    element = pikepdf.Dictionary(Type=pikepdf.Name.StructElem, Alt=pikepdf.String(f"{BIDDER}徽标"))
    pdf.Root.StructTreeRoot = pdf.make_indirect(pikepdf.Dictionary(K=pdf.make_indirect(element)))


def in_content(pdf: pikepdf.Pdf) -> None:
    words = BIDDER.encode("utf-16-be")
    escaped = "".join(f"\\{byte:03o}" for byte in b"\xfe\xff" + words).encode()
    pdf.pages[1].contents_add(pdf.make_stream(b"/Span << /ActualText (" + escaped + b") >> BDC EMC"))


def in_a_form_s_data(pdf: pikepdf.Pdf) -> None:
    data = "<a>" + "".join(f"&#{ord(char)};" for char in BIDDER) + "</a>"
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[], XFA=pdf.make_stream(data.encode()))


def in_a_script(pdf: pikepdf.Pdf) -> None:
    script = f"app.alert('{BIDDER}')".encode("utf-16")
    pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pdf.make_stream(script))


def in_a_picture(pdf: pikepdf.Pdf) -> None:
    """What a camera says of itself, in a JPEG that was packed once more."""
    image, packed = Image.new("L", (8, 8)), io.BytesIO()
    exif = image.getexif()
    exif[0x9C9D] = BIDDER.encode("utf-16-le")  # XPAuthor
    image.save(packed, "JPEG", exif=exif.tobytes())
    picture = pikepdf.Stream(pdf, zlib.compress(packed.getvalue()))
    for key, value in {"/Subtype": pikepdf.Name.Image, "/Width": 8, "/Height": 8}.items():
        picture[key] = value
    picture.Filter = pikepdf.Array([pikepdf.Name.FlateDecode, pikepdf.Name.DCTDecode])
    pdf.Root.Kept = pdf.make_indirect(picture)


def in_a_font(pdf: pikepdf.Pdf) -> None:
    pdf.Root.Kept = pdf.make_indirect(pikepdf.Dictionary(BaseFont=pikepdf.Name("/ABCDEF+" + BIDDER)))


def key_of_its_own(pdf: pikepdf.Pdf) -> None:
    pdf.docinfo[f"/{BIDDER}"] = "1"


@pytest.mark.parametrize(
    ("change", "where", "where_zh"),
    [
        (in_content, "alternative text /ActualText", "替代文字"),
        (in_a_form_s_data, "a form's or note's XML", "XML"),
        (in_a_script, "the data of object", "的数据"),
        (in_a_picture, "a picture's header", "图片信息"),
        (in_a_font, "/BaseFont", "/BaseFont"),
        (key_of_its_own, "document information", "文档属性"),
        (
            lambda pdf: pdf.docinfo.__setitem__("/Author", pikepdf.String(BIDDER.encode("gb18030"))),
            "document information /Author",
            "文档属性",
        ),
        (
            lambda pdf: pdf.docinfo.__setitem__("/Author", pikepdf.String(BIDDER.encode())),
            "document information /Author",
            "文档属性",
        ),
        (lambda pdf: pdf.docinfo.__setitem__("/Author", BIDDER), "document information /Author", "文档属性"),
        (lambda pdf: pdf.docinfo.__setitem__("/Company", "华 山 建设集团有限公司 "), "/Company", "文档属性"),
        (metadata, "XMP metadata", "XMP 元数据"),
        (outline, "bookmark /Title", "书签"),
        (lambda pdf: annotate(pdf, T=BIDDER), "annotation /T on page 2", "第 2 页批注"),
        (lambda pdf: annotate(pdf, Contents=f"{BIDDER}改"), "annotation /Contents on page 2", "第 2 页批注"),
        (attach, "attachment /UF", "附件"),
        (fill_in, "form field /V", "表单域"),
        (describe, "alternative text /Alt", "替代文字"),
        (lambda pdf: annotate(pdf, Contents="李四光"), "李四光 in annotation", "李四光"),
    ],
)
def test_a_name_outside_of_the_text_is_found(
    method: Path,
    faces: dict[str, SealFace],
    change: Callable[[pikepdf.Pdf], None],
    where: str,
    where_zh: str,
) -> None:
    with pytest.raises(NotAnonymous) as caught:
        blind(changed(method, change), faces)
    assert where in str(caught.value)
    assert where_zh in caught.value.zh
    assert str(caught.value).startswith("技术/方案.pdf: part 技术标 is anonymous")


def test_names_in_the_text_are_found_by_page(tmp_path: Path, faces: dict[str, SealFace]) -> None:
    pages = [[(72.0, 100.0, "封面")], [(72.0, 100.0, "投标人：华山建设集团"), (72.0, 120.0, "有限公司")]]
    path = pdfs.text_pages(tmp_path / "a.pdf", pages)
    with pytest.raises(NotAnonymous, match="华山建设集团有限公司 in text on page 2") as caught:
        blind(path, faces)
    assert "第 2 页正文：华山建设集团有限公司" in caught.value.zh


def test_traditional_characters_are_the_same_name(tmp_path: Path, faces: dict[str, SealFace]) -> None:
    path = pdfs.text_pages(tmp_path / "a.pdf", [[(72.0, 100.0, "華山建設 集團有限公司")]])
    with pytest.raises(NotAnonymous, match="华山建设集团有限公司 in text on page 1"):
        blind(path, faces)


def test_text_beyond_the_visible_box_is_found_too(tmp_path: Path, faces: dict[str, SealFace]) -> None:
    path = pdfs.text_pages(tmp_path / "a.pdf", [[(72.0, 100.0, BIDDER), (72.0, 700.0, "正文")]])
    cropped = changed(
        path, lambda pdf: pdf.pages[0].obj.__setitem__("/CropBox", pikepdf.Array([0, 0, 595, 300]))
    )
    with pytest.raises(NotAnonymous, match="in text on page 1"):
        blind(cropped, faces)


def test_the_owners_of_the_plans_seals_are_names_too(tmp_path: Path, faces: dict[str, SealFace]) -> None:
    path = pdfs.text_pages(tmp_path / "a.pdf", [[(72.0, 100.0, "代码 91330000MA27XXXX1A")]])
    owned = {**faces, "公章": replace(faces["公章"], owner="某院", owner_code="91330000ＭA27xxxx1A")}
    blind(path, faces)
    with pytest.raises(NotAnonymous, match="in text on page 1"):
        blind(path, owned)


def test_the_files_own_name_is_searched(method: Path, faces: dict[str, SealFace]) -> None:
    with pytest.raises(NotAnonymous, match="in the file's name"):
        blind(method, faces, name=f"技术/{BIDDER}.pdf")


def test_a_name_in_an_earlier_revision_is_found(method: Path, faces: dict[str, SealFace]) -> None:
    with pikepdf.open(method, allow_overwriting_input=True) as pdf:
        pdf.docinfo["/Author"] = BIDDER
        pdf.save(method, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    with pymupdf.open(method) as document:
        document.set_metadata({"author": "某人"})
        document.saveIncr()
    with pytest.raises(NotAnonymous, match="earlier revision"):
        blind(method, faces)


def content_of(page: pikepdf.Page) -> bytes:
    page.contents_coalesce()
    return bytes(page.Contents.read_bytes())


def in_a_layer(pdf: pikepdf.Pdf) -> None:
    """Put a page's text on a layer that is off."""
    layer = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name=pikepdf.String("x")))
    pdf.Root.OCProperties = pikepdf.Dictionary(
        OCGs=pikepdf.Array([layer]), D=pikepdf.Dictionary(OFF=pikepdf.Array([layer]))
    )
    page = pdf.pages[0]
    page.Contents = pdf.make_stream(b"/OC /L BDC\n" + content_of(page) + b"\nEMC")
    page.Resources.Properties = pikepdf.Dictionary(L=layer)


def in_a_hidden_note(pdf: pikepdf.Pdf) -> None:
    page = pdf.pages[0]
    looks = pdf.make_stream(content_of(page), Subtype=pikepdf.Name.Form, BBox=[0, 0, 595, 842])
    looks.Resources = page.Resources
    note = pikepdf.Dictionary(
        Subtype=pikepdf.Name.Stamp, Rect=[0, 0, 595, 842], F=2, AP=pikepdf.Dictionary(N=looks)
    )
    page.Annots = pikepdf.Array([pdf.make_indirect(note)])
    page.Contents = pdf.make_stream(b"")


def in_nothing_shown(pdf: pikepdf.Pdf) -> None:
    in_a_hidden_note(pdf)
    note = pdf.pages[0].Annots[0]
    note.AP = pikepdf.Dictionary(D=note.AP.N)


@pytest.mark.parametrize(
    ("hide", "where"),
    [
        (in_a_layer, "in text on page 1"),
        (in_a_hidden_note, "in text on page 1"),
        (in_nothing_shown, "in text that no page shows"),
    ],
)
def test_text_that_is_not_shown_is_found_too(
    tmp_path: Path, faces: dict[str, SealFace], hide: Callable[[pikepdf.Pdf], None], where: str
) -> None:
    path = pdfs.text_pages(tmp_path / "a.pdf", [[(72.0, 100.0, BIDDER)]])
    with pytest.raises(NotAnonymous, match=where):
        blind(changed(path, hide), faces)


@pytest.mark.parametrize("linear", [False, True])
def test_a_packed_earlier_revision_is_searched(
    tmp_path: Path, faces: dict[str, SealFace], monkeypatch: pytest.MonkeyPatch, linear: bool
) -> None:
    path = pdfs.text_pages(tmp_path / "a.pdf", [[(72.0, 100.0, "正文")]])
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.docinfo["/Author"] = BIDDER
        pdf.save(path, object_stream_mode=pikepdf.ObjectStreamMode.generate, linearize=linear)
    with pymupdf.open(path) as document:
        document.set_metadata({"author": "某人"})
        document.saveIncr()
    with pytest.raises(NotAnonymous, match="in an earlier revision of the file"):
        blind(path, faces)
    monkeypatch.setattr(traces, "MAX_EARLIER_BYTES", 100)
    assert "1 earlier revisions of the file could not be searched" in "\n".join(blind(path, faces).warnings)


@pytest.mark.parametrize("level", [None, 2])
def test_a_signed_file_is_refused(method: Path, faces: dict[str, SealFace], level: int | None) -> None:
    path = method.with_name("signed.pdf")
    signed = pdfs.with_signature_field(path, method, level=level, perms=level is not None)
    with pytest.raises(NotAnonymous, match=r"the file is signed \(甲方\.签名1\)") as caught:
        blind(signed, faces)
    assert "文件已有签名" in caught.value.zh


def test_a_clean_file_is_planned_without_marks_and_doubts_are_said(
    tmp_path: Path, faces: dict[str, SealFace]
) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind(content=b"")] * 3)

    def add(pdf: pikepdf.Pdf) -> None:
        pdf.attachments["图.txt"] = b"x"
        pdf.docinfo["/Author"] = "Administrator"

    result = blind(changed(path, add), faces)
    assert result.anonymous
    assert result.marks == ()
    said = "\n".join(result.warnings)
    assert "rules[0] does not reach this file" in said
    assert "pages 1-3 have no text that can be read" in said
    assert "1 attached files were not searched" in said
    assert "Author Administrator" in said


def test_a_short_list_is_shown_of_many_places(tmp_path: Path, faces: dict[str, SealFace]) -> None:
    path = pdfs.text_pages(tmp_path / "a.pdf", [[(72.0, 100.0, BIDDER)]] * 20)
    with pytest.raises(NotAnonymous, match=r"page 12 … \(\+8\)"):
        blind(path, faces)


def test_what_cannot_be_searched_is_refused(
    method: Path, faces: dict[str, SealFace], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_traces, "MAX_OBJECTS", 3)
    with pytest.raises(InputRefused, match=r"^技术/方案\.pdf: more than 3 objects"):
        blind(method, faces)
    method.write_bytes(b"no pdf")
    with pytest.raises(InputRefused):
        find_names(method, ["甲乙"], file_names=["a.pdf"])


def test_of_a_converted_file_the_names_are_searched_and_the_original_is_doubted(
    method: Path, faces: dict[str, SealFace]
) -> None:
    def planned_from(original: str) -> PlannedDocument:
        came_in = Origin(method, original, 1, "", HowDerived.CONVERTED, "x")
        source = replace(source_file(method, "技术/方案.pdf"), origin=came_in)
        rules = parse_plan(f"version: 1\nbidder: {BIDDER}\n{PARTS}\nrules: [{EVERYWHERE}]".encode())
        return plan(source, inspect(source), rules, faces)

    assert "made of 技术/方案.docx" in "\n".join(planned_from("技术/方案.docx").warnings)
    with pytest.raises(NotAnonymous, match="in the file's name"):
        planned_from(f"技术/{BIDDER}方案.docx")


def test_objects_of_every_type_are_passed_through(tmp_path: Path, faces: dict[str, SealFace]) -> None:
    catalogue = b"<< /Type /Catalog /Pages 2 0 R /A 4 0 R /B 5 0 R /C 6 0 R /D 7 0 R /E 8 0 R >>"
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>"
    deep = b"[" * 60 + b"(x)" + b"]" * 60
    bodies = [catalogue, pages, page, b"7", b"true", b"null", deep, b"(x)"]
    assert blind(pdfs.raw(tmp_path / "a.pdf", bodies), faces).anonymous
    named = b"<FEFF" + "李四光".encode("utf-16-be").hex().encode() + b">"
    with pytest.raises(NotAnonymous, match="李四光 in object 8"):
        blind(pdfs.raw(tmp_path / "b.pdf", [*bodies[:-1], named]), faces)


class UnsafeReader(LayerOnly):
    """Reads the same words off every picture it is shown, as OCR would."""

    def __init__(self, *lines: str) -> None:
        self.lines = tuple(PageLine(line, (), number) for number, line in enumerate(lines))
        self.asked: list[int] = []

    def read(self, path: Path, page_indices: Sequence[int]) -> Mapping[int, PageText]:
        self.asked += page_indices
        return {index: PageText(self.lines, source=TextSource.OCR) for index in page_indices if index != 3}


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A page of text, a picture, a picture with a page number, a picture that nobody can read."""
    picture = io.BytesIO()
    Image.new("L", (60, 80), 200).save(picture, "PNG")
    with pymupdf.open() as document:
        for kind in ("text", "picture", "numbered", "picture"):
            page = document.new_page(width=595, height=842)
            if kind != "text":
                page.insert_image(page.rect, stream=picture.getvalue())
            if kind != "picture":
                page.insert_text((72, 72), "page 3" if kind == "numbered" else "words " * 40)
        document.save(tmp_path / "scan.pdf")
    return tmp_path / "scan.pdf"


def read_by(reader: UnsafeReader, scan: Path, faces: dict[str, SealFace], more: str = "") -> PlannedDocument:
    extra = f"bidder: {BIDDER}\n{PARTS}\n{more}"
    return planned(scan, faces, EVERYWHERE, extra=extra, name="技术/扫描.pdf", texts=reader)


def test_pictures_are_read_for_names(scan: Path, faces: dict[str, SealFace]) -> None:
    reader = UnsafeReader("華山建設集團", "有限公司")
    with pytest.raises(NotAnonymous, match=r"司 in text of a picture on page 2; .* on page 3"):
        read_by(reader, scan, faces)
    assert reader.asked == [1, 2, 3]


def test_what_was_read_and_what_not_is_said(scan: Path, faces: dict[str, SealFace]) -> None:
    said = "\n".join(read_by(UnsafeReader("施工方案"), scan, faces).warnings)
    assert "pages 2-3 were searched by OCR" in said
    assert "pages 4 have no text that can be read" in said
    reader = UnsafeReader(BIDDER)
    assert "pages 2-4 have no text" in "\n".join(read_by(reader, scan, faces, "ocr: never").warnings)
    assert reader.asked == []
