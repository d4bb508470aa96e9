"""What a dry run found: every mark that would be drawn, as rows, as CSV, and summed up."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pipeline.packages import LookedAt
from stages.documents import Mark
from stages.errors import InputRefused
from stages.plan_rules import PlanRules, Rule

MM_DIGITS = 3
COLUMNS = (
    "file",
    "part",
    "page",
    "seal",
    "kind",
    "x_mm",
    "y_mm",
    "w_mm",
    "h_mm",
    "angle_deg",
    "strip",
    "text",
    "warnings",
)
_FORMULA_STARTS = (*"=+-@＝＋－＠", "\t", "\r", "\n")


@dataclass(frozen=True)
class Thumbnail:
    """One page as it will look.

    Attributes:
        image: None when it could not be drawn; `error` says why.
        seals: the names of the seals on it, each once.
    """

    file: str
    page_number: int
    image: Path | None
    seals: tuple[str, ...]
    error: InputRefused | None = None


@dataclass(frozen=True)
class Thumbnails:
    """Everything that was drawn.

    Attributes:
        index: the contact sheet, HTML.
        left_out: pages over the limit of one dry run.
    """

    index: Path
    pages: tuple[Thumbnail, ...]
    left_out: int


@dataclass(frozen=True)
class DryRun:
    """A plan resolved over a package; no key was touched.

    Attributes:
        stamped: where each file that goes on lies with its marks drawn, as long as the package is open.
        thumbnails: what was drawn, where somebody wished for it.
    """

    rules: PlanRules
    files: tuple[LookedAt, ...]
    stamped: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    thumbnails: Thumbnails | None = None

    @property
    def mark_count(self) -> int:
        """How many marks there are."""
        return sum(len(file.planned.marks) for file in self.files if file.planned)

    @property
    def files_without_marks(self) -> tuple[str, ...]:
        """The files that would come out without any mark, in order; those of a blind bid should."""
        return tuple(
            file.source.name
            for file in self.files
            if not (file.planned and (file.planned.marks or file.planned.anonymous))
        )


def kind_of(rule: Rule) -> str:
    """Return a rule's kind: keyword, position, paging …"""
    return type(rule).__name__.removesuffix("Rule").lower()


def part_of(rules: PlanRules, *names: str) -> str:
    """Return the name of the part of the package a file belongs to; empty when the plan names none."""
    part = rules.part_of(*names)
    return part.name if part else ""


def marks_json(run: DryRun, file: LookedAt) -> list[dict[str, Any]]:
    """Return every mark of one file; pages count from 1."""
    if file.planned is None:
        return []
    name, part = file.source.name, part_of(run.rules, *file.source.names)
    return [
        {
            "file": name,
            "part": part or None,
            "page": mark.page_index + 1,
            "x_mm": round(mark.x_mm, MM_DIGITS),
            "y_mm": round(mark.y_mm, MM_DIGITS),
            "w_mm": round(mark.w_mm, MM_DIGITS),
            "h_mm": round(mark.h_mm, MM_DIGITS),
            "angle_deg": round(mark.angle_deg, MM_DIGITS),
            "seal": mark.seal,
            "rule": mark.rule,
            "kind": kind_of(run.rules.rules[mark.rule]),
            "text": dict(mark.text),
            "field": mark.field,
            "strip": [mark.strip.side, round(mark.strip.start, 6), round(mark.strip.end, 6)]
            if mark.strip
            else None,
        }
        for mark in file.planned.marks
    ]


def summary_json(run: DryRun) -> dict[str, Any]:
    """Return the dry run summed up: by file, by seal."""
    by_seal = Counter(mark.seal for file in run.files if file.planned for mark in file.planned.marks)
    return {
        "files": [
            {
                "file": file.source.name,
                "derived_from": file.source.origin.name if file.source.origin else None,
                "part": part_of(run.rules, *file.source.names) or None,
                "anonymous": bool(file.planned and file.planned.anonymous),
                "pages": len(file.inspected.pages) if file.inspected else None,
                "marked_pages": len({mark.page_index for mark in _marks(file)}),
                "marks": len(_marks(file)),
                "warnings": len(file.planned.warnings) if file.planned else 0,
                "refused": file.error is not None,
            }
            for file in run.files
        ],
        "seals": [{"seal": seal, "marks": by_seal[seal]} for seal in run.rules.seals],
        "marks": run.mark_count,
        "files_without_marks": list(run.files_without_marks),
    }


def _marks(file: LookedAt) -> Sequence[Mark]:
    return file.planned.marks if file.planned else ()


def dry_run_csv(run: DryRun) -> bytes:
    """Return every mark as CSV that Excel opens as it is meant: UTF-8 with a mark of its order, CRLF.

    A file without a mark has a row of its own; its warnings, or why it is refused, stand in its first row.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in _rows(run):
        writer.writerow({column: safe_cell(row.get(column, "")) for column in COLUMNS})
    return text.getvalue().encode("utf-8-sig")


def _rows(run: DryRun) -> Iterator[Mapping[str, object]]:
    for file in run.files:
        said = "；".join(file.planned.warnings) if file.planned else ""
        if file.error is not None:
            said = str(getattr(file.error, "zh", "") or file.error)
        marks = marks_json(run, file)
        if not marks:
            yield {
                "file": file.source.name,
                "part": part_of(run.rules, *file.source.names),
                "warnings": said or "没有盖章 / no mark",
            }
        for mark in marks:
            strip = mark["strip"]
            yield {
                **mark,
                "part": mark["part"] or "",
                "strip": f"{strip[0]} {strip[1]:.4f}–{strip[2]:.4f}" if strip else "",
                "text": "；".join(f"{slot}：{value}" for slot, value in mark["text"].items()),
                "warnings": said,
            }
            said = ""


def safe_cell(value: object) -> object:
    """Return a cell that a spreadsheet takes for text, not for a formula; numbers stay numbers.

    Source: OWASP, "CSV Injection".
    """
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value
