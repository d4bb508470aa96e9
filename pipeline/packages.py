"""A bid package held open for the length of one act, and what pre-flight and planning say of its files."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from pipeline.failures import refusals
from pipeline.progress import Progress
from stages.derive import USUAL_CHOICES, Choices, derive, name_clashes
from stages.documents import BidPackage, InspectedDocument, PlannedDocument, SealFace, Severity, SourceFile
from stages.inspect import inspect
from stages.packages import open_package
from stages.pdf.nearest import MAX_NAMED, NearText
from stages.pdf.text import PageTexts
from stages.plan import plan
from stages.plan_rules import KeywordRule, PlanRules

MAX_NEAR_FILES = 8
"""Files looked through for what is most like a keyword that is nowhere."""

Deriver = Callable[[SourceFile, Path, Choices], SourceFile]
"""Makes the PDF that can be stamped of a file (`stages.derive.derive`)."""


@dataclass(frozen=True)
class LookedAt:
    """One file of a package after pre-flight, and after planning where a plan was given.

    Attributes:
        source: the PDF that is stamped, where one could be made of what came in.
        error: why it cannot go on; then what is missing is None.
    """

    source: SourceFile
    inspected: InspectedDocument | None = None
    planned: PlannedDocument | None = None
    error: Exception | None = None


@dataclass(frozen=True)
class HeldPackage:
    """A package that is open: its files lie where they were unpacked until that folder is deleted.

    Attributes:
        scratch: a folder to work in.
        derived: what is stamped in place of a file, by that file's name, where it was made already.
        known: what was found in files already, by their SHA-256.
    """

    package: BidPackage
    scratch: Path
    derived: Mapping[str, SourceFile] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    known: Mapping[str, InspectedDocument] = field(default_factory=lambda: MappingProxyType({}), repr=False)


class OpenedPackage:
    """A package opened for the length of a `with`: a zip's files are gone afterwards.

    One that is held open already is used as it is.
    """

    def __init__(self, package: Path | HeldPackage, scratch: Path) -> None:
        self._given = package
        scratch.mkdir(parents=True, exist_ok=True)
        self._folder = tempfile.TemporaryDirectory(dir=scratch, prefix="package-")

    def __enter__(self) -> HeldPackage:
        if isinstance(self._given, HeldPackage):
            return self._given
        folder = Path(self._folder.name)
        try:
            return HeldPackage(open_package(self._given, folder), folder)
        except BaseException:
            self._folder.cleanup()
            raise

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


def look(
    opened: HeldPackage,
    rules: PlanRules | None,
    faces: Mapping[str, SealFace],
    progress: Progress,
    choices: Choices = USUAL_CHOICES,
    texts: PageTexts | None = None,
    derive: Deriver = derive,
) -> list[LookedAt]:
    """Inspect every file, and plan it where rules are given; a file refused does not stop the others.

    What is no PDF becomes one first, as far as choices allow.
    """
    files = opened.package.files
    clashes = name_clashes(files)
    progress.begin("检查文件 / looking at files" if rules is None else "解析方案 / planning", len(files))
    looked = []
    for number, source in enumerate(files):
        inspected = planned = error = None
        folder = opened.scratch / "derived" / f"{number:05d}"
        try:
            if source.name in clashes:
                raise clashes[source.name]
            if source.name in opened.derived:
                source = opened.derived[source.name]
            else:
                folder.mkdir(parents=True, exist_ok=True)
                source = derive(source, folder, choices)
            inspected = opened.known.get(source.sha256) or inspect(source)
            if rules is not None:
                planned = plan(source, inspected, rules, faces, texts=texts)
                planned = replace(planned, warnings=(*_warnings(source), *planned.warnings))
        except refusals() as refused:
            error = refused
        looked.append(LookedAt(source, inspected, planned, error))
        progress.step(source.name)
    return looked


def near_texts(
    rule: KeywordRule, rules: PlanRules, looked: Sequence[LookedAt], texts: PageTexts
) -> list[tuple[str, NearText]]:
    """Return what is most like a rule's keyword in the files it reaches: the best of each, with its file."""
    found: list[tuple[str, NearText]] = []
    reached = [file for file in looked if file.inspected and rules.applies(rule, *file.source.names)]
    for file in reached[:MAX_NEAR_FILES]:
        pages = rule.page_indices(len(file.inspected.pages)) if file.inspected else ()
        with suppress(*refusals()):
            found += [
                (file.source.name, text)
                for text in texts.nearest(file.source.path, rule.keyword[0], pages)[:1]
            ]
    return found[:MAX_NAMED]


def _warnings(source: SourceFile) -> list[str]:
    """Return what there is to warn of in a PDF that was made here: whoever plans sees it too."""
    findings = source.origin.findings if source.origin is not None else ()
    return [
        f"{finding.message_zh} / {finding.message}"
        for finding in findings
        if finding.severity is not Severity.INFO
    ]
