"""A PDF's properties: who and what made it, and which part of PDF/A it claims to follow."""

import re
import zlib
from collections.abc import Iterator

import pikepdf

from stages.documents import Finding
from stages.pdf.sayings import printable, say

MAX_XMP_BYTES = 1 << 20
_KEYS = (
    ("/Author", "author", "作者"),
    ("/Company", "company", "单位"),
    ("/Creator", "written with", "创建程序"),
    ("/Producer", "made by", "生成程序"),
    ("/LastSavedBy", "last saved by", "最后保存者"),
)
_XMP = {
    "/Author": rb"<dc:creator>(.*?)</dc:creator>",
    "/Company": rb"<pdfx:Company>(.*?)</pdfx:Company>",
}
_TAG = re.compile(rb"<[^>]*>")
_PART = re.compile(rb"pdfaid:part\s*(?:=\s*[\"']|>)\s*(\d)")
_LEVEL = re.compile(rb"pdfaid:conformance\s*(?:=\s*[\"']|>)\s*([A-Za-z])")


def property_findings(pdf: pikepdf.Pdf) -> Iterator[Finding]:
    """Yield what the /Info dictionary and the XMP metadata say (ISO 32000-2 §14.3)."""
    xmp = _xmp(pdf.Root.get("/Metadata"))
    part = _PART.search(xmp)
    if part:
        level = _LEVEL.search(xmp)
        claim = part.group(1).decode() + (level.group(1).decode().lower() if level else "")
        yield say("pdf-a1" if claim.startswith("1") else "pdf-a", part=claim)
    info = pdf.trailer.get("/Info")
    said: list[tuple[str, str, str]] = []
    for key, english, chinese in _KEYS:
        value = info.get(key) if isinstance(info, pikepdf.Dictionary) else None
        text = str(value) if isinstance(value, pikepdf.String) else _xmp_text(xmp, key)
        if printable(text):
            said.append((english, chinese, printable(text)))
    if said:
        yield say(
            "metadata",
            what=", ".join(f"{english} {text}" for english, _, text in said),
            what_zh="，".join(f"{chinese} {text}" for _, chinese, text in said),
        )


def _xmp_text(xmp: bytes, key: str) -> str:
    pattern = _XMP.get(key)
    found = re.search(pattern, xmp, re.DOTALL) if pattern else None
    return _TAG.sub(b" ", found.group(1)).decode("utf-8", "replace") if found else ""


def _xmp(metadata: object) -> bytes:
    """Return the XMP packet's first MAX_XMP_BYTES; nothing when it is packed in an unusual way, or broken."""
    if not isinstance(metadata, pikepdf.Stream):
        return b""
    packing = metadata.get("/Filter")
    length = metadata.get("/Length", 0)
    if not isinstance(length, int) or length > MAX_XMP_BYTES:
        return b""
    try:
        raw = metadata.read_raw_bytes()
        if packing is None:
            return raw
        is_flate = packing == pikepdf.Name.FlateDecode or (
            isinstance(packing, pikepdf.Array) and list(packing) == [pikepdf.Name.FlateDecode]
        )
        return zlib.decompressobj().decompress(raw, MAX_XMP_BYTES) if is_flate else b""
    except (pikepdf.PdfError, zlib.error):
        return b""
