"""Builds PDFs of every odd kind, each from a few lines, so that a test can say what is odd about it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pymupdf
from PIL import Image, ImageDraw

from stages.documents import SealFace, SourceFile

A4_PT = (0.0, 0.0, 595.28, 841.89)
INK = (205, 25, 35)


@dataclass(frozen=True)
class PageKind:
    """How one page of a built PDF is boxed and turned.

    Attributes:
        inherit: the boxes and the rotation stand in the node above, not in the page.
        content: what is drawn before anything is stamped.
    """

    media: tuple[float, float, float, float] = A4_PT
    crop: tuple[float, float, float, float] | None = None
    rotate: int = 0
    user_unit: float = 1.0
    inherit: bool = False
    content: bytes = b"BT /F1 12 Tf 1 0 0 1 60 60 Tm (plain) Tj ET"


def source_file(path: Path, name: str = "") -> SourceFile:
    """Return a file as a package would hand it in."""
    data = path.read_bytes()
    return SourceFile(path, name or path.name, len(data), hashlib.sha256(data).hexdigest())


def build(path: Path, kinds: Sequence[PageKind], *, object_streams: bool = False) -> Path:
    """Write a PDF with a page for each kind; every page under a node of its own."""
    pdf = pikepdf.new()
    font = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
    )
    shared = pdf.make_indirect(pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font)))
    nodes = []
    for kind in kinds:
        page = pikepdf.Dictionary(Type=pikepdf.Name.Page, Contents=pdf.make_stream(kind.content))
        node = pikepdf.Dictionary(Type=pikepdf.Name.Pages, Count=1, Resources=shared)
        holder = node if kind.inherit else page
        holder.MediaBox = pikepdf.Array([*kind.media])
        if kind.crop:
            holder.CropBox = pikepdf.Array([*kind.crop])
        if kind.rotate:
            holder.Rotate = kind.rotate
        if kind.user_unit != 1.0:
            page.UserUnit = kind.user_unit
        node = pdf.make_indirect(node)
        page.Parent = node
        node.Kids = pikepdf.Array([pdf.make_indirect(page)])
        node.Parent = pdf.Root.Pages
        nodes.append(node)
    pdf.Root.Pages.Kids = pikepdf.Array(nodes)
    pdf.Root.Pages.Count = len(nodes)
    mode = pikepdf.ObjectStreamMode.generate if object_streams else pikepdf.ObjectStreamMode.disable
    pdf.save(path, object_stream_mode=mode, deterministic_id=True)
    return path


def text_pages(path: Path, pages: Sequence[Sequence[tuple[float, float, str]]], *, rotate: int = 0) -> Path:
    """Write an A4 PDF with Chinese text: for each page, (x_pt, y_pt, text) before rotation."""
    document = pymupdf.open()
    for lines in pages:
        page = document.new_page(width=595.28, height=841.89)
        for x, y, text in lines:
            page.insert_text((x, y), text, fontname="china-s", fontsize=12)
        page.set_rotation(rotate)
    document.save(path, no_new_id=True)
    document.close()
    return path


def with_catalogue(path: Path, source: Path, entries: Mapping[str, object]) -> Path:
    """Write a copy of a PDF with more in its catalogue."""
    with pikepdf.open(source) as pdf:
        for key, value in entries.items():
            pdf.Root[key] = value
        pdf.save(path, deterministic_id=True)
    return path


def with_signature_field(path: Path, source: Path, *, level: int | None = None, perms: bool = False) -> Path:
    """Write a copy with a filled signature field (its /Contents sign nothing).

    Args:
        level: /P of a certification; None for an approval signature.
        perms: the catalogue's /Perms names it.
    """
    with pikepdf.open(source) as pdf:
        value = pikepdf.Dictionary(
            Type=pikepdf.Name.Sig,
            Filter=pikepdf.Name("/Adobe.PPKLite"),
            M=pikepdf.String("D:20240301083000+08'00'"),
            ByteRange=pikepdf.Array([0, 1, 2, 1]),
            Contents=pikepdf.String(b"\0\1"),
        )
        if level is not None:
            parameters = pikepdf.Dictionary(Type=pikepdf.Name.TransformParams, P=level)
            value.Reference = pikepdf.Array(
                [pikepdf.Dictionary(TransformMethod=pikepdf.Name.DocMDP, TransformParams=parameters)]
            )
        value = pdf.make_indirect(value)
        field = pikepdf.Dictionary(FT=pikepdf.Name.Sig, Kids=pikepdf.Array(), T=pikepdf.String("甲方"))
        field = pdf.make_indirect(field)
        field.Kids.append(
            pdf.make_indirect(pikepdf.Dictionary(T=pikepdf.String("签名1"), V=value, Parent=field))
        )
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([field]), SigFlags=3)
        if perms:
            pdf.Root.Perms = pikepdf.Dictionary(DocMDP=value)
        pdf.save(path, deterministic_id=True)
    return path


def hybrid(path: Path) -> Path:
    """Write a PDF with a hybrid cross-reference (ISO 32000-2 §7.5.8.4), its font only in the /XRefStm."""
    bodies = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 6 0 R >> >> >>",
        4: b"<< /Length 44 >>\nstream\nBT /F1 12 Tf 1 0 0 1 72 72 Tm (hybrid) Tj ET\nendstream",
        5: b"",
    }
    hidden = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    packed = b"6 0 " + hidden
    bodies[5] = b"<< /Type /ObjStm /N 1 /First 4 /Length %d >>\nstream\n%s\nendstream" % (len(packed), packed)
    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    offsets: dict[int, int] = {}
    for number, body in bodies.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    stream_at = len(out)
    row = b"\x02" + (5).to_bytes(3, "big") + b"\0"
    out += b"7 0 obj\n<< /Type /XRef /W [1 3 1] /Index [6 1] /Size 8 /Length 5 >>\nstream\n"
    out += row + b"\nendstream\nendobj\n"
    table_at = len(out)
    out += b"xref\n0 8\n0000000006 65535 f \n"
    out += b"".join(b"%010d 00000 n \n" % offsets[number] for number in range(1, 6))
    out += b"0000000000 65535 f \n%010d 00000 n \n" % stream_at
    out += b"trailer\n<< /Size 8 /Root 1 0 R /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n" % (stream_at, table_at)
    path.write_bytes(bytes(out))
    return path


def raw(path: Path, bodies: Sequence[bytes], *, trailer: bytes = b"") -> Path:
    """Write objects 1, 2, … just as given, the first one the catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n" % (len(bodies) + 1, trailer)
    out += b"%d\n%%%%EOF" % start
    path.write_bytes(bytes(out))
    return path


def one_page_twice(path: Path) -> Path:
    """Write a PDF of two pages that are one object."""
    return raw(
        path,
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 2 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>",
        ],
    )


def seal_face(folder: Path, name: str = "公章", w_mm: float = 42.0, h_mm: float = 42.0) -> SealFace:
    """Draw a seal that looks different each way it is turned or mirrored, and return its face."""
    image = Image.new("RGBA", (1400, 1400), (*INK, 0))
    draw = ImageDraw.Draw(image)
    w, h = w_mm * 20, h_mm * 20
    x, y = 700 - w / 2, 700 - h / 2
    draw.ellipse([x, y, x + w - 1, y + h - 1], outline=(*INK, 255), width=24)
    draw.rectangle([x + 0.25 * w, y + 0.25 * h, x + 0.65 * w, y + 0.35 * h], fill=(*INK, 255))
    draw.rectangle([x + 0.25 * w, y + 0.25 * h, x + 0.35 * w, y + 0.55 * h], fill=(*INK, 255))
    path = folder / f"seal-{hashlib.sha256(name.encode()).hexdigest()[:8]}.png"
    image.save(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return SealFace(name, path, digest, (x / 20, y / 20, w_mm, h_mm))
