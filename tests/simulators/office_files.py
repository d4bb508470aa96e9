"""Office files small enough to read, as Word, Excel and PowerPoint write them in their essentials."""

import io
import struct
import zipfile
from collections.abc import Mapping
from itertools import pairwise

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument"
_W = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    f'xmlns:r="{_OFFICE}" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"'
)


def zip_bytes(entries: Mapping[str, str | bytes]) -> bytes:
    """Return a zip of these entries, in this order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in entries.items():
            archive.writestr(name, body)
    return buffer.getvalue()


def docx_bytes(
    text: str = "投标函（盖单位章）",
    *,
    font: str = "宋体",
    body: str = "",
    links: Mapping[str, str] | None = None,
    macros: bool = False,
    title: str = "投标函",
    author: str = "王小明",
) -> bytes:
    """Return a Word document.

    Args:
        body: WordprocessingML behind the text.
        links: relationship id to the address of a linked picture.
        macros: as a docm, with a stub of a VBA project.
    """
    main = (
        "application/vnd.ms-word.document.macroEnabled.main+xml"
        if macros
        else (f"{_TYPES}.wordprocessingml.document.main+xml")
    )
    run = f'<w:rPr><w:rFonts w:ascii="{font}" w:eastAsia="{font}"/></w:rPr><w:t>{text}</w:t>'
    entries: dict[str, str | bytes] = {
        "[Content_Types].xml": _content_types({"/word/document.xml": main}),
        "_rels/.rels": _rels(
            {
                "r1": (f"{_OFFICE}/officeDocument", "word/document.xml"),
                "r2": (f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
            }
        ),
        "docProps/core.xml": (
            f'{_HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<dc:title>{title}</dc:title><dc:creator>{author}</dc:creator></cp:coreProperties>"
        ),
        "word/document.xml": (
            f"{_HEAD}<w:document {_W}><w:body><w:p><w:r>{run}</w:r></w:p>{body}"
            '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/></w:sectPr></w:body></w:document>'
        ),
    }
    if links:
        entries["word/_rels/document.xml.rels"] = _rels(
            {name: (f"{_OFFICE}/image", target) for name, target in links.items()}, external=True
        )
    if macros:
        entries["word/vbaProject.bin"] = b"\xd0\xcf\x11\xe0 no real project"
    return zip_bytes(entries)


def linked_picture(relationship: str) -> str:
    """Return a paragraph that shows a linked picture, 5 cm square."""
    return (
        '<w:p><w:r><w:drawing><wp:inline><wp:extent cx="1800000" cy="1800000"/><wp:docPr id="1" name="p"/>'
        '<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic>'
        '<pic:nvPicPr><pic:cNvPr id="0" name="p"/><pic:cNvPicPr/></pic:nvPicPr>'
        f'<pic:blipFill><a:blip r:link="{relationship}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
        '<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="1800000" cy="1800000"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r></w:p>"
    )


def xlsx_bytes(*, columns: int = 3, rows: int = 3, fit_width: bool = False) -> bytes:
    """Return a workbook of numbers, landscape A4; as wide as it is, or fitted to one page's width."""
    main = f"{_TYPES}.spreadsheetml.sheet.main+xml"
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    cells = "".join(
        "<row>" + "".join(f"<c><v>{row * 1000 + column}</v></c>" for column in range(columns)) + "</row>"
        for row in range(rows)
    )
    fit = '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>' if fit_width else ""
    setup = '<pageSetup paperSize="9" orientation="landscape"' + (' fitToHeight="0"/>' if fit_width else "/>")
    return zip_bytes(
        {
            "[Content_Types].xml": _content_types(
                {
                    "/xl/workbook.xml": main,
                    "/xl/worksheets/sheet1.xml": f"{_TYPES}.spreadsheetml.worksheet+xml",
                }
            ),
            "_rels/.rels": _rels({"r1": (f"{_OFFICE}/officeDocument", "xl/workbook.xml")}),
            "xl/workbook.xml": (
                f'{_HEAD}<workbook xmlns="{space}" xmlns:r="{_OFFICE}">'
                '<sheets><sheet name="报价" sheetId="1" r:id="r1"/></sheets></workbook>'
            ),
            "xl/_rels/workbook.xml.rels": _rels({"r1": (f"{_OFFICE}/worksheet", "worksheets/sheet1.xml")}),
            "xl/worksheets/sheet1.xml": (
                f'{_HEAD}<worksheet xmlns="{space}">{fit}<sheetData>{cells}</sheetData>{setup}</worksheet>'
            ),
        }
    )


