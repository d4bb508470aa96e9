"""How far from its plan a seal is seen: every box, turn and size, by MuPDF, Poppler and PDFium.

    .venv/bin/python benchmarks/stamping/matrix.py [--dpi 300] [--json FILE]

A seal with a straight frame is stamped on a page of each kind; the piece around it is rendered, and each
edge is measured below a pixel by how much of it is inked. `worst` is the largest error of an edge, the
width or the height, in mm; `upright` is the least Dice coefficient with the seal as it is, `otherwise` the
largest with the seal mirrored or upside down. `keyword` is the distance of a keyword's middle, as found,
from the middle of the text as rendered. Renderers draw an image over every dot that it touches, so that
an edge may be off by a dot: 0.085 mm at 300 dpi.
"""

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from stages.inspect import inspect
from stages.plan import plan
from stages.plan_rules import parse_plan
from tests.simulators import page_matrix, views
from tests.simulators.pdfs import source_file

KEYWORD_DPI = 144


def edges(size: str, engine: str, dpi: float, folder: Path) -> dict[str, page_matrix.Seen]:
    """Return, for each kind of box, the worst of its four turns."""
    face = page_matrix.frame_face(folder)
    cases = page_matrix.turned_cases(size)
    planned, path = page_matrix.stamped(folder, list(cases.values()), face)
    found: dict[str, list[page_matrix.Seen]] = {}
    with views.ENGINES[engine](path) as renderer:
        for index, (name, _) in enumerate(cases):
            if engine == "poppler" and name in page_matrix.NOT_IN_POPPLER:
                continue
            found.setdefault(name, []).append(page_matrix.look(renderer, planned, index, face, dpi))
    return {
        name: page_matrix.Seen(
            max(one.off_mm for one in seen),
            min(one.upright for one in seen),
            max(one.otherwise for one in seen),
        )
        for name, seen in found.items()
    }


def keywords(size: str, engine: str, folder: Path) -> dict[str, float]:
    """Return, for each kind of box, how far in mm a keyword is found from where it is seen."""
    face = page_matrix.frame_face(folder)
    cases = page_matrix.turned_cases(size)
    source = source_file(page_matrix.build(folder / "k.pdf", list(cases.values()), text=b"SEALHERE"))
    rules = parse_plan(f"version: 1\nrules: [{{seal: {face.name}, keyword: SEALHERE}}]".encode())
    planned = plan(source, inspect(source), rules, {face.name: face})
    found: dict[str, float] = {}
    with views.ENGINES[engine](source.path) as renderer:
        for mark, (name, _) in zip(planned.marks, cases, strict=True):
            if engine == "poppler" and name in page_matrix.NOT_IN_POPPLER:
                continue
            page = planned.inspected.pages[mark.page_index]
            around = (mark.x_mm - 20, mark.y_mm - 20, mark.w_mm + 40, mark.h_mm + 40)
            x, y, w, h = renderer.view(mark.page_index, page, around, KEYWORD_DPI).blue_box_mm
            off = math.hypot(x + w / 2 - mark.x_mm - mark.w_mm / 2, y + h / 2 - mark.y_mm - mark.h_mm / 2)
            found[name] = max(found.get(name, 0.0), off)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dpi", type=float, default=300)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = []
    print(
        f"{'size':4} {'engine':8} {'boxes':17} {'worst mm':>8} {'upright':>8} {'otherwise':>9} {'keyword':>8}"
    )
    for size in page_matrix.SIZES_PT:
        for engine in views.ENGINES:
            with tempfile.TemporaryDirectory() as folder:
                seen = edges(size, engine, arguments.dpi, Path(folder))
                texts = keywords(size, engine, Path(folder))
            for name, one in seen.items():
                print(
                    f"{size:4} {engine:8} {name:17} {one.off_mm:8.3f} {one.upright:8.3f} "
                    f"{one.otherwise:9.3f} {texts[name]:8.3f}"
                )
                rows.append(
                    {
                        "size": size,
                        "engine": engine,
                        "boxes": name,
                        "worst_mm": one.off_mm,
                        "upright": one.upright,
                        "otherwise": one.otherwise,
                        "keyword_mm": texts[name],
                    }
                )
    print(f"worst of all: {max(row['worst_mm'] for row in rows):.3f} mm at {arguments.dpi:g} dpi")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
