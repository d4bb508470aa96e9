"""The sizes of paper, by the name people have for each: width and height upright, in mm."""

from collections.abc import Mapping
from types import MappingProxyType

from seal_imaging.units import A4_MM

A3_MM = (297.0, 420.0)
SHEETS_MM: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "A0": (841.0, 1189.0),
        "A1": (594.0, 841.0),
        "A2": (420.0, 594.0),
        "A3": A3_MM,
        "A4": A4_MM,
        "A5": (148.0, 210.0),
        "A6": (105.0, 148.0),
        "B4": (250.0, 353.0),
        "B5": (176.0, 250.0),
        "JIS B4": (257.0, 364.0),
        "JIS B5": (182.0, 257.0),
        "8K": (260.0, 368.0),
        "16K": (184.0, 260.0),
        "8K (270 × 390)": (270.0, 390.0),
        "16K (195 × 270)": (195.0, 270.0),
        "Letter": (215.9, 279.4),
        "Legal": (215.9, 355.6),
        "Tabloid": (279.4, 431.8),
        "ANSI C": (431.8, 558.8),
        "ANSI D": (558.8, 863.6),
        "Folio": (210.0, 330.0),
        "Foolscap": (216.0, 330.0),
    }
)
"""China has two customs of 8K and 16K; the smaller one is what most printers mean."""
