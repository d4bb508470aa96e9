"""A plan carried out to the stamped file without a key: what is shown is what would be signed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.dry_runs import DryRun
from pipeline.failures import refusals
from pipeline.packages import LookedAt
from pipeline.progress import Progress
from stages.documents import SealFace
from stages.page_selection import page_list
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
            path, warnings = stamp_for_view(file, faces, out)
        except refusals() as refused:
            out.unlink(missing_ok=True)
            file, path, warnings = replace(file, planned=None, error=refused), None, ()
        if file.planned is not None and warnings:
            planned = replace(file.planned, warnings=(*file.planned.warnings, *warnings))
            file = replace(file, planned=planned)
        if path is not None:
            stamped[file.source.name] = path
        files.append(file)
        progress.step(file.source.name)
    return DryRun(rules, tuple(files), stamped)


def stamp_for_view(
    file: LookedAt, faces: Mapping[str, SealFace], out: Path
) -> tuple[Path | None, tuple[str, ...]]:
    """Write a file as it will look to `out`, and return what drawing found to warn of.

    One that takes no mark is shown as it is; None stands for one that was refused.

    Raises:
        PlacementRefused, PlanRefused, InputRefused: as `stamp`.
    """
    if file.planned is None:
        return None, ()
    if file.planned.anonymous:
        return file.source.path, ()
    stamped = stamp(file.source, file.planned, faces, out)
    preview(stamped)
    if not stamped.damaged_pages:
        return out, ()
    pages = page_list(stamped.damaged_pages)
    return out, (
        f"第 {pages} 页：页面内容已损坏，阅读器可能显示不全、看不见印章；请查看预演图，或重新导出 PDF / "
        f"page {pages}: the content is damaged, readers may not show all of it, nor the seal; "
        "look at the pictures, or export the PDF again",
    )
