"""Shows a piece of a page as MuPDF, Poppler and PDFium draw it, and measures edges in it below a pixel."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pymupdf
import pypdfium2
from numpy.typing import NDArray
from PIL import Image

from stages.documents import PageGeometry

Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class View:
    """A piece of a displayed page.

    Attributes:
        rgb: (H, W, 3).
        x_mm, y_mm: its top left corner on the displayed page.
        mm_per_px: across, down; PDFium stretches a page to whole pixels.
    """

    rgb: NDArray[np.uint8]
    x_mm: float
    y_mm: float
    mm_per_px: tuple[float, float]

    @property
    def ink(self) -> NDArray[np.float64]:
        """How much of each pixel is red, 0 to 1, where 1 is the reddest there is."""
        red, green = self.rgb[..., 0].astype(np.float64), self.rgb[..., 1].astype(np.float64)
        difference = np.clip(red - green, 0, None)
        return difference / max(1.0, float(difference.max()))

    def ink_within(self, box_mm: Box) -> NDArray[np.bool_]:
        """Where a box is inked, in dots of 0.05 mm, at least one each way."""
        x, y, w, h = box_mm
        columns = (np.arange(max(1, round(w * 20))) + 0.5) * w / max(1, round(w * 20)) + x - self.x_mm
        rows = (np.arange(max(1, round(h * 20))) + 0.5) * h / max(1, round(h * 20)) + y - self.y_mm
        red, green = self.rgb[..., 0].astype(np.int16), self.rgb[..., 1]
        ink = red - green > 90
        across = np.clip(columns / self.mm_per_px[0], 0, ink.shape[1] - 1).astype(int)
        down = np.clip(rows / self.mm_per_px[1], 0, ink.shape[0] - 1).astype(int)
        within: NDArray[np.bool_] = ink[down][:, across]
        return within

    @property
    def blue_box_mm(self) -> Box:
        """What is more blue than red: x, y, w, h on the displayed page."""
        blue = self.rgb[..., 2].astype(np.int16) - self.rgb[..., 0] > 90
        rows, columns = np.flatnonzero(blue.any(axis=1)), np.flatnonzero(blue.any(axis=0))
        sx, sy = self.mm_per_px
        x, y = self.x_mm + columns[0] * sx, self.y_mm + rows[0] * sy
        return x, y, (columns[-1] + 1 - columns[0]) * sx, (rows[-1] + 1 - rows[0]) * sy


class Renderer(Protocol):
    """One engine with one file open."""

    def view(self, page_index: int, geometry: PageGeometry, box_mm: Box, dpi: float) -> View:
        """Return what is in a box of a page and a little more, in dots an inch of the displayed page."""


def _pixel_box(box_mm: Box, size_px: tuple[int, int], mm_per_px: tuple[float, float]) -> tuple[int, ...]:
    x, y, w, h = box_mm
    left, top = max(0, int(x / mm_per_px[0])), max(0, int(y / mm_per_px[1]))
    right = min(size_px[0], int((x + w) / mm_per_px[0]) + 2)
    bottom = min(size_px[1], int((y + h) / mm_per_px[1]) + 2)
    return left, top, right, bottom


class _MuPdf:
    def __init__(self, document: pymupdf.Document) -> None:
        self._document = document

    def view(self, page_index: int, geometry: PageGeometry, box_mm: Box, dpi: float) -> View:
        x, y, w, h = box_mm
        page = self._document[page_index]
        clip = pymupdf.Rect(x, y, x + w, y + h) * (72 / 25.4)
        pixmap = page.get_pixmap(
            matrix=pymupdf.Matrix(dpi / 72, dpi / 72), clip=clip & page.rect, alpha=False
        )
        rgb = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)
        step = 25.4 / dpi
        return View(rgb, pixmap.x * step, pixmap.y * step, (step, step))


class _Pdfium:
    def __init__(self, document: pypdfium2.PdfDocument) -> None:
        self._document = document

    def view(self, page_index: int, geometry: PageGeometry, box_mm: Box, dpi: float) -> View:
        page = self._document[page_index]
        scale = dpi / 72 * geometry.user_unit  # PDFium does not know UserUnit
        w, h = (int(np.ceil(side * scale)) for side in page.get_size())
        step = (geometry.width_mm / w, geometry.height_mm / h)
        left, top, right, bottom = _pixel_box(box_mm, (w, h), step)
        crop = tuple(value / scale - 1e-9 for value in (left, h - bottom, w - right, top))
        rgb = page.render(scale=scale, crop=crop, rev_byteorder=True).to_numpy()[..., :3].copy()
        return View(rgb, left * step[0], top * step[1], step)


class _Poppler:
    def __init__(self, path: Path) -> None:
        self._path = path

    def view(self, page_index: int, geometry: PageGeometry, box_mm: Box, dpi: float) -> View:
        step = (25.4 / dpi, 25.4 / dpi)
        size = int(np.ceil(geometry.width_mm / step[0])), int(np.ceil(geometry.height_mm / step[1]))
        left, top, right, bottom = _pixel_box(box_mm, size, step)
        command = ["pdftoppm", "-cropbox", "-r", str(dpi * geometry.user_unit)]  # it does not know UserUnit
        command += ["-f", str(page_index + 1), "-l", str(page_index + 1), "-x", str(left), "-y", str(top)]
        command += ["-W", str(right - left), "-H", str(bottom - top), str(self._path)]
        done = subprocess.run(command, check=True, capture_output=True, timeout=120)
        magic, size_text, _, data = done.stdout.split(b"\n", 3)
        assert magic == b"P6", magic
        width, height = map(int, size_text.split())
        rgb = np.frombuffer(data, np.uint8).reshape(height, width, 3)
        return View(rgb, left * step[0], top * step[1], step)


@contextmanager
def mupdf(path: Path) -> Iterator[Renderer]:
    with pymupdf.open(path) as document:
        yield _MuPdf(document)


@contextmanager
def pdfium(path: Path) -> Iterator[Renderer]:
    document = pypdfium2.PdfDocument(path)
    document.init_forms()
    try:
        yield _Pdfium(document)
    finally:
        document.close()


@contextmanager
def poppler(path: Path) -> Iterator[Renderer]:
    yield _Poppler(path)


ENGINES: Mapping[str, Callable[[Path], AbstractContextManager[Renderer]]] = {
    "mupdf": mupdf,
    "poppler": poppler,
    "pdfium": pdfium,
}


def frame_box_mm(view: View, expected_mm: Box, thick_mm: float) -> Box:
    """Return the outer box of a solid frame in a view, each edge by how much of it is inked.

    Args:
        expected_mm: x, y, w, h where it should be; edges are looked for 1 mm around.
        thick_mm: of the frame's four sides.
    """
    ink = view.ink
    x, y, w, h = expected_mm
    sx, sy = view.mm_per_px
    across = ink[_span(y + h * 0.62, y + h * 0.72, view.y_mm, sy)].mean(axis=0)
    down = ink[:, _span(x + w * 0.72, x + w * 0.82, view.x_mm, sx)].mean(axis=1)
    left = _edge(across, view.x_mm, sx, x, thick_mm)
    right = -_edge(across[::-1], -(view.x_mm + len(across) * sx), sx, -(x + w), thick_mm)
    top = _edge(down, view.y_mm, sy, y, thick_mm)
    bottom = -_edge(down[::-1], -(view.y_mm + len(down) * sy), sy, -(y + h), thick_mm)
    return left, top, right - left, bottom - top


def _span(start_mm: float, end_mm: float, origin_mm: float, step_mm: float) -> slice:
    return slice(round((start_mm - origin_mm) / step_mm), round((end_mm - origin_mm) / step_mm))


def _edge(
    profile: NDArray[np.float64], origin_mm: float, step_mm: float, at_mm: float, thick_mm: float
) -> float:
    """Return where ink begins near a place: the middle of the stroke, less what is inked before it."""
    first = max(0, round((at_mm - 1.0 - origin_mm) / step_mm))
    middle = round((at_mm + thick_mm / 2 - origin_mm) / step_mm)
    return origin_mm + middle * step_mm - float(profile[first:middle].sum()) * step_mm


def likeness(view: View, box_mm: Box, picture: Path, canvas_box_mm: Box) -> list[float]:
    """Return the Dice coefficient of what a box shows with a seal: upright, mirrored, turned by 180°."""
    x, y, w, h = canvas_box_mm
    alpha = np.asarray(Image.open(picture).getchannel("A"))
    wanted = alpha[round(y * 20) : round((y + h) * 20), round(x * 20) : round((x + w) * 20)] > 127
    rows = (box_mm[1] + (np.arange(wanted.shape[0]) + 0.5) / 20 - view.y_mm) / view.mm_per_px[1]
    columns = (box_mm[0] + (np.arange(wanted.shape[1]) + 0.5) / 20 - view.x_mm) / view.mm_per_px[0]
    ink = view.ink > 0.5
    rows, columns = np.clip(rows, 0, ink.shape[0] - 1), np.clip(columns, 0, ink.shape[1] - 1)
    seen = ink[rows.astype(int)][:, columns.astype(int)]
    return [
        float(2 * (seen & other).sum() / (seen.sum() + other.sum()))
        for other in (wanted, wanted[:, ::-1], wanted[::-1], wanted[::-1, ::-1])
    ]
