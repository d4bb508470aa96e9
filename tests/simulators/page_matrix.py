"""Pages of every box, turn and size, each with a seal at a place of its own: where readers must agree."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageDraw

from stages.documents import PlannedDocument, SealFace
from stages.inspect import inspect
from stages.plan import plan
from stages.plan_rules import parse_plan
from stages.stamp import stamp
from tests.simulators import pdfs, views
from tests.simulators.pdfs import PageKind, source_file

SIZES_PT = {"A4": (595.28, 841.89), "A3": (841.89, 1190.55), "A0": (2383.94, 3370.39)}
FRAME_MM = 2.0
"""How thick the frame of the seal is."""

Box = tuple[float, float, float, float]
Case = tuple[str, int]
"""Name of the boxes, and /Rotate."""


NOT_IN_POPPLER = ("crop aside",)
"""Where a CropBox is longer than the MediaBox one way, Poppler takes the MediaBox that way; ISO 32000-2
§14.11.2.1 and the other readers take what both have."""


def cases(w: float, h: float) -> dict[str, PageKind]:
    """Return how a page of a size may be boxed, by name."""
    return {
        "plain": PageKind(media=(0, 0, w, h)),
        "crop inside": PageKind(media=(0, 0, w, h), crop=(31, 47, w - 59, h - 83)),
        "negative origin": PageKind(media=(-w / 2, -h / 3, w / 2, h * 2 / 3)),
        "offset boxes": PageKind(
            media=(1000, 2000, 1000 + w, 2000 + h), crop=(1040, 2010, 980 + w, 1955 + h)
        ),
        "inherited": PageKind(media=(0, 0, w, h), crop=(-20, 33, w - 47, h - 5), inherit=True),
        "crop larger": PageKind(media=(10, 20, w, h), crop=(-100, -100, w + 100, h + 100)),
        "crop aside": PageKind(media=(0, 0, w, h), crop=(-20, 33, w - 17, h + 40)),
        "user unit": PageKind(media=(0, 0, w / 2, h / 2), crop=(9, 9, w / 2 - 9, h / 2), user_unit=2.0),
        "reversed corners": PageKind(media=(w, h, 0, 0), crop=(w - 40, h - 11, 23, 19)),
        "fractions": PageKind(
            media=(-0.371, 12.683, w + 0.119, h + 12.947), crop=(3.333, 17.777, w - 1.111, h)
        ),
    }


def turned_cases(size: str) -> dict[Case, PageKind]:
    """Return every case of a size in every turn."""
    return {
        (name, rotate): replace(kind, rotate=rotate)
        for name, kind in cases(*SIZES_PT[size]).items()
        for rotate in (0, 90, 180, 270)
    }


def place(number: int, width_mm: float, height_mm: float) -> tuple[float, float]:
    """Return the middle of the seal of the number-th page, away from the edges, on no round number."""
    x = 0.2 + 0.6 * ((number * 0.618) % 1)
    y = 0.2 + 0.6 * ((number * 0.414) % 1)
    return round(x * width_mm, 3), round(y * height_mm, 3)


def text_content(kind: PageKind, text: bytes) -> bytes:
    """Return the operators that write blue text near the middle of what a page shows of its media box."""
    x0, y0, x1, y1 = kind.media
    size = 24 / kind.user_unit
    x, y = (x0 + x1) / 2 - 3 * size, (y0 + y1) / 2
    return b"0 0 1 rg BT /F1 %.2f Tf 1 0 0 1 %.3f %.3f Tm (%s) Tj ET" % (size, x, y, text)


def build(path: Path, kinds: Sequence[PageKind], *, text: bytes = b"") -> Path:
    """Write the pages, each with nothing but a text."""
    return pdfs.build(path, [replace(kind, content=text_content(kind, text)) for kind in kinds])


def frame_face(folder: Path, name: str = "框章", w_mm: float = 40.0, h_mm: float = 28.0) -> SealFace:
    """Draw a seal with a straight frame and an F in it: edges to measure, and one way up only."""
    image = Image.new("RGBA", (1400, 1400), (*pdfs.INK, 0))
    draw = ImageDraw.Draw(image)
    x, y, w, h = 700 - w_mm * 10, 700 - h_mm * 10, w_mm * 20, h_mm * 20
    draw.rectangle([x, y, x + w - 1, y + h - 1], outline=(*pdfs.INK, 255), width=round(FRAME_MM * 20))
    for box in ((0.2, 0.15, 0.28, 0.55), (0.2, 0.15, 0.5, 0.25), (0.2, 0.32, 0.4, 0.42)):
        corners = [x + box[0] * w, y + box[1] * h, x + box[2] * w, y + box[3] * h]
        draw.rectangle(corners, fill=(*pdfs.INK, 255))
    path = folder / "frame.png"
    image.save(path)
    return SealFace(name, path, hashlib.sha256(path.read_bytes()).hexdigest(), (x / 20, y / 20, w_mm, h_mm))


def stamped(folder: Path, kinds: Sequence[PageKind], face: SealFace) -> tuple[PlannedDocument, Path]:
    """Write the pages with a seal on each, and return what was planned."""
    source = source_file(build(folder / "matrix.pdf", kinds))
    inspected = inspect(source)
    lines = []
    for index, page in enumerate(inspected.pages):
        x, y = place(index, page.width_mm, page.height_mm)
        lines.append(f'  - {{seal: {face.name}, pages: "{index + 1}", x_mm: {x}, y_mm: {y}}}\n')
    rules = parse_plan(f"version: 1\nrules:\n{''.join(lines)}".encode())
    planned = plan(source, inspected, rules, {face.name: face})
    return planned, stamp(source, planned, {face.name: face}, folder / "stamped.pdf").path


@dataclass(frozen=True)
class Seen:
    """How a seal is seen in a renderer.

    Attributes:
        off_mm: of the worst of its four edges, its width and its height.
        upright: Dice coefficient with the seal as it is.
        otherwise: the best with the seal mirrored or upside down.
    """

    off_mm: float
    upright: float
    otherwise: float


def look(renderer: views.Renderer, planned: PlannedDocument, index: int, face: SealFace, dpi: float) -> Seen:
    """Return how the index-th mark is seen."""
    mark = planned.marks[index]
    wanted = (mark.x_mm, mark.y_mm, mark.w_mm, mark.h_mm)
    geometry = planned.inspected.pages[mark.page_index]
    around = (mark.x_mm - 4, mark.y_mm - 4, mark.w_mm + 8, mark.h_mm + 8)
    view = renderer.view(mark.page_index, geometry, around, dpi)
    x, y, w, h = views.frame_box_mm(view, wanted, FRAME_MM)
    edges = (x - mark.x_mm, y - mark.y_mm, x + w - mark.x_mm - mark.w_mm, y + h - mark.y_mm - mark.h_mm)
    upright, *others = views.likeness(view, wanted, face.image_path, face.ink_box_mm)
    return Seen(max(map(abs, (*edges, w - mark.w_mm, h - mark.h_mm))), upright, max(others))
