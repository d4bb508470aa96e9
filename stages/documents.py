"""One frozen type for each state a document is in on its way from a folder to the archive.

Documents are files: a stage reads the paths in the value it is given and writes only into the scratch
folder it is given. Every type here but those holding paths round-trips through JSON
(`pydantic.TypeAdapter`), so that a step can be run again from what is stored.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from stages.pdf.field_lock import FieldLock


class Severity(StrEnum):
    """How much a finding of pre-flight matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class DocMDP(StrEnum):
    """What a certification signature still allows (ISO 32000-2 §12.8.2.2, /P 1, 2, 3)."""

    NO_CHANGES = "no_changes"
    FILL_AND_SIGN = "fill_and_sign"
    FILL_SIGN_ANNOTATE = "fill_sign_annotate"


class HowDerived(StrEnum):
    """What was done to a file before it could be stamped."""

    CONVERTED = "converted"
    REPAIRED = "repaired"
    DECRYPTED = "decrypted"


@dataclass(frozen=True)
class Finding:
    """Something pre-flight has to say about a file.

    Attributes:
        code: stable, kebab-case, for programs.
        message, message_zh: what it is and what to do, for people.
    """

    severity: Severity
    code: str
    message: str
    message_zh: str


@dataclass(frozen=True)
class Origin:
    """The file as it came in, when the PDF that is stamped had to be made of it first.

    Attributes:
        path: where it lies; None where only its record is at hand.
        name: its path inside the package, with forward slashes, Unicode NFC.
        sha256: lower-case hex.
        tool: what made the PDF of it, with its version; kept in our records, never in the PDF.
        findings: what the making has to say, for pre-flight to repeat.
    """

    path: Path | None
    name: str
    size_bytes: int
    sha256: str
    how: HowDerived
    tool: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class SourceFile:
    """One file of a package, as it came in, or the PDF made of it.

    Attributes:
        name: its path inside the package, with forward slashes, Unicode NFC.
        sha256: lower-case hex.
        origin: what came in, when this PDF was made of it.
    """

    path: Path
    name: str
    size_bytes: int
    sha256: str
    origin: Origin | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What a plan may call it: its name, and the name of what came in."""
        return (self.name,) if self.origin is None else (self.name, self.origin.name)


@dataclass(frozen=True)
class BidPackage:
    """All documents of one bid, sorted by name."""

    name: str
    files: tuple[SourceFile, ...]


@dataclass(frozen=True)
class ExistingSignature:
    """A signature the file had before we touched it.

    Attributes:
        docmdp: what it lets others do, by its DocMDP, or by /P of its field's lock (ISO 32000-2 Table 236).
        locks: its FieldMDP, and its field's lock (ISO 32000-2 Table 258, 236).
        is_timestamp: a DocTimeStamp: nobody's signature, it forbids nothing.
        signer: the name in the certificate that came with it, unchecked; empty when it cannot be read.
    """

    field_name: str
    docmdp: DocMDP | None
    signed_at: datetime | None = None
    locks: tuple[FieldLock, ...] = ()
    is_timestamp: bool = False
    signer: str = ""


@dataclass(frozen=True)
class PageGeometry:
    """A page as a reader displays it: cropped, turned, scaled.

    Attributes:
        crop_pt: x0, y0, x1, y1 of the visible box (CropBox ∩ MediaBox) in user space.
        rotate: 0, 90, 180 or 270, clockwise (ISO 32000-2 Table 31, /Rotate).
        user_unit: size of a user-space unit in 1/72 inch.
        width_mm, height_mm: of the displayed page.
    """

    crop_pt: tuple[float, float, float, float]
    rotate: int
    user_unit: float
    width_mm: float
    height_mm: float


class FieldKind(StrEnum):
    """Kinds of form fields (ISO 32000-2 §12.7.5)."""

    SIGNATURE = "signature"
    TEXT = "text"
    BUTTON = "button"
    CHOICE = "choice"


@dataclass(frozen=True)
class FormField:
    """One widget of a form field: its box in mm from the top left of the displayed page.

    Attributes:
        name: the full name, parts joined by periods (ISO 32000-2 §12.7.4.2).
        is_filled: it has a value; a signature field is then signed.
        is_field: field and widget are one object; otherwise the widget is a kid of the field.
    """

    name: str
    kind: FieldKind
    page_index: int
    x_mm: float
    y_mm: float
    w_mm: float
    h_mm: float
    is_filled: bool
    is_field: bool = True


@dataclass(frozen=True)
class InspectedDocument:
    """A PDF that may be stamped and signed, and what is known of it.

    Attributes:
        fields: the form's fields that have a widget on a page, by page, then as the form lists them.
        taken_names: top-level form fields, empty ones too, with a name our own signature might take.
        odd_pages: indices of pages whose size can hardly be that of the sheet they show.
    """

    source_sha256: str
    pages: tuple[PageGeometry, ...]
    signatures: tuple[ExistingSignature, ...] = ()
    findings: tuple[Finding, ...] = ()
    taken_names: tuple[str, ...] = ()
    fields: tuple[FormField, ...] = ()
    odd_pages: tuple[int, ...] = ()


class SlotAlign(StrEnum):
    """Where in its slot a text shorter than the slot stands."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


@dataclass(frozen=True)
class TextSlot:
    """A place on a seal whose text is set when it is stamped (动态输入章): a date, a number.

    Attributes:
        name: what plans call it.
        x_mm, y_mm, w_mm, h_mm: its box on the 70 mm canvas; h_mm is the characters' height.
        max_chars: how many characters a text may have.
    """

    name: str
    x_mm: float
    y_mm: float
    w_mm: float
    h_mm: float
    max_chars: int
    align: SlotAlign = SlotAlign.CENTER


