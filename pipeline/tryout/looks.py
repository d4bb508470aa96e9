"""How drawn impressions were stamped and their page scanned: the look of a page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PageLook:
    """How the seals were stamped and how the page was scanned.

    Attributes:
        turn_deg, least_turn_deg: impressions are turned by up to this, and by no less, either way.
        density: least and most ink an impression gets, 1 is full.
        missing, least_missing: share of an impression where no ink arrived, at most and at least.
        pressure: ink lost from the pressed to the weak side of an impression, 0..1.
        spread_mm: how far too much ink ran out of the strokes.
        flooded: share of the room between strokes that this ink filled, 0..1.
        drag_mm: how far the seal slid while it touched the paper.
        second_strike_mm: how far beside the first a second strike fell; 0 for one strike.
        fringe_px: how far the scanner sees red beside blue.
        printed_over: black text and a table line run over each impression.
        print_transmittance: what comes back from solid print.
        pen_rgb: colour of the pen that wrote over each impression; None for none.
        paper_rgb: colour of the paper.
        shading: brightness lost from the light to the dark end of the page, 0..1.
        shadow: light lost in the hard-edged shadows of a window's bars, 0..1.
        glare: how far a lamp's reflection washes out a part of each impression, 0..1.
        blur_px: sigma of the lens.
        sharpening: how much the device overdoes edges, 1 leaves plain halos.
        noise: sigma, in grey levels.
        jpeg_quality: None for no JPEG.
        is_chroma_coarse: the JPEG keeps one colour for four pixels in a row.
        is_enhanced: the scanning software stretched contrast and clipped white.
        is_grey: a photocopy, or a scan without colour.
        show_through: light that print on the other side takes, 0..1.
        folds: how many.
    """

    turn_deg: float = 8.0
    density: tuple[float, float] = (0.75, 1.0)
    missing: float = 0.05
    least_missing: float = 0.0
    fringe_px: float = 0.0
    printed_over: bool = False
    paper_rgb: tuple[int, int, int] = (250, 250, 248)
    shading: float = 0.03
    blur_px: float = 0.6
    noise: float = 2.0
    jpeg_quality: int | None = 92
    is_enhanced: bool = False
    show_through: float = 0.0
    folds: int = 0
    least_turn_deg: float = 0.0
    pressure: float = 0.0
    spread_mm: float = 0.0
    flooded: float = 0.0
    drag_mm: float = 0.0
    second_strike_mm: float = 0.0
    print_transmittance: float = 0.10
    pen_rgb: tuple[int, int, int] | None = None
    shadow: float = 0.0
    glare: float = 0.0
    sharpening: float = 0.0
    is_chroma_coarse: bool = False
    is_grey: bool = False


CLEAN = PageLook(missing=0.0)
PRINTED_OVER = PageLook(printed_over=True)
FAINT = PageLook(density=(0.22, 0.35), missing=0.2)
PHOTO = PageLook(paper_rgb=(236, 228, 212), shading=0.3, blur_px=1.0, noise=4.0, jpeg_quality=80)
ENHANCED = PageLook(density=(0.6, 1.0), printed_over=True, is_enhanced=True)
SHOW_THROUGH = PageLook(show_through=0.10, folds=2)
OVER_INKED = PageLook(density=(1.0, 1.2), missing=0.0, spread_mm=0.22, flooded=0.35)
DRAGGED = PageLook(missing=0.0, drag_mm=1.4)
DOUBLE_STRUCK = PageLook(missing=0.0, second_strike_mm=1.3)
PRESSED_ASKEW = PageLook(missing=0.0, pressure=0.8)
TILTED = PageLook(missing=0.0, turn_deg=24.0, least_turn_deg=14.0)
GLARING = PageLook(paper_rgb=(228, 222, 210), shading=0.1, blur_px=0.9, noise=3.0, jpeg_quality=85, glare=1.0)
SHADOWED = PageLook(paper_rgb=(236, 228, 212), blur_px=0.9, noise=3.0, jpeg_quality=85, shadow=0.45)
PEN_OVER = PageLook(missing=0.0, pen_rgb=(36, 52, 140))
PHONE_JPEG = PageLook(
    paper_rgb=(232, 226, 214),
    shading=0.25,
    blur_px=1.1,
    noise=5.0,
    sharpening=1.0,
    jpeg_quality=45,
    is_chroma_coarse=True,
)
TINTED = PageLook(paper_rgb=(250, 230, 188))
GREY_COPY = PageLook(missing=0.02, is_grey=True)
