"""Millimetres, pixels and points, and the conversions between them; they meet here and nowhere else."""

MM_PER_INCH = 25.4
PT_PER_INCH = 72.0
PT_PER_MM = PT_PER_INCH / MM_PER_INCH

A4_MM = (210.0, 297.0)
"""Also what a page of unknown scale is taken for when windows are chosen. ISO 216 lets a sheet be 2 mm longer
or shorter, so a scale from its edges is good to 1 %."""

CANVAS_MM = 70.0
SEAL_PX_PER_MM = 20.0
"""20 px/mm makes 70 mm exactly 1400 px and a PNG's pHYs exactly 20000 per metre."""


def pt_from_mm(length_mm: float) -> float:
    """Return a length in PDF points (1/72 inch)."""
    return length_mm * PT_PER_MM


def mm_from_pt(length_pt: float) -> float:
    """Return a length in millimetres."""
    return length_pt / PT_PER_MM


def px_per_mm_from_dpi(dpi: float) -> float:
    """Return pixels per millimetre for a resolution in dots per inch."""
    return dpi / MM_PER_INCH


def dpi_from_px_per_mm(px_per_mm: float) -> float:
    """Return dots per inch for a resolution in pixels per millimetre."""
    return px_per_mm * MM_PER_INCH


def px_per_metre(px_per_mm: float) -> int:
    """Return the value of a PNG pHYs chunk (PNG, Third Edition, §11.3.4.3)."""
    return round(px_per_mm * 1000)
