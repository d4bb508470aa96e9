"""What a PDF's pages draw with: fonts that are not inside, pictures that lie elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pikepdf

from stages.documents import Finding
from stages.pdf.sayings import page_numbers, say, some_names
from stages.pdf.structure import inherited
from stages.pdf.syntax import ObjGen, name_text

MAX_FONTS = 5_000
MAX_FORM_DEPTH = 4
MAX_BLANK_BYTES, MAX_BLANK_PACKED_BYTES = 3, 11
"""A page's content of no more bytes draws nothing: deflate needs 8 for an empty one, 11 for "q Q"."""

_STANDARD = frozenset(
    {"Courier", "Courier-Bold", "Courier-Oblique", "Courier-BoldOblique"}
    | {"Helvetica", "Helvetica-Bold", "Helvetica-Oblique", "Helvetica-BoldOblique"}
    | {"Times-Roman", "Times-Bold", "Times-Italic", "Times-BoldItalic", "Symbol", "ZapfDingbats"}
)
"""ISO 32000-2 §9.6.2.2."""
_EVERYWHERE = ("Arial", "TimesNewRoman", "CourierNew")
"""Every reader has likenesses of these too; Word leaves them out where they only set blanks."""
_CJK_ORDERINGS = frozenset({b"GB1", b"CNS1", b"Japan1", b"Korea1", b"KR"})
_CJK_NAMES = (
    "song",
    "simsun",
    "simhei",
    "heiti",
    "kaiti",
    "fangsong",
    "simkai",
    "yahei",
    "mingliu",
    "dengxian",
)
_CODECS = {"/JPXDecode": "JPEG 2000", "/JBIG2Decode": "JBIG2"}


@dataclass(frozen=True)
class Drawing:
    """What one dictionary of resources offers: a page that is offered no font can have no text."""

    has_font: bool = False
    has_picture: bool = False


@dataclass
class Resources:
    """What the pages looked at so far draw with."""

    fonts: dict[str, int] = field(default_factory=dict)
    standard_fonts: dict[str, int] = field(default_factory=dict)
    chinese: set[str] = field(default_factory=set)
    codecs: set[str] = field(default_factory=set)
    external: int = 0
    alternates: int = 0
    pictures_only: list[int] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)
    thumbnails: list[int] = field(default_factory=list)
    _seen: dict[ObjGen, Drawing] = field(default_factory=dict)

    def look(self, page: pikepdf.Object, page_index: int) -> None:
        """Take in one page."""
        if "/Thumb" in page:
            self.thumbnails.append(page_index)
        contents = page.get("/Contents")
        parts = list(contents) if isinstance(contents, pikepdf.Array) else [contents]
        streams = [part for part in parts if isinstance(part, pikepdf.Stream)]
        self.external += sum("/F" in stream for stream in streams)
        drawing = self._drawing(inherited(page, "/Resources"), page_index, 0)
        if all(_is_blank(stream) for stream in streams):
            annotations = page.get("/Annots")
            if not isinstance(annotations, pikepdf.Array) or not len(annotations):
                self.blank.append(page_index)
        elif drawing.has_picture and not drawing.has_font:
            self.pictures_only.append(page_index)

    def findings(self) -> Iterator[Finding]:
        """Yield what is to be said of the pages taken in."""
        if self.fonts:
            chinese_first = sorted(self.fonts, key=lambda name: name not in self.chinese)
            yield say(
                "fonts-not-embedded",
                count=len(self.fonts),
                names=some_names(chinese_first),
                page=min(self.fonts.values()) + 1,
            )
        if self.standard_fonts:
            names = some_names(list(self.standard_fonts))
            yield say("fonts-standard", count=len(self.standard_fonts), names=names)
        if self.external:
            yield say("external-content", count=self.external)
        if self.alternates:
            yield say("alternate-images", count=self.alternates)
        if self.codecs:
            yield say("image-codecs", codecs=", ".join(sorted(self.codecs)))
        for code, pages in (
            ("pages-without-fonts", self.pictures_only),
            ("pages-blank", self.blank),
            ("page-thumbnails", self.thumbnails),
        ):
            if pages:
                yield say(code, pages=page_numbers(pages))

    def _drawing(self, resources: object, page_index: int, depth: int) -> Drawing:
        """Return what a dictionary of resources offers; one met again is not walked again."""
        if not isinstance(resources, pikepdf.Dictionary) or depth > MAX_FORM_DEPTH:
            return Drawing()
        objgen = resources.objgen if resources.is_indirect else None
        if objgen is not None:
            if objgen in self._seen:
                return self._seen[objgen]
            self._seen[objgen] = Drawing()
        has_font = has_picture = False
        for font in _values(resources.get("/Font")):
            has_font = True
            self._font(font, page_index)
        for drawn in _values(resources.get("/XObject")):
            found = self._drawn(drawn, page_index, depth)
            has_font, has_picture = has_font or found.has_font, has_picture or found.has_picture
        drawing = Drawing(has_font, has_picture)
        if objgen is not None:
            self._seen[objgen] = drawing
        return drawing

    def _drawn(self, drawn: pikepdf.Object, page_index: int, depth: int) -> Drawing:
        """Return what a form or picture offers."""
        objgen = drawn.objgen
        if objgen in self._seen:
            return self._seen[objgen]
        self._seen[objgen] = Drawing()
        if drawn.get("/Subtype") == pikepdf.Name.Image:
            found = Drawing(has_picture=True)
            self.alternates += "/Alternates" in drawn
            self.codecs.update(_codecs(drawn.get("/Filter")))
        else:
            found = self._drawing(drawn.get("/Resources"), page_index, depth + 1)
        self.external += any(key in drawn for key in ("/F", "/Ref", "/OPI"))
        self._seen[objgen] = found
        return found

    def _font(self, font: pikepdf.Object, page_index: int) -> None:
        if font.is_indirect:
            if font.objgen in self._seen:
                return
            self._seen[font.objgen] = Drawing()
        if _is_embedded(font) or len(self.fonts) >= MAX_FONTS:
            return
        name = name_text(font.get("/BaseFont"))
        if _is_chinese(font, name):
            self.chinese.add(name)
        (self.standard_fonts if _is_standard(name) else self.fonts).setdefault(name, page_index)


