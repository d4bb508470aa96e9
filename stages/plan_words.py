"""The values that the keys of a plan may take, each within its limits."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictFloat, StrictInt, StrictStr

from stages.dynamic_text import check_dynamic
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
MAX_SEALS_IN_A_ROW = 8
MAX_JITTER_DEG = 180.0
MAX_JITTER_MM = 10.0
MAX_PAGES_SKIPPED = 5000

ALL_FILES = ("*",)


class WrongValue(ValueError):
    """What a validator raises so that both languages reach the plan's writer.

    Attributes:
        key: the key at fault below the value that is validated, when it is not the value itself.
    """

    def __init__(self, message: str, zh: str, *, key: str = "") -> None:
        super().__init__(message)
        self.zh = zh
        self.key = key


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _page_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _checked_by(check: Callable[[str], str]) -> Callable[[str], str]:
    def checked(value: str) -> str:
        try:
            return check(value)
        except PlanRefused as error:
            raise WrongValue(str(error), error.zh) from error

    return checked


Name = Annotated[StrictStr, Field(min_length=1, max_length=MAX_NAME_CHARS)]
Length = Annotated[StrictFloat, Field(ge=-MAX_OFFSET_MM, le=MAX_OFFSET_MM, allow_inf_nan=False)]
Distance = Annotated[StrictFloat, Field(ge=0, le=MAX_OFFSET_MM, allow_inf_nan=False)]
Pages = Annotated[
    StrictStr,
    BeforeValidator(_page_text, json_schema_input_type=StrictStr | StrictInt),
    AfterValidator(_checked_by(check_selection)),
]
Share = Annotated[StrictFloat, Field(ge=0, le=1, allow_inf_nan=False)]
EdgeGap = Annotated[StrictFloat, Field(ge=0, le=MAX_EDGE_MM, allow_inf_nan=False)]
StripWidth = Annotated[StrictFloat, Field(ge=0, le=MAX_STRIP_MM, allow_inf_nan=False)]
EndWeight = Annotated[StrictFloat, Field(ge=1, le=MAX_FIRST_LAST, allow_inf_nan=False)]
RunLength = Annotated[StrictInt, Field(ge=0, le=MAX_RUN_PAGES)]
Ocr = Literal["auto", "never", "always"]
OddPages = Literal["as_is", "as_a4", "as_a3", "refuse"]
Skipped = Annotated[StrictInt, Field(ge=0, le=MAX_PAGES_SKIPPED)]
Keyword = Annotated[StrictStr, AfterValidator(_checked_by(check_keyword))]
SlotValue = Annotated[
    StrictStr,
    BeforeValidator(_page_text, json_schema_input_type=StrictStr | StrictInt),
    Field(min_length=1, max_length=MAX_TEXT_CHARS),
    AfterValidator(_checked_by(check_dynamic)),
]
_Names = Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_PATTERNS)]
Patterns = Annotated[_Names, BeforeValidator(_listed, json_schema_input_type=Name | _Names)]
_KeywordList = Annotated[tuple[Keyword, ...], Field(min_length=1, max_length=MAX_PATTERNS)]
Keywords = Annotated[_KeywordList, BeforeValidator(_listed, json_schema_input_type=Keyword | _KeywordList)]
SealRow = Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_SEALS_IN_A_ROW)]
JitterAngle = Annotated[StrictFloat, Field(ge=0, le=MAX_JITTER_DEG, allow_inf_nan=False)]
JitterShift = Annotated[StrictFloat, Field(ge=0, le=MAX_JITTER_MM, allow_inf_nan=False)]
Seed = Annotated[StrictInt, Field(ge=0, lt=2**63)]
Corner = Literal["top_left", "top_right", "bottom_left", "bottom_right", "center"]
Side = Literal["left", "right", "top", "bottom"]
Landscape = Literal["as_displayed", "turned_left", "turned_right"]
Occurrence = Literal["all", "first", "last"] | Annotated[StrictInt, Field(ge=1, le=10_000)]
SecretName = Annotated[StrictStr, Field(min_length=2, max_length=MAX_NAME_CHARS)]
SecretNames = Annotated[tuple[SecretName, ...], Field(max_length=MAX_PATTERNS)]
