"""Stamps and signs every PDF of a folder, and holds each result against its original.

    .venv/bin/python benchmarks/stamping/corpus.py --dir FOLDER [--limit N] [--render-pages 2] [--json FILE]

Each file gets a seal of 20 mm on every page where one fits, and a signature by a key made on the spot; in a
process of its own, with a limit of time and of memory. A file counts as stamped when all of these hold:
its bytes are a prefix of the result; `qpdf --check` says nothing of the result that it did not say of the
original; the text that MuPDF and pdftotext take out is the same; and the first pages look the same outside
of the seal, and different inside, in MuPDF and in Poppler. A file is refused when the program says why in
one line. Anything else is a failure.
"""

import argparse
import hashlib
import json
import multiprocessing
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
from cryptography.hazmat.primitives.asymmetric import padding
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pipeline.tryout.certificates import make_root
from stages.documents import Mark, PlannedDocument, SealFace, SignatureRequest, SourceFile
from stages.errors import StagesError
from stages.inspect import inspect
from stages.pdf.carriers import signature_field_name
from stages.pdf.seal_image import seal_xobject
from stages.sign import sign
from stages.stamp import stamp

SIDE_MM = 20.0
TIME_LIMIT_S = 60.0
TOOL_LIMIT_S = 60.0
MEMORY_LIMIT_BYTES = 2 << 30
DPI = 40
MARGIN_MM = 1.3
"""Two dots: where a seal's own edge may still be seen."""
MAX_TEXT_PAGES = 200
CHANGE = 80
"""Of 255: MuPDF smooths thin lines a little otherwise on a page that has blending on it."""
RED_SHARE = 0.05


