"""Dry run and stamping of large files, against PyMuPDF and pikepdf stamping every page in the same run.

    .venv/bin/python benchmarks/stamping/run.py [--pages 1000] [--scan-mb 200] [--rounds 3] [--json FILE]

Two files are made: text pages, and scanned pages (noise as JPEG, which nothing compresses). Each way to
put one seal on every page runs in a process of its own, alone, so that its peak memory is its own; the
fastest of the rounds counts. Time is from opening the file to having the stamped one on disk. The peers
draw plainly, without a multiply blend; only what appends keeps the original's bytes. `bytes a page` is
what the file grew by beside the seal image (as we embed it), a page. `--plot FILE` draws the figures
where matplotlib is there already.
"""

import argparse
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from stages.documents import SealFace, SourceFile

PLAN = """
version: 1
rules:
  - {seal: 公章, pages: all, x_mm: 120, y_mm: 200}
"""
DRY_RUN_PLAN = """
version: 1
rules:
  - {seal: 公章, keyword: （盖单位章）}
  - {seal: 公章, pages: all, x_mm: 120, y_mm: 200}
  - {seal: 公章, paging: right}
"""
DRY_RUN_SCANS_PLAN = """
version: 1
rules:
  - {seal: 公章, pages: all, x_mm: 120, y_mm: 200}
  - {seal: 公章, paging: right}
"""
SCAN_PAGE_BYTES = 800_000
LINES_A_PAGE = 30
PLACE_PT = pymupdf.Rect(340.2, 566.9, 459.2, 685.9)
"""Where the plan puts the 42 mm seal."""


def draw_seal(folder: Path) -> SealFace:
    """Write the picture of a round seal, with an edge as uneven as a real one's."""
    rng = np.random.default_rng(3)
    alpha = Image.new("L", (1400, 1400), 0)
    pen = ImageDraw.Draw(alpha)
    pen.ellipse((280, 280, 1119, 1119), outline=255, width=24)
    for turn in np.linspace(0, 2 * np.pi, 24, endpoint=False):
        x, y = 700 + 330 * np.cos(turn), 700 + 330 * np.sin(turn)
        pen.rectangle((x - 28, y - 34, x + 28, y + 34), fill=230)
    ink = np.asarray(alpha).astype(np.int16)
    ink = np.clip(ink - (ink > 0) * rng.integers(0, 40, ink.shape), 0, 255).astype(np.uint8)
    rgba = np.full((1400, 1400, 4), (200, 30, 40, 0), np.uint8)
    rgba[..., 3] = ink
    path = folder / "seal.png"
    Image.fromarray(rgba, "RGBA").save(path, dpi=(508, 508))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return SealFace("公章", path, digest, (14.0, 14.0, 42.0, 42.0))


def draw_text(path: Path, pages: int) -> None:
    """Write text pages, with the words a plan looks for on every tenth."""
    with pymupdf.open() as document:
        for number in range(pages):
            page = document.new_page(width=595, height=842)
            words = "投标人：（盖单位章）" if number % 10 == 0 else "施工组织设计与技术措施"
            lines = [f"第 {number + 1} 页 {words} {line}" for line in range(LINES_A_PAGE)]
            page.insert_text((60, 70), lines, fontname="china-s", lineheight=2)
        document.save(path, deflate=True)


def draw_scans(path: Path, size_mb: float) -> int:
    """Write scanned pages of about size_mb in all; return how many."""
    rng = np.random.default_rng(7)
    pages = max(1, round(size_mb * 1e6 / SCAN_PAGE_BYTES))
    side = round((SCAN_PAGE_BYTES / 0.557) ** 0.5)  # what noise takes as JPEG, in bytes a pixel
    noise = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
    with pymupdf.open() as document:
        for _ in range(pages):
            page = document.new_page(width=595, height=842)
            stream = io.BytesIO()
            Image.fromarray(np.roll(noise, int(rng.integers(side)), 0)).save(stream, "JPEG", quality=80)
            page.insert_image(page.rect, stream=stream.getvalue())
        document.save(path)
    return pages


# ---------------------------------------------------------------- what runs in a process of its own


def _face(folder: Path) -> SealFace:
    path = folder / "seal.png"
    return SealFace("公章", path, hashlib.sha256(path.read_bytes()).hexdigest(), (14.0, 14.0, 42.0, 42.0))


def _source(path: Path) -> SourceFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return SourceFile(path, path.name, path.stat().st_size, digest)


def _seal_png(folder: Path) -> bytes:
    """Return the seal cut to its ink, as a person would hand it to a library."""
    stream = io.BytesIO()
    with Image.open(folder / "seal.png") as image:
        image.crop((280, 280, 1120, 1120)).save(stream, "PNG")
    return stream.getvalue()


