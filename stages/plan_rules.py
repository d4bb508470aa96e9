"""The plan file (用印方案): which seal goes where, written by people in YAML.

    version: 1
    project: 某某工程施工招标      # optional, what the archive is searched by
    bidder: 某某建设有限公司        # optional
    document_type: 投标文件         # optional
    unmarked_files: refuse         # refuse (default) | allow: files on which no rule puts a seal
    rules:
      - seal: 公章                 # by keyword: every place where the text stands
        keyword: （盖单位章）        # a text, /a regular expression/, or a list of them
        occurrence: all            # all | first | last | n, counted from 1
        anchor: center             # where on the keyword the seal's centre goes: center|left|right|top|bottom
        offset_mm: [0, 0]          # then moved right, down
        files: "商务/*.pdf"         # one pattern or a list; default: every file
      - seal: 公章                 # by position: the seal's centre, from a corner of the displayed page
        pages: first               # all|odd|even|first|last|"1-3,5,-1"
        x_mm: 120
        y_mm: 200
        from: top_left             # top_left|top_right|bottom_left|bottom_right
      - seal: 公章                 # paging seal (骑缝章): left|right|top|bottom edge
        paging: right
        position: 0.5              # along the edge from the top or left, 0..1; or position_mm: 148
        every: 0                   # one seal for every N pages; 0 = one over all; auto = as min_strip_mm asks
        skip_first: 0              # pages at the beginning without a strip
        sheets: single             # single|fronts|both: which sides of the sheets, when printed on both
        first_last: 1.0            # width of the first and last strip, in parts of another one's
        edge_mm: 0                 # left free at the page's edge, for printers that cannot print there
        min_strip_mm: 1.0          # narrower strips are drawn with a warning: narrow: warn|refuse
      - seal: 收文章                # a seal with text slots (动态输入章): what stands in them this time
        keyword: 收文日期
        text: {日期: 2026年3月1日, 编号: "017"}

Keywords and paging take `pages` too. `docs/plan.md` explains the same with examples.
"""

import fnmatch
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StrictInt,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from stages.errors import PlanRefused
from stages.plan_words import (
    ALL_FILES,
    MAX_TEXTS,
    MIN_STRIP_MM,
    Corner,
    Distance,
    EdgeGap,
    EndWeight,
    Keywords,
    Length,
    Name,
    Pages,
    Patterns,
    RunLength,
    Share,
    Side,
    SlotValue,
    StripWidth,
)
from stages.plan_yaml import MAX_PLAN_BYTES, read_yaml, refusal

MAX_RULES = 200


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class _Rule(_Strict):
    seal: Name
    files: Patterns = ALL_FILES
    pages: Pages = "all"
    text: Annotated[dict[Name, SlotValue], Field(max_length=MAX_TEXTS)] = Field(default_factory=dict)

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Slot and text, in the order of the plan."""
        return tuple(self.text.items())

    @property
    def names_files(self) -> bool:
        """Whether the plan says for which files the rule is meant."""
        return self.files != ALL_FILES

    def applies_to(self, name: str) -> bool:
        """Return whether a file of the package is meant; `*` also crosses folders, case does not matter."""
        folded = _folded(name)
        return any(fnmatch.fnmatchcase(folded, _folded(pattern)) for pattern in self.files)


class KeywordRule(_Rule):
    """A seal at each place where a text stands."""

    keyword: Keywords
    occurrence: Literal["all", "first", "last"] | Annotated[StrictInt, Field(ge=1, le=10_000)] = "all"
    anchor: Literal["center", "left", "right", "top", "bottom"] = "center"
    offset_mm: tuple[Length, Length] = (0.0, 0.0)


class PositionRule(_Rule):
    """A seal with its centre at a distance from a corner."""

    pages: Pages
    x_mm: Distance
    y_mm: Distance
    corner: Corner = Field("top_left", alias="from")


class PagingRule(_Rule):
    """A paging seal: one seal cut into strips, one on each page's edge."""

    paging: Side
    position: Share = 0.5
    position_mm: Distance | None = None
    edge_mm: EdgeGap = 0.0
    every: Literal["auto"] | RunLength = 0
    skip_first: RunLength = 0
    sheets: Literal["single", "fronts", "both"] = "single"
    first_last: EndWeight = 1.0
    min_strip_mm: StripWidth = MIN_STRIP_MM
    narrow: Literal["warn", "refuse"] = "warn"

    @field_validator("text")
    @classmethod
    def _no_text(cls, value: dict[str, str]) -> dict[str, str]:
        if value:
            raise ValueError("a paging seal is cut into strips and takes no text")
        return value

    @model_validator(mode="after")
    def _one_position(self) -> "PagingRule":
        if {"position", "position_mm"} <= self.model_fields_set:
            raise ValueError("position and position_mm say the same thing; leave one out")
        return self


def _kind_of(rule: object) -> str | None:
    if isinstance(rule, _Rule):
        rule = rule.model_dump()
    if not isinstance(rule, Mapping):
        return None
    for kind in ("keyword", "paging"):
        if kind in rule:
            return kind
    has_more = set(rule) - {"seal", "files"}  # a key misspelt is judged as a position, and so named
    return "pages" if has_more else None


Rule = Annotated[
    Annotated[KeywordRule, Tag("keyword")]
    | Annotated[PagingRule, Tag("paging")]
    | Annotated[PositionRule, Tag("pages")],
    Discriminator(_kind_of),
]


class PlanRules(_Strict):
    """A whole plan file."""

    version: Literal[1]
    project: Name | None = None
    bidder: Name | None = None
    document_type: Name = "投标文件"
    unmarked_files: Literal["refuse", "allow"] = "refuse"
    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=MAX_RULES)]

    @property
    def seals(self) -> tuple[str, ...]:
        """Names of the seals the plan uses, each once, in order."""
        return tuple(dict.fromkeys(rule.seal for rule in self.rules))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def parse_plan(data: bytes) -> PlanRules:
    """Return the plan a YAML text states.

    Raises:
        PlanRefused: over MAX_PLAN_BYTES, no YAML, an unknown key, a missing or wrong value; the message
            gives the key's path and what is allowed.
    """
    content = read_yaml(data)
    try:
        return PlanRules.model_validate(content)
    except ValidationError as error:
        raise refusal(error) from error


def load_plan(path: Path) -> PlanRules:
    """Return the plan in a file.

    Raises:
        PlanRefused: the file cannot be read, or see parse_plan.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PLAN_BYTES + 1)
    except OSError as error:
        raise PlanRefused(
            f"the plan {path.name} cannot be read ({error.strerror}); check its path",
            zh=f"无法读取用印方案 {path.name}（{error.strerror}），请检查路径",
        ) from error
    return parse_plan(data)