def _is_blank(stream: pikepdf.Object) -> bool:
    length = stream.get("/Length", 0)
    most = MAX_BLANK_PACKED_BYTES if "/Filter" in stream else MAX_BLANK_BYTES
    return isinstance(length, int) and length <= most and "/F" not in stream


def _values(value: object) -> Iterator[pikepdf.Object]:
    """Yield the dictionaries and streams that are a dictionary's values."""
    if not isinstance(value, pikepdf.Dictionary):
        return
    for _, child in value.items():  # not by key: a key that is no UTF-8 cannot be asked for
        if isinstance(child, pikepdf.Dictionary | pikepdf.Stream):
            yield child


def _codecs(filters: object) -> Iterator[str]:
    for name in filters if isinstance(filters, pikepdf.Array) else [filters]:
        codec = _CODECS.get("/" + name_text(name))
        if codec:
            yield codec


def _descendant(font: pikepdf.Object) -> pikepdf.Object:
    descendants = font.get("/DescendantFonts")
    if isinstance(descendants, pikepdf.Array) and len(descendants):
        first = descendants[0]
        if isinstance(first, pikepdf.Dictionary):
            return first
    return font


def _is_embedded(font: pikepdf.Object) -> bool:
    """Return whether a font's program is in the file (ISO 32000-2 §9.9); Type 3 fonts are drawn in it."""
    if font.get("/Subtype") == pikepdf.Name.Type3:
        return True
    descriptor = _descendant(font).get("/FontDescriptor")
    return isinstance(descriptor, pikepdf.Dictionary) and any(
        key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3")
    )


def _is_standard(name: str) -> bool:
    return name in _STANDARD or (name.startswith(_EVERYWHERE) and "Unicode" not in name)


def _is_chinese(font: pikepdf.Object, name: str) -> bool:
    """Return whether a font has Chinese, Japanese or Korean characters, by its collection or its name."""
    system = _descendant(font).get("/CIDSystemInfo")
    ordering = system.get("/Ordering") if isinstance(system, pikepdf.Dictionary) else None
    if isinstance(ordering, pikepdf.String) and bytes(ordering) in _CJK_ORDERINGS:
        return True
    return not name.isascii() or any(word in name.lower() for word in _CJK_NAMES)
