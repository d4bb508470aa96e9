"""Draws scanned pages of seal impressions of which every fact is known.

The pages feed `sealine demo` and the tests. All randomness comes from the generator handed in:
the same seed gives the same page.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.tryout.artwork import Artwork
from pipeline.tryout.blank_form import draw_blank_form
from pipeline.tryout.degradations import add_folds, cast_glare, cast_shadow, let_print_through
from pipeline.tryout.looks import (
    CLEAN,
    ENHANCED,
    FAINT,
    PHOTO,
    PRINTED_OVER,
    SHOW_THROUGH,
    PageLook,
)
from pipeline.tryout.overwriting import print_over, write_over
from pipeline.tryout.scanning import expose, photograph
from pipeline.tryout.stamping import ImpressionTruth, stamp
from seal_imaging import form
from seal_imaging.impression import RgbImage

__all__ = [
    "CLEAN",
    "ENHANCED",
    "FAINT",
    "PHOTO",
    "PRINTED_OVER",
    "SCAN_PX_PER_MM",
    "SHOW_THROUGH",
    "FilledForm",
    "ImpressionTruth",
    "PageLook",
    "SpecimenPage",
    "draw_filled_form",
    "draw_specimen_page",
    "photograph",
    "stamp_and_scan",
]

SCAN_PX_PER_MM = 300 / 25.4


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


def stamp_and_scan(
    canvas: NDArray[np.float32],
    places: Sequence[tuple[Artwork, int, tuple[float, float]]],
    *,
    rng: np.random.Generator,
    font: bytes,
    px_per_mm: float,
    look: PageLook,
    looks: Sequence[PageLook] = (),
) -> SpecimenPage:
    """Return a drawn page as scanned, once seals are stamped on it.

    Args:
        canvas: (H, W, 3), light that comes back, 0..1; it is drawn on.
        places: each seal with its index and the middle of its impression, x, y in mm.
        looks: how each was stamped, where that is not the page's look; as many as places, or none.
    """
    truths = [
        stamp(canvas, artwork, index, centre_mm=centre, px_per_mm=px_per_mm, look=its_look, rng=rng)
        for (artwork, index, centre), its_look in zip(places, looks or [look] * len(places), strict=True)
    ]
    page = _finish(canvas, truths, rng=rng, font=font, px_per_mm=px_per_mm, look=look)
    return SpecimenPage(page, tuple(truths), px_per_mm)


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
        truths[:] = [
            print_over(
                canvas,
                truth,
                font=font,
                px_per_mm=px_per_mm,
                transmittance=look.print_transmittance,
                rng=rng,
            )
            for truth in truths
        ]
    if look.pen_rgb is not None:
        truths[:] = [
            write_over(canvas, truth, pen_rgb=look.pen_rgb, px_per_mm=px_per_mm, rng=rng) for truth in truths
        ]
    if look.show_through > 0:
        let_print_through(canvas, look.show_through, font=font, px_per_mm=px_per_mm, rng=rng)
    if look.folds > 0:
        add_folds(canvas, look.folds, px_per_mm=px_per_mm, rng=rng)
    if look.shadow > 0:
        cast_shadow(canvas, look.shadow, px_per_mm=px_per_mm, rng=rng)
    if look.glare > 0:
        cast_glare(canvas, look.glare, boxes_px=[truth.box_px for truth in truths], rng=rng)
    return expose(canvas, look, rng)


def draw_specimen_page(
    seals: Sequence[Artwork],
    *,
    rng: np.random.Generator,
    font: bytes,
    px_per_mm: float = SCAN_PX_PER_MM,
    look: PageLook = CLEAN,
    looks: Sequence[PageLook] = (),
    copies: int = 3,
    page_mm: tuple[float, float] = form.PAGE_MM,
    margin_mm: float = 6.0,
    cut_off: float = 0.0,
) -> SpecimenPage:
    """Return a blank sheet with `copies` impressions of each seal, one seal a row.

    Args:
        look: how the page was scanned, and how all was stamped unless `looks` says otherwise.
        looks: how the impressions of each seal were stamped, in a random order; as many as copies.
        cut_off: share of the width of each seal's first impression that lies beyond the page.
    """
    canvas = np.ones((round(page_mm[1] * px_per_mm), round(page_mm[0] * px_per_mm), 3), np.float32)
    pitch_x = page_mm[0] / copies
    places, stamped = [], []
    y_mm = margin_mm
    for index, artwork in enumerate(seals):
        reach = math.hypot(*artwork.size_mm) / 2 if artwork.shape != "circle" else artwork.size_mm[0] / 2
        row_mm = min(2 * reach, artwork.size_mm[1] + 0.3 * artwork.size_mm[0])
        order = [int(at) for at in rng.permutation(len(looks))]
        for column in range(copies):
            centre = (
                (column + 0.5) * pitch_x + float(rng.uniform(-1, 1)),
                y_mm + row_mm / 2 + float(rng.uniform(-1, 1)),
            )
            if cut_off > 0 and column == 0:
                centre = ((0.5 - cut_off) * artwork.size_mm[0], centre[1])
            places.append((artwork, index, centre))
            stamped.append(looks[order[column]] if looks else look)
        y_mm += row_mm + margin_mm
    return stamp_and_scan(canvas, places, rng=rng, font=font, px_per_mm=px_per_mm, look=look, looks=stamped)


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
    places, looks = [], []
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
            is_tight = artwork.size_mm[0] > w - 8
            places.append((artwork, index, centre))
            looks.append(replace(look, turn_deg=min(look.turn_deg, 2.0)) if is_tight else look)
    drawn = stamp_and_scan(canvas, places, rng=rng, font=font, px_per_mm=px_per_mm, look=look, looks=looks)
    return FilledForm(drawn.page, drawn.truths, px_per_mm, order_number)
