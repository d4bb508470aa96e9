"""Pages whose box is no paper's: scans counted in pixels, or declared at another scale than their sheet's."""

import pikepdf

from seal_imaging.units import A4_MM, MM_PER_INCH
from stages.documents import PageGeometry
from stages.pdf.structure import inherited
from stages.sheet_sizes import A3_MM, SHEETS_MM

LONGEST_MM = 1200.0
"""No sheet is longer (A0 is 1189 mm), drawings on lengthened sheets apart."""
SHORTEST_MM = 50.0
"""A page narrower than this, an identity card's 54 mm, has no room for a company seal."""
PIXELS_AS_POINTS = (96, 100, 120, 150, 180, 200, 220, 240, 250, 300, 350, 360, 400, 600)
"""Dots an inch at which scanners and programs make an A4 sheet's picture."""
COUNT_TOLERANCE = 0.004
"""3507 and 3509 rows are as good as 3508, and so are boxes rounded down to whole points."""
SIZE_TOLERANCE = 0.02
"""A sheet fed a little askew or cut to its content is still that sheet."""
MAX_IMAGES = 200
"""Pictures looked at on a page."""

_DRAWING_WIDTHS_MM = (297.0, 420.0, 594.0, 841.0)
"""Drawings are lengthened along one side only (GB/T 14689 §3)."""
_PIXEL_COUNTS = tuple(
    (w * dpi / MM_PER_INCH, h * dpi / MM_PER_INCH) for w, h in (A4_MM, A3_MM) for dpi in PIXELS_AS_POINTS
)
"""A4 and A3 sheets as scanners count them."""
SCREEN_SHORT_MM, SCREEN_LONG_MM = 222.0, 305.0
"""A picture of 72 dots an inch may be a sheet of up to A4 or Letter; nobody scans larger ones so coarsely."""


def is_odd(page: pikepdf.Object, geometry: PageGeometry) -> bool:
    """Return whether a page's size can hardly be that of the sheet it shows. No stream is decoded."""
    short, long = sorted((geometry.width_mm, geometry.height_mm))
    if short < SHORTEST_MM:
        return True
    x0, y0, x1, y1 = geometry.crop_pt
    w_pt, h_pt = (x1 - x0) * geometry.user_unit, (y1 - y0) * geometry.user_unit
    pictures = _picture_sizes(page)
    if any(abs(w - w_pt) <= 1 and abs(h - h_pt) <= 1 for w, h in pictures):  # a point for each pixel
        return short > SCREEN_SHORT_MM or long > SCREEN_LONG_MM
    if _is_size(short, long, tuple(SHEETS_MM.values()), SIZE_TOLERANCE):
        return False
    if _is_size(min(w_pt, h_pt), max(w_pt, h_pt), _PIXEL_COUNTS, COUNT_TOLERANCE):
        return True
    if long > LONGEST_MM:
        return not any(abs(short / width - 1) <= SIZE_TOLERANCE / 2 for width in _DRAWING_WIDTHS_MM)
    if len(pictures) != 1 or abs(long / short * 210 / 297 - 1) > SIZE_TOLERANCE / 2:
        return False
    w, h = pictures[0]
    return abs(w * h_pt / (h * w_pt) - 1) < SIZE_TOLERANCE / 2  # a scan of A4 at another scale


def fitted(geometry: PageGeometry, sheet_mm: tuple[float, float]) -> tuple[PageGeometry, float]:
    """Return a page as if it had been printed to fill a sheet, and by what factor it grew.

    Args:
        sheet_mm: width and height upright; a page that is wider than high takes it across.
    """
    short, long = sheet_mm
    w, h = (long, short) if geometry.width_mm > geometry.height_mm else (short, long)
    factor = min(w / geometry.width_mm, h / geometry.height_mm)
    return (
        PageGeometry(
            geometry.crop_pt,
            geometry.rotate,
            geometry.user_unit * factor,
            geometry.width_mm * factor,
            geometry.height_mm * factor,
        ),
        factor,
    )


def _is_size(short: float, long: float, sizes: tuple[tuple[float, float], ...], tolerance: float) -> bool:
    return any(abs(short / w - 1) <= tolerance and abs(long / h - 1) <= tolerance for w, h in sizes)


def _picture_sizes(page: pikepdf.Object) -> list[tuple[int, int]]:
    resources = inherited(page, "/Resources")
    objects = resources.get("/XObject") if isinstance(resources, pikepdf.Dictionary) else None
    if not isinstance(objects, pikepdf.Dictionary) or len(objects) > MAX_IMAGES:
        return []
    sizes: list[tuple[int, int]] = []
    for value in objects.values():
        if isinstance(value, pikepdf.Stream) and value.get("/Subtype") == pikepdf.Name.Image:
            w, h = value.get("/Width"), value.get("/Height")
            if isinstance(w, int) and isinstance(h, int) and w > 0 and h > 0:
                sizes.append((w, h))
    return sizes
