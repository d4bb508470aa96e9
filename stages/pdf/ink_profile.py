"""How a seal's ink is spread over its width or its height."""

from dataclasses import dataclass, field

import numpy as np

from seal_imaging.units import SEAL_PX_PER_MM
from stages.documents import SealFace
from stages.pdf.seal_image import ink_pixels


@dataclass(frozen=True)
class InkProfile:
    """Ink from one side of a seal's ink box to the other.

    Attributes:
        cumulative: share of the ink, 0 to 1, up to each of the places that part the box into equal steps.
        ink_mm2: all of it.
        length_mm: of the box, the way that is looked.
    """

    cumulative: tuple[float, ...] = field(repr=False)
    ink_mm2: float
    length_mm: float

    def along_mm(self, start: float, end: float) -> float:
        """Return how much of the edge between two places, 0 to 1, is inked on average, in mm."""
        steps = len(self.cumulative) - 1
        low, high = np.interp([start * steps, end * steps], np.arange(steps + 1), self.cumulative)
        return float(high - low) * self.ink_mm2 / ((end - start) * self.length_mm)


def ink_profile(face: SealFace, *, across: bool) -> InkProfile:
    """Return how a seal's ink is spread.

    Args:
        across: from left to right; else from top to bottom.

    Raises:
        InputRefused: see `seal_image.ink_pixels`.
    """
    alpha = ink_pixels(face)[..., 3].astype(np.float64) / 255
    lines = alpha.sum(axis=0 if across else 1)
    total = float(lines.sum())
    cumulative = np.concatenate([[0.0], np.cumsum(lines) / total])
    return InkProfile(
        tuple(float(value) for value in cumulative),
        total / SEAL_PX_PER_MM**2,
        face.ink_box_mm[2 if across else 3],
    )
