"""The plan file (用印方案): which seal goes where, written by people in YAML, by programs in JSON.

`docs/plan.md` explains every key with examples; `docs/plan.schema.json` is made of the types here.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import (
    Discriminator,
    Field,
    StrictBool,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from stages.dynamic_text import dated, needs_today
from stages.errors import PlanRefused
from stages.plan_faults import Location, refusal
from stages.plan_kinds import AnchoredRule, BaseRule, Jitter, Part, PlacedRule, Strict, matches
from stages.plan_words import (
    MIN_STRIP_MM,
    Corner,
    Distance,
    EdgeGap,
    EndWeight,
    Keywords,
    Landscape,
    Length,
    Name,
    Ocr,
    OddPages,
    Pages,
    Patterns,
    RunLength,
    Seed,
    Share,
    Side,
    StripWidth,
    WrongValue,
)
from stages.plan_yaml import plan_tree, read_plan_text

MAX_RULES = 200
MAX_PARTS = 50


class KeywordRule(AnchoredRule):
    """A seal at each place where a text stands."""

    keyword: Keywords
    simplified: StrictBool = False
    annotations: StrictBool = True


class FieldRule(AnchoredRule):
    """A seal at each widget of a form field."""

    field: Patterns


class PositionRule(PlacedRule):
    """A seal with its centre at a distance from a corner, or from the middle of the page."""

    pages: Pages
    x_mm: Length
    y_mm: Length
    corner: Corner = Field("top_left", alias="from")

    @model_validator(mode="after")
    def _inside(self) -> "PositionRule":
        for key, value in (("x_mm", self.x_mm), ("y_mm", self.y_mm)):
            if value < 0 and self.corner != "center":
                raise WrongValue(
                    "a distance from a corner is not below 0; correct it, or write from: center",
                    "到页角的距离不能小于 0，请改正，或改用 from: center",
                    key=key,
                )
        return self


class PagingRule(BaseRule):
    """A paging seal: one seal cut into strips, one on each page's edge."""

    seal: Name
    paging: Side
    position: Share = 0.5
    position_mm: Distance | None = None
    edge_mm: EdgeGap = 0.0
    every: Literal["auto"] | RunLength = 0
    sheets: Literal["single", "fronts", "both"] = "single"
    landscape: Landscape = "as_displayed"
    first_last: EndWeight = 1.0
    min_strip_mm: StripWidth = MIN_STRIP_MM
    narrow: Literal["warn", "refuse"] = "warn"

    @field_validator("text")
    @classmethod
    def _no_text(cls, value: dict[str, str]) -> dict[str, str]:
        if value:
            raise WrongValue(
                "a paging seal is cut into strips and takes no text; remove it",
                "骑缝章要切成条，不能带文字，请删去",
            )
        return value

    @property
    def seal_names(self) -> tuple[str, ...]:
        """The seal it cuts."""
        return (self.seal,)

    @model_validator(mode="after")
    def _one_position(self) -> "PagingRule":
        if {"position", "position_mm"} <= self.model_fields_set:
            raise WrongValue(
                "give either position or position_mm, not both; remove one of them",
                "position 与 position_mm 只能写其一，请删去一个",
                key="position_mm",
            )
        return self


def _kind_of(rule: object) -> str | None:
    if isinstance(rule, BaseRule):
        rule = rule.model_dump()
    if not isinstance(rule, Mapping):
        return None
    for kind in ("keyword", "paging", "field"):
        if kind in rule:
            return kind
    # A key misspelt is judged as a position, and so named.
    return "pages" if set(rule) - {"seal", "seals", "files", "part"} else None


Rule = Annotated[
    Annotated[KeywordRule, Tag("keyword")]
    | Annotated[PagingRule, Tag("paging")]
    | Annotated[FieldRule, Tag("field")]
    | Annotated[PositionRule, Tag("pages")],
    Discriminator(_kind_of),
]


