"""Paging seals put together again from rendered pages: how like the seal, and whether any strip is blank.

    .venv/bin/python benchmarks/stamping/strips.py [--counts 2 7 25 300 800] [--engines mupdf pdfium poppler]

A round seal with an uneven edge is cut over so many pages; the strip of each is rendered at 1016 dpi, and
the strips are put side by side. `Dice` compares them with the seal; `least ink` is the least inked
strip's, in mm². `seen at 150` counts the pages whose edge shows any red at all at 150 dpi, where a strip
of 800 is a third of a dot wide. Poppler is a process a page: beyond --poppler-to pages it is left out.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.stamping.run import draw_seal
from stages.inspect import inspect
from stages.plan import plan
from stages.plan_rules import parse_plan
from stages.stamp import stamp
from tests.simulators import pdfs, renderings, views
from tests.simulators.pdfs import PageKind, source_file

DPI = 1016
SCREEN_DPI = 150
RULES = parse_plan("version: 1\nrules: [{seal: 公章, paging: right}]".encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[2, 7, 25, 300, 800])
    parser.add_argument("--engines", nargs="+", choices=list(views.ENGINES), default=list(views.ENGINES))
    parser.add_argument("--poppler-to", type=int, default=25, help="pages")
    arguments = parser.parse_args()
    print(
        f"{'pages':>5} {'strip mm':>8} {'engine':8} {'Dice':>7} {'least ink':>9} {'seen at 150':>11} {'s':>6}"
    )
    for count in arguments.counts:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            face = draw_seal(folder)
            source = source_file(pdfs.build(folder / "a.pdf", [PageKind(media=(0, 0, 200, 200))] * count))
            planned = plan(source, inspect(source), RULES, {face.name: face})
            out = stamp(source, planned, {face.name: face}, folder / "out.pdf").path
            for engine in arguments.engines:
                if engine == "poppler" and count > arguments.poppler_to:
                    continue
                began = time.perf_counter()
                pieces, shown = [], 0
                with views.ENGINES[engine](out) as renderer:
                    for mark in planned.marks:
                        box = (mark.x_mm, mark.y_mm, mark.w_mm, mark.h_mm)
                        page = planned.inspected.pages[mark.page_index]
                        pieces.append(renderer.view(mark.page_index, page, box, DPI).ink_within(box))
                        seen = renderer.view(mark.page_index, page, box, SCREEN_DPI).rgb.astype(int)
                        shown += bool((seen[..., 0] - seen[..., 1] > 20).any())
                dice = renderings.likeness(np.concatenate(pieces, axis=1), face)
                least = min(
                    piece.mean() * mark.w_mm * mark.h_mm
                    for piece, mark in zip(pieces, planned.marks, strict=True)
                )
                print(
                    f"{count:5} {planned.marks[count // 2].w_mm:8.3f} {engine:8} {dice:7.4f} {least:9.3f} "
                    f"{shown:5}/{count:<5} {time.perf_counter() - began:6.1f}"
                )


if __name__ == "__main__":
    main()
