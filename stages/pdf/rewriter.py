"""The program that writes a damaged or encrypted PDF anew, run by itself so that a hostile file harms nobody.

    python -I rewriter.py SOURCE OUT

It imports nothing of the project, limits its own memory and time, and answers in one JSON object on
stdout (`stages.pdf.mending` reads it): `error`, or what the new file has and what was lost.
"""

import json
import re
import resource
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pymupdf
from pikepdf.settings import set_qpdf_limits

MAX_MEMORY_BYTES = 4 << 30
"""Of address space: the file itself is mapped into it, up to 1 GiB, twice."""
MAX_CPU_S = 240
MAX_INFLATED_BYTES = 256 << 20
MAX_OUT_BYTES = 2 << 30
MAX_TREE_NODES = 20_000
MAX_COMPARED_PAGES = 100
"""Pages whose look and text is compared, spread evenly over a longer file."""
COMPARED_DPI = 24
MAX_COMPARED_SIDE_PX = 2000
CHUNK_BYTES, OVERLAP_BYTES = 1 << 20, 4096
MAX_LISTED = 50

_REFERENCE = re.compile(rb"(?<![\d.])(\d{1,8})[ \r\n]+(\d{1,5})[ \r\n]+R(?![A-Za-z])")
_CATALOGUE = re.compile(
    rb"(\d{1,8})\s+(\d{1,5})\s+obj\s*<<(?:(?!endobj).){0,4000}?/Type\s*/Catalog\b", re.DOTALL
)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_OUT_BYTES, MAX_OUT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    set_qpdf_limits(flate_max_memory=MAX_INFLATED_BYTES)


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes, each chunk with the end of the one before it."""
    before = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield before + chunk
            before = chunk[-OVERLAP_BYTES:]


def _with_trailer(source: Path, out: Path) -> bool:
    """Write a copy whose end says where the catalogue is, for a file that was cut off before its trailer.

    Returns:
        Whether a catalogue was found; one that is packed into an object stream is not.
    """
    root = None
    for chunk in _chunks(source):
        for match in _CATALOGUE.finditer(chunk):
            root = match.group(1), match.group(2)
    if root is None:
        return False
    shutil.copyfile(source, out)
    with out.open("ab") as file:
        file.write(b"\ntrailer\n<< /Root %s %s R >>\nstartxref\n0\n%%%%EOF\n" % root)
    return True


def _lost_pages(pdf: pikepdf.Pdf) -> int:
    """Return how many kids of the page tree are not there (a reference to nothing reads as null)."""
    lost = 0
    seen: set[tuple[int, int]] = set()
    queue = [pdf.Root.get("/Pages")]
    while queue and len(seen) < MAX_TREE_NODES:
        node = queue.pop()
        if not isinstance(node, pikepdf.Dictionary) or node.objgen in seen:
            continue
        if node.is_indirect:
            seen.add(node.objgen)
        kids = node.get("/Kids")
        for kid in kids if isinstance(kids, pikepdf.Array) else ():
            if kid is None:
                lost += 1
            elif isinstance(kid, pikepdf.Object):
                queue.append(kid)
    return lost


def _declared_pages(pdf: pikepdf.Pdf) -> int:
    pages = pdf.Root.get("/Pages")
    count = pages.get("/Count") if isinstance(pages, pikepdf.Dictionary) else None
    return count if isinstance(count, int) and not isinstance(count, bool) else 0


def _is_signed(pdf: pikepdf.Pdf, path: Path) -> bool:
    if any(b"/ByteRange" in chunk for chunk in _chunks(path)):
        return True
    return any(isinstance(thing, pikepdf.Dictionary) and "/ByteRange" in thing for thing in pdf.objects)


def _missing_objects(pdf: pikepdf.Pdf, path: Path) -> int:
    """Return how many objects are pointed at and are not there; text inside of streams is not searched."""
    there = set()
    wanted: set[tuple[int, int]] = set()
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Object):
            there.add(thing.objgen)
            if isinstance(thing, pikepdf.Stream) and thing.get("/Type") == pikepdf.Name.ObjStm:
                wanted.update(_references(thing.read_bytes()))
    in_stream = False
    for chunk in _chunks(path):
        parts = re.split(rb"(\bendstream\b|\bstream\r?\n)", chunk)
        for part in parts:
            if part == b"endstream":
                in_stream = False
            elif part.startswith(b"stream") and len(part) <= 8:
                in_stream = True
            elif not in_stream:
                wanted.update(_references(part))
    # What is a mere number, such as a stream's length, came without its own: those are asked for.
    known = {number for number, _ in there}
    lost = [one for one in wanted if one[0] not in known]
    return len({number for number, generation in lost if pdf.get_object(number, generation) is None})


def _references(data: bytes) -> Iterator[tuple[int, int]]:
    return ((int(number), int(generation)) for number, generation in _REFERENCE.findall(data))


def _permissions(pdf: pikepdf.Pdf) -> dict[str, object]:
    """Return what `stages.pdf.permissions` returns, which may not be imported here."""
    allow = pdf.allow
    return {
        "changing": bool(allow.modify_other),
        "forms": bool(allow.modify_form),
        "annotations": bool(allow.modify_annotation),
        "printing": bool(allow.print_lowres),
    }


def _rewrite(source: Path, out: Path) -> dict[str, object]:
    with pikepdf.open(source, inherit_page_attributes=False, suppress_warnings=True) as pdf:
        answer: dict[str, object] = {"encryption": _permissions(pdf) if pdf.is_encrypted else None}
        if _is_signed(pdf, source):
            return {**answer, "error": "signed"}
        answer["missing_objects"] = _missing_objects(pdf, source)
        answer["lost_pages"] = _lost_pages(pdf)
        answer["declared_pages"] = _declared_pages(pdf)
        answer["pages"] = len(pdf.pages)  # also mends the tree
        answer["empty_pages"] = sum("/Contents" not in page for page in pdf.pages)
        if "/Size" not in pdf.trailer:
            pdf.trailer.Size = 1  # qpdf sets the true one, but only where there is one
        pdf.save(
            out,
            encryption=False,
            fix_metadata_version=False,
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            object_stream_mode=pikepdf.ObjectStreamMode.preserve,
            deterministic_id=True,
        )
    return {**answer, **_compared(source, out)}


def _compared(source: Path, out: Path) -> dict[str, object]:
    """Return what another reader makes of the file as it came, beside the new one."""
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        with pymupdf.open(source, filetype="pdf") as before, pymupdf.open(out, filetype="pdf") as after:
            if before.needs_pass or not before.page_count:
                return {"other_pages": None, "different": []}
            count = min(before.page_count, after.page_count)
            step = max(1, -(-count // MAX_COMPARED_PAGES))
            different = [
                index + 1 for index in range(0, count, step) if _look(before, index) != _look(after, index)
            ]
            return {"other_pages": before.page_count, "different": different[:MAX_LISTED]}
    except (RuntimeError, ValueError):  # MuPDF's errors are RuntimeErrors
        return {"other_pages": None, "different": []}


def _look(document: pymupdf.Document, index: int) -> tuple[object, ...]:
    page = document[index]
    side = max(page.rect.width, page.rect.height, 1.0)
    zoom = min(COMPARED_DPI / 72, MAX_COMPARED_SIDE_PX / side)
    pixels = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csGRAY)
    return page.get_text(), pixels.width, pixels.height, pixels.samples


def _main(source: Path, out: Path) -> dict[str, object]:
    cut = out.with_suffix(".cut")
    try:
        try:
            return _rewrite(source, out)
        except pikepdf.PasswordError:
            raise
        except pikepdf.PdfError:
            if not _with_trailer(source, cut):
                raise
            return _rewrite(cut, out)
    except pikepdf.PasswordError:
        return {"error": "password"}
    except MemoryError:
        return {"error": "memory"}
    except (pikepdf.PdfError, pikepdf.ForeignObjectError, RuntimeError, ValueError, TypeError, KeyError):
        return {"error": "unreadable"}
    finally:
        cut.unlink(missing_ok=True)


if __name__ == "__main__":
    _limit()
    json.dump(_main(Path(sys.argv[1]), Path(sys.argv[2])), sys.stdout)
