"""Lifts the seals off a scan's pages: each impression cut out, each seal fused and drawn true to size."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from seal_imaging import (
    Impression,
    ImpressionUnusable,
    InkChoice,
    InkColour,
    Quality,
    Reason,
    RgbImage,
    SealShape,
    compose,
    cut_out,
    ink_box_mm,
    with_size,
)
from seal_imaging.form import FormPlace, SealKind
from seal_imaging.fusion import fuse_shown, source_picture
from seal_imaging.names import NameAnswer
from seal_imaging.outline import wrapped
from seal_imaging.quality import refusals
from seal_imaging.reader import TextReader
from seal_imaging.text import SealText
from seal_imaging.units import SEAL_PX_PER_MM
from stages.beside_form import set_aside
from stages.errors import InputRefused
from stages.extraction import ExtractedImpression, ExtractedPage, ExtractedSeal, ExtractedSeals, PageKind
from stages.extraction_json import extraction_json
from stages.impression_pool import ImpressionPool, SealGroup
from stages.nothing_found import nothing_found
from stages.page_reading import ReadPage, read_scanned_page
from stages.scans import MAX_BELIEVED_DPI, ScannedPage
from stages.seal_images import write_png
from stages.seal_notes import write_notes
from stages.seal_reading import ExpectedNames, SealReading, read_seal
from stages.seal_turns import turn_upright

__all__ = ["ExtractOptions", "ExtractedSeals", "extract", "extraction_json"]

MIN_STATED_WIDTH_MM = 5.0
MAX_STATED_WIDTH_MM = 66.0
"""What fits the 70 mm canvas with a margin."""
MIN_STATED_DPI = 60.0
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

USUAL_SIDE_MM = MappingProxyType(
    {
        SealShape.CIRCLE: (30.0, 60.0),
        SealShape.ELLIPSE: (30.0, 60.0),
        SealShape.SQUARE: (10.0, 40.0),
        SealShape.RECTANGLE: (15.0, 66.0),
    }
)
"""Longest sides that seals have; another one is said (格式大小), for it mostly is a wrong resolution."""


@dataclass(frozen=True)
class ExtractOptions:
    """What a person says about a scan that it does not tell by itself.

    Attributes:
        width_mm: width of the physical seal as somebody measured it. It decides the size of the widest
            seal of unknown size (of the widest at all, when every size is known) and of no other: a page
            without a scale may be a collage.
        seal_widths_mm: width of single seals, by their number in the result, from 0.
        dpi: resolution of the scanner; decides over what file and marks say, except on photographs.
        order: the order number our form should bear.
        ink: how the finished images look.
        colour: the ink family they are drawn in; None for each seal's own colour, as measured.
        expected: whose seals they should be.
    """

    width_mm: float | None = None
    seal_widths_mm: Mapping[int, float] = field(default_factory=dict)
    dpi: float | None = None
    order: str | None = None
    ink: InkChoice = InkChoice.UNIFIED
    colour: InkColour | None = None
    expected: ExpectedNames = field(default_factory=ExpectedNames)


@dataclass(frozen=True, eq=False)
class _FusedSeal:
    members: tuple[int, ...]
    fused: Impression
    sources: RgbImage | None = None
    text: SealText | None = None


def extract(
    pages: Iterable[ScannedPage],
    scratch: Path,
    *,
    options: ExtractOptions | None = None,
    reader: TextReader | None = None,
) -> ExtractedSeals:
    """Find the impressions of every page, group them by seal, and draw each seal.

    One page is held in memory at a time, and a bounded number of impressions.

    Args:
        scratch: gets `impression-000.png` …, `seal-00.png` … and beside it `seal-00.json`, what speaks
            against the seal.
        reader: reads the seals; without one nothing is read and no name compared.

    Raises:
        ImpressionUnusable: no impression on any page, a page the reader refuses, or none that can be drawn.
        InputRefused: a stated width or resolution is out of range or of a seal that is not there, or there
            are too many different seals.
        ReaderUnavailable: the reader's engine or model is missing.
    """
    options = options or ExtractOptions()
    _check_options(options)
    pool, extracted, described = _read_pages(pages, scratch, dpi=options.dpi, order=options.order)
    aside = {one.index for one in extracted if one.is_set_aside}
    seals = [seal for group in pool.groups(without=aside) for seal in _fused(group)]
    if reader is not None:
        seals = _upright(seals, extracted, described, reader)
    _state_widths(seals, options)
    drawn: list[ExtractedSeal] = []
    refusals: list[ImpressionUnusable] = []
    for seal in seals:
        try:
            drawn.append(_draw(seal, extracted, scratch / f"seal-{len(drawn):02d}.png", options, reader))
        except ImpressionUnusable as refusal:
            refusals.append(refusal)  # a blot larger than the canvas must not cost the seals beside it
    if not drawn:
        raise refusals[0] if refusals else nothing_found(described)
    return ExtractedSeals(impressions=tuple(extracted), seals=tuple(drawn), pages=tuple(described))


def _check_options(options: ExtractOptions) -> None:
    widths = [*options.seal_widths_mm.values(), *([] if options.width_mm is None else [options.width_mm])]
    for width_mm in widths:
        if not MIN_STATED_WIDTH_MM <= width_mm <= MAX_STATED_WIDTH_MM:
            raise InputRefused(
                f"a seal {width_mm:g} mm wide; state {MIN_STATED_WIDTH_MM:g} to {MAX_STATED_WIDTH_MM:g} mm",
                zh=f"印章宽度 {width_mm:g} 毫米超出范围，应为 {MIN_STATED_WIDTH_MM:g} 至 "
                f"{MAX_STATED_WIDTH_MM:g} 毫米。",
            )
    if options.dpi is not None and not MIN_STATED_DPI <= options.dpi <= MAX_BELIEVED_DPI:
        raise InputRefused(
            f"a resolution of {options.dpi:g} dpi; state {MIN_STATED_DPI:g} to {MAX_BELIEVED_DPI:g}",
            zh=f"分辨率 {options.dpi:g} dpi 超出范围，应为 {MIN_STATED_DPI:g} 至 {MAX_BELIEVED_DPI:g}。",
        )


def _state_widths(seals: list[_FusedSeal], options: ExtractOptions) -> None:
    """Size seals by the widths somebody stated, in place."""
    stated = dict(options.seal_widths_mm)
    beyond = [number for number in stated if not 0 <= number < len(seals)]
    if beyond:
        raise InputRefused(
            f"a width for seal {beyond[0] + 1}, but there are {len(seals)} seals; number them from 1",
            zh=f"给出了第 {beyond[0] + 1} 枚印章的宽度，但只找到 {len(seals)} 枚，请从 1 起编号。",
        )
    others = [number for number in range(len(seals)) if number not in stated]
    if options.width_mm is not None and others:
        stated[max(others, key=lambda number: _width_rank(seals[number].fused))] = options.width_mm
    for number, width_mm in stated.items():
        seals[number] = replace(seals[number], fused=with_size(seals[number].fused, width_mm))


def _read_pages(
    pages: Iterable[ScannedPage], scratch: Path, *, dpi: float | None, order: str | None
) -> tuple[ImpressionPool, list[ExtractedImpression], list[ExtractedPage]]:
    """Return the impressions of all pages, each already cut out into a file."""
    pool = ImpressionPool()
    extracted: list[ExtractedImpression] = []
    described: list[ExtractedPage] = []
    for page in pages:
        read = read_scanned_page(page, dpi=dpi, order=order)
        first = len(extracted)
        for impression, place in zip(read.impressions, read.places, strict=True):
            index = len(extracted)
            image = scratch / f"impression-{index:03d}.png"
            # Of a page seen at an angle there is no one scale.
            px_per_mm = impression.px_per_mm if impression.flatten is None else None
            write_png(image, cut_out(page.image, impression), px_per_mm=px_per_mm)
            pool.add(impression, _row_key(page.page_index, place))
            extracted.append(_described(impression, index, read, place, image))
        described.append(_numbered(read.page, first))
    if not extracted:
        raise nothing_found(described)
    described, extracted = set_aside(described, extracted)
    return pool, extracted, described


def _row_key(page_index: int, place: FormPlace | None) -> int | None:
    """Return a number for a row of the form on one page: what stands in it is meant to be one seal."""
    return None if place is None else page_index * len(SealKind) + list(SealKind).index(place.row)


def _numbered(page: ExtractedPage, first: int) -> ExtractedPage:
    """Return a page whose impressions are numbered over the whole scan."""
    rows = tuple(
        replace(row, boxes=tuple(tuple(first + index for index in box) for box in row.boxes))
        for row in page.rows
    )
    return replace(page, rows=rows, impressions=tuple(first + index for index in page.impressions))


def _fused(group: SealGroup) -> list[_FusedSeal]:
    """Fuse a group; should its members prove to be different seals on a closer look, each stands alone."""
    try:
        fused = fuse_shown(group.kept)
        sources = source_picture(fused) if len(group.kept) > 1 else None
        return [_FusedSeal(group.members, fused.impression, sources)]
    except ImpressionUnusable:
        alone = zip(group.members[: len(group.kept)], group.kept, strict=True)
        best, *others = [_FusedSeal((number,), impression) for number, impression in alone]
        # Those whose pixels were let go cannot be told apart any more; they stay with the best.
        return [replace(best, members=(*best.members, *group.members[len(group.kept) :])), *others]


def _upright(
    seals: Sequence[_FusedSeal],
    extracted: list[ExtractedImpression],
    described: list[ExtractedPage],
    reader: TextReader,
) -> list[_FusedSeal]:
    """Return the seals turned upright by what they say; impressions and pages learn of it, in place."""
    upright = list(seals)
    for at, page in enumerate(described):
        numbers = [
            number
            for number, seal in enumerate(seals)
            if extracted[seal.members[0]].page_index == page.page_index
        ]
        turned, quarter_deg = turn_upright(
            [seals[number].fused for number in numbers],
            reader,
            members_deg=[
                [
                    extracted[member].angle_deg
                    for member in seals[number].members
                    if extracted[member].page_index == page.page_index
                ]
                for number in numbers
            ],
            page_turn_deg=page.turn_deg,
            is_form=page.kind is PageKind.FORM,
        )
        described[at] = replace(page, turn_deg=wrapped(page.turn_deg + quarter_deg))
        for number, one in zip(numbers, turned, strict=True):
            upright[number] = replace(seals[number], fused=one.seal, text=one.text)
            for member in seals[number].members if one.turn_deg else ():
                found = extracted[member]
                extracted[member] = replace(found, angle_deg=wrapped(found.angle_deg + (one.turn_deg or 0.0)))
    return upright


def _described(
    impression: Impression, index: int, read: ReadPage, place: FormPlace | None, image: Path
) -> ExtractedImpression:
    return ExtractedImpression(
        index=index,
        page_index=read.page.page_index,
        box_px=impression.box_px,
        size_mm=impression.size_mm,
        shape=impression.shape,
        angle_deg=impression.angle_deg,
        colour=impression.colour,
        quality=impression.quality,
        image=image,
        place=place,
        refusing=_refusing(impression.quality, is_other_order=read.is_other_order),
    )


def _width_rank(seal: Impression) -> tuple[bool, float]:
    """Rank a seal by width, every one of unknown size above those that were measured."""
    return seal.size_mm is None, seal.size_px[0] if seal.size_mm is None else seal.size_mm[0]


def _draw(
    seal: _FusedSeal,
    extracted: Sequence[ExtractedImpression],
    image: Path,
    options: ExtractOptions,
    reader: TextReader | None,
) -> ExtractedSeal:
    """Write a seal's picture; a preview when its size is unknown.

    Raises:
        ImpressionUnusable: it does not fit the canvas, or holds no ink.
    """
    fused = seal.fused
    size_mm = fused.size_mm
    shown = fused if size_mm is not None else with_size(fused, _preview_width_mm(fused))
    canvas = compose(shown, px_per_mm=SEAL_PX_PER_MM, ink=options.ink, colour=options.colour)
    box_mm = ink_box_mm(canvas, px_per_mm=SEAL_PX_PER_MM)
    write_png(image, canvas, px_per_mm=None if size_mm is None else SEAL_PX_PER_MM)
    members = [extracted[number] for number in seal.members]
    rows = {None if member.place is None else member.place.row for member in members}
    row = rows.pop() if len(rows) == 1 else None
    reading = None if reader is None else read_seal(fused, row, reader, options.expected, text=seal.text)
    reasons = _reasons(fused, members, reading)
    is_other_order = any(Reason.FORM_MISMATCH in member.refusing for member in members)
    refusing = _refusing(replace(fused.quality, reasons=reasons), is_other_order=is_other_order)
    write_notes(image, reasons, refusing=refusing)
    sources = None if seal.sources is None else image.with_name(f"{image.stem}-sources.png")
    if sources is not None and seal.sources is not None:
        write_png(sources, seal.sources, px_per_mm=None)
    return ExtractedSeal(
        members=seal.members,
        size_mm=size_mm,
        shape=fused.shape,
        colour=fused.colour,
        image=image,
        ink_box_mm=box_mm,
        reasons=reasons,
        refusing=refusing,
        true_to_size=size_mm is not None,
        row=row,
        sources=sources,
        reading=reading,
    )


def _reasons(
    fused: Impression, members: Sequence[ExtractedImpression], reading: SealReading | None
) -> tuple[Reason, ...]:
    """Return what speaks against a seal: what does against the fused image, its form, and its words."""
    found = set(fused.quality.reasons) - {Reason.SCALE_UNKNOWN, Reason.FEWER_THAN_THREE}
    if fused.size_mm is None:
        found.add(Reason.SCALE_UNKNOWN)
    elif not _is_usual(fused.shape, max(fused.size_mm)):
        found.add(Reason.FORMAT_SIZE)
    if len(members) < EXPECTED_IMPRESSIONS:
        found.add(Reason.FEWER_THAN_THREE)
    if any(Reason.FORM_MISMATCH in member.quality.reasons for member in members):
        found.add(Reason.FORM_MISMATCH)
    if reading is not None and reading.answer is NameAnswer.MISMATCH:
        found.add(Reason.NAME_MISMATCH)
    return tuple(reason for reason in Reason if reason in found)


def _refusing(quality: Quality, *, is_other_order: bool) -> tuple[Reason, ...]:
    """Return the reasons that forbid a seal: a form's mismatch does where it is another order's form."""
    refusing = set(refusals(quality)) | ({Reason.FORM_MISMATCH} if is_other_order else set())
    return tuple(reason for reason in quality.reasons if reason in refusing)


def _is_usual(shape: SealShape, side_mm: float) -> bool:
    if shape not in USUAL_SIDE_MM:
        return True
    least, most = USUAL_SIDE_MM[shape]
    return least <= side_mm <= most


def _preview_width_mm(impression: Impression) -> float:
    width_px, height_px = impression.size_px
    return PREVIEW_SIDE_MM[impression.shape] * width_px / max(width_px, height_px)
