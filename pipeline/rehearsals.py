"""A plan carried out to the stamped file without a key: what is shown is what would be signed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.dry_runs import DryRun
from pipeline.failures import refusals
from pipeline.packages import LookedAt
from pipeline.progress import Progress
from stages.documents import SealFace
from stages.plan_rules import PlanRules
from stages.preview import preview
from stages.stamp import stamp


def rehearse(
    rules: PlanRules,
    looked: Sequence[LookedAt],
    faces: Mapping[str, SealFace],
    folder: Path,
    progress: Progress,
) -> DryRun:
    """Stamp every planned file into a folder; one that is refused then is refused in the dry run already.

    Args:
        folder: exists; what is stamped stays in it.
    """
    progress.begin("试盖 / rehearsing", len(looked))
    files: list[LookedAt] = []
    stamped: dict[str, Path] = {}
    for number, file in enumerate(looked, start=1):
        out = folder / f"stamped-{number:05d}.pdf"
        try:
            path = stamp_for_view(file, faces, out)
        except refusals() as refused:
            out.unlink(missing_ok=True)
            file, path = replace(file, planned=None, error=refused), None
        if path is not None:
            stamped[file.source.name] = path
        files.append(file)
        progress.step(file.source.name)
    return DryRun(rules, tuple(files), stamped)


def stamp_for_view(file: LookedAt, faces: Mapping[str, SealFace], out: Path) -> Path | None:
    """Write a file as it will look to `out`; one that takes no mark is shown as it is, None when refused.

    Raises:
        PlacementRefused, PlanRefused, InputRefused: as `stamp`.
    """
    if file.planned is None:
        return None
    if file.planned.anonymous:
        return file.source.path
    preview(stamp(file.source, file.planned, faces, out))
    return out
