"""What the rules of a plan have in common, by kind: files and pages, whole seals, seals at things found."""

import fnmatch
import unicodedata
from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StrictBool, model_validator

from stages.page_selection import select_pages
from stages.plan_words import (
    ALL_FILES,
    MAX_TEXTS,
    Distance,
    JitterAngle,
    JitterShift,
    Length,
    Name,
    Occurrence,
    Pages,
    Patterns,
    SealRow,
    SecretNames,
    Skipped,
    SlotValue,
    WrongValue,
)


class Strict(BaseModel):
    """Anything in a plan: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class Part(Strict):
    """A part of the package, by its files."""

    name: Name
    files: Patterns
    anonymous: StrictBool = Field(False, validation_alias=AliasChoices("anonymous", "暗标"))
    names: SecretNames = ()
    signature: Literal["none", "invisible"] | None = None

    @model_validator(mode="after")
    def _signed_by_choice_only_when_anonymous(self) -> "Part":
        if self.signature is not None and not self.anonymous:
            raise WrongValue(
                "only an anonymous part (暗标: true) says how it is signed; remove it",
                "只有暗标部分（暗标: true）才写 signature，请删去",
                key="signature",
            )
        return self

    def holds(self, *names: str) -> bool:
        """Return whether a file of the package belongs to it, by any of its names."""
        return any(matches(name, self.files) for name in names)


class BaseRule(Strict):
    """What every rule has: the files and pages it is meant for, and texts for its seals."""

    files: Patterns = ALL_FILES
    part: Patterns | None = None
    pages: Pages = "all"
    skip_first: Skipped = 0
    text: Annotated[dict[Name, SlotValue], Field(max_length=MAX_TEXTS)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _files_or_part(self) -> "BaseRule":
        if self.part is not None and self.names_by_pattern:
            raise WrongValue(
                "give either files or part, not both; remove one of them",
                "files 与 part 只能写其一，请删去一个",
                key="part",
            )
        return self

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Slot and text, in the order of the plan."""
        return tuple(self.text.items())

    @property
    def names_by_pattern(self) -> bool:
        """Whether the rule has file patterns of its own."""
        return self.files != ALL_FILES

    @property
    def names_files(self) -> bool:
        """Whether the plan says for which files the rule is meant."""
        return self.names_by_pattern or self.part is not None

    def page_indices(self, page_count: int) -> tuple[int, ...]:
        """Return the indices of the pages meant, in order."""
        return select_pages(self.pages, page_count, skip_first=self.skip_first)


class Jitter(Strict):
    """How far seals may lie from where the plan says, as when a hand sets them down."""

    angle_deg: JitterAngle = 0.0
    place_mm: JitterShift = 0.0


class PlacedRule(BaseRule):
    """A rule that puts a whole seal, or several side by side (多章连盖), at a point of a page."""

    seal: Name | None = None
    seals: SealRow = ()
    gap_mm: Distance = 2.0
    row: Literal["horizontal", "vertical"] = "horizontal"
    jitter: Jitter | None = None

    @model_validator(mode="after")
    def _one_seal_or_several(self) -> "PlacedRule":
        if self.seal is None and not self.seals:
            raise WrongValue(
                "this key is missing; add it, or seals: [ … ]",
                "缺少此项，请补上（或写 seals: […]）",
                key="seal",
            )
        if self.seal is not None and self.seals:
            raise WrongValue(
                "give either seal or seals, not both; remove one of them",
                "seal 与 seals 只能写其一，请删去一个",
                key="seals",
            )
        return self

    @property
    def seal_names(self) -> tuple[str, ...]:
        """The seals it places, in order."""
        return self.seals or (self.seal or "",)


class AnchoredRule(PlacedRule):
    """A rule that puts seals at things found on the pages."""

    occurrence: Occurrence = "all"
    per: Literal["file", "page"] = "file"
    anchor: Literal["center", "left", "right", "top", "bottom"] = "center"
    offset_mm: tuple[Length, Length] = (0.0, 0.0)


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Return whether a file's name fits a pattern; `*` also crosses folders, case does not matter."""
    folded = _folded(name)
    return any(fnmatch.fnmatchcase(folded, _folded(pattern)) for pattern in patterns)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
