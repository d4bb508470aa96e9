"""Files of an anonymous part of a bid (暗标): no mark, no name, and no signature but by choice."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from stages.documents import InspectedDocument, PlannedDocument, SealFace, SourceFile
from stages.errors import NotAnonymous, PlanRefused
from stages.page_selection import page_list
from stages.pdf.base import refusals_named
from stages.pdf.name_search import Trace
from stages.pdf.signature_fields import read_signature_fields
from stages.pdf.text import PageTexts
from stages.pdf.traces import Traces, find_names, with_pictures
from stages.plan_kinds import Part
from stages.plan_rules import PlanRules

MAX_SHOWN = 12
MAX_OCR_PAGES = 300
"""Pages of a file read by OCR, as for keywords; those beyond are said not to have been searched."""


def plan_anonymous(
    source: SourceFile,
    inspected: InspectedDocument,
    rules: PlanRules,
    part: Part,
    faces: Mapping[str, SealFace],
    texts: PageTexts,
) -> PlannedDocument:
    """Return an anonymous file planned: without a mark, and searched for whoever it might name.

    Args:
        texts: reads the pictures of pages that have no text.

    Raises:
        PlanRefused: a rule names the file.
        NotAnonymous: it is signed, or a name stands in it; the message says where.
        InputRefused: it cannot be searched.
    """
    warnings = _rules_left_out(source, rules, part)
    _check_unsigned(source, inspected, part)
    with refusals_named(source.name):
        owners = [text for face in faces.values() for text in (face.owner, face.owner_code)]
        names = secret_names(rules, part, owners)
        traces = find_names(source.path, names, file_names=source.names)
        if traces.silent_pages and rules.ocr != "never":
            pages = traces.silent_pages[:MAX_OCR_PAGES]
            traces = with_pictures(traces, names, texts.read(source.path, pages))
    if traces.found:
        raise NotAnonymous(
            f"{source.name}: part {part.name} is anonymous, and this file tells whose it is: "
            f"{shown_traces(traces.found, place)}; take it out and export the PDF again",
            zh=f"{source.name}：“{part.name}”为暗标，此文件会暴露身份："
            f"{shown_traces(traces.found, place_zh)}；请删除后重新导出 PDF",
        )
    if source.origin is not None:
        warnings.append(
            f"暗标：PDF 由 {source.origin.name} 生成，未查找原文件的属性和修订，请勿提交原文件 / "
            f"anonymous: the PDF was made of {source.origin.name}, whose own properties and revisions "
            "were not searched; do not hand that file in"
        )
    is_signed = part.signature == "invisible"
    if is_signed:
        warnings.append(
            "暗标：按方案加不可见签名，文件中会带有签名证书，其中有证书持有人的名称，请先确认招标文件允许 / "
            "anonymous: signed invisibly as the plan says; the certificate in the file says whose it is, "
            "so make sure that the tender allows it"
        )
    return PlannedDocument(
        inspected, (), (*warnings, *_doubts(traces)), anonymous=True, signed_invisibly=is_signed
    )


def _rules_left_out(source: SourceFile, rules: PlanRules, part: Part) -> list[str]:
    warnings = []
    for index, rule in enumerate(rules.rules):
        if not rules.names_file(rule, *source.names):
            continue
        if rule.names_files:
            raise PlanRefused(
                f"{source.name}: rules[{index}].files names a file of part {part.name}, which is anonymous "
                "and takes no seal; leave the file out of the rule",
                zh=f"{source.name}：rules[{index}].files 指定了暗标部分“{part.name}”的文件，暗标不得盖章；"
                "请从规则中去掉该文件",
            )
        warnings.append(
            f"暗标：rules[{index}] 不盖此文件 / anonymous: rules[{index}] does not reach this file"
        )
    return warnings


def _check_unsigned(source: SourceFile, inspected: InspectedDocument, part: Part) -> None:
    """Check that nobody has signed; a bare document timestamp names no bidder.

    Raises:
        NotAnonymous: somebody has.
    """
    if not inspected.signatures:
        return
    stamps = {field.field_name for field in read_signature_fields(source.path) if field.is_document_timestamp}
    names = [one.field_name for one in inspected.signatures if one.field_name not in stamps]
    if names:
        shown = "、".join(names[:MAX_SHOWN])
        raise NotAnonymous(
            f"{source.name}: part {part.name} is anonymous, and the file is signed ({shown}); "
            "hand in a copy that nobody has signed",
            zh=f"{source.name}：“{part.name}”为暗标，但文件已有签名（{shown}），请提交未签名的版本",
        )


def secret_names(rules: PlanRules, part: Part, owners: Iterable[str]) -> list[str]:
    """Return whom the file must not name: the bidder, the owners of the plan's seals, the part's names."""
    return list(dict.fromkeys(text for text in (rules.bidder or "", *owners, *part.names) if text))


def _doubts(traces: Traces) -> list[str]:
    """Return what could not be searched, and what might tell somebody who it was."""
    doubts = []
    if traces.silent_pages:
        pages = page_list(traces.silent_pages)
        doubts.append(
            f"暗标：第 {pages} 页没有可识别的文字，未能查找名称，请人工核对 / "
            f"anonymous: pages {pages} have no text that can be read, no name was searched; look at them"
        )
    if traces.pages_by_ocr:
        pages = page_list(traces.pages_by_ocr)
        doubts.append(
            f"暗标：第 {pages} 页由识别扫描图像（OCR）查找，可能漏字，请人工核对 / "
            f"anonymous: pages {pages} were searched by OCR, which may misread; look at them"
        )
    if traces.attachments:
        doubts.append(
            f"暗标：{traces.attachments} 个附件未查找，请核对或删除 / "
            f"anonymous: {traces.attachments} attached files were not searched; check or remove them"
        )
    if traces.unread_revisions:
        count = traces.unread_revisions
        doubts.append(
            f"暗标：文件的 {count} 个旧版本无法查找，旧内容可能仍可恢复，请重新导出 PDF / "
            f"anonymous: {count} earlier revisions of the file could not be searched; export the PDF again"
        )
    if traces.authors:
        authors = "、".join(traces.authors[:MAX_SHOWN])
        doubts.append(
            f"暗标：文档属性或批注带有作者信息（{authors}），请确认不会暴露身份 / "
            f"anonymous: the file says who wrote it ({authors}); make sure that nobody is known by it"
        )
    return doubts


def place(trace: Trace) -> str:
    """Return a name and where it stands, in English."""
    page = "" if trace.page_index is None else f" on page {trace.page_index + 1}"
    return f"{trace.name} in {trace.where}{page}"


def place_zh(trace: Trace) -> str:
    """Return a name and where it stands, in Chinese."""
    page = "" if trace.page_index is None else f"第 {trace.page_index + 1} 页"
    return f"{page}{trace.where_zh}：{trace.name}"


def shown_traces(traces: Sequence[Trace], say: Callable[[Trace], str]) -> str:
    """Return the first MAX_SHOWN traces, said one way or the other."""
    rest = len(traces) - MAX_SHOWN
    return "; ".join(map(say, traces[:MAX_SHOWN])) + (f" … (+{rest})" if rest > 0 else "")
