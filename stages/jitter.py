"""Seals set down as a hand would: a little turned, a little beside the place, the same in every run."""

import hashlib
import math
import zlib
from functools import lru_cache

import numpy as np

from stages.documents import SealFace
from stages.pdf.seal_image import seal_xobject

MAX_SIDES_DIFFER = 0.05
"""A round seal's ink may be higher than wide, or the other way round, by this share."""
RIM_FROM, RIM_TO = 0.82, 1.03
"""Where a round seal has its ring, in parts of its radius."""
MAX_INK_OUTSIDE = 0.005
"""Share of the ink beyond the ring: none but smears."""
SECTORS, MIN_SECTORS_INKED = 36, 29
"""A worn ring may have gaps, but not all around."""
_INK_ALPHA = 64


def shaken(seed: str, *, angle_deg: float, place_mm: float) -> tuple[float, float, float]:
    """Return an angle in degrees and a shift right and down in mm, decided by the seed alone.

    Args:
        angle_deg: the angle is within ± this, evenly.
        place_mm: the shift is anywhere within a circle of this radius, evenly.
    """
    digest = hashlib.sha256(seed.encode()).digest()
    turn, radius, direction = (int.from_bytes(digest[at : at + 8], "big") / 2**64 for at in (0, 8, 16))
    length_mm = place_mm * math.sqrt(radius)
    return (
        round((2 * turn - 1) * angle_deg, 2),
        round(length_mm * math.cos(math.tau * direction), 3),
        round(length_mm * math.sin(math.tau * direction), 3),
    )


def is_round(face: SealFace) -> bool:
    """Return whether a seal is round by its ink: as wide as high, a ring all around, nothing beyond it.

    Raises:
        InputRefused: its picture is not usable, see `seal_image.seal_xobject`.
    """
    _, _, w_mm, h_mm = face.ink_box_mm
    return abs(w_mm - h_mm) <= MAX_SIDES_DIFFER * max(w_mm, h_mm) and _has_ring(face)


@lru_cache(maxsize=64)
def _has_ring(face: SealFace) -> bool:
    picture = seal_xobject(face)
    alpha = np.frombuffer(zlib.decompress(picture.alpha), np.uint8)
    rows, columns = np.nonzero(alpha.reshape(picture.height_px, picture.width_px) > _INK_ALPHA)
    if rows.size == 0:
        return False
    x = (columns + 0.5) / picture.width_px * 2 - 1
    y = (rows + 0.5) / picture.height_px * 2 - 1
    radius = np.hypot(x, y)
    if np.count_nonzero(radius > RIM_TO) > MAX_INK_OUTSIDE * radius.size:
        return False
    on_rim = (radius >= RIM_FROM) & (radius <= RIM_TO)
    sectors = ((np.arctan2(y, x)[on_rim] / math.tau + 0.5) * SECTORS).astype(int) % SECTORS
    return bool(np.unique(sectors).size >= MIN_SECTORS_INKED)