@dataclass(frozen=True)
class SealFace:
    """What planning and stamping must know of a seal.

    Attributes:
        name: what plans call it.
        image_path: the finished 1400 × 1400 RGBA PNG, 20 px/mm.
        ink_box_mm: x, y, w, h of the ink on the 70 mm canvas; w and h are the seal's true size.
        slots: where text is set when the seal is stamped.
        owner, owner_code: whose it is, and 统一社会信用代码; known only where a plan must not name them.
    """

    name: str
    image_path: Path
    image_sha256: str
    ink_box_mm: tuple[float, float, float, float]
    slots: tuple[TextSlot, ...] = ()
    owner: str = ""
    owner_code: str = ""


@dataclass(frozen=True)
class Strip:
    """The part of a seal that one page of a paging seal (骑缝章) carries.

    Attributes:
        side: the page edge it lies on: left, right, top or bottom.
        start, end: 0..1 of the seal's width (left, right) or height (top, bottom).
    """

    side: str
    start: float
    end: float


@dataclass(frozen=True)
class Mark:
    """One seal on one page, in mm from the top left of the displayed page.

    Attributes:
        x_mm, y_mm, w_mm, h_mm: the box of what is drawn (of the strip, for a paging seal).
        rule: index of the plan's rule that put it there.
        angle_deg: turned clockwise about the middle of its box, which is that of the upright seal.
        field: full name of the form field it was placed by; an empty signature field takes our signature.
        text: slot and text, for a seal whose text is set when it is stamped.
    """

    page_index: int
    seal: str
    x_mm: float
    y_mm: float
    w_mm: float
    h_mm: float
    rule: int
    strip: Strip | None = None
    text: tuple[tuple[str, str], ...] = ()
    angle_deg: float = 0.0
    field: str | None = None


class AfterOthers(StrEnum):
    """How marks are drawn that a signed file cannot carry in the new signature's own widget."""

    WIDGET = "widget"
    ANNOTATIONS = "annotations"


@dataclass(frozen=True)
class PlannedDocument:
    """A document with every mark that will be drawn on it.

    Attributes:
        inspected: as inspection left it, but for pages that are taken as filling a sheet: their
            geometry and fields are those of the print.
        after_others: what the plan allows where others have signed without saying what may be added.
        anonymous: part of a blind bid (暗标): no mark, no name may be in it, and no signature but by choice.
        signed_invisibly: anonymous, and yet signed: without any mark, reason or place.
        page_scales: index of each page taken as filling a sheet, and by what factor it grew.
    """

    inspected: InspectedDocument
    marks: tuple[Mark, ...]
    warnings: tuple[str, ...] = ()
    anonymous: bool = False
    signed_invisibly: bool = False
    page_scales: tuple[tuple[int, float], ...] = ()
    after_others: AfterOthers = AfterOthers.WIDGET


@dataclass(frozen=True)
class StampedDocument:
    """A file in scratch: the original bytes, then one increment with the marks.

    Attributes:
        base_size_bytes: how many of its first bytes are the original's.
        widget_mark: the mark the signature's widget lies over; None for an invisible one.
        widget_marks: marks of one page that the widget itself must show, because somebody has signed
            before and page content may not change.
        widget_faces: the seals of widget_marks.
        widget_page: the page below the widget's marks, as they were planned on it.
        field_name: the empty signature field that takes the signature; None for a new field.
        damaged_pages: indices of marked pages whose content breaks off; readers may not show the marks.
    """

    path: Path
    base_size_bytes: int
    widget_mark: Mark | None
    widget_marks: tuple[Mark, ...] = ()
    widget_faces: tuple[SealFace, ...] = ()
    widget_page: PageGeometry | None = None
    field_name: str | None = None
    damaged_pages: tuple[int, ...] = ()


@dataclass(frozen=True)
class SignatureRequest:
    """All that decides the bytes of a signature besides the document and the key.

    A signature is a pure function of document, request and key, so that a claim taken up again
    after a crash gives the same bytes (with a deterministic scheme such as RSA PKCS#1 v1.5).

    Attributes:
        signed_at: what /M says; an aware instant. Not the proof of time: that is the timestamp.
    """

    field_name: str
    signed_at: datetime
    reason: str = ""
    location: str = ""


@dataclass(frozen=True)
class SignedDocument:
    """A file in scratch with a PAdES B-B signature and room for its timestamp.

    Attributes:
        contents_start, contents_end: where `/Contents` begins ("<") and ends (behind ">"), in bytes.
    """

    path: Path
    base_size_bytes: int
    field_name: str
    contents_start: int
    contents_end: int


@dataclass(frozen=True)
class TimestampedDocument:
    """A file in scratch with a PAdES B-T signature.

    Attributes:
        stamped_at: the instant the authority vouches for.
        authority: the name in its certificate.
    """

    path: Path
    base_size_bytes: int
    field_name: str
    stamped_at: datetime
    authority: str


@dataclass(frozen=True)
class ArchivePackage:
    """What is kept of one document, by SHA-256 of each object.

    Attributes:
        signed_sha256, verdict_sha256: None, both, of a document that is kept without a signature.
        manifest: the JSON manifest's bytes (canonical: sorted keys, UTF-8, no spaces).
        evidence: the DER EvidenceRecord (RFC 4998) over every object the manifest names, and itself.
    """

    name: str
    original_sha256: str
    signed_sha256: str | None
    verdict_sha256: str | None
    manifest: bytes = field(repr=False)
    evidence: bytes = field(repr=False)
