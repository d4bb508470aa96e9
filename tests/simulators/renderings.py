"""Shows pages as two independent renderers draw them, and measures the red ink on them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pymupdf
from numpy.typing import NDArray
from PIL import Image

from stages.documents import PageGeometry, SealFace

Rgb = NDArray[np.uint8]


def by_mupdf(path: Path, dpi: int) -> Iterator[Rgb]:
    """Yield every page as MuPDF shows it."""
    with pymupdf.open(path) as document:
        for page in document:
            pixmap = page.get_pixmap(dpi=dpi, alpha=False)
            yield np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3).copy()


def by_poppler(path: Path, dpi: int, folder: Path) -> Iterator[Rgb]:
    """Yield every page as Poppler shows it."""
    folder.mkdir(exist_ok=True)
    command = ["pdftoppm", "-cropbox", "-r", str(dpi), str(path), str(folder / "p")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert "rror" not in done.stderr, done.stderr
    for file in sorted(folder.glob("p*.ppm")):
        yield np.asarray(Image.open(file))


def ink(page: Rgb) -> NDArray[np.bool_]:
    """Return where a page is more than half red."""
    red, green = page[..., 0].astype(np.int16), page[..., 1]
    return red - green > 90


def ink_within(page: pymupdf.Page, box_mm: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """Return the ink within x, y, w, h in mm of a displayed page, as MuPDF shows it, at 40 dots a mm."""
    per_mm = 40.0
    x, y, w, h = box_mm
    pt = 72 / 25.4
    clip = pymupdf.Rect(x - 1, y - 1, x + w + 1, y + h + 1) * pt & page.rect
    pixmap = page.get_pixmap(matrix=pymupdf.Matrix(per_mm / pt, per_mm / pt), clip=clip, alpha=False)
    mask = ink(np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3))
    columns = np.floor((x + (np.arange(round(w * 20)) + 0.5) / 20) * per_mm).astype(int) - pixmap.x
    rows = np.floor((y + (np.arange(round(h * 20)) + 0.5) / 20) * per_mm).astype(int) - pixmap.y
    rows, columns = np.clip(rows, 0, mask.shape[0] - 1), np.clip(columns, 0, mask.shape[1] - 1)
    within: NDArray[np.bool_] = mask[rows][:, columns]
    return within


def ink_box_mm(page: Rgb, geometry: PageGeometry) -> tuple[float, float, float, float]:
    """Return x, y, w, h of the red ink in mm of the displayed page."""
    mask = ink(page)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    sx, sy = geometry.width_mm / page.shape[1], geometry.height_mm / page.shape[0]
    x, y = columns[0] * sx, rows[0] * sy
    return x, y, (columns[-1] + 1) * sx - x, (rows[-1] + 1) * sy - y


def likeness(mask: NDArray[np.bool_], face: SealFace) -> float:
    """Return the Dice coefficient of ink cut to its box and a seal's own picture."""
    x, y, w, h = (round(value * 20) for value in face.ink_box_mm)
    picture = Image.open(face.image_path).getchannel("A").crop((x, y, x + w, y + h))
    size = (mask.shape[1], mask.shape[0])
    expected = np.asarray(picture.resize(size, Image.Resampling.BOX)) > 127
    return float(2 * (mask & expected).sum() / (mask.sum() + expected.sum()))
