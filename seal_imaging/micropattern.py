"""A faint keyed pattern inside a seal's strokes (防伪图样), made with it and found in a scan of a print.

The canvas is cut into cells of half a millimetre; a secret key gives each one a sign. Ink in the cells of
one sign is printed a little thinner. Nobody sees it; whoever has the key adds up the ink's unevenness with
the signs of the cells, and where the pattern is the sum grows far beyond chance.

Source: Cox, Kilian, Leighton & Shamoon, "Secure spread spectrum watermarking for multimedia", 1997.
"""

import hashlib
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.canvas import ink_box_mm
from seal_imaging.errors import ImpressionUnusable
from seal_imaging.finish import MAX_COVERED
from seal_imaging.impression import Impression, InkAmount, RgbaImage
from seal_imaging.overlay import lay_over
from seal_imaging.units import CANVAS_MM
from seal_imaging.warping import lay

CELL_MM = 0.5
CELLS = round(CANVAS_MM / CELL_MM)
DEPTH = 0.08
"""How much thinner the ink is in half of the cells: at 0.12 one sees it in a star at arm's length."""
MIN_KEY_BYTES = 16

PROOF_SCORE = 6.0
"""From this score on the pattern is there.

With a key that has nothing to do with the scan the cells' signs are fair coins, and the score is their sum
weighted to variance one. Hoeffding (1963): it exceeds t with probability at most exp(−t²/2), whatever was
scanned: 1.5e-8 at 6.
"""
EXPECTED_SHARE = 0.5
"""A print that keeps less of the pattern's depth than this is not reckoned with when absence is proved."""
MIN_EXPECTED = PROOF_SCORE + 3.0
"""Absence is proved where the pattern, had it been there, would score this: three sigma above the limit."""
MIN_LIKENESS = 0.6
"""Below this the ink does not lie on the seal's strokes: it is no impression of this seal."""
MIN_PX_PER_MM = 7.0
"""Coarser scans blur the cells: 180 dpi."""

MIN_INK = 0.3
"""Below this share of solid ink a stroke was not printed."""

_LAY_PX_PER_MM = 5.0
_WORK_PX_PER_MM = 10.0
_CORE = np.ones((3, 3), np.uint8)
"""A tenth of a millimetre at the strokes' edges is left out: there the scan mixes ink and paper."""
_EVEN_MM = 1.2
"""Ink is compared with the ink this far around it: slower changes are the stamp's pressure."""
_SCAN_BLUR_MM = 0.08
"""How far printing and scanning at 300 dpi spread the ink."""
_OUTLIER = 2.5


@dataclass(frozen=True)
class PatternScore:
    """How clearly a key's pattern stands in an impression.

    Attributes:
        score: the sum over the cells in units of its chance deviation; see PROOF_SCORE.
        expected: the score that the pattern would at least have, were it there.
        likeness: correlation of the impression's ink with the seal's strokes, 0..1.
    """

    score: float
    expected: float
    likeness: float

    @property
    def is_found(self) -> bool:
        """Whether the pattern is there."""
        return self.score >= PROOF_SCORE

    @property
    def is_absent(self) -> bool:
        """Whether the pattern is not there; when neither, nobody can tell."""
        return not self.is_found and self.expected >= MIN_EXPECTED


def put_pattern(image: RgbaImage, key: bytes) -> RgbaImage:
    """Return a seal image with the key's pattern in its strokes; size, outline and colour stay.

    Args:
        image: (H, W, 4), the square 70 mm canvas.

    Raises:
        ImpressionUnusable: not a square RGBA canvas, without ink, or a key of less than MIN_KEY_BYTES.
    """
    _check_canvas(image)
    marked = image.copy()
    marked[..., 3] = np.round(image[..., 3] * _thinner(_signs(key), image.shape[0]))
    return marked


