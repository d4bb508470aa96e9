"""Keyword search: pages a second in the text layer; recall and place of hits by OCR on scans of them.

    .venv/bin/python benchmarks/stamping/keywords.py FILE.pdf [--pages 1000] [--scans 8] [KEYWORD …]

The file is repeated to `--pages` pages for the speed. For the scans its first pages with a keyword are
printed to grey JPEGs, and read back: a hit counts when it is within 3 mm of the text layer's (9 mm on
the skewed sheet, whose own turn moves it by as much).
"""

import argparse
import math
import statistics
import sys
import tempfile
import time
from pathlib import Path

import pymupdf

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from seal_imaging import PrintedPageReader
from stages.pdf.keywords import keyword_pattern
from stages.pdf.page_pictures import read_picture
from stages.pdf.text import TextHit, find_on_page, search_text
from tests.simulators.paper import scanned

KEYWORDS = ("（盖单位章）", "投标人：（盖单位章）", "法定代表人", "委托代理人", "签字", "/第[一二三四五]章/")


def speed(source: Path, folder: Path, keywords: list[str], page_count: int) -> None:
    """Search a file repeated to so many pages, and print how long that took."""
    with pymupdf.open(source) as once, pymupdf.open() as many:
        while len(many) < page_count:
            many.insert_pdf(once, to_page=min(len(once), page_count - len(many)) - 1)
        many.save(folder / "many.pdf")
    began, cpu = time.perf_counter(), time.process_time()
    found = search_text(folder / "many.pdf", keywords, range(page_count))
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(f"{page_count} pages, {len(keywords)} keywords: {wall:.1f} s, {cpu:.1f} s CPU, ", end="")
    print(f"{page_count / wall:.0f} pages/s, {sum(map(len, found.hits))} hits")


def scans(source: Path, folder: Path, keywords: list[str], page_count: int) -> None:
    """Print recall and error of OCR against the text layer, on a clean and on a poor scan."""
    with pymupdf.open(source) as document, pymupdf.open() as some:
        hits = search_text(source, keywords, range(len(document))).hits
        for page_index in sorted({hit.page_index for one in hits for hit in one})[:page_count]:
            some.insert_pdf(document, from_page=page_index, to_page=page_index)
        some.save(folder / "some.pdf")
        page_count = len(some)
    truth = search_text(folder / "some.pdf", keywords, range(page_count)).hits
    patterns = [keyword_pattern(keyword) for keyword in keywords]
    reader = PrintedPageReader()
    for name, dpi, skew_deg, noise in (("200 dpi", 200, 0.0, 0.0), ("150 dpi, 1°, grain 10", 150, 1.0, 10.0)):
        paper = scanned(folder / "some.pdf", folder / "scan.pdf", dpi=dpi, skew_deg=skew_deg, noise=noise)
        found: list[list[TextHit]] = [[] for _ in keywords]
        began = time.process_time()
        for page_index in range(page_count):
            content = read_picture(paper, page_index, reader)
            for known, new in zip(found, find_on_page(content, page_index, patterns), strict=True):
                known += new
        cpu_s = (time.process_time() - began) / page_count
        errors_mm = [
            min((math.dist(hit.centre_mm, other.centre_mm) for other in there), default=math.inf)
            for one, others in zip(truth, found, strict=True)
            for hit in one
            for there in [[other for other in others if other.page_index == hit.page_index]]
        ]
        near = [error for error in errors_mm if error < (9 if skew_deg else 3)]
        extra = sum(map(len, found)) - len(near)
        print(
            f"{name}: {len(near)} of {len(errors_mm)} found, {extra} more; {cpu_s:.1f} s CPU a page; ", end=""
        )
        print(f"centres off by {statistics.median(near):.2f} mm, at most {max(near):.2f}" if near else "none")


def main() -> None:
    """Run both on one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("keywords", nargs="*", default=KEYWORDS)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--scans", type=int, default=8)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        speed(given.file, Path(folder), list(given.keywords), given.pages)
        scans(given.file, Path(folder), list(given.keywords), given.scans)


if __name__ == "__main__":
    main()