class PlanRules(Strict):
    """A whole plan file."""

    version: Literal[1]
    project: Name | None = None
    bidder: Name | None = None
    document_type: Name = "投标文件"
    unmarked_files: Literal["refuse", "allow"] = "refuse"
    after_others: Literal["widget", "annotations"] = "widget"
    parts: Annotated[tuple[Part, ...], Field(max_length=MAX_PARTS)] = ()
    seed: Seed | None = None
    odd_pages: OddPages = "as_is"
    ocr: Ocr = "auto"
    rules: Annotated[tuple[Rule, ...], Field(max_length=MAX_RULES)] = ()

    @property
    def seals(self) -> tuple[str, ...]:
        """Names of the seals the plan uses, each once, in order."""
        return tuple(dict.fromkeys(seal for rule in self.rules for seal in rule.seal_names))

    @model_validator(mode="after")
    def _rules_are_there(self) -> "PlanRules":
        if not self.rules and not self.has_anonymous_part:
            raise WrongValue(
                "a plan without an anonymous part has one rule at least; add one",
                "没有暗标部分的方案至少要有一条规则，请补上",
                key="rules",
            )
        return self

    @model_validator(mode="after")
    def _parts_are_there(self) -> "PlanRules":
        parts = {part.name: part for part in self.parts}
        if len(parts) < len(self.parts):
            raise WrongValue(
                "two parts have the same name; rename one", "有两个部分同名，请改名", key="parts"
            )
        for index, rule in enumerate(self.rules):
            for name in rule.part or ():
                key = f"rules[{index}].part"
                if name not in parts:
                    known = "、".join(parts) or "none"
                    raise WrongValue(
                        f"there is no part {name} in parts; known parts: {known}",
                        f"parts 中没有名为“{name}”的部分；现有：{'、'.join(parts) or '无'}",
                        key=key,
                    )
                if parts[name].anonymous:
                    raise WrongValue(
                        f"part {name} is anonymous and takes no seal; remove the rule",
                        f"“{name}”为暗标，不得盖章，请删去此规则",
                        key=key,
                    )
        return self

    @property
    def says_today(self) -> bool:
        """Whether some text is the day of stamping."""
        return any(needs_today(text) for rule in self.rules for text in rule.text.values())

    def dated(self, today: date) -> "PlanRules":
        """Return the plan with the day of stamping in its texts."""
        rules = tuple(
            rule.model_copy(update={"text": {slot: dated(text, today) for slot, text in rule.text.items()}})
            for rule in self.rules
        )
        return self.model_copy(update={"rules": rules})

    @property
    def has_anonymous_part(self) -> bool:
        """Whether some files must not tell whose they are."""
        return any(part.anonymous for part in self.parts)

    def part_of(self, *names: str) -> Part | None:
        """Return the part a file of the package belongs to; None when it belongs to none.

        Args:
            names: what the file may be called (`SourceFile.names`): a converted file has two.

        Raises:
            PlanRefused: it belongs to two.
        """
        found = [part for part in self.parts if part.holds(*names)]
        if len(found) > 1:
            raise PlanRefused(
                f"{names[0]}: belongs to two parts, {found[0].name} and {found[1].name}; correct their files",
                zh=f"{names[0]}：同时属于“{found[0].name}”和“{found[1].name}”两个部分，请修改其 files",
            )
        return found[0] if found else None

    def names_file(self, rule: Rule, *names: str) -> bool:
        """Return whether a rule is meant for a file, blind bids included."""
        if rule.part is None:
            return any(matches(name, rule.files) for name in names)
        return any(part.holds(*names) for part in self.parts if part.name in rule.part)

    def applies(self, rule: Rule, *names: str) -> bool:
        """Return whether a rule reaches a file of the package; none reaches into an anonymous part.

        Raises:
            PlanRefused: the file belongs to two parts.
        """
        part = self.part_of(*names)
        return self.names_file(rule, *names) and not (part is not None and part.anonymous)


_KINDS: Mapping[str, type[BaseRule]] = MappingProxyType(
    {"keyword": KeywordRule, "pages": PositionRule, "paging": PagingRule, "field": FieldRule}
)


def _keys_of(model: type[Strict]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _keys_at(location: Location) -> Mapping[str, Sequence[str]]:
    """Return the keys that may stand beside one, and, with the kinds they belong to, those of other rules."""
    match location:
        case ("rules", int(), str() as kind, _) if kind in _KINDS:
            here = dict.fromkeys(_keys_of(_KINDS[kind]), ())
            elsewhere: dict[str, list[str]] = {}
            for other, model in _KINDS.items():
                for key in _keys_of(model):
                    if key not in here:
                        elsewhere.setdefault(key, []).append(other)
            return here | elsewhere
        case ("rules", int(), str(), "jitter", _):
            return dict.fromkeys(_keys_of(Jitter), ())
        case ("parts", int(), _):
            return dict.fromkeys((*_keys_of(Part), "暗标"), ())
    return dict.fromkeys(_keys_of(PlanRules), ())


def parse_plan(data: bytes) -> PlanRules:
    """Return the plan that a text in YAML or JSON states.

    Raises:
        PlanRefused: over MAX_PLAN_BYTES, neither YAML nor JSON, an unknown key, a missing or wrong value;
            the message gives the key's path and what is allowed.
    """
    content = read_plan_text(data)
    try:
        return PlanRules.model_validate(content)
    except ValidationError as error:
        raise refusal(error, keys_at=_keys_at, root=plan_tree(data)) from error