def find_pattern(impression: Impression, image: RgbaImage, key: bytes) -> PatternScore:
    """Look for the key's pattern in an impression of a seal.

    Args:
        image: the seal's own image with the pattern in it; it says where strokes are.

    Raises:
        ImpressionUnusable: the scan is too coarse, or as for `put_pattern`.
    """
    width_mm = _check_canvas(image)
    signs = _signs(key)
    scan_px_per_mm = impression.size_px[0] / width_mm
    if scan_px_per_mm < MIN_PX_PER_MM:
        raise ImpressionUnusable(
            f"the scan has {scan_px_per_mm * 25.4:.0f} dpi, too few to see the micro-pattern; "
            "scan at 300 dpi or more",
            zh=f"扫描分辨率约 {scan_px_per_mm * 25.4:.0f} dpi，无法检查防伪图样，请用 300 dpi 以上扫描",
        )
    # Where strokes lie must not depend on the signs, or the edges would count for or against them.
    plain = np.clip(image[..., 3] / (255 * _thinner(signs, image.shape[0])), 0, 1).astype(np.float32)
    strokes = _shrunk(plain, _WORK_PX_PER_MM)
    laid = lay_over(impression, _shrunk(plain, _LAY_PX_PER_MM), width_mm=width_mm, px_per_mm=_LAY_PX_PER_MM)
    finer = np.diag([_LAY_PX_PER_MM / _WORK_PX_PER_MM, _LAY_PX_PER_MM / _WORK_PX_PER_MM, 1.0])
    box_from_canvas, size = laid.box_from_canvas @ finer, (strokes.shape[1], strokes.shape[0])
    kept = impression.ink if impression.strength is None else impression.strength
    strength = lay(kept, box_from_canvas, size)
    inside = cv2.erode((strokes > 0.5).astype(np.uint8), _CORE) > 0
    inside &= strength > MIN_INK
    if impression.covered is not None:
        inside &= lay(impression.covered, box_from_canvas, size) < MAX_COVERED
    score, expected = _score(strength, strokes, inside, signs)
    return PatternScore(score, expected, laid.likeness)


def _score(
    strength: InkAmount, strokes: InkAmount, inside: NDArray[np.bool_], signs: NDArray[np.int8]
) -> tuple[float, float]:
    """Return the score of the signs, and what it would at least be with the pattern there.

    Args:
        strokes: the seal's ink without the pattern: its own texture is taken off first.
    """
    if not inside.any():
        return 0.0, 0.0
    weight = inside.astype(np.float32)
    sigma = _EVEN_MM * _WORK_PX_PER_MM
    norm = np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3)
    texture = cv2.GaussianBlur(strokes, (0, 0), _SCAN_BLUR_MM * _WORK_PX_PER_MM)
    texture = (texture - cv2.GaussianBlur(texture * weight, (0, 0), sigma) / norm) * weight
    uneven = (strength - cv2.GaussianBlur(strength * weight, (0, 0), sigma) / norm) * weight
    uneven -= texture * float((uneven * texture).sum() / ((texture * texture).sum() + 1e-6))
    spread = 1.4826 * float(np.median(np.abs(uneven[inside]))) + 1e-6
    uneven = np.clip(uneven, -_OUTLIER * spread, _OUTLIER * spread)
    cells = cv2.resize(uneven, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    deviation = math.sqrt(float((cells.astype(np.float64) ** 2).sum())) + 1e-12
    amplitude = EXPECTED_SHARE * DEPTH / 2 * float(np.median(strength[inside]))
    covered = float(cv2.resize(weight, (CELLS, CELLS), interpolation=cv2.INTER_AREA).sum())
    return float((cells * signs).sum()) / deviation, amplitude * covered / deviation


def _check_canvas(image: RgbaImage) -> float:
    """Return the width of the seal on a square RGBA canvas, in mm.

    Raises:
        ImpressionUnusable: it is none, or empty.
    """
    if image.ndim == 3 and image.shape[0] != image.shape[1]:
        raise ImpressionUnusable(
            f"a seal image is square, not {image.shape[1]} x {image.shape[0]} px; make it anew",
            zh=f"印章图像应为正方形，而不是 {image.shape[1]}×{image.shape[0]} 像素，请重新制作",
        )
    return ink_box_mm(image, px_per_mm=image.shape[0] / CANVAS_MM)[2]


def _shrunk(alpha: InkAmount, px_per_mm: float) -> InkAmount:
    side = round(CANVAS_MM * px_per_mm)
    return np.asarray(cv2.resize(alpha, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def _thinner(signs: NDArray[np.int8], side: int) -> NDArray[np.float32]:
    """Return what the ink of each pixel is multiplied by: (side, side), 1 − DEPTH to 1, no hard steps."""
    smooth = cv2.resize(signs.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(1 - DEPTH * (1 - np.clip(1.6 * smooth, -1, 1)) / 2, np.float32)


def _signs(key: bytes) -> NDArray[np.int8]:
    """Return (CELLS, CELLS) of −1 and 1, as the key says."""
    if len(key) < MIN_KEY_BYTES:
        raise ImpressionUnusable(
            f"a micro-pattern needs a key of {MIN_KEY_BYTES} bytes or more; hand in the seal's own key",
            zh=f"防伪图样的密钥至少 {MIN_KEY_BYTES} 字节",
        )
    count = CELLS * CELLS
    stream = hashlib.shake_256(b"sealine micro-pattern 1\0" + key).digest((count + 7) // 8)
    bits = np.unpackbits(np.frombuffer(stream, np.uint8))[:count]
    return (2 * bits.astype(np.int8) - 1).reshape(CELLS, CELLS)
