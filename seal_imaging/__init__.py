"""Pixels in, pixels and measurements out: pure functions on numpy arrays."""

from seal_imaging.canvas import compose, ink_box_mm
from seal_imaging.comparison import Comparison, Difference, compare, impression_of_image
from seal_imaging.errors import ImpressionUnusable, ReaderUnavailable, ScaleUnknown, SealImagingError
from seal_imaging.finish import STATED_COLOURS, InkChoice
from seal_imaging.fusion import Fused, fuse, fuse_shown, source_picture
from seal_imaging.group import Kinship, group_impressions
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
from seal_imaging.names import NameAnswer, NameDifference, NameVerdict, compare_name
from seal_imaging.ocr_rapid import RapidReader
from seal_imaging.printed_pages import PrintedLine, PrintedPageReader
from seal_imaging.quality import REFUSING, Verdict, judge
from seal_imaging.reader import ReadCharacter, ReadLine, TextReader
from seal_imaging.restate import cut_out, with_size
from seal_imaging.text import SealLine, SealText, read_text

__all__ = [
    "REFUSING",
    "STATED_COLOURS",
    "Comparison",
    "Difference",
    "Fused",
    "Impression",
    "ImpressionUnusable",
    "InkAmount",
    "InkChoice",
    "InkColour",
    "Kinship",
    "NameAnswer",
    "NameDifference",
    "NameVerdict",
    "PageReading",
    "PrintedLine",
    "PrintedPageReader",
    "Quality",
    "RapidReader",
    "ReadCharacter",
    "ReadLine",
    "ReaderUnavailable",
    "Reason",
    "RgbImage",
    "RgbaImage",
    "ScaleSource",
    "ScaleUnknown",
    "SealImagingError",
    "SealLine",
    "SealShape",
    "SealText",
    "TextReader",
    "Verdict",
    "compare",
    "compare_name",
    "compose",
    "cut_out",
    "fuse",
    "fuse_shown",
    "group_impressions",
    "impression_of_image",
    "ink_box_mm",
    "judge",
    "read_impressions",
    "read_page",
    "read_text",
    "source_picture",
    "with_size",
]
