"""Pre-flight of a package: what each file is, and what could be done for those that cannot be signed."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.dry_runs import safe_cell
from pipeline.failures import error_json
from pipeline.intake import origin_json
from pipeline.packages import LookedAt
from stages.anonymous import place, place_zh, secret_names, shown_traces
from stages.documents import Finding, InspectedDocument, Severity, SourceFile
from stages.errors import Damaged, Encrypted, InputRefused
from stages.paper import count_papers, paper_words
from stages.pdf.base import refusals_named
from stages.pdf.mending import remedy
from stages.pdf.sayings import page_numbers, say
from stages.pdf.traces import find_names
from stages.plan_kinds import Part
from stages.plan_rules import PlanRules

COLUMNS = ("file", "part", "pages", "severity", "code", "message_zh", "message")
MM_DIGITS = 1
_NAMING = frozenset(
    {"metadata", "uri-action", "attachments", "comments", "earlier-revisions", "page-thumbnails"}
    | {"existing-signatures", "annotations-hidden", "redactions-not-applied"}
)
"""Findings that may betray who wrote a file."""


@dataclass(frozen=True)
class CheckedFile:
    """One file after pre-flight.

    Attributes:
        part: the part of the package that the plan puts it in.
        findings: what inspection found, and what is to be said besides.
    """

    looked: LookedAt
    part: Part | None
    findings: tuple[Finding, ...]


def checked(
    looked: Sequence[LookedAt], rules: PlanRules | None, scratch: Path, *, owners: Sequence[str] = ()
) -> list[CheckedFile]:
    """Return the files of a package with everything pre-flight has to say of them.

    Args:
        rules: a plan, for the parts it names.
        scratch: where copies are tried out.
        owners: whose the plan's seals are; files of an anonymous part must not name them either.

    Raises:
        PlanRefused: a file belongs to two parts.
    """
    return [_checked(file, rules, scratch, owners) for file in looked]


def _checked(file: LookedAt, rules: PlanRules | None, scratch: Path, owners: Sequence[str]) -> CheckedFile:
    part = rules.part_of(*file.source.names) if rules is not None else None
    findings = list(file.inspected.findings) if file.inspected is not None else []
    if isinstance(file.error, Damaged | Encrypted):
        findings.append(remedy(file.source, scratch))
    if rules is not None and part is not None and part.anonymous:
        findings += _betraying(findings)
        if file.error is None:
            try:
                findings += _naming(file.source, secret_names(rules, part, owners))
            except InputRefused as refused:  # what cannot be searched is not called clean
                file = replace(file, error=refused)
    return CheckedFile(file, part, tuple(findings))


def _betraying(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Yield what of a file in an anonymous part may say whose it is."""
    codes = [finding.code for finding in findings if finding.code in _NAMING]
    if codes:
        yield say("anonymous-part", codes=", ".join(dict.fromkeys(codes)))


def _naming(source: SourceFile, names: Sequence[str]) -> Iterator[Finding]:
    """Yield where a file in an anonymous part says whose it is, and where nobody could look.

    Raises:
        InputRefused: it cannot be searched.
    """
    with refusals_named(source.name):
        traces = find_names(source.path, names, file_names=source.names)
    if traces.found:
        places, places_zh = (shown_traces(traces.found, one) for one in (place, place_zh))
        yield say("anonymous-name", places=places, places_zh=places_zh)
    if traces.silent_pages and names:
        yield say("anonymous-unread", pages=page_numbers(traces.silent_pages))


def checked_json(file: CheckedFile) -> dict[str, Any]:
    """Return what pre-flight found of one file."""
    source, inspected = file.looked.source, file.looked.inspected
    english, chinese = paper_words(inspected.pages) if inspected else ("", "")
    return {
        "file": source.name,
        "part": file.part.name if file.part else None,
        "anonymous": file.part is not None and file.part.anonymous,
        "size_bytes": source.size_bytes,
        "sha256": source.sha256,
        "derived_from": origin_json(source.origin),
        "pages": len(inspected.pages) if inspected else None,
        "paper": english,
        "paper_zh": chinese,
        "sizes": _sizes(inspected) if inspected else [],
        "rotated_pages": sum(page.rotate != 0 for page in inspected.pages) if inspected else 0,
        "signatures": [
            {
                "field": signature.field_name,
                "signer": signature.signer,
                "signed_at": signature.signed_at.isoformat() if signature.signed_at else None,
                "docmdp": signature.docmdp,
                "locks": [{"action": lock.action, "names": list(lock.names)} for lock in signature.locks],
                "is_timestamp": signature.is_timestamp,
            }
            for signature in (inspected.signatures if inspected else ())
        ],
        "worst": worst_of(file),
        "findings": [
            {
                "severity": finding.severity,
                "code": finding.code,
                "message": finding.message,
                "message_zh": finding.message_zh,
            }
            for finding in file.findings
        ],
        "error": error_json(file.looked.error) if file.looked.error is not None else None,
    }


def worst_of(file: CheckedFile) -> str | None:
    """Return the worst severity of a file; `error` when it is refused, None when nothing is to be said."""
    if file.looked.error is not None:
        return Severity.ERROR
    present = {finding.severity for finding in file.findings}
    return next((one for one in (Severity.ERROR, Severity.WARNING, Severity.INFO) if one in present), None)


def _sizes(inspected: InspectedDocument) -> list[dict[str, Any]]:
    return [
        {
            "name": count.name,
            "landscape": count.is_landscape,
            "width_mm": round(count.width_mm, MM_DIGITS),
            "height_mm": round(count.height_mm, MM_DIGITS),
            "pages": count.pages,
        }
        for count in count_papers(inspected.pages)
    ]


def checked_csv(files: Sequence[Mapping[str, Any]]) -> bytes:
    """Return what checked_json gave, a row a finding, as CSV that Excel opens as it is meant."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for file in files:
        error = file["error"]
        said = [] if error is None else [{"severity": "error", "code": error["name"], **error}]
        for finding in [*said, *file["findings"]] or [{}]:
            row = {**finding, "file": file["file"], "part": file["part"] or "", "pages": file["pages"]}
            writer.writerow({column: safe_cell(row.get(column, "")) for column in COLUMNS})
    return text.getvalue().encode("utf-8-sig")
