"""Lifts the seals off a scan's pages: each impression cut out, each seal fused and drawn true to size."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from seal_imaging import (
    Impression,
    ImpressionUnusable,
    InkColour,
    Quality,
    Reason,
    SealShape,
    compose,
    cut_out,
    fuse,
    group_impressions,
    ink_box_mm,
    read_impressions,
    with_size,
)
from seal_imaging.fuse import MAX_IMPRESSIONS
from seal_imaging.units import SEAL_PX_PER_MM
from stages.errors import InputRefused
from stages.scans import ScannedPage
from stages.seal_images import write_png

MIN_STATED_WIDTH_MM = 5.0
MAX_STATED_WIDTH_MM = 66.0
"""What fits the 70 mm canvas with a margin."""
EXPECTED_IMPRESSIONS = 3

PREVIEW_SIDE_MM = MappingProxyType(
    {
        SealShape.CIRCLE: 42.0,
        SealShape.ELLIPSE: 45.0,
        SealShape.SQUARE: 20.0,
        SealShape.RECTANGLE: 50.0,
        SealShape.FREEFORM: 40.0,
    }
)
"""Longest side a seal of unknown size is shown at. Only for looking at: never true to size."""


@dataclass(frozen=True)
class ExtractedImpression:
    """One impression, cut out of its page.

    Attributes:
        box_px: x, y, w, h on its page.
        size_mm: w, h of the upright seal; None when the page's scale is unknown.
        image: RGBA PNG of the box as it lay on the page.
    """

    index: int
    page_index: int
    box_px: tuple[int, int, int, int]
    size_mm: tuple[float, float] | None
    shape: SealShape
    angle_deg: float
    colour: InkColour
    quality: Quality
    image: Path


@dataclass(frozen=True)
class ExtractedSeal:
    """One seal, fused from its impressions.

    Attributes:
        members: indices of the impressions, best first.
        size_mm: w, h of the seal; None when nothing states it.
        image: RGBA PNG, 1400 × 1400; with pHYs only when it is true to size.
        ink_box_mm: x, y, w, h of the ink on the canvas (of the preview, when not true to size).
        true_to_size: `make` takes only these.
    """

    members: tuple[int, ...]
    size_mm: tuple[float, float] | None
    shape: SealShape
    colour: InkColour
    image: Path
    ink_box_mm: tuple[float, float, float, float]
    reasons: tuple[Reason, ...]
    true_to_size: bool


@dataclass(frozen=True)
class ExtractedSeals:
    """Everything found on the pages of one scan, in order of appearance."""

    impressions: tuple[ExtractedImpression, ...]
    seals: tuple[ExtractedSeal, ...]


def extract(
    pages: Iterable[ScannedPage], scratch: Path, *, stated_width_mm: float | None = None
) -> ExtractedSeals:
    """Find the impressions of every page, group them by seal, and draw each seal.

    One page is held in memory at a time.

    Args:
        scratch: gets `impression-000.png` …, `seal-00.png` ….
        stated_width_mm: width of the physical seal as somebody measured it. It decides the size of the
            widest seal of unknown size (of the widest at all, when every size is known) and of no other:
            a page without a scale may be a collage.

    Raises:
        ImpressionUnusable: no impression on any page, a page the reader refuses, or none that can be drawn.
        InputRefused: the stated width is out of range, or there are more than MAX_IMPRESSIONS.
    """
    if stated_width_mm is not None and not MIN_STATED_WIDTH_MM <= stated_width_mm <= MAX_STATED_WIDTH_MM:
        raise InputRefused(
            f"a seal {stated_width_mm:g} mm wide; "
            f"state {MIN_STATED_WIDTH_MM:g} to {MAX_STATED_WIDTH_MM:g} mm",
            zh=f"印章宽度 {stated_width_mm:g} 毫米超出范围，应为 {MIN_STATED_WIDTH_MM:g} 至 "
            f"{MAX_STATED_WIDTH_MM:g} 毫米。",
        )
    found, extracted = _read_pages(pages, scratch)
    seals = [seal for members in group_impressions(found) for seal in _fused(found, members)]
    if stated_width_mm is not None:
        widest = max(range(len(seals)), key=lambda number: _width_rank(seals[number][1]))
        seals[widest] = (seals[widest][0], with_size(seals[widest][1], stated_width_mm))
    drawn: list[ExtractedSeal] = []
    refusals: list[ImpressionUnusable] = []
    for members, fused in seals:
        try:
            drawn.append(_draw(members, fused, scratch / f"seal-{len(drawn):02d}.png"))
        except ImpressionUnusable as refusal:
            refusals.append(refusal)  # a blot larger than the canvas must not cost the seals beside it
    if not drawn:
        raise refusals[0]
    return ExtractedSeals(impressions=tuple(extracted), seals=tuple(drawn))


def extraction_json(extracted: ExtractedSeals) -> dict[str, object]:
    """Return what was found as JSON types; `page` counts from 1, sizes are mm, paths are as given."""
    impressions = [
        {
            "index": one.index,
            "page": one.page_index + 1,
            "box_px": list(one.box_px),
            "size_mm": _rounded(one.size_mm),
            "shape": one.shape.value,
            "angle_deg": round(one.angle_deg, 3),
            "colour": one.colour.value,
            "quality": {
                "score": round(one.quality.score, 4),
                "outline": round(one.quality.outline, 4),
                "coverage": round(one.quality.coverage, 4),
                "sharpness": round(one.quality.sharpness, 4),
                "foreign_ink": round(one.quality.foreign_ink, 4),
                "reasons": [reason.value for reason in one.quality.reasons],
            },
            "image": str(one.image),
        }
        for one in extracted.impressions
    ]
    seals = [
        {
            "members": list(one.members),
            "size_mm": _rounded(one.size_mm),
            "shape": one.shape.value,
            "colour": one.colour.value,
            "image": str(one.image),
            "true_to_size": one.true_to_size,
            "reasons": [reason.value for reason in one.reasons],
        }
        for one in extracted.seals
    ]
    return {"impressions": impressions, "seals": seals}


def _read_pages(
    pages: Iterable[ScannedPage], scratch: Path
) -> tuple[list[Impression], list[ExtractedImpression]]:
    """Return the impressions of all pages, each already cut out into a file."""
    found: list[Impression] = []
    extracted: list[ExtractedImpression] = []
    page_count = 0
    for page in pages:
        page_count += 1
        for impression in _impressions_of(page):
            index = len(found)
            if index >= MAX_IMPRESSIONS:
                raise InputRefused(
                    f"page {page.page_index + 1}: more than {MAX_IMPRESSIONS} impressions; split the scan",
                    zh=f"第 {page.page_index + 1} 页：印模超过 {MAX_IMPRESSIONS} 枚，请拆分扫描件。",
                )
            image = scratch / f"impression-{index:03d}.png"
            # Of a page seen at an angle there is no one scale.
            px_per_mm = impression.px_per_mm if impression.flatten is None else None
            write_png(image, cut_out(page.image, impression), px_per_mm=px_per_mm)
            # A view of a page-sized array would keep the page alive.
            found.append(replace(impression, ink=np.array(impression.ink)))
            extracted.append(_described(impression, index, page.page_index, image))
    if not found:
        raise ImpressionUnusable(
            f"no seal impression on {_pages_text(page_count)}; rescan at 300 dpi or more, in colour",
            zh=f"{_pages_text_zh(page_count)}未找到印模，请用不低于 300 dpi 的彩色模式重新扫描。",
        )
    return found, extracted


def _impressions_of(page: ScannedPage) -> list[Impression]:
    try:
        return read_impressions(page.image, page.px_per_mm)
    except ImpressionUnusable as error:
        number = page.page_index + 1
        raise ImpressionUnusable(f"page {number}: {error}", zh=f"第 {number} 页：{error.zh}") from error


def _fused(found: Sequence[Impression], members: tuple[int, ...]) -> list[tuple[tuple[int, ...], Impression]]:
    """Fuse a group; should its members prove to be different seals on a closer look, each stands alone."""
    try:
        return [(members, fuse([found[index] for index in members]))]
    except ImpressionUnusable:
        return [((index,), found[index]) for index in members]


def _described(impression: Impression, index: int, page_index: int, image: Path) -> ExtractedImpression:
    return ExtractedImpression(
        index=index,
        page_index=page_index,
        box_px=impression.box_px,
        size_mm=impression.size_mm,
        shape=impression.shape,
        angle_deg=impression.angle_deg,
        colour=impression.colour,
        quality=impression.quality,
        image=image,
    )


def _width_rank(seal: Impression) -> tuple[bool, float]:
    """Rank a seal by width, every one of unknown size above those that were measured."""
    return seal.size_mm is None, seal.size_px[0] if seal.size_mm is None else seal.size_mm[0]


def _draw(members: tuple[int, ...], fused: Impression, image: Path) -> ExtractedSeal:
    """Write a seal's picture; a preview when its size is unknown.

    Raises:
        ImpressionUnusable: it does not fit the canvas, or holds no ink.
    """
    size_mm = fused.size_mm
    drawn = fused if size_mm is not None else with_size(fused, _preview_width_mm(fused))
    canvas = compose(drawn, px_per_mm=SEAL_PX_PER_MM)
    box_mm = ink_box_mm(canvas, px_per_mm=SEAL_PX_PER_MM)
    write_png(image, canvas, px_per_mm=None if size_mm is None else SEAL_PX_PER_MM)
    reasons: list[Reason] = [reason for reason in fused.quality.reasons if reason is not Reason.SCALE_UNKNOWN]
    if size_mm is None:
        reasons.append(Reason.SCALE_UNKNOWN)
    if len(members) < EXPECTED_IMPRESSIONS and Reason.FEWER_THAN_THREE not in reasons:
        reasons.append(Reason.FEWER_THAN_THREE)
    return ExtractedSeal(
        members=members,
        size_mm=size_mm,
        shape=fused.shape,
        colour=fused.colour,
        image=image,
        ink_box_mm=box_mm,
        reasons=tuple(reasons),
        true_to_size=size_mm is not None,
    )


def _preview_width_mm(impression: Impression) -> float:
    width_px, height_px = impression.size_px
    return PREVIEW_SIDE_MM[impression.shape] * width_px / max(width_px, height_px)


def _rounded(size_mm: tuple[float, float] | None) -> list[float] | None:
    return None if size_mm is None else [round(side, 3) for side in size_mm]


def _pages_text(page_count: int) -> str:
    return "page 1" if page_count == 1 else f"any of pages 1 to {page_count}" if page_count else "any page"


def _pages_text_zh(page_count: int) -> str:
    return f"第 1 至 {page_count} 页" if page_count > 1 else "第 1 页" if page_count else "扫描件"
