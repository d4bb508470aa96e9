"""Tells which impressions are specimens where other papers, such as ID copies, lie beside our form."""

from collections.abc import Sequence
from dataclasses import replace

from seal_imaging import Reason
from stages.extraction import ExtractedImpression, ExtractedPage, PageKind, PageNote

_NOTE = PageNote(
    "beside-form",
    "the seals on this page are not taken as specimens, for the scan holds a stamped specimen form; to take "
    "them, scan this page by itself",
    "扫描件中已有盖好印章的采集表，本页（如证件复印件）上的印章不作为印模；如需提取，请单独扫描本页。",
)


def set_aside(
    pages: Sequence[ExtractedPage], impressions: Sequence[ExtractedImpression]
) -> tuple[list[ExtractedPage], list[ExtractedImpression]]:
    """Return pages and impressions, those on printed pages that are not our form refused beside our form.

    People stamp copies of licences and cards to certify them; such an impression lies over print, and
    may be of a seal that nobody wants made. Where no form bears an impression nothing is set aside.
    """
    if not any(page.kind is PageKind.FORM and page.impressions for page in pages):
        return list(pages), list(impressions)
    beside = [page for page in pages if page.kind is PageKind.FOREIGN_FORM]
    refused = {index for page in beside for index in page.impressions}
    noted = [replace(page, notes=(*page.notes, _NOTE)) if page in beside else page for page in pages]
    return noted, [_refused(one) if one.index in refused else one for one in impressions]


def _refused(one: ExtractedImpression) -> ExtractedImpression:
    reasons = (*one.quality.reasons, Reason.FORM_MISMATCH)
    return replace(
        one,
        quality=replace(one.quality, reasons=reasons),
        refusing=(*one.refusing, Reason.FORM_MISMATCH),
        is_set_aside=True,
    )
