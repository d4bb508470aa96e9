"""The values that the keys of a plan may take, each within its limits."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictFloat, StrictInt, StrictStr

from stages.errors import PlanRefused
from stages.page_selection import check_selection
from stages.pdf.keywords import check_keyword

MAX_PATTERNS = 50
MAX_NAME_CHARS = 200
MAX_OFFSET_MM = 2000.0
MAX_TEXTS = 8
MAX_TEXT_CHARS = 200
MAX_EDGE_MM = 50.0
MAX_STRIP_MM = 20.0
MAX_FIRST_LAST = 10.0
MAX_RUN_PAGES = 5000
MIN_STRIP_MM = 1.0
"""Below this a strip of a paging seal is hardly seen on paper."""

ALL_FILES = ("*",)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _page_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _checked_selection(value: str) -> str:
    try:
        return check_selection(value)
    except PlanRefused as error:
        raise ValueError(str(error)) from error


def _checked_keyword(value: str) -> str:
    try:
        return check_keyword(value)
    except PlanRefused as error:
        raise ValueError(str(error)) from error


Name = Annotated[StrictStr, Field(min_length=1, max_length=MAX_NAME_CHARS)]
Length = Annotated[StrictFloat, Field(ge=-MAX_OFFSET_MM, le=MAX_OFFSET_MM, allow_inf_nan=False)]
Distance = Annotated[StrictFloat, Field(ge=0, le=MAX_OFFSET_MM, allow_inf_nan=False)]
Pages = Annotated[StrictStr, BeforeValidator(_page_text), AfterValidator(_checked_selection)]
Keyword = Annotated[StrictStr, AfterValidator(_checked_keyword)]
SlotValue = Annotated[StrictStr, BeforeValidator(_page_text), Field(min_length=1, max_length=MAX_TEXT_CHARS)]
Patterns = Annotated[tuple[Name, ...], BeforeValidator(_listed), Field(min_length=1, max_length=MAX_PATTERNS)]
Keywords = Annotated[
    tuple[Keyword, ...], BeforeValidator(_listed), Field(min_length=1, max_length=MAX_PATTERNS)
]
Share = Annotated[StrictFloat, Field(ge=0, le=1, allow_inf_nan=False)]
EdgeGap = Annotated[StrictFloat, Field(ge=0, le=MAX_EDGE_MM, allow_inf_nan=False)]
StripWidth = Annotated[StrictFloat, Field(ge=0, le=MAX_STRIP_MM, allow_inf_nan=False)]
EndWeight = Annotated[StrictFloat, Field(ge=1, le=MAX_FIRST_LAST, allow_inf_nan=False)]
RunLength = Annotated[StrictInt, Field(ge=0, le=MAX_RUN_PAGES)]
Corner = Literal["top_left", "top_right", "bottom_left", "bottom_right"]
Side = Literal["left", "right", "top", "bottom"]
