"""Draws our blank specimen form as pixels, from the same geometry the printed PDF uses."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.tryout.printing import print_text
from seal_imaging import form
from seal_imaging.form import BoxMm, SpecimenForm

_BLACK = 0.08


def draw_blank_form(words: SpecimenForm, font: bytes, *, px_per_mm: float) -> NDArray[np.float32]:
    """Return the form as light that comes back from it: (H, W, 3), 1 = paper."""
    width, height = (round(side * px_per_mm) for side in form.PAGE_MM)
    canvas = np.ones((height, width, 3), np.float32)

    dictionary = cv2.aruco.getPredefinedDictionary(form.ARUCO_DICTIONARY)
    for marker, x, y in form.MARKERS:
        picture = cv2.aruco.generateImageMarker(dictionary, marker, form.MARKER_MODULES)
        _place(canvas, picture, (x, y, form.MARKER_MM, form.MARKER_MM), px_per_mm)

    code = cv2.QRCodeEncoder.create().encode(form.qr_text(words.order_number))
    _place(canvas, code, form.QR_BOX_MM, px_per_mm)

    for text, box in (
        (words.title, form.TITLE_BOX_MM),
        (f"（{words.legend}）", form.LEGEND_BOX_MM),
        (f"单号 {words.order_number}  {words.owner}", form.ORDER_BOX_MM),
    ):
        _write(canvas, text, box, font, px_per_mm)
    x, y, w, h = form.FOOTER_BOX_MM
    line_h = h / max(4, len(words.instructions))
    for number, text in enumerate(words.instructions):
        _write(canvas, text, (x, y + number * line_h, w, line_h * 0.8), font, px_per_mm)

    for row in form.ROWS:
        _write(canvas, row.label, (row.boxes[0][0], row.y_mm, 60.0, form.LABEL_H_MM), font, px_per_mm)
        for box in row.boxes:
            _frame(canvas, box, px_per_mm)
    return canvas


def _place(canvas: NDArray[np.float32], picture: NDArray[np.uint8], box: BoxMm, px_per_mm: float) -> None:
    """Lay a picture of hard modules over a box, averaged from a fine grid: edges fall where they should."""
    x0, y0, x1, y1 = (v * px_per_mm for v in (box[0], box[1], box[0] + box[2], box[1] + box[3]))
    left, top, right, bottom = int(x0), int(y0), int(x1) + 1, int(y1) + 1
    fine = 8
    scale_x, scale_y = (x1 - x0) / picture.shape[1], (y1 - y0) / picture.shape[0]
    columns = np.floor((left + (np.arange((right - left) * fine) + 0.5) / fine - x0) / scale_x).astype(int)
    rows = np.floor((top + (np.arange((bottom - top) * fine) + 0.5) / fine - y0) / scale_y).astype(int)
    padded = np.pad(picture.astype(np.float32) / 255, 1, constant_values=1.0)
    drawn = padded[
        np.ix_(
            np.clip(rows + 1, 0, padded.shape[0] - 1),
            np.clip(columns + 1, 0, padded.shape[1] - 1),
        )
    ]
    light = cv2.resize(drawn, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    canvas[top:bottom, left:right] *= (_BLACK + (1 - _BLACK) * light)[..., None]


def _write(canvas: NDArray[np.float32], text: str, box: BoxMm, font: bytes, px_per_mm: float) -> None:
    x, y, w, h = box
    height_mm = min(h * 0.75, w / max(1, len(text)))
    print_text(
        canvas,
        text,
        font=font,
        left_px=x * px_per_mm,
        middle_px=(y + h / 2) * px_per_mm,
        height_px=height_mm * px_per_mm,
        transmittance=_BLACK,
    )


def _frame(canvas: NDArray[np.float32], box: BoxMm, px_per_mm: float) -> None:
    x0, y0, x1, y1 = (round(v * px_per_mm) for v in (box[0], box[1], box[0] + box[2], box[1] + box[3]))
    thick = max(1, round(form.LINE_MM * px_per_mm))
    for band in (
        (slice(y0, y0 + thick), slice(x0, x1)),
        (slice(y1 - thick, y1), slice(x0, x1)),
        (slice(y0, y1), slice(x0, x0 + thick)),
        (slice(y0, y1), slice(x1 - thick, x1)),
    ):
        canvas[band] = 0.35
