"""Geometry and words of our printed seal specimen form (印模采集表), for drawing it and for reading it.

Every length is in mm from the top left of an upright A4 page. All print is black or grey, never in colour.
"""

from dataclasses import dataclass
from enum import StrEnum

import cv2

BoxMm = tuple[float, float, float, float]
"""x, y, w, h."""

PAGE_MM: tuple[float, float] = (210.0, 297.0)

ARUCO_DICTIONARY: int = int(cv2.aruco.DICT_4X4_50)
MARKER_MM = 12.0
MARKER_MODULES = 6
"""A 4 × 4 marker with its one-module black border."""
MARKER_QUIET_MM = 3.0
"""White kept free around each marker, or it is not found."""
MARKERS: tuple[tuple[int, float, float], ...] = (
    (0, 10.0, 10.0),
    (1, 188.0, 10.0),
    (2, 10.0, 275.0),
    (3, 188.0, 275.0),
)
"""Marker id and x, y of its top left corner."""

QR_BOX_MM: BoxMm = (158.0, 8.0, 26.0, 26.0)
"""The QR code of the order number, its own quiet zone included."""
QR_PREFIX = "sealine:form:"
MAX_ORDER_NUMBER_CHARS = 64

TITLE_BOX_MM: BoxMm = (26.0, 11.0, 128.0, 9.0)
LEGEND_BOX_MM: BoxMm = (26.0, 21.0, 128.0, 5.0)
ORDER_BOX_MM: BoxMm = (26.0, 28.0, 128.0, 5.0)
FOOTER_BOX_MM: BoxMm = (26.0, 250.0, 158.0, 20.0)
LABEL_H_MM = 6.0
"""The strip at the top of each row that says what belongs in it."""
LINE_MM = 0.25
IMPRESSIONS_PER_SEAL = 3


class SealKind(StrEnum):
    """What a row of the form collects."""

    OFFICIAL = "official"
    LEGAL_REPRESENTATIVE = "legal_representative"
    PROFESSIONAL = "professional"
    SIGNATURE = "signature"


@dataclass(frozen=True)
class FormRow:
    """Three boxes for three impressions of one seal, under one label.

    Attributes:
        y_mm, h_mm: of the whole row; the label takes its first LABEL_H_MM.
        boxes: x, y, w, h of each box, left to right.
    """

    kind: SealKind
    label: str
    y_mm: float
    h_mm: float
    boxes: tuple[BoxMm, BoxMm, BoxMm]


def _row(
    kind: SealKind, label: str, *, y_mm: float, box_w_mm: float, box_h_mm: float, gap_mm: float
) -> FormRow:
    pitch_mm = box_w_mm + gap_mm
    left_mm = (PAGE_MM[0] - 3 * box_w_mm - 2 * gap_mm) / 2
    top_mm = y_mm + LABEL_H_MM
    first, second, third = (
        (left_mm + column * pitch_mm, top_mm, box_w_mm, box_h_mm) for column in range(IMPRESSIONS_PER_SEAL)
    )
    return FormRow(kind, label, y_mm, LABEL_H_MM + box_h_mm, (first, second, third))


ROWS: tuple[FormRow, ...] = (
    _row(SealKind.OFFICIAL, "公章（盖三枚）", y_mm=40, box_w_mm=60, box_h_mm=58, gap_mm=3),
    _row(
        SealKind.LEGAL_REPRESENTATIVE,
        "法定代表人名章（盖三枚）",
        y_mm=106,
        box_w_mm=60,
        box_h_mm=36,
        gap_mm=3,
    ),
    _row(SealKind.PROFESSIONAL, "执业印章（盖三枚）", y_mm=150, box_w_mm=66, box_h_mm=44, gap_mm=0),
    _row(SealKind.SIGNATURE, "手写签字（签三次）", y_mm=202, box_w_mm=60, box_h_mm=36, gap_mm=3),
)


@dataclass(frozen=True)
class SpecimenForm:
    """The words on one form.

    Attributes:
        order_number: also in the QR code.
        owner: name of the company or person, may be empty.
    """

    order_number: str
    owner: str = ""
    title: str = "印模采集表"
    legend: str = "此表仅用于办理电子签章业务"
    instructions: tuple[str, ...] = (
        "1. 每枚印章在对应方框内清晰加盖三次，印迹不得重叠，不得压线，纸上不要有其他文字。",
        "2. 用彩色扫描，不低于300 dpi，四角黑色定位标记须完整。",
    )


def qr_text(order_number: str) -> str:
    """Return what the form's QR code says."""
    return QR_PREFIX + order_number


def order_number_from_qr(text: str) -> str | None:
    """Return the order number of a QR code's text; None when the code is not one of ours."""
    if not text.startswith(QR_PREFIX) or len(text) > len(QR_PREFIX) + MAX_ORDER_NUMBER_CHARS:
        return None
    return text[len(QR_PREFIX) :]
