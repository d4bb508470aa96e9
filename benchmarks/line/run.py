"""The whole line against its floor and a peer: small files a second, and one large package.

    .venv/bin/python benchmarks/line/run.py [--small 300] [--large-mb 200] [--json FILE]

Small files: submitted, stamped, signed, timestamped by the try-out authority, verified, archived and
exported, with everything kept (records, objects, event log). The peer is stock pyHanko signing the same
files B-T from the same authority, one after another, and nothing else. Large package: the same line, its
floor being one copy of the package that is hashed on the way. Figures are ratios within one run.
"""

import argparse
import hashlib
import io
import json
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
from PIL import Image, ImageDraw
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.timestamps import HTTPTimeStamper

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pipeline.clock import utc_now
from pipeline.progress import Silent
from pipeline.seals import SealWish
from pipeline.settings import Settings
from pipeline.tryout.tsa import TsaServer
from pipeline.wiring import App
from pipeline.workers import wait_for_package, working
from stages.make import SealKind
from storage.schema import JobState

PLAN = """
version: 1
rules:
  - {seal: 公章, pages: last, x_mm: 100, y_mm: 100}
  - {seal: 公章, paging: right, every: 50}
"""
LARGE_FILES = 6
LARGE_PAGES = 1000


def draw_small(folder: Path, count: int) -> None:
    """Write two-page text files."""
    folder.mkdir()
    for number in range(count):
        with pymupdf.open() as document:
            for page_number in (1, 2):
                page = document.new_page(width=595, height=842)
                page.insert_text((72, 72), f"投标文件 {number} 第{page_number}页", fontname="china-s")
            document.save(folder / f"{number:05}.pdf")


def draw_large(folder: Path, size_mb: float) -> None:
    """Write LARGE_FILES files of scanned pages, LARGE_PAGES pages and about size_mb in all."""
    folder.mkdir()
    rng = np.random.default_rng(7)
    page_bytes = size_mb * 1e6 / LARGE_PAGES
    side = max(64, round((page_bytes / 0.557) ** 0.5))  # what noise takes as JPEG, in bytes a pixel
    noise = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
    for number in range(LARGE_FILES):
        with pymupdf.open() as document:
            for _ in range(LARGE_PAGES // LARGE_FILES):
                page = document.new_page(width=595, height=842)
                stream = io.BytesIO()
                Image.fromarray(np.roll(noise, int(rng.integers(side)), 0)).save(stream, "JPEG", quality=80)
                page.insert_image(page.rect, stream=stream.getvalue())
            document.save(folder / f"{number}.pdf")


def open_home(folder: Path) -> App:
    """Return an App in a fresh home with one seal."""
    folder.mkdir()
    alpha = Image.new("L", (1400, 1400), 0)
    ImageDraw.Draw(alpha).ellipse((280, 280, 1119, 1119), outline=255, width=24)
    rgba = np.full((1400, 1400, 4), (200, 30, 40, 0), np.uint8)
    rgba[..., 3] = np.asarray(alpha)
    image = folder / "seal.png"
    Image.fromarray(rgba, "RGBA").save(image, dpi=(508, 508))
    app = App(Settings(home=folder))
    wish = SealWish(name="公章", owner="示例公司", owner_code="", kind=SealKind.OFFICIAL)
    app.seals.make(image, wish, actor=app.actor, key_uri=app.key_uri)
    return app


def through_the_line(app: App, package: Path, plan: Path, out: Path) -> float:
    """Return the seconds from handing the package in to having its archived files in hand."""
    start, since = time.perf_counter(), utc_now()
    record = app.bids.submit(package, plan, actor=app.actor, key_uri=app.key_uri)
    with working(app.broker, threads=app.settings.workers):
        wait_for_package(app.records, record.id, since=since, progress=Silent(), doorbells=app.doorbells)
    results = app.bids.results(record.id, out, actor=app.actor)
    taken = time.perf_counter() - start
    failed = [result.file for result in results if result.state is not JobState.ARCHIVED]
    if failed:
        raise SystemExit(f"not archived: {failed[:3]}")
    return taken


def through_pyhanko(app: App, package: Path, out: Path) -> float:
    """Return the seconds stock pyHanko takes to sign every file, B-T, with the same key and authority."""
    out.mkdir()
    pin = app.pki.pin("signer").encode()
    path = app.pki.signer_uri.removeprefix("file:")
    with TsaServer(app.pki) as server:
        signer = signers.SimpleSigner.load_pkcs12(path, passphrase=pin)
        stamper = HTTPTimeStamper(server.url)
        start = time.perf_counter()
        for source in sorted(package.glob("*.pdf")):
            meta = signers.PdfSignatureMetadata(field_name="Signature1", subfilter=SigSeedSubFilter.PADES)
            with source.open("rb") as data, (out / source.name).open("wb") as signed:
                signers.PdfSigner(meta, signer, timestamper=stamper).sign_pdf(
                    IncrementalPdfFileWriter(data), output=signed
                )
        return time.perf_counter() - start


def hash_and_copy(package: Path, out: Path) -> float:
    """Return the seconds of the floor: each file read once, hashed and written."""
    out.mkdir()
    start = time.perf_counter()
    for source in sorted(package.glob("*.pdf")):
        digest = hashlib.sha256()
        with source.open("rb") as data, (out / source.name).open("wb") as copy:
            while chunk := data.read(1 << 20):
                digest.update(chunk)
                copy.write(chunk)
    return time.perf_counter() - start


def measure(folder: Path, small: int, large_mb: float) -> dict[str, Any]:
    """Run both parts and return the figures."""
    plan = folder / "plan.yaml"
    plan.write_text(PLAN, encoding="utf-8")
    figures: dict[str, Any] = {}
    with open_home(folder / "home-small") as app:
        draw_small(folder / "small", small)
        ours = through_the_line(app, folder / "small", plan, folder / "small-out")
        peer = through_pyhanko(app, folder / "small", folder / "small-peer")
        figures["small"] = {
            "files": small,
            "line_files_per_s": round(small / ours, 1),
            "pyhanko_sign_only_files_per_s": round(small / peer, 1),
            "ratio": round(peer / ours, 2),
        }
    with open_home(folder / "home-large") as app:
        draw_large(folder / "large", large_mb)
        size_mb = sum(path.stat().st_size for path in (folder / "large").glob("*.pdf")) / 1e6
        floor = hash_and_copy(folder / "large", folder / "large-copy")
        shutil.rmtree(folder / "large-copy")
        ours = through_the_line(app, folder / "large", plan, folder / "large-out")
        figures["large"] = {
            "mb": round(size_mb, 1),
            "pages": LARGE_PAGES // LARGE_FILES * LARGE_FILES,
            "line_s": round(ours, 2),
            "hash_and_copy_s": round(floor, 2),
            "ratio_to_floor": round(ours / floor, 1),
        }
    figures["max_rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return figures


def main() -> None:
    """Measure, print, and save where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--small", type=int, default=300)
    parser.add_argument("--large-mb", type=float, default=200.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sealine-bench-") as folder:
        figures = measure(Path(folder), options.small, options.large_mb)
    text = json.dumps(figures, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
