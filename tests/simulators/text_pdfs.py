"""Builds PDFs whose text is encoded in every way that programs write it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name

SIZE_PT = (400.0, 600.0)


@dataclass(frozen=True)
class Shown:
    """A text drawn at a point of user space, its characters drawn as boxes of `size_pt`.

    Attributes:
        says: for each glyph what ToUnicode gives it; None leaves ToUnicode out.
        advance: from glyph to glyph, in sizes.
    """

    says: Sequence[str] | None
    x: float
    y: float
    size_pt: float = 20.0
    advance: float = 1.0
    glyphs: int = 0
    turn: tuple[int, int, int, int] = (1, 0, 0, 1)
    mode: int = 0

    @property
    def count(self) -> int:
        return len(self.says) if self.says is not None else self.glyphs


def _to_unicode(says: Sequence[str]) -> bytes:
    lines = [f"<{code + 1:02x}> <{text.encode('utf-16-be').hex()}>" for code, text in enumerate(says)]
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        "1 begincodespacerange <00> <ff> endcodespacerange\n"
        f"{len(lines)} beginbfchar\n" + "\n".join(lines) + "\nendbfchar endcmap end end"
    ).encode()


def _boxes_font(pdf: pikepdf.Pdf, shown: Shown) -> Dictionary:
    """Return a Type3 font whose every glyph is a box over 0.1..0.9 of the square above the base line."""
    glyph = pdf.make_stream(f"{1000 * shown.advance} 0 d0 100 0 800 800 re f".encode())
    names = [Name(f"/g{code + 1}") for code in range(shown.count)]
    font = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type3,
        FontBBox=Array([0, 0, 1000, 1000]),
        FontMatrix=Array([0.001, 0, 0, 0.001, 0, 0]),
        CharProcs=Dictionary({str(name): glyph for name in names}),
        Encoding=Dictionary(Type=Name.Encoding, Differences=Array([1, *names])),
        FirstChar=1,
        LastChar=shown.count,
        Widths=Array([1000 * shown.advance] * shown.count),
    )
    if shown.says is not None:
        font.ToUnicode = pdf.make_stream(_to_unicode(shown.says))
    return font


def boxes_page(path: Path, texts: Sequence[Shown], *, before: bytes = b"", after: bytes = b"") -> Path:
    """Write one page of glyphs that are boxes and say what they are told to."""
    pdf = pikepdf.new()
    fonts = Dictionary()
    content = before + b"\n"
    for number, shown in enumerate(texts):
        fonts[f"/F{number}"] = pdf.make_indirect(_boxes_font(pdf, shown))
        codes = bytes(range(1, shown.count + 1)).hex()
        a, b, c, d = shown.turn
        content += (
            f"BT /F{number} {shown.size_pt} Tf {shown.mode} Tr {a} {b} {c} {d} {shown.x} {shown.y} Tm "
            f"<{codes}> Tj ET\n"
        ).encode()
    return _page(pdf, path, content + after, Dictionary(Font=fonts))


def cjk_page(path: Path, encoding: str, data: bytes, *, x: float = 100, y: float = 400) -> Path:
    """Write one page with a font that is not embedded and a predefined CMap (ISO 32000-2 §9.7.5.2)."""
    pdf = pikepdf.new()
    cid_font = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType0,
        BaseFont=Name("/STSong-Light"),
        CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"GB1", Supplement=4),
        DW=1000,
        FontDescriptor=pdf.make_indirect(
            Dictionary(
                Type=Name.FontDescriptor,
                FontName=Name("/STSong-Light"),
                Flags=4,
                FontBBox=Array([-25, -254, 1000, 880]),
                ItalicAngle=0,
                Ascent=880,
                Descent=-120,
                CapHeight=880,
                StemV=93,
            )
        ),
    )
    font = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type0,
        BaseFont=Name("/STSong-Light"),
        Encoding=Name(f"/{encoding}"),
        DescendantFonts=Array([pdf.make_indirect(cid_font)]),
    )
    content = f"BT /F0 20 Tf 1 0 0 1 {x} {y} Tm <{data.hex()}> Tj ET".encode()
    return _page(pdf, path, content, Dictionary(Font=Dictionary(F0=font)))


def _page(pdf: pikepdf.Pdf, path: Path, content: bytes, resources: Dictionary) -> Path:
    page = Dictionary(
        Type=Name.Page,
        MediaBox=Array([0, 0, *SIZE_PT]),
        Resources=resources,
        Contents=pdf.make_stream(content),
    )
    pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
    pdf.save(path)
    return path
