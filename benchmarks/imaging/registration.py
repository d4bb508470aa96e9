"""Compares how impressions are laid over each other with how they were drawn."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.tryout.specimens import ImpressionTruth
from seal_imaging import Impression
from seal_imaging.register import may_be_one_seal, register

FALSE_LOCK_MM = 1.0
"""Laid farther off than this an impression is not inexact but wrong, by a point of the star say."""
_AT = np.array([[0.0, 0.0], [0.4, 0.0], [-0.4, 0.0], [0.0, 0.4], [0.0, -0.4]])


def registration_errors_mm(
    pairs: Sequence[tuple[ImpressionTruth, Impression]], px_per_mm: float
) -> list[float]:
    """Return, for each impression of a seal but the first, how far off the first it is laid, in mm."""
    (first_truth, first), *others = pairs
    points = _points(first_truth, first, px_per_mm)
    errors = []
    for truth, impression in others:
        if not may_be_one_seal(first, impression):
            continue
        laid = register(first, impression).box_from_flat
        moved = np.column_stack([points, np.ones(len(points))]) @ laid.T
        off = moved[:, :2] / moved[:, 2:] - _points(truth, impression, px_per_mm)
        errors.append(float(np.hypot(*off.T).mean() / px_per_mm))
    return errors


def _points(truth: ImpressionTruth, impression: Impression, px_per_mm: float) -> NDArray[np.float64]:
    """Return points of the seal, in pixels of the impression's box."""
    t = math.radians(truth.angle_deg)
    turned = np.array([[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]])
    on_seal = _AT * truth.size_mm * px_per_mm
    return on_seal @ turned.T + np.array(truth.centre_px) - np.array(impression.box_px[:2])
