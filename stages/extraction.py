"""What extract found in one scan: its pages, its impressions, its seals."""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from seal_imaging import InkColour, Quality, Reason, SealShape
from seal_imaging.form import FormKind, FormPlace, SealKind
from stages.seal_reading import SealReading


class PageKind(StrEnum):
    """What a page of a scan is."""

    FORM = "form"
    """Our specimen form."""
    EXAMPLE = "example"
    """Our filled-in example (填写样例): nothing on it is a specimen."""
    FOREIGN_FORM = "foreign_form"
    """Impressions among print that is not ours."""
    BLANK_SHEET = "blank_sheet"
    """Impressions on otherwise empty paper."""
    SUPPORTING = "supporting"
    """Print without an impression of its own, such as copies of licences and identity cards."""
    EMPTY = "empty"


class ScaleFrom(StrEnum):
    """What told the scale of a page."""

    MARKS = "marks"
    DPI = "dpi"
    PDF = "pdf"
    SHEET_EDGES = "sheet_edges"
    STATED = "stated"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PageNote:
    """Something to know about a page.

    Attributes:
        code: stable, kebab-case, for programs.
        message, message_zh: what it is and what to do, for people.
    """

    code: str
    message: str
    message_zh: str


@dataclass(frozen=True)
class FormRowFilled:
    """One row of our form.

    Attributes:
        boxes: for each box, left to right, the indices of the impressions in it; () is an empty box.
    """

    row: SealKind
    boxes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class ExtractedPage:
    """One page of the scan.

    Attributes:
        px_per_mm: its mean scale; None when unknown.
        order_number, form_kind: what the QR code of our form says; None when there is none to be read.
        rows: of our form only.
        impressions: indices.
    """

    page_index: int
    kind: PageKind
    scale_source: ScaleFrom
    px_per_mm: float | None
    turn_deg: float = 0.0
    order_number: str | None = None
    form_kind: FormKind | None = None
    rows: tuple[FormRowFilled, ...] = ()
    impressions: tuple[int, ...] = ()
    notes: tuple[PageNote, ...] = ()


@dataclass(frozen=True)
class ExtractedImpression:
    """One impression, cut out of its page.

    Attributes:
        box_px: x, y, w, h on its page.
        size_mm: w, h of the upright seal; None when the page's scale is unknown.
        image: RGBA PNG of the box as it lay on the page.
        place: the box of our form it was stamped in; None elsewhere.
        refusing: those of its reasons for which no seal is made of it, unless somebody accepts them.
        is_set_aside: it is no specimen, and no seal is drawn of it: our form lies beside its page.
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
    place: FormPlace | None = None
    refusing: tuple[Reason, ...] = ()
    is_set_aside: bool = False


@dataclass(frozen=True)
class ExtractedSeal:
    """One seal, fused from its impressions.

    Attributes:
        members: indices of the impressions, best first.
        size_mm: w, h of the seal; None when nothing states it.
        image: RGBA PNG, 1400 × 1400; with pHYs only when it is true to size.
        ink_box_mm: x, y, w, h of the ink on the canvas (of the preview, when not true to size).
        refusing: those of the reasons for which no seal is made of it, unless somebody accepts them.
        true_to_size: `make` takes only these.
        row: the row of our form its impressions stand in; None elsewhere.
        sources: RGB PNG of what came from which member, each in a colour of its own; None of a single one.
        reading: what it says; None when nobody read it.
    """

    members: tuple[int, ...]
    size_mm: tuple[float, float] | None
    shape: SealShape
    colour: InkColour
    image: Path
    ink_box_mm: tuple[float, float, float, float]
    reasons: tuple[Reason, ...]
    true_to_size: bool
    row: SealKind | None = None
    refusing: tuple[Reason, ...] = ()
    sources: Path | None = None
    reading: SealReading | None = None


@dataclass(frozen=True)
class ExtractedSeals:
    """Everything found on the pages of one scan, in order of appearance."""

    impressions: tuple[ExtractedImpression, ...]
    seals: tuple[ExtractedSeal, ...]
    pages: tuple[ExtractedPage, ...] = ()

    def moved_to(self, folder: Path) -> "ExtractedSeals":
        """Return the same with its pictures in another folder, under their names."""
        return replace(
            self,
            impressions=tuple(replace(one, image=folder / one.image.name) for one in self.impressions),
            seals=tuple(
                replace(
                    one,
                    image=folder / one.image.name,
                    sources=None if one.sources is None else folder / one.sources.name,
                )
                for one in self.seals
            ),
        )
