"""What a type of document must go through, and how long it is kept: a matrix, not a flag."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from stages.errors import PlanRefused

PROCUREMENT_YEARS = 15
"""政府采购法 (Government Procurement Law) art. 42: at least 15 years from the end of the procurement."""


@dataclass(frozen=True)
class DocumentPolicy:
    """What is done with documents of one type.

    Attributes:
        retention_years: from the end of the procurement; 0 for what is not archived.
    """

    document_type: str
    must_sign: bool
    must_timestamp: bool
    must_archive: bool
    retention_years: int


def _row(names: str, *, sign: bool, timestamp: bool, archive: bool) -> dict[str, DocumentPolicy]:
    years = PROCUREMENT_YEARS if archive else 0
    return {name: DocumentPolicy(name, sign, timestamp, archive, years) for name in names.split("、")}


BID_DOCUMENT = "投标文件"
"""What bidders hand in: what this program is for, and the type when none is named."""

POLICIES: Mapping[str, DocumentPolicy] = MappingProxyType(
    {
        # 电子招标投标办法 (Measures for Electronic Bidding) art. 40 says what is signed and archived.
        **_row("资格预审公告、招标公告、投标邀请书", sign=True, timestamp=True, archive=True),
        **_row(
            "资格预审文件、招标文件、招标文件澄清、招标文件补充、招标文件修改",
            sign=True,
            timestamp=True,
            archive=True,
        ),
        **_row(
            "资格预审申请文件、投标文件、投标文件澄清、投标文件说明", sign=True, timestamp=True, archive=True
        ),
        **_row("资格审查报告、评标报告", sign=True, timestamp=True, archive=True),
        **_row("资格预审结果通知书、中标通知书", sign=True, timestamp=True, archive=True),
        **_row("合同", sign=True, timestamp=False, archive=True),
        **_row("投标报名、预算控制价公示", sign=False, timestamp=True, archive=False),
        **_row("国家规定的其他文件", sign=True, timestamp=False, archive=True),
    }
)


def policy_for(document_type: str) -> DocumentPolicy:
    """Return the row of the matrix for a document type.

    Raises:
        PlanRefused: no such type; the message lists them.
    """
    try:
        return POLICIES[document_type]
    except KeyError:
        allowed = "、".join(POLICIES)
        raise PlanRefused(
            f"unknown document type {document_type[:64]!r}; use one of: {allowed}",
            zh=f"未知的文件类型“{document_type[:64]}”，可用的类型有：{allowed}",
        ) from None


def retain_until(document_type: str, now: datetime) -> datetime:
    """Return until when a document archived now is kept.

    Raises:
        PlanRefused: no such type, or one that is not archived.
    """
    policy = policy_for(document_type)
    if not policy.must_archive:
        raise PlanRefused(
            f"documents of type {document_type} are not archived; leave them out, or name their type anew",
            zh=f"“{document_type}”类文件不归档，请移出或改正文件类型",
        )
    year = now.year + policy.retention_years
    is_leap_day = (now.month, now.day) == (2, 29)
    return now.replace(year=year, month=3, day=1) if is_leap_day else now.replace(year=year)
