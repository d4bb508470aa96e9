"""Reads and writes pictures of seals as PNG files that know their size on paper."""

from pathlib import Path

import numpy as np
from PIL import Image

from seal_imaging.impression import RgbaImage
from seal_imaging.units import CANVAS_MM, SEAL_PX_PER_MM, dpi_from_px_per_mm, px_per_metre
from stages.errors import InputRefused
from stages.pictures import open_picture_bytes, reading

CANVAS_PX = round(CANVAS_MM * SEAL_PX_PER_MM)

MAX_IMAGE_BYTES = 6 * 1024 * 1024
MIN_INK_MM = 3.0
"""A seal smaller than this is a speck, not a seal."""
MIN_INK_ALPHA = 8
"""Of 255: fainter than this is no ink."""


def write_png(path: Path, image: RgbaImage, *, px_per_mm: float | None) -> None:
    """Write an RGBA picture, the same bytes for the same picture.

    Args:
        px_per_mm: its scale, for the pHYs chunk; without one no pHYs is written.
    """
    picture = Image.fromarray(image)
    if px_per_mm is None:
        picture.save(path, format="PNG")
    else:
        dpi = dpi_from_px_per_mm(px_per_mm)
        picture.save(path, format="PNG", dpi=(dpi, dpi))


def read_seal_image(image: Path) -> tuple[bytes, tuple[float, float, float, float]]:
    """Return a finished seal image's bytes, and the box of its ink in mm: x, y, w, h on the canvas.

    Raises:
        InputRefused: not a PNG with transparency, of 1400 × 1400 px with pHYs 20000 per metre both
            ways; or without ink; or with ink that touches the edge.
    """
    try:
        size_bytes = image.stat().st_size
        if size_bytes > MAX_IMAGE_BYTES:
            raise _image_refused(f"{size_bytes} bytes, the limit is {MAX_IMAGE_BYTES}", "文件过大")
        data = image.read_bytes()
    except OSError as error:
        raise _image_refused(f"cannot be read ({error.strerror})", "无法读取") from error
    name = "the seal image"
    with open_picture_bytes(
        data, name=name, formats=frozenset({"PNG"}), max_pixels=CANVAS_PX * CANVAS_PX
    ) as picture:
        if picture.mode != "RGBA" or picture.size != (CANVAS_PX, CANVAS_PX):
            raise _image_refused(
                f"{picture.mode}, {picture.size[0]} x {picture.size[1]} px; "
                f"it must be RGBA, {CANVAS_PX} x {CANVAS_PX} px",
                f"应为 RGBA、{CANVAS_PX}×{CANVAS_PX} 像素",
            )
        with reading(name):
            picture.load()  # pHYs may legally follow other chunks; CRCs are checked on the way
            alpha = np.asarray(picture.getchannel("A"))
    if png_px_per_metre(data) != (px_per_metre(SEAL_PX_PER_MM), px_per_metre(SEAL_PX_PER_MM)):
        raise _image_refused("its pHYs chunk does not say 20000 px per metre", "图像未标明 20000 像素/米")
    inked = alpha >= MIN_INK_ALPHA
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    if rows.size == 0:
        raise _image_refused("there is no ink in it", "图像中没有印迹")
    top, bottom, left, right = (int(v) for v in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    if min(top, left) == 0 or max(bottom, right) == CANVAS_PX:
        raise _image_refused("its ink touches the canvas's edge", "印迹触及画布边缘")
    box_px = (left, top, right - left, bottom - top)
    if max(box_px[2:]) < MIN_INK_MM * SEAL_PX_PER_MM:
        raise _image_refused(f"its ink is smaller than {MIN_INK_MM} mm", f"印迹小于 {MIN_INK_MM} 毫米")
    x, y, w, h = (value / SEAL_PX_PER_MM for value in box_px)
    return data, (x, y, w, h)


def png_px_per_metre(data: bytes) -> tuple[int, int] | None:
    """Return x and y of a PNG's pHYs chunk (PNG, Third Edition, §11.3.4.3); None without one in metres."""
    at = 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        if kind == b"pHYs" and len(body) == 9:
            x, y = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
            return (x, y) if body[8] == 1 else None
        if kind == b"IDAT":
            return None
        at += 12 + size
    return None


def _image_refused(fact: str, fact_zh: str) -> InputRefused:
    return InputRefused(
        f"the seal image is not true to size or not usable: {fact}; "
        "extract it from a scan whose scale is known, or state the seal's width",
        zh=f"印章图像尺寸不真实或不可用：{fact_zh}；请用已知分辨率的扫描件重新提取，或给出印章宽度。",
    )
