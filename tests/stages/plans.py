"""Plans for tests: a few lines of YAML resolved against a file on the spot."""

from pathlib import Path
from typing import Any

from stages.documents import Mark, PlannedDocument, SealFace
from stages.inspect import inspect
from stages.plan import plan
from stages.plan_rules import parse_plan
from tests.simulators.pdfs import source_file


def planned(
    path: Path, faces: dict[str, SealFace], *lines: str, name: str = "", extra: str = "", **more: Any
) -> PlannedDocument:
    source = source_file(path, name)
    text = f"version: 1\n{extra}\nrules:\n" + "\n".join(f"  - {line}" for line in lines)
    return plan(source, inspect(source), parse_plan(text.encode()), faces, **more)


def centre(mark: Mark) -> tuple[float, float]:
    return mark.x_mm + mark.w_mm / 2, mark.y_mm + mark.h_mm / 2
