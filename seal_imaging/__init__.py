"""Pixels in, pixels and measurements out: pure functions on numpy arrays."""

from seal_imaging.compose import compose, ink_box_mm
from seal_imaging.errors import ImpressionUnusable, ScaleUnknown, SealImagingError
from seal_imaging.finish import STATED_COLOURS, InkChoice
from seal_imaging.fuse import fuse, group_impressions
from seal_imaging.impression import (
    Impression,
    InkAmount,
    InkColour,
    Quality,
    Reason,
    RgbaImage,
    RgbImage,
    SealShape,
)
from seal_imaging.impressions import PageReading, ScaleSource, read_impressions, read_page
from seal_imaging.restate import cut_out, with_size

__all__ = [
    "STATED_COLOURS",
    "Impression",
    "ImpressionUnusable",
    "InkAmount",
    "InkChoice",
    "InkColour",
    "PageReading",
    "Quality",
    "Reason",
    "RgbImage",
    "RgbaImage",
    "ScaleSource",
    "ScaleUnknown",
    "SealImagingError",
    "SealShape",
    "compose",
    "cut_out",
    "fuse",
    "group_impressions",
    "ink_box_mm",
    "read_impressions",
    "read_page",
    "with_size",
]
