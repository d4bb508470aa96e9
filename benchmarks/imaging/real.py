"""Reads real pictures and shows what was found: figures in a table, and a contact sheet."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.imaging.figures import Example
from benchmarks.imaging.peer import red_mask
from benchmarks.imaging.sheet import save_sheet
from seal_imaging import (
    Impression,
    ImpressionUnusable,
    compose,
    fuse,
    group_impressions,
    judge,
    read_impressions,
    with_size,
)

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"})
SHOWN_AT_MM = 42.0
"""Seals of unknown size are shown at this; it is no measurement."""


def show_real(folder: Path, out: Path) -> None:
    """Print a line for each impression in a folder's pictures; write real.png to `out`."""
    examples: dict[str, list[Example]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES:
            continue
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            print(f"{path.name:28} cannot be read")
            continue
        page = np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8)
        found = read_impressions(page, None)
        if not found:
            print(f"{path.name:28} no seal")
            continue
        fused = _fused(found)
        for number, one in enumerate(found, 1):
            print(f"{path.name:28} {number}  {_line(one)}")
        examples[path.name] = [_example(page, one, fused.get(index)) for index, one in enumerate(found)]
    if examples:
        out.mkdir(parents=True, exist_ok=True)
        save_sheet(examples, out / "real.png")
        print(f"real.png is in {out}")


def _line(one: Impression) -> str:
    size = "size unknown" if one.size_mm is None else "{:.1f} x {:.1f} mm".format(*one.size_mm)
    q = one.quality
    return (
        f"{one.colour} {one.shape}, {size}, {one.angle_deg:.1f} deg, score {q.score:.2f}, "
        f"outline {q.outline:.2f}, coverage {q.coverage:.2f}, smear {q.smear:.2f}, double {q.double:.2f}, "
        f"glare {q.glare:.2f}, {judge(q)} {'、'.join(q.reasons)}"
    )


def _fused(found: list[Impression]) -> dict[int, NDArray[np.uint8]]:
    """Return a seal image at the best impression of each seal."""
    images = {}
    for group in group_impressions(found):
        try:
            whole = fuse([found[index] for index in group])
            images[group[0]] = compose(whole if whole.size_mm else with_size(whole, SHOWN_AT_MM))
        except ImpressionUnusable as error:
            print(f"{'':28}    no seal image: {error}")
    return images


def _example(page: NDArray[np.uint8], one: Impression, fused: NDArray[np.uint8] | None) -> Example:
    x, y, w, h = one.box_px
    part = page[y : y + h, x : x + w]
    return Example(part, red_mask(part), one.ink > 0.5, fused)
