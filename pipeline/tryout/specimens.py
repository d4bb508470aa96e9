"""Draws scanned pages of seal impressions of which every fact is known.

The pages feed `sealine demo` and the tests. All randomness comes from the generator handed in:
the same seed gives the same page.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.tryout.artwork import ARTWORK_PX_PER_MM, Artwork
from pipeline.tryout.blank_form import draw_blank_form
from pipeline.tryout.degradations import add_folds, displace_red, let_print_through, stretch_contrast
from pipeline.tryout.printing import print_text
from seal_imaging import form
from seal_imaging.impression import RgbImage

SCAN_PX_PER_MM = 300 / 25.4
_SUPERSAMPLING = 3
_SOLID_TRANSMITTANCE_BLACK = 0.10


@dataclass(frozen=True)
class PageLook:
    """How the seals were stamped and how the page was scanned.

    Attributes:
        turn_deg: impressions are turned by up to this, either way.
        density: least and most ink an impression gets, 1 is full.
        missing, least_missing: share of an impression where no ink arrived, at most and at least.
        fringe_px: how far the scanner sees red beside blue.
        printed_over: black text and a table line run over each impression.
        paper_rgb: colour of the paper.
        shading: brightness lost from the light to the dark end of the page, 0..1.
        blur_px: sigma of the lens.
        noise: sigma, in grey levels.
        jpeg_quality: None for no JPEG.
        is_enhanced: the scanning software stretched contrast and clipped white.
        show_through: light that print on the other side takes, 0..1.
        folds: how many.
    """

    turn_deg: float = 8.0
    density: tuple[float, float] = (0.75, 1.0)
    missing: float = 0.05
    least_missing: float = 0.0
    fringe_px: float = 0.0
    printed_over: bool = False
    paper_rgb: tuple[int, int, int] = (250, 250, 248)
    shading: float = 0.03
    blur_px: float = 0.6
    noise: float = 2.0
    jpeg_quality: int | None = 92
    is_enhanced: bool = False
    show_through: float = 0.0
    folds: int = 0


CLEAN = PageLook(missing=0.0)
PRINTED_OVER = PageLook(printed_over=True)
FAINT = PageLook(density=(0.22, 0.35), missing=0.2)
PHOTO = PageLook(paper_rgb=(236, 228, 212), shading=0.3, blur_px=1.0, noise=4.0, jpeg_quality=80)
ENHANCED = PageLook(density=(0.6, 1.0), printed_over=True, is_enhanced=True)
SHOW_THROUGH = PageLook(show_through=0.10, folds=2)


@dataclass(frozen=True, eq=False)
class ImpressionTruth:
    """All there is to know of one impression drawn.

    Attributes:
        seal_index: which of the seals handed in.
        box_px: x, y, w, h around the seal on the page.
        angle_deg: clockwise turn on the page.
        centre_px: x, y on the page (0, 0 = outer corner of the first pixel).
        mask: (h, w) over box_px, where the ink went.
        design: (h, w) over box_px, where a perfect impression would have ink.
        printed: (h, w) over box_px, where black print lies over the impression.
    """

    seal_index: int
    box_px: tuple[int, int, int, int]
    size_mm: tuple[float, float]
    angle_deg: float
    centre_px: tuple[float, float]
    mask: NDArray[np.bool_]
    design: NDArray[np.bool_]
    printed: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class SpecimenPage:
    """A page and what is on it, top to bottom, left to right."""

    page: RgbImage
    truths: tuple[ImpressionTruth, ...]
    px_per_mm: float


@dataclass(frozen=True, eq=False)
class FilledForm(SpecimenPage):
    """A filled specimen form."""

    order_number: str


def _smooth_noise(rng: np.random.Generator, shape: tuple[int, int], cell_px: float) -> NDArray[np.float32]:
    """Return noise with patches of about `cell_px`, sigma about 1."""
    small = rng.standard_normal((math.ceil(shape[0] / cell_px) + 3, math.ceil(shape[1] / cell_px) + 3))
    grown = cv2.resize(small.astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown / 0.7, dtype=np.float32)


def _deposit(
    canvas: NDArray[np.float32],
    artwork: Artwork,
    index: int,
    *,
    centre_mm: tuple[float, float],
    px_per_mm: float,
    look: PageLook,
    rng: np.random.Generator,
) -> ImpressionTruth:
    """Stamp one impression: take light from `canvas` (H, W, 3; 0..1), in place. Return what was done."""
    angle_deg = float(rng.uniform(-look.turn_deg, look.turn_deg))
    density = float(rng.uniform(*look.density))
    scale = px_per_mm / ARTWORK_PX_PER_MM
    theta = math.radians(angle_deg)
    height, width = artwork.ink.shape
    cos, sin = math.cos(theta), math.sin(theta)
    half_w = (abs(width * cos) + abs(height * sin)) * scale / 2
    half_h = (abs(width * sin) + abs(height * cos)) * scale / 2
    cx, cy = centre_mm[0] * px_per_mm, centre_mm[1] * px_per_mm
    x, y = math.floor(cx - half_w) - 1, math.floor(cy - half_h) - 1
    w, h = math.ceil(cx + half_w) + 1 - x, math.ceil(cy + half_h) + 1 - y
    fine = scale * _SUPERSAMPLING
    to_patch = np.array(
        [
            [
                fine * cos,
                -fine * sin,
                (cx - x) * _SUPERSAMPLING - 0.5 - fine * (cos * width - sin * height) / 2,
            ],
            [
                fine * sin,
                fine * cos,
                (cy - y) * _SUPERSAMPLING - 0.5 - fine * (sin * width + cos * height) / 2,
            ],
        ]
    )
    patch = cv2.warpAffine(
        artwork.ink, to_patch, (w * _SUPERSAMPLING, h * _SUPERSAMPLING), flags=cv2.INTER_LINEAR
    )
    design = cv2.resize(patch, (w, h), interpolation=cv2.INTER_AREA)
    # Rubber does not print a drawing's edge: it grows and shrinks by some hundredths of a mm.
    ragged = _smooth_noise(rng, patch.shape, 0.25 * px_per_mm * _SUPERSAMPLING)
    rough = patch + 0.16 * np.clip(ragged, -2.2, 2.2)
    rough = cv2.GaussianBlur(rough, (0, 0), 0.03 * px_per_mm * _SUPERSAMPLING)
    arrived = np.clip((rough - 0.5) * 4 + 0.5, 0, 1)
    coverage = cv2.resize(arrived, (w, h), interpolation=cv2.INTER_AREA)
    if look.missing > 0:
        blotches = _smooth_noise(rng, (h, w), 3.0 * px_per_mm)
        limit = float(np.quantile(blotches, float(rng.uniform(look.least_missing, look.missing))))
        coverage = coverage * np.clip((blotches - limit) * 6 + 0.5, 0, 1)
    grain = np.clip(1 + 0.12 * _smooth_noise(rng, (h, w), 0.3 * px_per_mm), 0.5, 1.4)
    optical = -np.log(np.array(artwork.ink_rgb, np.float32) / 255)
    shade = np.exp(-density * grain[..., None] * optical)
    passed = 1 - coverage[..., None] * (1 - shade)
    top, left = max(0, y), max(0, x)
    bottom, right = min(canvas.shape[0], y + h), min(canvas.shape[1], x + w)
    canvas[top:bottom, left:right] *= passed[top - y : bottom - y, left - x : right - x].astype(np.float32)
    u, v, w, h = cv2.boundingRect((design > 0.5).astype(np.uint8))
    tight = (slice(v, v + h), slice(u, u + w))
    return ImpressionTruth(
        index,
        (x + u, y + v, w, h),
        artwork.size_mm,
        angle_deg,
        (cx, cy),
        np.asarray(coverage[tight] > 0.5),
        np.asarray(design[tight] > 0.5),
        np.zeros((h, w), np.bool_),
    )


def _print_over(
    canvas: NDArray[np.float32],
    truth: ImpressionTruth,
    *,
    font: bytes,
    px_per_mm: float,
    rng: np.random.Generator,
) -> ImpressionTruth:
    """Print two lines of text and a table line across one impression, in place; tell the truth of it."""
    x, y, w, h = truth.box_px
    top, left = max(0, y), max(0, x)
    before = canvas[top : y + h, left : x + w].copy()
    lines = ("投标人（盖单位章）法定代表人或其委托代理人", "日期 2026年11月18日 项目编号 SL-2026-0032")
    for line, at in zip(lines, (0.38, 0.62), strict=True):
        size_px = 4.2 * px_per_mm
        print_text(
            canvas,
            line,
            font=font,
            left_px=x - rng.uniform(2, 8) * px_per_mm,
            middle_px=y + at * h,
            height_px=size_px,
            transmittance=_SOLID_TRANSMITTANCE_BLACK,
        )
    row = round(y + h * rng.uniform(0.2, 0.8))
    thick = max(1, round(0.3 * px_per_mm))
    left, right = max(0, x - w // 4), min(canvas.shape[1], x + w + w // 4)
    canvas[row : row + thick, left:right] *= _SOLID_TRANSMITTANCE_BLACK
    left = max(0, x)
    printed = np.zeros((h, w), np.bool_)
    darker = canvas[top : y + h, left : x + w].sum(2) < 0.5 * before.sum(2)
    printed[top - y :, left - x :][: darker.shape[0], : darker.shape[1]] = darker
    return replace(truth, printed=printed)


def _expose(canvas: NDArray[np.float32], look: PageLook, rng: np.random.Generator) -> RgbImage:
    """Return what a scanner or phone would make of the page."""
    height, width = canvas.shape[:2]
    picture = canvas * np.array(look.paper_rgb, np.float32)
    if look.shading > 0:
        direction = rng.uniform(0, 2 * math.pi)
        across = np.linspace(0, math.cos(direction), width, dtype=np.float32)[None, :]
        down = np.linspace(0, math.sin(direction), height, dtype=np.float32)[:, None]
        ramp = across + down
        picture *= (1 - look.shading * (ramp - ramp.min()) / max(1e-6, float(np.ptp(ramp))))[..., None]
    if look.fringe_px > 0:
        picture = displace_red(picture, look.fringe_px)
    if look.blur_px > 0:
        picture = cv2.GaussianBlur(picture, (0, 0), look.blur_px)
    if look.noise > 0:
        picture += look.noise * rng.standard_normal((height, width, 1), dtype=np.float32)
        chroma = rng.standard_normal((height // 2 + 1, width // 2 + 1, 3), dtype=np.float32)
        picture += 0.6 * look.noise * np.repeat(np.repeat(chroma, 2, 0), 2, 1)[:height, :width]
    page = np.clip(picture, 0, 255).astype(np.uint8)
    if look.is_enhanced:
        page = stretch_contrast(page)
    if look.jpeg_quality is not None:
        _, data = cv2.imencode(".jpg", page[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, look.jpeg_quality])
        page = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    return np.ascontiguousarray(page)


def stamp_and_scan(
    canvas: NDArray[np.float32],
    places: Sequence[tuple[Artwork, int, tuple[float, float]]],
    *,
    rng: np.random.Generator,
    font: bytes,
    px_per_mm: float,
    look: PageLook,
) -> SpecimenPage:
    """Return a drawn page as scanned, once seals are stamped on it.

    Args:
        canvas: (H, W, 3), light that comes back, 0..1; it is drawn on.
        places: each seal with its index and the middle of its impression, x, y in mm.
    """
    truths = [
        _deposit(canvas, artwork, index, centre_mm=centre, px_per_mm=px_per_mm, look=look, rng=rng)
        for artwork, index, centre in places
    ]
    return SpecimenPage(
        _finish(canvas, truths, rng=rng, font=font, px_per_mm=px_per_mm, look=look), tuple(truths), px_per_mm
    )


def _finish(
    canvas: NDArray[np.float32],
    truths: list[ImpressionTruth],
    *,
    rng: np.random.Generator,
    font: bytes,
    px_per_mm: float,
    look: PageLook,
) -> RgbImage:
    """Print over what was stamped if the look says so, and scan the page; the truths learn of it."""
    if look.printed_over:
        truths[:] = [_print_over(canvas, truth, font=font, px_per_mm=px_per_mm, rng=rng) for truth in truths]
    if look.show_through > 0:
        let_print_through(canvas, look.show_through, font=font, px_per_mm=px_per_mm, rng=rng)
    if look.folds > 0:
        add_folds(canvas, look.folds, px_per_mm=px_per_mm, rng=rng)
    return _expose(canvas, look, rng)


def draw_specimen_page(
    seals: Sequence[Artwork],
    *,
    rng: np.random.Generator,
    font: bytes,
    px_per_mm: float = SCAN_PX_PER_MM,
    look: PageLook = CLEAN,
    copies: int = 3,
    page_mm: tuple[float, float] = form.PAGE_MM,
    margin_mm: float = 6.0,
) -> SpecimenPage:
    """Return a blank sheet with `copies` impressions of each seal, one seal a row."""
    canvas = np.ones((round(page_mm[1] * px_per_mm), round(page_mm[0] * px_per_mm), 3), np.float32)
    places = []
    pitch_x = page_mm[0] / copies
    y_mm = margin_mm
    for index, artwork in enumerate(seals):
        reach = math.hypot(*artwork.size_mm) / 2 if artwork.shape != "circle" else artwork.size_mm[0] / 2
        row_mm = min(2 * reach, artwork.size_mm[1] + 0.3 * artwork.size_mm[0])
        for column in range(copies):
            centre = (
                (column + 0.5) * pitch_x + float(rng.uniform(-1, 1)),
                y_mm + row_mm / 2 + float(rng.uniform(-1, 1)),
            )
            places.append((artwork, index, centre))
        y_mm += row_mm + margin_mm
    return stamp_and_scan(canvas, places, rng=rng, font=font, px_per_mm=px_per_mm, look=look)


def draw_filled_form(
    order_number: str,
    seals: Sequence[Artwork],
    rng: np.random.Generator,
    font: bytes,
    *,
    px_per_mm: float = SCAN_PX_PER_MM,
    look: PageLook = CLEAN,
) -> FilledForm:
    """Return our form with three impressions of each seal in the row it belongs in.

    Args:
        seals: at most one for each row of the form.
    """
    canvas = draw_blank_form(form.SpecimenForm(order_number), font, px_per_mm=px_per_mm)
    places = []
    for index, artwork in enumerate(seals):
        row = next(row for row in form.ROWS if row.kind is artwork.row)
        for x, y, w, h in row.boxes:
            spare_x, spare_y = (
                min(3.0, max(0.3, (a - b) / 2 - 3)) for a, b in zip((w, h), artwork.size_mm, strict=True)
            )
            centre = (
                x + w / 2 + float(rng.uniform(-spare_x, spare_x)),
                y + h / 2 + float(rng.uniform(-spare_y, spare_y)),
            )
            narrow = artwork.size_mm[0] > w - 8
            places.append(
                (artwork, index, centre, replace(look, turn_deg=min(look.turn_deg, 2.0)) if narrow else look)
            )
    truths = [
        _deposit(canvas, artwork, index, centre_mm=centre, px_per_mm=px_per_mm, look=its_look, rng=rng)
        for artwork, index, centre, its_look in places
    ]
    page = _finish(canvas, truths, rng=rng, font=font, px_per_mm=px_per_mm, look=look)
    return FilledForm(page, tuple(truths), px_per_mm, order_number)


def photograph(
    page: RgbImage, rng: np.random.Generator, *, tilt: float = 0.05, size_px: tuple[int, int] = (2700, 3600)
) -> tuple[RgbImage, NDArray[np.float64]]:
    """Return the page as a phone sees it from above, and the 3 × 3 map from page to photo.

    Args:
        tilt: how far each corner of the page strays from its place, as a share of the picture.
    """
    width, height = size_px
    margin = 0.06
    corners = np.array(
        [[margin, margin], [1 - margin, margin], [1 - margin, 1 - margin], [margin, 1 - margin]]
    )
    corners = (corners + rng.uniform(-tilt, tilt, (4, 2))) * (width, height)
    page_corners = np.array([[0, 0], [page.shape[1], 0], [page.shape[1], page.shape[0]], [0, page.shape[0]]])
    to_photo = cv2.getPerspectiveTransform(page_corners.astype(np.float32), corners.astype(np.float32))
    photo = cv2.warpPerspective(
        page,
        to_photo,
        size_px,
        flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(104, 92, 80),
    )
    return np.ascontiguousarray(photo), np.asarray(to_photo, dtype=np.float64)
