"""Pages with a black bar on every kind of ground and in every state, to see what a seal makes of it."""

import io
from pathlib import Path

import numpy as np
import pikepdf
from PIL import Image

from stages.documents import PageGeometry
from tests.simulators.views import Renderer

Colour = tuple[float, float, float]

SIDE_PT = 400.0
"""Pages are square: 141 mm."""
MIDDLE_MM = SIDE_PT / 2 / 72 * 25.4
BAR_PT = 12.0

_RGB = b"0 0 0 rg"
_CMYK = b"0 0 0 1 k"


def _bar(colour: bytes) -> bytes:
    return b"%s 0 %g %g %g re f" % (colour, SIDE_PT / 2 - BAR_PT / 2, SIDE_PT, BAR_PT)


KINDS = (
    "plain",
    "cmyk group",
    "isolated group",
    "state left open",
    "overprint",
    "grey scan",
    "beige scan",
    "multiplied before",
    "soft mask left open",
    "knockout group",
)


def page(path: Path, kind: str) -> Path:
    """Write one page of a kind: a bar of solid black across its middle."""
    with pikepdf.new() as pdf:
        content, resources, group = _bar(_RGB), pikepdf.Dictionary(), None
        state = pikepdf.Dictionary(Type=pikepdf.Name.ExtGState)
        match kind:
            case "cmyk group":
                content, group = _bar(_CMYK), pikepdf.Dictionary(CS=pikepdf.Name.DeviceCMYK)
            case "isolated group":
                group = pikepdf.Dictionary(CS=pikepdf.Name.DeviceRGB, I=True)
            case "knockout group":
                group = pikepdf.Dictionary(CS=pikepdf.Name.DeviceRGB, I=True, K=True)
            case "state left open":
                state.BM, state.ca = pikepdf.Name.Screen, 0.3
                content = _bar(_RGB) + b" q q /S gs 0.5 0 0 0.5 9 9 cm 7 Tr"
            case "overprint":
                state.OP, state.op, state.OPM = True, True, 1
                content = b"/S gs " + _bar(_CMYK)
            case "multiplied before":
                state.BM = pikepdf.Name.Multiply
                content = b"/S gs " + _bar(_RGB)
            case "soft mask left open":
                form = pdf.make_stream(b"0.2 g 0 0 400 400 re f", Type=pikepdf.Name.XObject)
                form.Subtype, form.BBox = pikepdf.Name.Form, pikepdf.Array([0, 0, 400, 400])
                form.Group = pikepdf.Dictionary(S=pikepdf.Name.Transparency, CS=pikepdf.Name.DeviceGray)
                state.SMask = pikepdf.Dictionary(S=pikepdf.Name.Luminosity, G=form)
                content = _bar(_RGB) + b" /S gs"
            case "grey scan" | "beige scan":
                resources.XObject = pikepdf.Dictionary(Im0=_scan(pdf, beige=kind == "beige scan"))
                content = b"q %g 0 0 %g 0 0 cm /Im0 Do Q" % (SIDE_PT, SIDE_PT)
            case _:
                pass
        resources.ExtGState = pikepdf.Dictionary(S=state)
        made = pikepdf.Dictionary(
            Type=pikepdf.Name.Page,
            MediaBox=pikepdf.Array([0, 0, SIDE_PT, SIDE_PT]),
            Resources=resources,
            Contents=pdf.make_stream(content),
        )
        if group is not None:
            group.S = pikepdf.Name.Transparency
            made.Group = group
        pdf.pages.append(pikepdf.Page(pdf.make_indirect(made)))
        pdf.save(path)
    return path


def _scan(pdf: pikepdf.Pdf, *, beige: bool) -> pikepdf.Stream:
    side = 1000
    pixels = np.empty((side, side, 3), np.uint8)
    pixels[:] = (226, 214, 186) if beige else (205, 205, 205)
    half = BAR_PT / 2 / SIDE_PT * side
    pixels[round(side / 2 - half) : round(side / 2 + half)] = (22, 22, 24)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    image = pdf.make_stream(buffer.getvalue(), Width=side, Height=side, BitsPerComponent=8)
    image.Type, image.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
    image.ColorSpace, image.Filter = pikepdf.Name.DeviceRGB, pikepdf.Name.DCTDecode
    return image


def colours(renderer: Renderer, page: PageGeometry, dpi: float = 150) -> dict[str, Colour]:
    """Return the mean colour of the bar, of the bar under ink, of ink, and of the paper.

    The seal is page_matrix.frame_face with its middle in the page's: its left side crosses the bar.
    """
    view = renderer.view(0, page, (0, 0, page.width_mm, page.height_mm), dpi)
    found = {}
    for name, dx, dy in (("print", 8, 0), ("print under ink", -19, 0), ("ink", -19, 9), ("paper", 8, 20)):
        x, y = (MIDDLE_MM + dx) / view.mm_per_px[0], (MIDDLE_MM + dy) / view.mm_per_px[1]
        reach = 0.5 / view.mm_per_px[0]
        piece = view.rgb[round(y - reach) : round(y + reach) + 1, round(x - reach) : round(x + reach) + 1]
        red, green, blue = piece.reshape(-1, 3).mean(axis=0)
        found[name] = (float(red), float(green), float(blue))
    return found


def contrast(first: Colour, second: Colour) -> float:
    """Return the contrast ratio of two sRGB colours, 1 to 21 (WCAG 2.2)."""

    def luminance(colour: Colour) -> float:
        linear = [
            value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
            for value in (component / 255 for component in colour)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)
