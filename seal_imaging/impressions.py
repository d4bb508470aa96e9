"""Reads a page: in comes a page, out come its seal impressions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from seal_imaging import form
from seal_imaging.candidates import find_candidates, find_coloured
from seal_imaging.errors import ImpressionUnusable
from seal_imaging.handwriting import Region, read_signatures, region_of
from seal_imaging.impression import Box, Impression, RgbImage
from seal_imaging.lifting import GOOD_SUPPORT, read_candidate
from seal_imaging.locate import FormPose, find_form
from seal_imaging.ordering import in_reading_order, without_doubles
from seal_imaging.ruling import find_turn
from seal_imaging.separate import estimate_paper
from seal_imaging.sheet import find_sheet
from seal_imaging.squaring import Homography, PagePose, back_on_page, square_up
from seal_imaging.strangers import find_pasted, lies_in
from seal_imaging.uncoloured import read_uncoloured

MAX_PIXELS = 120_000_000
"""An A4 page at 1200 dpi is 139 million; 600 dpi, the most that helps, is 35 million."""
MIN_SIDE_PX = 16
MAX_PX_PER_MM = 100.0
MIN_PX_PER_MM = 2.0
PASSES = ((1.0, GOOD_SUPPORT), (1.0, GOOD_SUPPORT), (2.5, GOOD_SUPPORT), (2.5, 0.0), (1.0, 0.0))
"""How far apart ink may lie, and how much of an outline it must support, from pass to pass.

