"""How a seal's ink is spread over its width or its height."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seal_imaging.units import SEAL_PX_PER_MM
from stages.documents import SealFace
from stages.pdf.seal_image import ink_pixels

INKED_MM = 0.5
"""A line across the seal with this much ink, or more, counts as inked; one with less counts in part."""


@dataclass(frozen=True, eq=False)
class InkProfile:
    """Ink from one side of a seal's ink box to the other.

    Attributes:
        ink_mm2: ink up to each of the places that part the box into equal steps; the last is all of it.
        inked: share of the inked lines up to each of these places, from 0 to 1.
        length_mm: of the box, the way that is looked.
    """

    ink_mm2: NDArray[np.float64] = field(repr=False)
    inked: NDArray[np.float64] = field(repr=False)
    length_mm: float

    def along_mm(self, start: float, end: float) -> float:
        """Return how much of a line between two places, 0 to 1, is inked on average, in mm."""
        low, high = np.interp([start, end], np.linspace(0, 1, len(self.ink_mm2)), self.ink_mm2)
        return float(high - low) / ((end - start) * self.length_mm)

    def place_of(self, share: float) -> float:
        """Return the place, 0 to 1, up to which lies a share of the inked lines."""
        after = min(max(int(np.searchsorted(self.inked, share)), 1), len(self.inked) - 1)
        low, high = self.inked[after - 1], self.inked[after]
        return float((after - 1 + (share - low) / (high - low)) / (len(self.inked) - 1))


def ink_profile(face: SealFace, *, across: bool) -> InkProfile:
    """Return how a seal's ink is spread.

    Args:
        across: from left to right; else from top to bottom.

    Raises:
        InputRefused: see `seal_image.ink_pixels`.
    """
    alpha = ink_pixels(face)[..., 3].astype(np.float64) / 255
    along_mm = alpha.sum(axis=0 if across else 1) / SEAL_PX_PER_MM
    inked = np.cumsum(np.minimum(along_mm / INKED_MM, 1.0))
    return InkProfile(
        np.concatenate([[0.0], np.cumsum(along_mm) / SEAL_PX_PER_MM]),
        np.concatenate([[0.0], inked / inked[-1]]),
        face.ink_box_mm[2 if across else 3],
    )
