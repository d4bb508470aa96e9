"""Take out of a PDF we made what the tool wrote into it of itself: what the document says stays."""

from pathlib import Path

import pikepdf

from stages.pdf.header import hide_library

_OF_THE_TOOL = ("/Producer", "/Creator", "/CreationDate", "/ModDate")


def without_tool(made: Path, target: Path) -> Path:
    """Write a PDF anew without producer, creator, dates and random identifier; title and author stay.

    Two bidders' files must have nothing in common that came from the machine they were stamped on. The
    same input gives the same bytes.

    Raises:
        pikepdf.PdfError: it cannot be read.
    """
    with pikepdf.open(made) as pdf:
        if "/Info" in pdf.trailer:
            for key in _OF_THE_TOOL:
                if key in pdf.trailer.Info:
                    del pdf.trailer.Info[key]
        for key in ("/Metadata", "/PieceInfo"):
            if key in pdf.Root:
                del pdf.Root[key]
        for key in ("/DocChecksum", "/ID"):
            if key in pdf.trailer:
                del pdf.trailer[key]
        pdf.save(target, deterministic_id=True, fix_metadata_version=False)
    hide_library(target)
    return target