def pptx_bytes() -> bytes:
    """Return a presentation of one empty slide, 254 mm × 190.5 mm."""
    space = (
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        f'xmlns:r="{_OFFICE}" xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    )
    tree = (
        '<p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr>'
        "<p:grpSpPr/></p:spTree></p:cSld>"
    )
    part = f"{_TYPES}.presentationml"
    return zip_bytes(
        {
            "[Content_Types].xml": _content_types(
                {
                    "/ppt/presentation.xml": f"{part}.presentation.main+xml",
                    "/ppt/slides/slide1.xml": f"{part}.slide+xml",
                }
            ),
            "_rels/.rels": _rels({"r1": (f"{_OFFICE}/officeDocument", "ppt/presentation.xml")}),
            "ppt/presentation.xml": (
                f'{_HEAD}<p:presentation {space}><p:sldIdLst><p:sldId id="256" r:id="r1"/></p:sldIdLst>'
                '<p:sldSz cx="9144000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/></p:presentation>'
            ),
            "ppt/_rels/presentation.xml.rels": _rels({"r1": (f"{_OFFICE}/slide", "slides/slide1.xml")}),
            "ppt/slides/slide1.xml": f"{_HEAD}<p:sld {space}>{tree}</p:sld>",
        }
    )


def odt_bytes(*, encrypted: bool = False) -> bytes:
    """Return a text document of LibreOffice's own; or what stands around one that has a password."""
    secret = "<manifest:encryption-data/>" if encrypted else ""
    space = 'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'
    return zip_bytes(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": (
                f'<manifest:manifest {space}><manifest:file-entry manifest:full-path="content.xml" '
                f'manifest:media-type="text/xml">{secret}</manifest:file-entry></manifest:manifest>'
            ),
            "content.xml": (
                '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
                'office:version="1.2"><office:body><office:text/></office:body></office:document-content>'
            ),
        }
    )


def compound_bytes(streams: Mapping[str, bytes], *, directory_behind_bytes: int = 0) -> bytes:
    """Return a compound file (OLE2) with these streams, each put into whole sectors.

    A name with a slash is that of a stream in a storage, such as an embedded object. Streams below 4096
    bytes are padded: a real writer would put them into the mini stream.

    Args:
        directory_behind_bytes: how much lies before the directory, as in a file full of pictures.
    """
    storages = list(dict.fromkeys(name.split("/")[0] for name in streams if "/" in name))
    bodies = [body.ljust(max(4096, -(-len(body) // 512) * 512), b"\0") for body in streams.values()]
    directory_sectors = -(-(len(streams) + len(storages) + 1) // 4)
    padding = -(-directory_behind_bytes // 512)
    sectors = padding + directory_sectors + sum(len(body) // 512 for body in bodies)
    tables = chains = 0
    while tables * 128 < tables + chains + sectors or chains * 127 < tables - 109:
        tables = -(-(tables + chains + sectors) // 128)
        chains = max(0, -(-(tables - 109) // 127))
    fat = [0xFFFFFFFD] * tables + [0xFFFFFFFC] * chains + [0xFFFFFFFF] * padding
    directory = len(fat)
    fat += [directory + 1 + n for n in range(directory_sectors - 1)] + [0xFFFFFFFE]
    starts = []
    for body in bodies:
        starts.append(len(fat))
        fat += [len(fat) + n + 1 for n in range(len(body) // 512 - 1)] + [0xFFFFFFFE]
    inside = {name: [n for n in streams if n.startswith(name + "/")] for name in storages}
    order = ["", *storages, *(name for name in streams if "/" not in name)]
    order += [name for names in inside.values() for name in names]
    siblings = [order[1 : len(order) - sum(map(len, inside.values()))], *inside.values()]
    after = {a: order.index(b) for names in siblings for a, b in pairwise(names)}
    first_inside = {"": 1} | {name: order.index(names[0]) for name, names in inside.items()}
    place = {name: (start, len(body)) for name, start, body in zip(streams, starts, bodies, strict=True)}
    entries = b"".join(
        _compound_entry(
            name.split("/")[-1] or "Root Entry",
            2 if name in place else 1 if name else 5,
            after.get(name, 0xFFFFFFFF),
            first_inside.get(name, 0xFFFFFFFF),
            *place.get(name, (0xFFFFFFFE, 0)),
        )
        for name in order
    )
    numbers = [*range(tables), *[0xFFFFFFFF] * (109 - tables)]
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header += bytes(6) + struct.pack("<IIIIIII", 0, tables, directory, 0, 4096, 0xFFFFFFFE, 0)
    header += struct.pack("<II", tables if chains else 0xFFFFFFFE, chains)
    header += struct.pack("<109I", *numbers[:109])
    more = b"".join(
        struct.pack(
            "<128I",
            *[*numbers[109 + 127 * n : 236 + 127 * n], *[0xFFFFFFFF] * 127][:127],
            tables + n + 1 if n + 1 < chains else 0xFFFFFFFE,
        )
        for n in range(chains)
    )
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(512 * tables, b"\xff")
    body_bytes = bytes(512 * padding) + entries.ljust(512 * directory_sectors, b"\0") + b"".join(bodies)
    return header + table + more + body_bytes


def _compound_entry(name: str, kind: int, after: int, child: int, start: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    head = encoded.ljust(64, b"\0") + struct.pack("<HBB", len(encoded), kind, 1)
    return head + struct.pack("<III", 0xFFFFFFFF, after, child) + bytes(36) + struct.pack("<IQ", start, size)


def _content_types(overrides: Mapping[str, str]) -> str:
    parts = "".join(f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in overrides.items())
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{parts}</Types>'
    )


def _rels(targets: Mapping[str, tuple[str, str]], *, external: bool = False) -> str:
    mode = ' TargetMode="External"' if external else ""
    items = "".join(
        f'<Relationship Id="{name}" Type="{kind}" Target="{target}"{mode}/>'
        for name, (kind, target) in targets.items()
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{items}</Relationships>'
