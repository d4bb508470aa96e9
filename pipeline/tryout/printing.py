"""Prints black text onto a page of light, for the pages the demo and the tests draw."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont


def print_text(
    canvas: NDArray[np.float32],
    text: str,
    *,
    font: bytes,
    left_px: float,
    middle_px: float,
    height_px: float,
    transmittance: float = 0.1,
) -> None:
    """Print one line of text, in place.

    Args:
        canvas: (H, W, 3), light that comes back, 0..1.
        middle_px: where half the line's height lies.
        transmittance: what comes back from solid black.
    """
    face = ImageFont.truetype(BytesIO(font), max(4, round(height_px)))
    x0, y0, x1, y1 = face.getbbox(text)
    picture = Image.new("L", (max(1, int(x1 - x0) + 2), max(1, int(y1 - y0) + 2)), 0)
    ImageDraw.Draw(picture).text((1 - x0, 1 - y0), text, fill=255, font=face)
    black = np.asarray(picture, np.float32)[..., None] / 255
    left, top = round(left_px), round(middle_px - picture.height / 2)
    from_x, from_y = max(0, left), max(0, top)
    to_x, to_y = min(canvas.shape[1], left + picture.width), min(canvas.shape[0], top + picture.height)
    if from_x < to_x and from_y < to_y:
        part = black[from_y - top : to_y - top, from_x - left : to_x - left]
        canvas[from_y:to_y, from_x:to_x] *= 1 - part * (1 - transmittance)