def sealine_dry_run(source: Path, out: Path) -> float:
    """Inspect and plan with keyword, every page and paging seal; nothing is written."""
    from stages.inspect import inspect
    from stages.plan import plan
    from stages.plan_rules import parse_plan

    face, file = _face(source.parent), _source(source)
    text = DRY_RUN_SCANS_PLAN if source.name == "scans.pdf" else DRY_RUN_PLAN
    start = time.perf_counter()
    planned = plan(file, inspect(file), parse_plan(text.encode()), {face.name: face})
    taken = time.perf_counter() - start
    if len(planned.marks) < 2 * len(planned.inspected.pages):
        raise SystemExit("marks are missing")
    return taken


def sealine_stamp(source: Path, out: Path) -> float:
    """Draw the planned marks; the plan is made before the clock starts."""
    from stages.inspect import inspect
    from stages.plan import plan
    from stages.plan_rules import parse_plan
    from stages.stamp import stamp

    face, file = _face(source.parent), _source(source)
    planned = plan(file, inspect(file), parse_plan(PLAN.encode()), {face.name: face})
    start = time.perf_counter()
    stamp(file, planned, {face.name: face}, out)
    return time.perf_counter() - start


def _pymupdf(source: Path, out: Path, *, incremental: bool) -> float:
    picture = _seal_png(source.parent)
    start = time.perf_counter()
    if incremental:
        out.write_bytes(source.read_bytes())
    with pymupdf.open(out if incremental else source) as document:
        xref = 0
        for page in document:
            xref = page.insert_image(PLACE_PT, stream=None if xref else picture, xref=xref)
        if incremental:
            document.saveIncr()
        else:
            document.save(out, deflate=True)
    return time.perf_counter() - start


def pymupdf_incremental(source: Path, out: Path) -> float:
    """PyMuPDF `insert_image` on every page, `saveIncr`."""
    return _pymupdf(source, out, incremental=True)


def pymupdf_full(source: Path, out: Path) -> float:
    """PyMuPDF `insert_image` on every page, a full `save`."""
    return _pymupdf(source, out, incremental=False)


def pikepdf_overlay(source: Path, out: Path) -> float:
    """Lay a page with the seal over every page by pikepdf, a full `save`."""
    import pikepdf

    with pymupdf.open() as seal:
        page = seal.new_page(width=PLACE_PT.width, height=PLACE_PT.height)
        page.insert_image(page.rect, stream=_seal_png(source.parent))
        data = seal.tobytes(deflate=True)
    start = time.perf_counter()
    with pikepdf.open(source) as pdf, pikepdf.open(io.BytesIO(data)) as overlay:
        height = 842
        rect = pikepdf.Rectangle(PLACE_PT.x0, height - PLACE_PT.y1, PLACE_PT.x1, height - PLACE_PT.y0)
        for target in pdf.pages:
            target.add_overlay(overlay.pages[0], rect)
        pdf.save(out)
    return time.perf_counter() - start


def pikepdf_xobject(source: Path, out: Path) -> float:
    """Share one image object of pikepdf's between the pages, a content stream more each, a full `save`."""
    import zlib

    import pikepdf

    with Image.open(source.parent / "seal.png") as image:
        cut = np.asarray(image.crop((280, 280, 1120, 1120)))
    start = time.perf_counter()
    with pikepdf.open(source) as pdf:
        entries = {"Type": pikepdf.Name.XObject, "Subtype": pikepdf.Name.Image, "BitsPerComponent": 8}
        entries |= {"Width": cut.shape[1], "Height": cut.shape[0], "Filter": pikepdf.Name.FlateDecode}
        mask = pikepdf.Stream(
            pdf, zlib.compress(cut[..., 3].tobytes()), ColorSpace=pikepdf.Name.DeviceGray, **entries
        )
        image_object = pikepdf.Stream(
            pdf,
            zlib.compress(np.ascontiguousarray(cut[..., :3]).tobytes()),
            ColorSpace=pikepdf.Name.DeviceRGB,
            SMask=mask,
            **entries,
        )
        shared = pdf.make_indirect(image_object)
        for page in pdf.pages:
            name = page.add_resource(shared, pikepdf.Name.XObject)
            size, x, y = PLACE_PT.width, PLACE_PT.x0, 842 - PLACE_PT.y1
            text = f"q {size:.2f} 0 0 {size:.2f} {x:.2f} {y:.2f} cm {name} Do Q"
            page.contents_add(text.encode())
        pdf.save(out)
    return time.perf_counter() - start


def nothing(source: Path, out: Path) -> float:
    """Import what the others import, and do nothing: the memory they begin with."""
    import pikepdf  # noqa: F401

    import stages.inspect
    import stages.plan
    import stages.stamp  # noqa: F401

    return 0.0


WAYS: Mapping[str, Callable[[Path, Path], float]] = {
    "sealine_stamp": sealine_stamp,
    "pymupdf_incremental": pymupdf_incremental,
    "pymupdf_full": pymupdf_full,
    "pikepdf_xobject": pikepdf_xobject,
    "pikepdf_overlay": pikepdf_overlay,
}
OTHERS: Mapping[str, Callable[[Path, Path], float]] = {
    "nothing": nothing,
    "sealine_dry_run": sealine_dry_run,
}