Good impressions are read first. What they leave may be a seal that touched one of them, or the
pieces of a badly inked one.
"""


class ScaleSource(StrEnum):
    """What told the scale of a page."""

    GIVEN = "given"
    FORM_MARKS = "form_marks"
    SHEET_EDGES = "sheet_edges"
    UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class PageReading:
    """What a page says.

    Attributes:
        impressions: top to bottom, left to right.
        scale_source: what told the scale.
        px_per_mm: the page's mean scale; None when unknown.
        turn_deg: clockwise turn of the sheet on the page, as far as marks, edges or ruled lines tell it.
        pose: how the form or the sheet lies on the page; None when neither was looked for or found.
    """

    impressions: tuple[Impression, ...]
    scale_source: ScaleSource
    px_per_mm: float | None
    turn_deg: float
    pose: PagePose | None


def read_impressions(page: RgbImage, px_per_mm: float | None) -> list[Impression]:
    """Return the seal impressions on a page, as `read_page` does; none is not an error.

    Raises:
        ImpressionUnusable: not an RGB page of 8 bits a channel, too small, larger than MAX_PIXELS, or of
            a scale that no scan has.
    """
    return list(read_page(page, px_per_mm).impressions)


def read_page(
    page: RgbImage,
    px_per_mm: float | None,
    *,
    form_pose: FormPose | None = None,
    signed_boxes_px: Sequence[Box] = (),
) -> PageReading:
    """Return the seal impressions on a page, and what told its scale.

    Args:
        px_per_mm: the page's scale; None to find it by the marks of our form, or else by the edges of
            an A4 sheet that lies whole in the picture. Without them the impressions are measured in
            pixels only: how many pixels high a picture is says nothing of its scale.
        form_pose: how our form lies on the page, where that is known already; it is looked for otherwise.
        signed_boxes_px: x, y, w, h of boxes in which to read a handwritten signature; on our own form
            its signature boxes are read without being named. They are not read on a page that is seen
            at an angle.

    Raises:
        ImpressionUnusable: not an RGB page of 8 bits a channel, too small, larger than MAX_PIXELS, or of
            a scale that no scan has.
    """
    check_page(page)
    regions = [region_of(box) for box in signed_boxes_px]
    if px_per_mm is not None:
        _check_scale(px_per_mm)
        turn_deg = find_turn(page, px_per_mm) or 0.0
        found = _read_flat(page, px_per_mm, page_turn_deg=turn_deg, regions=regions)
        return PageReading(tuple(found), ScaleSource.GIVEN, px_per_mm, turn_deg, None)
    form_pose = form_pose or find_form(page)
    pose = form_pose or find_sheet(page)
    if pose is None:
        turn_deg = find_turn(page) or 0.0
        found = _read_flat(page, None, page_turn_deg=turn_deg, regions=regions)
        return PageReading(tuple(found), ScaleSource.UNKNOWN, None, turn_deg, None)
    source = ScaleSource.FORM_MARKS if form_pose else ScaleSource.SHEET_EDGES
    signed_mm = _signature_boxes_mm() if form_pose else ()
    found = _read_posed(page, pose, signed_mm, regions)
    return PageReading(tuple(found), source, pose.px_per_mm, pose.turn_deg, pose)


def check_page(page: RgbImage) -> None:
    """Refuse what is not a page of RGB pixels.

    Raises:
        ImpressionUnusable: wrong type, shape or size.
    """
    if not isinstance(page, np.ndarray) or page.dtype != np.uint8 or page.ndim != 3 or page.shape[2] != 3:
        raise ImpressionUnusable(
            "the page is not an 8-bit RGB picture; convert it to RGB first",
            zh="页面不是8位RGB图像，请先转换为RGB",
        )
    height, width = page.shape[:2]
    if height * width > MAX_PIXELS:
        raise ImpressionUnusable(
            f"the page has {width} x {height} pixels, more than {MAX_PIXELS}; scan at 600 dpi or less",
            zh=f"页面有{width}×{height}像素，超过上限{MAX_PIXELS}，请以不高于600 dpi扫描",
        )
    if min(height, width) < MIN_SIDE_PX:
        raise ImpressionUnusable(
            f"the page has only {width} x {height} pixels; scan at 300 dpi or more",
            zh=f"页面只有{width}×{height}像素，请以不低于300 dpi扫描",
        )


def _check_scale(px_per_mm: float) -> None:
    if not (math.isfinite(px_per_mm) and MIN_PX_PER_MM <= px_per_mm <= MAX_PX_PER_MM):
        raise ImpressionUnusable(
            f"a scale of {px_per_mm} px/mm is outside {MIN_PX_PER_MM}..{MAX_PX_PER_MM}; check the dpi given",
            zh=f"比例{px_per_mm}像素/毫米超出{MIN_PX_PER_MM}至{MAX_PX_PER_MM}，请检查所给的dpi",
        )


def _signature_boxes_mm() -> tuple[form.BoxMm, ...]:
    return tuple(box for row in form.ROWS if row.kind is form.SealKind.SIGNATURE for box in row.boxes)


def _read_posed(
    page: RgbImage, pose: PagePose, signed_mm: Sequence[form.BoxMm], regions: Sequence[Region]
) -> list[Impression]:
    """Return the impressions of a page of known pose, squared up first when it is seen at an angle."""
    if pose.is_flat:
        signed = [_on_page(box, pose.page_from_mm) for box in signed_mm]
        return _read_flat(page, pose.px_per_mm, page_turn_deg=pose.turn_deg, regions=[*signed, *regions])
    squared = square_up(page, pose)
    to_px = np.diag([squared.px_per_mm, squared.px_per_mm, 1.0])
    signed = [_on_page(box, to_px) for box in signed_mm]
    found = _read_flat(squared.page, squared.px_per_mm, page_turn_deg=0.0, regions=signed)
    return [back_on_page(impression, squared.given_from_squared, page.shape) for impression in found]


def _on_page(box_mm: form.BoxMm, page_from_mm: Homography) -> Region:
    x, y, w, h = box_mm
    corners = np.array([[x, y, 1], [x + w, y, 1], [x + w, y + h, 1], [x, y + h, 1]]) @ page_from_mm.T
    return Region(corners[:, :2] / corners[:, 2:])


def _read_flat(
    page: RgbImage,
    px_per_mm: float | None,
    *,
    page_turn_deg: float = 0.0,
    regions: Sequence[Region] = (),
) -> list[Impression]:
    paper = estimate_paper(page)
    coarse = find_coloured(page, paper, px_per_mm=px_per_mm)
    found: list[Impression] = []
    read: dict[tuple[tuple[int, int, int, int], tuple[float, float]], list[Impression]] = {}
    for reach, least_support in PASSES:
        known = [impression.box_px for impression in found]
        for candidate in find_candidates(coarse, reach=reach, without=known):
            key = (candidate.box_px, candidate.hues)
            if key not in read:
                read[key] = read_candidate(page, paper, candidate, coarse, px_per_mm, page_turn_deg)
            found += [one for one in read[key] if one.quality.outline >= least_support]
        found = without_doubles(found)
    known = [impression.box_px for impression in found]
    found = without_doubles(
        found + read_uncoloured(page, paper, px_per_mm=px_per_mm, page_turn_deg=page_turn_deg, without=known)
    )
    if found:
        pasted = find_pasted(page, px_per_mm, seals_px=[one.box_px for one in found])
        found = [one for one in found if not lies_in(one.box_px, pasted, page.shape)]
    # A seal stamped where a signature was asked for is a seal.
    free = [one for one in regions if not any(one.holds(seal.box_px) for seal in found)]
    found += read_signatures(page, paper, free, px_per_mm=px_per_mm, page_turn_deg=page_turn_deg)
    return in_reading_order(found)
