"""Say what a PDF is before anything touches it: its pages, its signatures, and what speaks against it."""

from collections import Counter
from collections.abc import Iterator, Sequence

import pikepdf

from stages.documents import Finding, InspectedDocument, PageGeometry, SourceFile
from stages.errors import InputRefused
from stages.pdf.base import BasePdf, open_base, refusals_named
from stages.pdf.content import content_findings
from stages.pdf.form_fields import form_fields
from stages.pdf.geometry import is_box_disputed, is_turn_disputed, page_geometry
from stages.pdf.page_size import is_odd
from stages.pdf.sayings import page_numbers, printable, say
from stages.pdf.signature_words import signature_findings
from stages.pdf.signatures import existing_signatures, taken_names
from stages.pdf.structure import inherited, walk_pages


def inspect(source: SourceFile) -> InspectedDocument:
    """Return what is known of a PDF. Streams are not decoded, so that 1,000 pages take a moment.

    Raises:
        Damaged, Encrypted: a copy may be made that can be signed (`mending.mended`).
        InputRefused: no PDF, empty, over `base.MAX_FILE_BYTES`, behind a password, without pages, or over
            `structure.MAX_PAGES`. Every message names the file and what to do.
    """
    with open_base(source.path, name=source.name) as base, refusals_named(source.name):
        pages = list(walk_pages(base.pdf))
        if not pages:
            raise InputRefused("the PDF has no pages; export it again", zh="PDF 没有页面，请重新导出")
        geometries = tuple(page_geometry(page) for page in pages)
        odd = tuple(n for n, page in enumerate(pages) if is_odd(page, geometries[n]))
        signatures = existing_signatures(base.pdf)
        findings = (
            *(source.origin.findings if source.origin is not None else ()),
            *signature_findings(signatures),
            *_file_findings(base, is_signed=bool(signatures)),
            *_page_findings(base.pdf, pages, geometries, odd),
            *content_findings(base.pdf, pages),
        )
        base.check_unrepaired()
        if base.slips:
            findings += (say("slips", count=len(base.slips), first=printable(base.slips[0])),)
        taken = taken_names(base.pdf)
        fields = form_fields(base.pdf, pages, geometries)
    return InspectedDocument(source.sha256, geometries, signatures, findings, taken, fields, odd)


def _file_findings(base: BasePdf, *, is_signed: bool) -> Iterator[Finding]:
    if base.is_hybrid:
        yield say("hybrid-xref")
    if base.revisions:
        yield say("signed-revisions" if is_signed else "earlier-revisions", count=base.revisions)


def _page_findings(
    pdf: pikepdf.Pdf,
    pages: Sequence[pikepdf.Object],
    geometries: Sequence[PageGeometry],
    odd: Sequence[int],
) -> Iterator[Finding]:
    if odd:
        first = geometries[odd[0]]
        size = f"{first.width_mm:.0f} × {first.height_mm:.0f} mm"
        yield say("page-box-odd", pages=page_numbers(odd), size=size)
    disputed = _indices(is_box_disputed(page) or is_turn_disputed(page) for page in pages)
    if disputed:
        yield say("page-box-disputed", pages=page_numbers(disputed))
    unsized = _indices(not _has_box(page) for page in pages)
    if unsized:
        yield say("page-box-missing", pages=page_numbers(unsized))
    repeated = sum(count for count in Counter(page.objgen for page in pages).values() if count > 1)
    if repeated:
        yield say("page-shared", count=repeated)
    declared = pdf.Root.Pages.get("/Count")
    if declared != len(pages):
        shown = declared if isinstance(declared, int) else "?"
        yield say("page-count-wrong", declared=shown, count=len(pages))
    for code, indices in (
        ("pages-rotated", _indices(page.rotate != 0 for page in geometries)),
        ("user-unit", _indices(page.user_unit != 1 for page in geometries)),
    ):
        if indices:
            yield say(code, pages=page_numbers(indices))


def _indices(answers: Iterator[bool]) -> list[int]:
    return [index for index, answer in enumerate(answers) if answer]


def _has_box(page: pikepdf.Object) -> bool:
    box = inherited(page, "/MediaBox")
    return isinstance(box, pikepdf.Array) and len(box) == 4
