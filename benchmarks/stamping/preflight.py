"""Pre-flight of large files: time and memory of inspection, and of repairing a file that was cut off.

    .venv/bin/python benchmarks/stamping/preflight.py [--pages 1000] [--scan-mb 200] [--rounds 3]

Each figure comes from a process of its own; the fastest of the rounds counts. The repair is of the
scans with the last 2 KB missing; it runs in a child, whose memory is not the one given.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.stamping.run import draw_scans, draw_text, peak_mb
from stages.documents import SourceFile
from stages.inspect import inspect
from stages.pdf.mending import repair

CUT_BYTES = 2048


def _source(path: Path) -> SourceFile:
    return SourceFile(path, path.name, path.stat().st_size, "0" * 64)


def run_child(way: str, path: Path) -> None:
    """Do one thing once and print its time and peak memory as JSON."""
    started = time.perf_counter()
    if way == "inspect":
        pages = len(inspect(_source(path)).pages)
    else:
        pages = len(inspect(repair(_source(path), path.parent / "made")).pages)
    seconds = time.perf_counter() - started
    print(json.dumps({"pages": pages, "s": seconds, "mb": peak_mb()}))


def measured(way: str, path: Path, rounds: int) -> str:
    """Return the fastest of some runs as a row of the table."""
    command = [sys.executable, __file__, "--child", way, str(path)]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(rounds)
    ]
    best = min(runs, key=lambda run: float(run["s"]))
    size_mb = path.stat().st_size / 1e6
    return f"| {way} {path.name} | {best['pages']} | {size_mb:.1f} | {best['s']:.2f} | {best['mb']:.0f} |"


def main() -> None:
    """Make the files, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--scan-mb", type=float, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=2)
    options = parser.parse_args()
    if options.child:
        run_child(options.child[0], Path(options.child[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        text, scans, cut = (Path(folder) / name for name in ("text.pdf", "scans.pdf", "cut.pdf"))
        draw_text(text, options.pages)
        draw_scans(scans, options.scan_mb)
        cut.write_bytes(scans.read_bytes()[:-CUT_BYTES])
        print("| what | pages | MB | s | peak MB |\n|---|---|---|---|---|")
        for way, path in (("inspect", text), ("inspect", scans), ("repair", cut)):
            print(measured(way, path, options.rounds))


if __name__ == "__main__":
    main()
