"""The outline of a seal: its shape, place, size and tilt in pixels."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.impression import SealShape

Points = NDArray[np.float64]
"""(N, 2), x and y, outer corner of the first pixel at 0, 0."""


@dataclass(frozen=True)
class Outline:
    """A fitted outline.

    Attributes:
        centre_px: x, y.
        size_px: w, h before turning.
        angle_deg: clockwise turn; 0 for circles, whose turn their content tells.
        support: share of the outline's length where ink begins on the line.
    """

    shape: SealShape
    centre_px: tuple[float, float]
    size_px: tuple[float, float]
    angle_deg: float
    support: float

    def points(self, count: int = 180) -> Points:
        """Return points along the outline."""
        half_w, half_h = self.size_px[0] / 2, self.size_px[1] / 2
        if self.shape in (SealShape.CIRCLE, SealShape.ELLIPSE):
            t = np.linspace(0, 2 * math.pi, count, endpoint=False)
            flat = np.stack([half_w * np.cos(t), half_h * np.sin(t)], 1)
        else:
            flat = np.array([[-half_w, -half_h], [half_w, -half_h], [half_w, half_h], [-half_w, half_h]])
        return flat @ turned(self.angle_deg).T + self.centre_px

    def mask(self, shape: tuple[int, int], *, margin_px: float) -> NDArray[np.bool_]:
        """Return what lies inside the outline, widened by a margin."""
        grown = Outline(
            self.shape,
            self.centre_px,
            (max(1.0, self.size_px[0] + 2 * margin_px), max(1.0, self.size_px[1] + 2 * margin_px)),
            self.angle_deg,
            self.support,
        )
        canvas = np.zeros(shape, np.uint8)
        cv2.fillPoly(canvas, [np.round((grown.points() - 0.5) * 16).astype(np.int32)], 1, shift=4)
        return canvas > 0

    def holds(self, points: Points, *, grown: float = 1.0) -> NDArray[np.bool_]:
        """Tell which points lie inside the outline made `grown` times as large."""
        flat = np.abs((points - self.centre_px) @ turned(self.angle_deg))
        scaled = flat / (np.array(self.size_px) / 2 * grown)
        if self.shape in (SealShape.CIRCLE, SealShape.ELLIPSE):
            return np.asarray((scaled**2).sum(1) <= 1)
        return np.asarray(scaled.max(1) <= 1)


def turned(angle_deg: float) -> Points:
    """Return the matrix that turns (x right, y down) clockwise."""
    t = math.radians(angle_deg)
    return np.array([[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]])


def wrapped(angle_deg: float) -> float:
    """Return the angle's equal in -180 .. 180."""
    return between(angle_deg, 360.0)


def between(angle_deg: float, period_deg: float) -> float:
    """Return the angle's equal in -period/2 .. period/2."""
    return (angle_deg + period_deg / 2) % period_deg - period_deg / 2