class Signer:
    """A key in memory, with a certificate of its own."""

    signature_algorithm = "sha256_rsa"
    chain = ()

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        _, certificate = make_root(now=datetime.now(UTC), key=self._key)
        self.certificate = asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def draw_seal(folder: Path) -> SealFace:
    """Write the picture of a round seal."""
    image = Image.new("RGBA", (1400, 1400), (200, 20, 30, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse([500, 500, 899, 899], outline=(200, 20, 30, 255), width=28)
    draw.regular_polygon((700, 700, 90), 5, fill=(200, 20, 30, 255))
    path = folder / "seal.png"
    image.save(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return SealFace("公章", path, digest, (25.0, 25.0, SIDE_MM, SIDE_MM))


def qpdf_words(path: Path) -> Counter[str]:
    """Return what `qpdf --check` complains of, with numbers and names of files left out."""
    command = ["qpdf", "--check", path]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=TOOL_LIMIT_S)
    except subprocess.TimeoutExpired:  # eight run-length filters one behind the other, for one
        return Counter({"qpdf does not come to an end": 1})
    lines = (done.stdout + done.stderr).replace(str(path), "").splitlines()
    said = (line for line in lines if "WARNING" in line or "ERROR" in line or " error" in line.lower())
    said = (line for line in said if "errors found; the file" not in line and "cannot detect" not in line)
    numberless = (re.sub(r"\d+", "#", line) for line in said)
    # A page that is stamped has two streams more than before, and qpdf names them all.
    return Counter(re.sub(r"(stream # #, )+", "", line) for line in numberless)


def poppler_text(path: Path) -> bytes:
    done = subprocess.run(
        ["pdftotext", "-enc", "UTF-8", "-l", str(MAX_TEXT_PAGES), path, "-"],
        capture_output=True,
        timeout=TOOL_LIMIT_S,
    )
    return done.stdout


def mupdf_text(path: Path) -> list[str] | None:
    """Return the pages' text; None when MuPDF cannot read one."""
    with pymupdf.open(path) as document:
        try:
            return [document[index].get_text() for index in range(min(len(document), MAX_TEXT_PAGES))]
        except (RuntimeError, pymupdf.mupdf.FzErrorBase):
            return None


def mupdf_page(path: Path, index: int) -> np.ndarray | None:
    """Return a page; None when MuPDF cannot draw it."""
    with pymupdf.open(path) as document:
        try:
            pixmap = document[index].get_pixmap(dpi=DPI, alpha=False)
        except (RuntimeError, IndexError, pymupdf.mupdf.FzErrorBase):  # it may not find every page
            return None
        shape = (pixmap.height, pixmap.width, 3)
        return np.frombuffer(pixmap.samples, np.uint8).reshape(shape).astype(int)


def poppler_page(path: Path, index: int, folder: Path) -> np.ndarray | None:
    number = str(index + 1)
    command = ["pdftoppm", "-cropbox", "-r", str(DPI), "-f", number, "-l", number, "-singlefile"]
    subprocess.run([*command, path, folder / "page"], capture_output=True, timeout=TOOL_LIMIT_S)
    made = folder / "page.ppm"
    if not made.exists():
        return None
    with Image.open(made) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    made.unlink()
    return pixels


def difference(old: np.ndarray, new: np.ndarray, mark: Mark, page_mm: tuple[float, float]) -> list[str]:
    """Return what is wrong with a page: changed outside of its seal, or no seal to be seen."""
    if old.shape != new.shape:
        return ["another size"]
    height, width = old.shape[:2]
    sx, sy = width / page_mm[0], height / page_mm[1]
    x0, x1 = (mark.x_mm - MARGIN_MM) * sx, (mark.x_mm + mark.w_mm + MARGIN_MM) * sx
    y0, y1 = (mark.y_mm - MARGIN_MM) * sy, (mark.y_mm + mark.h_mm + MARGIN_MM) * sy
    inside = np.zeros((height, width), bool)
    inside[max(0, int(y0)) : int(y1) + 1, max(0, int(x0)) : int(x1) + 1] = True
    changed = np.abs(old - new).max(axis=2) > CHANGE
    wrong = []
    if (changed & ~inside).any():
        wrong.append(f"{(changed & ~inside).sum()} dots changed outside of the seal")
    if changed[inside].mean() < RED_SHARE and old[inside].mean() > 128:
        wrong.append("no seal to be seen")
    return wrong


def planned(source: SourceFile) -> PlannedDocument:
    """Return a mark in the middle of every page it fits."""
    inspected = inspect(source)
    marks = [
        Mark(
            index, "公章", (page.width_mm - SIDE_MM) / 2, (page.height_mm - SIDE_MM) / 2, SIDE_MM, SIDE_MM, 0
        )
        for index, page in enumerate(inspected.pages)
        if min(page.width_mm, page.height_mm) >= SIDE_MM
    ]
    if inspected.signatures:
        marks = marks[:1]
    return PlannedDocument(inspected, tuple(marks))


def check_one(path: Path, folder: Path, face: SealFace, signer: Signer, pages: int) -> dict[str, Any]:
    """Return what became of one file."""
    data = path.read_bytes()
    source = SourceFile(path, path.name, len(data), hashlib.sha256(data).hexdigest())
    out = folder / "out.pdf"
    start = time.process_time()
    try:
        plan = planned(source)
        stamped = stamp(source, plan, {face.name: face}, out)
        stamped_bytes = out.stat().st_size
        signed = sign(
            stamped, signer, SignatureRequest(signature_field_name(path.name, plan), datetime.now(UTC))
        )
    except StagesError as error:
        return {"outcome": "refused", "why": f"{type(error).__name__}: {error}"}
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wrong = [] if signed.path.read_bytes().startswith(data) else ["the original is no prefix"]
    new_words = qpdf_words(out) - qpdf_words(path)
    wrong += [f"qpdf: {word}" for word in list(new_words)[:3]]
    if poppler_text(out) != poppler_text(path):
        wrong.append("pdftotext finds other text")
    text = mupdf_text(path)
    if text is not None and mupdf_text(out) != text:
        wrong.append("MuPDF finds other text")
    for mark in [mark for mark in plan.marks if mark.page_index < pages]:
        page = plan.inspected.pages[mark.page_index]
        size = page.width_mm, page.height_mm
        drawn = {
            "MuPDF": [mupdf_page(one, mark.page_index) for one in (path, out)],
            "Poppler": [poppler_page(one, mark.page_index, folder) for one in (path, out)],
        }
        for engine, (old, new) in drawn.items():
            if old is None or (engine == "Poppler" and page.user_unit != 1):  # Poppler knows no UserUnit
                continue
            found = ["no longer drawn"] if new is None else difference(old, new, mark, size)
            wrong += [f"{engine}, page {mark.page_index + 1}: {what}" for what in found]
    seal = seal_xobject(face)
    image_bytes = len(seal.rgb) + len(seal.alpha)
    return {
        "outcome": "wrong" if wrong else "stamped",
        "why": "; ".join(wrong),
        "seconds": seconds,
        "peak_mb": peak / 1024,
        "marks": len(plan.marks),
        "bytes_a_page": (stamped_bytes - len(data) - image_bytes) / max(1, len(plan.marks)),
    }


def _child(queue: Any, path: Path, face: SealFace, signer: Signer, pages: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (2 * MEMORY_LIMIT_BYTES, 2 * MEMORY_LIMIT_BYTES))
    pymupdf.TOOLS.mupdf_display_errors(False)
    with tempfile.TemporaryDirectory() as folder:
        try:
            queue.put(check_one(path, Path(folder), face, signer, pages))
        except BaseException as error:  # noqa: BLE001  a crash is a result, too
            queue.put({"outcome": "crashed", "why": f"{type(error).__name__}: {error}"})


def in_a_process(path: Path, face: SealFace, signer: Signer, pages: int) -> dict[str, Any]:
    """Return what became of a file, whatever its process came to."""
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_child, args=(queue, path, face, signer, pages))
    child.start()
    end = time.monotonic() + 5 * TIME_LIMIT_S
    while queue.empty() and child.is_alive() and time.monotonic() < end:
        time.sleep(0.01)
    result: dict[str, Any]
    if not queue.empty():
        result = queue.get()
    else:
        result = {"outcome": "hung" if child.is_alive() else "crashed", "why": f"exit code {child.exitcode}"}
    child.kill()
    child.join()
    if result.get("seconds", 0) > TIME_LIMIT_S or result.get("peak_mb", 0) * 1024**2 > MEMORY_LIMIT_BYTES:
        result["outcome"] = "over a limit"
    return result


def main() -> int:
    """Run over a folder and print a line a file that is not stamped, then the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--render-pages", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    paths = sorted(path for path in options.dir.rglob("*") if path.suffix.lower() == ".pdf")
    paths = paths[: options.limit or None]
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        face, signer = draw_seal(Path(folder)), Signer()
        for path in paths:
            result = results[str(path.relative_to(options.dir))] = in_a_process(
                path, face, signer, options.render_pages
            )
            if result["outcome"] != "stamped":
                print(f"{result['outcome']:8} {path.name}: {str(result['why'])[:300]}", flush=True)
    counts = Counter(result["outcome"] for result in results.values())
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()), f"of {len(results)}")
    done = [result for result in results.values() if result["outcome"] == "stamped" and result["marks"]]
    if done:
        for key in ("seconds", "peak_mb", "bytes_a_page"):
            values = sorted(result[key] for result in done)
            print(f"{key}: median {statistics.median(values):.3g}, most {values[-1]:.4g}")
    if options.json:
        options.json.write_text(json.dumps(results, ensure_ascii=False, indent=1), encoding="utf-8")
    return 0 if set(counts) <= {"stamped", "refused"} else 1


if __name__ == "__main__":
    sys.exit(main())
