"""Where a seal lands on pages of real files, seen by three renderers as what stamping changed.

    .venv/bin/python benchmarks/stamping/real_pages.py FOLDER [FOLDER …] [--pages 3] [--dpi 200]

A seal goes to the middle of some pages of each PDF in the folders. The piece around it is rendered before
and after; the box of what changed must be the planned one to 0.2 mm and a dot. Listed are files that are
refused (with the reason), files where a renderer fails, and marks that are off or not seen. A mark on
solid black is `unseen`, or off where black covers a part of it: ink is multiplied. Files that others
have signed are left out: their one mark comes with the signature.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from stages.documents import PageGeometry, PlannedDocument, SealFace
from stages.errors import StagesError
from stages.inspect import inspect
from stages.plan import plan
from stages.plan_rules import parse_plan
from stages.stamp import stamp
from tests.simulators import page_matrix, views
from tests.simulators.pdfs import source_file

CHANGED_LEVELS = 40
TOLERANCE_MM = 0.2


def planned_and_stamped(path: Path, face: SealFace, pages: int, folder: Path) -> tuple[PlannedDocument, Path]:
    """Stamp the middle of the first, the last and some pages between."""
    source = source_file(path)
    inspected = inspect(source)
    chosen = sorted({round(n * (len(inspected.pages) - 1) / max(1, pages - 1)) for n in range(pages)})
    lines = [_line(face, index, inspected.pages[index]) for index in chosen]
    text = "version: 1\nafter_others: annotations\nrules:\n" + "".join(lines)
    planned = plan(source, inspected, parse_plan(text.encode()), {face.name: face})
    return planned, stamp(source, planned, {face.name: face}, folder / "out.pdf").path


def _line(face: SealFace, index: int, page: PageGeometry) -> str:
    x, y = page.width_mm / 2, page.height_mm / 2
    return f'  - {{seal: {face.name}, pages: "{index + 1}", x_mm: {x:.3f}, y_mm: {y:.3f}}}\n'


def off_mm(before: views.View, after: views.View, wanted: views.Box) -> float | None:
    """Return how far the box of what changed is off; None when nothing changed."""
    changed = np.abs(before.rgb.astype(int) - after.rgb.astype(int)).max(axis=2) > CHANGED_LEVELS
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not len(rows):
        return None
    sx, sy = after.mm_per_px
    x, y, w, h = wanted
    edges = (
        after.x_mm + columns[0] * sx - x,
        after.x_mm + (columns[-1] + 1) * sx - x - w,
        after.y_mm + rows[0] * sy - y,
        after.y_mm + (rows[-1] + 1) * sy - y - h,
    )
    return max(map(abs, edges))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--pages", type=int, default=3)
    parser.add_argument("--dpi", type=float, default=200)
    arguments = parser.parse_args()
    counts: Counter[str] = Counter()
    worst = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        face = page_matrix.frame_face(folder)
        for path in sorted(file for one in arguments.folders for file in one.rglob("*.pdf")):
            try:
                planned, out = planned_and_stamped(path, face, arguments.pages, folder)
            except StagesError as error:
                counts["refused"] += 1
                print(f"refused  {path.name}: {error}")
                continue
            if planned.inspected.signatures:
                counts["left to the signature, as others have signed"] += 1
                continue
            counts["stamped"] += 1
            for engine, opened in views.ENGINES.items():
                for mark in planned.marks:
                    page = planned.inspected.pages[mark.page_index]
                    wanted = (mark.x_mm, mark.y_mm, mark.w_mm, mark.h_mm)
                    around = (mark.x_mm - 3, mark.y_mm - 3, mark.w_mm + 6, mark.h_mm + 6)
                    try:
                        with opened(path) as first, opened(out) as second:
                            seen = [
                                one.view(mark.page_index, page, around, arguments.dpi)
                                for one in (first, second)
                            ]
                    except Exception as error:  # noqa: BLE001 - a renderer's own failure, whatever it is
                        counts[f"{engine} failed"] += 1
                        print(f"failed   {path.name} page {mark.page_index + 1} {engine}: {error!r:.80}")
                        continue
                    off = off_mm(seen[0], seen[1], wanted) if seen[0].rgb.shape == seen[1].rgb.shape else None
                    if off is None:
                        counts[f"{engine} unseen"] += 1
                        print(f"unseen   {path.name} page {mark.page_index + 1} {engine}")
                    elif off > TOLERANCE_MM + 25.4 / arguments.dpi:
                        counts[f"{engine} off"] += 1
                        print(f"off      {path.name} page {mark.page_index + 1} {engine}: {off:.2f} mm")
                    else:
                        counts[f"{engine} right"] += 1
                        worst = max(worst, off)
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    print(f"worst of those right: {worst:.3f} mm at {arguments.dpi:g} dpi")


if __name__ == "__main__":
    main()
