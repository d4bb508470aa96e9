"""Geometry and words of our printed seal specimen forms (印模采集表), for drawing them and for reading them.

Every length is in mm from the top left of an upright A4 page. All print is black or grey, never in colour.
A row keeps its place on every kind of form, so that a box means the same even where the QR code cannot be
read.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import cv2

from seal_imaging.units import A4_MM

BoxMm = tuple[float, float, float, float]
"""x, y, w, h."""

PAGE_MM: tuple[float, float] = A4_MM

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
QR_EXAMPLE = "example"
"""Stands before the order number on a filled-in example (填写样例), which is no specimen."""
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


LEGEND = "此表仅用于办理电子签章业务"
INSTRUCTIONS: tuple[str, ...] = (
    "1. 每枚印章在对应方框内清晰加盖三次，印迹不得重叠，不得压线，纸上不要有其他文字。",
    "2. 打印时选“实际大小”（100%）；用彩色扫描，不低于300 dpi，四角黑色定位标记须完整。",
)


class FormKind(StrEnum):
    """Which of the forms it is; the value stands in the QR code."""

    ALL = "all"
    COMPANY = "company"
    LEGAL_REPRESENTATIVE = "legal"
    PROFESSIONAL = "practice"
    SIGNATURE = "signature"


@dataclass(frozen=True)
class FormTemplate:
    """What one kind of form asks for.

    Attributes:
        rows: the kinds of seal it collects, top to bottom.
        fields: what the applicant writes in, in the room the missing rows leave free.
        fields_box_mm: that room; None without fields.
    """

    title: str
    rows: tuple[SealKind, ...]
    fields: tuple[str, ...] = ()
    fields_box_mm: BoxMm | None = None


_PERSON = ("姓名", "单位名称", "证件号码", "联系电话", "经办人签字及日期")
TEMPLATES: Mapping[FormKind, FormTemplate] = MappingProxyType(
    {
        FormKind.ALL: FormTemplate("印模采集表", tuple(SealKind)),
        FormKind.COMPANY: FormTemplate(
            "电子公章采集表",
            (SealKind.OFFICIAL,),
            ("单位名称", "统一社会信用代码", "法定代表人", "联系人及电话", "经办人签字及日期"),
            (15.0, 112.0, 180.0, 60.0),
        ),
        FormKind.LEGAL_REPRESENTATIVE: FormTemplate(
            "法人私章采集表",
            (SealKind.LEGAL_REPRESENTATIVE, SealKind.SIGNATURE),
            ("单位名称", "统一社会信用代码", "法定代表人", "联系电话", "经办人签字及日期"),
            (15.0, 41.0, 180.0, 60.0),
        ),
        FormKind.PROFESSIONAL: FormTemplate(
            "注册人员签章采集表",
            (SealKind.PROFESSIONAL, SealKind.SIGNATURE),
            (*_PERSON[:2], "执业资格及注册编号", *_PERSON[3:]),
            (15.0, 41.0, 180.0, 60.0),
        ),
        FormKind.SIGNATURE: FormTemplate(
            "签名采集表", (SealKind.SIGNATURE,), _PERSON, (15.0, 41.0, 180.0, 60.0)
        ),
    }
)


@dataclass(frozen=True)
class SpecimenForm:
    """The words on one form.

    Attributes:
        order_number: also in the QR code.
        owner: name of the company or person, may be empty.
        is_example: drawn to show how it is filled in; never a specimen.
    """

    order_number: str
    owner: str = ""
    title: str = "印模采集表"
    legend: str = LEGEND
    instructions: tuple[str, ...] = INSTRUCTIONS
    kind: FormKind = FormKind.ALL
    is_example: bool = False


def rows_of(kind: FormKind) -> tuple[FormRow, ...]:
    """Return the rows of one kind of form, top to bottom."""
    return tuple(row for row in ROWS if row.kind in TEMPLATES[kind].rows)


@dataclass(frozen=True)
class FormCode:
    """What a form's QR code says."""

    order_number: str
    kind: FormKind = FormKind.ALL
    is_example: bool = False


def qr_text(order_number: str, *, kind: FormKind = FormKind.ALL, is_example: bool = False) -> str:
    """Return what the form's QR code says: for the form with all rows only its order number."""
    words = [] if kind is FormKind.ALL else [kind.value]
    if is_example:
        words.append(QR_EXAMPLE)
    return QR_PREFIX + ":".join([*words, order_number])


def read_qr_text(text: str) -> FormCode | None:
    """Return what the text of a form's QR code says; None when the code is not one of ours."""
    if not text.startswith(QR_PREFIX):
        return None
    *words, order_number = text.removeprefix(QR_PREFIX).split(":")
    if not 0 < len(order_number) <= MAX_ORDER_NUMBER_CHARS:
        return None
    kind = FormKind.ALL
    if words and words[0] in set(FormKind):
        kind = FormKind(words.pop(0))
    is_example = words == [QR_EXAMPLE]
    return FormCode(order_number, kind, is_example) if is_example or not words else None


@dataclass(frozen=True)
class FormPlace:
    """A box of the form.

    Attributes:
        column: 0, 1, 2 from the left.
    """

    row: SealKind
    column: int


MAX_OUTSIDE_MM = 4.0
"""What was stamped beside its box by hand is still meant for it."""


def place_of(x_mm: float, y_mm: float, *, kind: FormKind = FormKind.ALL) -> FormPlace | None:
    """Return the box that a seal centred there was stamped for; None when it was stamped outside any."""
    nearest, place = MAX_OUTSIDE_MM, None
    for row in rows_of(kind):
        for column, (left, top, width, height) in enumerate(row.boxes):
            away_x = max(left - x_mm, 0.0, x_mm - left - width)
            away_y = max(top - y_mm, 0.0, y_mm - top - height)
            away = math.hypot(away_x, away_y)
            if away < nearest:
                nearest, place = away, FormPlace(row.kind, column)
    return place