def run_child(way: str, source: Path, out: Path) -> None:
    """Run one way here, and print its seconds and the peak memory of this process."""
    taken = {**WAYS, **OTHERS}[way](source, out)
    sys.stdout.write(json.dumps({"s": taken, "peak_mb": peak_mb()}) + "\n")


def peak_mb() -> float:
    """Return the most memory this process ever held. Not ru_maxrss: that begins with the parent's."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) / 1024


# ---------------------------------------------------------------- the run


def in_child(way: str, source: Path, out: Path) -> dict[str, float]:
    """Run one way in a process of its own."""
    command = [sys.executable, __file__, "--child", way, str(source), str(out)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # our own file
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def best_of(rounds: int, way: str, source: Path, out: Path) -> dict[str, float]:
    """Return the fastest of several runs: the others had to share the machine."""
    return min((in_child(way, source, out) for _ in range(rounds)), key=lambda figures: figures["s"])


def measure_file(source: Path, pages: int, seal_bytes: int, rounds: int) -> dict[str, Any]:
    """Return the figures of one file."""
    before = source.stat().st_size
    dry_run = best_of(rounds, "sealine_dry_run", source, source)
    ways = {}
    for way in WAYS:
        out = source.with_name(f"{way}.pdf")
        figures = best_of(rounds, way, source, out)
        added = out.stat().st_size - before
        ways[way] = {
            "s": round(figures["s"], 3),
            "peak_mb": round(figures["peak_mb"]),
            "added_bytes": added,
            "bytes_a_page": round((added - seal_bytes) / pages, 1),
        }
        out.unlink()
    ours = ways["sealine_stamp"]
    return {
        "pages": pages,
        "mb": round(before / 1e6, 1),
        "seal_bytes": seal_bytes,
        "dry_run_s": round(dry_run["s"], 2),
        "dry_run_peak_mb": round(dry_run["peak_mb"]),
        "ways": ways,
        "times_as_long_as_ours": {
            way: round(figures["s"] / ours["s"], 2) for way, figures in ways.items() if way != "sealine_stamp"
        },
    }


def measure(folder: Path, pages: int, scan_mb: float, rounds: int) -> dict[str, Any]:
    """Make both files, run every way over each, and return the figures."""
    from stages.pdf.seal_image import seal_xobject

    image = seal_xobject(draw_seal(folder))
    seal_bytes = len(image.rgb) + len(image.alpha)
    figures: dict[str, Any] = {}
    text, scans = folder / "text.pdf", folder / "scans.pdf"
    draw_text(text, pages)
    figures["begins_with_mb"] = round(in_child("nothing", text, text)["peak_mb"])
    figures["text"] = measure_file(text, pages, seal_bytes, rounds)
    text.unlink()
    scan_pages = draw_scans(scans, scan_mb)
    figures["scans"] = measure_file(scans, scan_pages, seal_bytes, rounds)
    return figures


def table_of(figures: Mapping[str, Any]) -> str:
    """Return the figures for people."""
    lines = []
    for name in ("text", "scans"):
        one = figures[name]
        lines += [
            f"{name}: {one['pages']} pages, {one['mb']} MB; seal image {one['seal_bytes']} bytes; "
            f"dry run {one['dry_run_s']} s, {one['dry_run_peak_mb']} MB",
            f"  {'way':22}{'s':>9}{'× ours':>9}{'bytes added':>14}{'bytes a page':>14}{'peak MB':>9}",
        ]
        for way, row in one["ways"].items():
            ratio = one["times_as_long_as_ours"].get(way, 1.0)
            lines.append(
                f"  {way:22}{row['s']:9.3f}{ratio:9.2f}{row['added_bytes']:14d}"
                f"{row['bytes_a_page']:14.1f}{row['peak_mb']:9d}"
            )
    return "\n".join(lines)


def plot(figures: Mapping[str, Any], path: Path) -> None:
    """Draw time and growth; only where matplotlib is there already."""
    from matplotlib import pyplot

    _, axes = pyplot.subplots(2, 2, figsize=(11, 7))
    for row, name in zip(axes, ("text", "scans"), strict=True):
        ways = figures[name]["ways"]
        for axis, key, title in ((row[0], "s", "seconds"), (row[1], "added_bytes", "bytes added")):
            axis.barh(list(ways), [way[key] for way in ways.values()])
            axis.set_title(f"{name}: {title}")
    pyplot.tight_layout()
    pyplot.savefig(path, dpi=120)


def main() -> None:
    """Measure, print, and save where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--scan-mb", type=float, default=200.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        way, source, out = options.child
        run_child(way, Path(source), Path(out))
        return
    with tempfile.TemporaryDirectory(prefix="sealine-bench-") as folder:
        figures = measure(Path(folder), options.pages, options.scan_mb, options.rounds)
    sys.stdout.write(table_of(figures) + "\n")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if options.plot:
        plot(figures, options.plot)


if __name__ == "__main__":
    main()
