"""How legible black print stays under a seal: multiplied, as we draw it, against plain alpha.

    .venv/bin/python benchmarks/stamping/contrast.py [--picture FILE]

A seal is stamped over a black bar on ten kinds of page; the same file with the blend mode set to Normal is
the comparison. `multiply` and `plain` are the contrast ratio (WCAG 2.2, 1 to 21) between the print under
ink and the ink beside it; `lighter` is how much lighter, in levels of 255, the print is under ink than
beside it (0 or less: as dark). `--picture` writes a page of text with both seals, to be looked at.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import pymupdf

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.stamping.run import draw_seal
from stages.documents import PlannedDocument, SealFace
from stages.inspect import inspect
from stages.plan import plan
from stages.plan_rules import PlanRules, parse_plan
from stages.stamp import stamp
from tests.simulators import page_matrix, print_below, views
from tests.simulators.pdfs import source_file

MULTIPLY, NORMAL = b"/BM /Multiply /ca 1", b"/BM /Normal   /ca 1"


def stamped(path: Path, face: SealFace, rules: PlanRules) -> tuple[PlannedDocument, Path, Path]:
    """Return what was planned, the stamped file, and the same with plain alpha."""
    source = source_file(path)
    planned = plan(source, inspect(source), rules, {face.name: face})
    out = stamp(source, planned, {face.name: face}, path.with_name("out.pdf")).path
    plain = path.with_name("plain.pdf")
    data = out.read_bytes()
    added = data[source.size_bytes :]
    if added.count(MULTIPLY) != 1:
        raise SystemExit("the blend mode is not where it was: mend this benchmark")
    plain.write_bytes(data[: source.size_bytes] + added.replace(MULTIPLY, NORMAL))
    return planned, out, plain


def draw_picture(file: Path, folder: Path) -> None:
    """Write a page of text with a multiplied seal above and a plain one below."""
    face = draw_seal(folder)
    path = folder / "text.pdf"
    with pymupdf.open() as document:
        page = document.new_page(width=300, height=150)
        for line in range(9):
            page.insert_text(
                (12, 20 + line * 15), "投标人承诺对本投标文件的真实性负责" * 2, fontname="china-s", fontsize=9
            )
        document.save(path)
    rules = parse_plan("version: 1\nrules: [{seal: 公章, pages: 1, x_mm: 50, y_mm: 26}]".encode())
    _, out, plain = stamped(path, face, rules)
    with pymupdf.open() as both:
        page = both.new_page(width=300, height=310)
        for top, one in ((0, out), (160, plain)):
            with pymupdf.open(one) as document:
                page.show_pdf_page(pymupdf.Rect(0, top, 300, top + 150), document)
        page.get_pixmap(dpi=200).save(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    middle = f"x_mm: {print_below.MIDDLE_MM:.3f}, y_mm: {print_below.MIDDLE_MM:.3f}"
    rules = parse_plan(f"version: 1\nrules: [{{seal: 框章, pages: 1, {middle}}}]".encode())
    print(f"{'page':20} {'engine':8} {'multiply':>8} {'plain':>8} {'lighter':>8}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        face = page_matrix.frame_face(folder)
        for kind in print_below.KINDS:
            planned, out, plain = stamped(print_below.page(folder / "a.pdf", kind), face, rules)
            for engine, opened in views.ENGINES.items():
                with opened(out) as renderer:
                    ours = print_below.colours(renderer, planned.inspected.pages[0])
                with opened(plain) as renderer:
                    theirs = print_below.colours(renderer, planned.inspected.pages[0])
                lighter = max(
                    under - beside
                    for under, beside in zip(ours["print under ink"], ours["print"], strict=True)
                )
                print(
                    f"{kind:20} {engine:8} {print_below.contrast(ours['ink'], ours['print under ink']):8.2f} "
                    f"{print_below.contrast(theirs['ink'], theirs['print under ink']):8.2f} {lighter:8.1f}"
                )
        if arguments.picture:
            draw_picture(arguments.picture, folder)


if __name__ == "__main__":
    main()
