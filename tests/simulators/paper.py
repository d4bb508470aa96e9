"""Turns PDFs into what a scanner makes of their print: pictures without a text layer."""

from pathlib import Path

import numpy as np
import pymupdf


def scanned(
    source: Path,
    out: Path,
    *,
    dpi: int = 150,
    skew_deg: float = 0.0,
    noise: float = 0.0,
    turned: int = 0,
    note: str = "",
) -> Path:
    """Write each page as one grey JPEG that fills it.

    Args:
        noise: standard deviation of the grain, of 255.
        turned: how far the sheet lay turned on the glass, in steps of 90°.
        note: a text layer with this at the page's foot.
    """
    random = np.random.default_rng(7)
    scan = pymupdf.open()
    with pymupdf.open(source) as document:
        for page in document:
            matrix = pymupdf.Matrix(dpi / 72, dpi / 72).prerotate(skew_deg)
            pixels = page.get_pixmap(matrix=matrix, colorspace=pymupdf.csGRAY)
            grey = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width)
            grey = np.rot90(grey.astype(np.float32), turned)
            if noise:
                grey = grey + random.normal(0, noise, grey.shape)
            grey = np.ascontiguousarray(np.clip(grey, 0, 255).astype(np.uint8))
            picture = pymupdf.Pixmap(pymupdf.csGRAY, grey.shape[1], grey.shape[0], grey.tobytes(), False)
            sheet = scan.new_page(width=grey.shape[1] * 72 / dpi, height=grey.shape[0] * 72 / dpi)
            sheet.insert_image(sheet.rect, stream=picture.tobytes("jpg", 75))
            if note:
                sheet.insert_text((72, sheet.rect.height - 20), note, fontname="china-s", fontsize=8)
    scan.save(out, deflate=True)
    return out
