"""Where the lines of text are on a picture of a page: found with the detection model in rapidocr."""

import threading
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.ocr_engine import open_session

MODEL_NAME = "PP-OCRv6_det_small.onnx"
SIDE_PX = 1024
"""The model sees a page no larger than this; the characters of a form are then 12 px high."""
STEP_PX = 32
INK = 0.3
"""From which probability on a pixel belongs to a line."""
MIN_BELIEF = 0.5
GROWTH = 1.6
"""The model marks the core of a line: its outline grows by area × this ÷ length of the outline."""
MIN_SIDE_PX = 4.0
MAX_LINES = 1000
TALL = 1.5
"""A box this much higher than wide holds text that runs down or up."""

GrayPage = NDArray[np.uint8]
"""(H, W), 0 = ink, 255 = paper."""


@dataclass(frozen=True)
class LineBox:
    """A box round a line of text, turned with it.

    Attributes:
        corners_px: top left, top right, bottom right, bottom left as x, y.
    """

    corners_px: NDArray[np.float32]

    @property
    def width_px(self) -> float:
        """Along the upper edge."""
        return float(np.linalg.norm(self.corners_px[1] - self.corners_px[0]))

    @property
    def height_px(self) -> float:
        """Along the left edge."""
        return float(np.linalg.norm(self.corners_px[3] - self.corners_px[0]))

    @property
    def is_tall(self) -> bool:
        """Whether the text must run down or up."""
        return self.height_px > TALL * self.width_px

    def cut_out(self, page: GrayPage) -> GrayPage:
        """Return the box's pixels, set upright."""
        size = max(2, round(self.width_px)), max(2, round(self.height_px))
        target = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
        matrix = cv2.getPerspectiveTransform(self.corners_px, target)
        flat = cv2.warpPerspective(
            page, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(flat, np.uint8)


class LineFinder:
    """Finds lines; its model is loaded when it is first asked, and threads may share it."""

    def __init__(self, *, threads: int = 1, model_path: str | None = None) -> None:
        """Say how to find.

        Args:
            threads: how many the engine may use.
            model_path: another detection model in ONNX form; None for the package's own.
        """
        self._threads = threads
        self._model_path = model_path
        self._lock = threading.Lock()
        self._session: Any = None

    def find(self, page: GrayPage) -> list[LineBox]:
        """Return the boxes of a page's lines, from top to bottom.

        Raises:
            ReaderUnavailable: the engine or its model is missing.
        """
        with self._lock:
            if self._session is None:
                self._session = open_session(MODEL_NAME, threads=self._threads, model_path=self._model_path)
        scale = min(1.0, SIDE_PX / max(page.shape))
        size = [max(STEP_PX, round(side * scale / STEP_PX) * STEP_PX) for side in page.shape]
        small = cv2.resize(page, (size[1], size[0]), interpolation=cv2.INTER_AREA)
        values = np.repeat((small.astype(np.float32) / 127.5 - 1)[None, None], 3, axis=1)
        belief = np.asarray(self._session.run(None, {self._session.get_inputs()[0].name: values})[0][0, 0])
        factor = np.array([page.shape[1] / size[1], page.shape[0] / size[0]], np.float32)
        return _boxes(belief, factor)


def _boxes(belief: NDArray[np.float32], factor: NDArray[np.float32]) -> list[LineBox]:
    """Return the boxes in a map of beliefs, in the page's pixels.

    Source: Liao et al., "Real-time scene text detection with differentiable binarization", 2020, §3.
    """
    mask = cv2.dilate((belief > INK).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    boxes = []
    for contour in contours[:MAX_LINES]:
        (x, y), (w, h), angle = cv2.minAreaRect(contour)
        if min(w, h) < MIN_SIDE_PX or _mean_inside(belief, contour) < MIN_BELIEF:
            continue
        grown = w * h * GROWTH / (2 * (w + h))
        corners = cv2.boxPoints(((x, y), (w + 2 * grown, h + 2 * grown), angle)) * factor
        boxes.append(LineBox(_from_top_left(corners.astype(np.float32))))
    return sorted(boxes, key=lambda box: (float(box.corners_px[:, 1].mean()), float(box.corners_px[0, 0])))


def _mean_inside(belief: NDArray[np.float32], contour: Any) -> float:
    x, y, w, h = cv2.boundingRect(contour)
    mask = np.zeros((h, w), np.uint8)
    cv2.fillPoly(mask, [contour - (x, y)], (1,))
    return float(cv2.mean(belief[y : y + h, x : x + w], mask)[0])


def _from_top_left(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return four corners clockwise from the one at the top left."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = by_x[:2], by_x[2:]
    left, right = left[np.argsort(left[:, 1])], right[np.argsort(right[:, 1])]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)
