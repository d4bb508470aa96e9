"""Say what a PDF is before anything touches it: its pages, its signatures, and what speaks against it."""

from collections import Counter

from stages.documents import (
    DocMDP,
    ExistingSignature,
    Finding,
    InspectedDocument,
    PageGeometry,
    Severity,
    SourceFile,
)
from stages.errors import InputRefused
from stages.pdf.base import BasePdf, open_base, refusals_named
from stages.pdf.content import content_findings
from stages.pdf.form_fields import form_fields
from stages.pdf.geometry import page_geometry
from stages.pdf.page_size import is_odd
from stages.pdf.signatures import existing_signatures, taken_names
from stages.pdf.structure import walk_pages

MAX_SHOWN_PAGES = 8


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
        repeated = [count for count in Counter(page.objgen for page in pages).values() if count > 1]
        findings = (
            *(source.origin.findings if source.origin is not None else ()),
            *_file_findings(base),
            *_signature_findings(signatures),
            *_page_findings(geometries, odd, repeated_pages=sum(repeated)),
            *content_findings(base.pdf, pages),
        )
        base.check_unrepaired()
        taken = taken_names(base.pdf)
        fields = form_fields(base.pdf, pages, geometries)
    return InspectedDocument(source.sha256, geometries, signatures, findings, taken, fields, odd)


def _file_findings(base: BasePdf) -> list[Finding]:
    if not base.is_hybrid:
        return []
    return [
        Finding(
            Severity.INFO,
            "hybrid-xref",
            "hybrid cross-reference, as Office writes it; the file is appended to in the classic form",
            "PDF 使用混合交叉引用（Office 导出常见），将以传统形式追加",
        )
    ]


def _signature_findings(signatures: tuple[ExistingSignature, ...]) -> list[Finding]:
    if not signatures:
        return []
    names = ", ".join(signature.field_name for signature in signatures[:5])
    findings = [
        Finding(
            Severity.WARNING,
            "existing-signatures",
            f"the PDF has {len(signatures)} signatures ({names}): only one seal, with the new signature, "
            "can be added",
            f"PDF 已有 {len(signatures)} 个签名（{names}），只能随新签名加盖一枚印章",
        )
    ]
    if any(signature.docmdp is DocMDP.NO_CHANGES for signature in signatures):
        findings.append(
            Finding(
                Severity.ERROR,
                "certified-no-changes",
                "the PDF is certified so that nothing may be added; ask its author for another copy",
                "PDF 已认证且不允许任何更改，请向作者索取未锁定的版本",
            )
        )
    return findings


def _page_findings(
    pages: tuple[PageGeometry, ...], odd: tuple[int, ...], *, repeated_pages: int
) -> list[Finding]:
    findings: list[Finding] = []
    if odd:
        shown = ", ".join(str(index + 1) for index in odd[:MAX_SHOWN_PAGES])
        shown += " …" if len(odd) > MAX_SHOWN_PAGES else ""
        first = pages[odd[0]]
        size = f"{first.width_mm:.0f} × {first.height_mm:.0f} mm"
        findings.append(
            Finding(
                Severity.WARNING,
                "page-box-odd",
                f"pages {shown}: a size no paper has ({size}), as of a scan with a wrong page box: "
                "printed to A4, seals would not be true to size; set `odd_pages: as_a4` in the plan, "
                "or scan it again",
                f"第 {shown} 页：页面尺寸异常（{size}），疑似扫描件按像素计页面，打印到 A4 时印章大小不对；"
                "请在方案中设置 odd_pages: as_a4，或重新扫描",
            )
        )
    if repeated_pages:
        findings.append(
            Finding(
                Severity.WARNING,
                "page-shared",
                f"{repeated_pages} pages are one and the same object and can only carry the same seals; "
                "print the file to a new PDF",
                f"有 {repeated_pages} 页共用同一页面对象，只能加盖相同的印章，请重新打印为 PDF",
            )
        )
    return findings
