"""Reads and writes pictures of seals as PNG files that know their size on paper."""

from pathlib import Path

import numpy as np
from PIL import Image

from seal_imaging import ImpressionUnusable, RgbaImage, ink_box_mm
from seal_imaging.canvas import INK_ALPHA
from seal_imaging.micropattern import put_pattern
from seal_imaging.units import CANVAS_MM, SEAL_PX_PER_MM, dpi_from_px_per_mm, px_per_metre
from stages.errors import InputRefused
from stages.pictures import open_picture_bytes, reading

CANVAS_PX = round(CANVAS_MM * SEAL_PX_PER_MM)

MAX_IMAGE_BYTES = 6 * 1024 * 1024
MIN_INK_MM = 3.0
"""A seal smaller than this is a speck, not a seal."""


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


def write_marked(image: Path, key: bytes, out: Path) -> Path:
    """Write a finished seal image again with the key's micro-pattern in its ink; return where.

    Raises:
        InputRefused: see `read_seal_image`.
    """
    read_seal_image(image)
    write_png(out, put_pattern(read_pixels(image), key), px_per_mm=SEAL_PX_PER_MM)
    return out


def read_pixels(image: Path) -> RgbaImage:
    """Return the pixels of a finished seal image, 1400 × 1400 × 4.

    Raises:
        InputRefused: not a PNG, larger, or damaged.
    """
    with (
        open_picture_bytes(
            image.read_bytes(), name=image.name, formats=frozenset({"PNG"}), max_pixels=CANVAS_PX * CANVAS_PX
        ) as picture,
        reading(image.name),
    ):
        return np.asarray(picture.convert("RGBA"), dtype=np.uint8)


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
    name = image.name
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
            pixels = np.asarray(picture, dtype=np.uint8)
    if png_px_per_metre(data) != (px_per_metre(SEAL_PX_PER_MM), px_per_metre(SEAL_PX_PER_MM)):
        raise _image_refused("its pHYs chunk does not say 20000 px per metre", "图像未标明 20000 像素/米")
    try:
        box_mm = ink_box_mm(pixels, px_per_mm=SEAL_PX_PER_MM)
    except ImpressionUnusable as error:
        raise _image_refused("there is no ink in it", "图像中没有印迹") from error
    inked = pixels[:, :, 3] >= INK_ALPHA
    if inked[[0, -1]].any() or inked[:, [0, -1]].any():
        raise _image_refused("its ink touches the canvas's edge", "印迹触及画布边缘")
    if max(box_mm[2:]) < MIN_INK_MM:
        raise _image_refused(f"its ink is smaller than {MIN_INK_MM} mm", f"印迹小于 {MIN_INK_MM} 毫米")
    return data, box_mm


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
