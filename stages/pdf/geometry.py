"""Displayed space: mm from the top left of the page as a reader sees it, and the way to user space."""

import math

import pikepdf

from seal_imaging.units import MM_PER_INCH, PT_PER_INCH, mm_from_pt
from stages.documents import Mark, PageGeometry
from stages.errors import InputRefused
from stages.pdf.structure import inherited

Matrix = tuple[float, float, float, float, float, float]
"""a b c d e f: x' = a·x + c·y + e, y' = b·x + d·y + f (ISO 32000-2 §8.3.3)."""
Box = tuple[float, float, float, float]

LETTER_PT: Box = (0.0, 0.0, 612.0, 792.0)
"""What readers take for a page without a MediaBox."""
MIN_SIDE_MM = 0.01
"""A page thinner than this has no area to speak of."""
MAX_USER_UNIT = 75_000.0
MAX_COORDINATE = 1e7


def page_geometry(page: pikepdf.Object) -> PageGeometry:
    """Return how a page is displayed (ISO 32000-2 §14.11.2.1, Table 31).

    A CropBox that does not meet the MediaBox is ignored, as readers do.

    Raises:
        InputRefused: the page has no area, or see `structure.inherited`.
    """
    media = _box(inherited(page, "/MediaBox")) or LETTER_PT
    crop = _box(inherited(page, "/CropBox"))
    visible = (_intersection(media, crop) if crop else None) or media
    rotate = _rotation(inherited(page, "/Rotate"))
    user_unit = _user_unit(page.get("/UserUnit"))
    width = mm_from_pt((visible[2] - visible[0]) * user_unit)
    height = mm_from_pt((visible[3] - visible[1]) * user_unit)
    if min(width, height) < MIN_SIDE_MM:
        raise InputRefused("a page has no area; export the PDF again", zh="有页面没有面积，请重新导出 PDF")
    if rotate in (90, 270):
        width, height = height, width
    return PageGeometry(visible, rotate, user_unit, width, height)


def is_box_disputed(page: pikepdf.Object) -> bool:
    """Return whether readers show another part of a page than `page_geometry` says.

    Where a CropBox lies beside the MediaBox each reader does something else; where it is longer than the
    MediaBox one way, without covering it, Poppler takes the whole MediaBox that way.

    Raises:
        InputRefused: see `structure.inherited`.
    """
    media = _box(inherited(page, "/MediaBox")) or LETTER_PT
    crop = _box(inherited(page, "/CropBox"))
    if crop is None:
        return False
    if _intersection(media, crop) is None:
        return True
    return any(
        crop[end] - crop[start] > media[end] - media[start]
        and not (crop[start] <= media[start] and crop[end] >= media[end])
        for start, end in ((0, 2), (1, 3))
    )


def is_turn_disputed(page: pikepdf.Object) -> bool:
    """Return whether readers turn a page differently: its /Rotate is no whole multiple of 90.

    Poppler leaves a page upright whose /Rotate is a real, such as 90.0.

    Raises:
        InputRefused: see `structure.inherited`.
    """
    rotate = inherited(page, "/Rotate")
    if rotate is None:
        return False
    return not isinstance(rotate, int) or isinstance(rotate, bool) or rotate % 90 != 0


def to_user_space(geometry: PageGeometry) -> Matrix:
    """Return the matrix from displayed millimetres (origin top left, y down) to PDF user space."""
    x0, y0, x1, y1 = geometry.crop_pt
    unit = PT_PER_INCH / MM_PER_INCH / geometry.user_unit
    match geometry.rotate:
        case 90:
            return (0.0, unit, unit, 0.0, x0, y0)
        case 180:
            return (-unit, 0.0, 0.0, unit, x1, y0)
        case 270:
            return (0.0, -unit, -unit, 0.0, x1, y1)
        case _:
            return (unit, 0.0, 0.0, -unit, x0, y1)


def transformed(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    """Return a point after a matrix."""
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def user_box(geometry: PageGeometry, box_mm: Box) -> Box:
    """Return displayed x, y, w, h in mm as x0, y0, x1, y1 in user space (a widget's /Rect)."""
    x, y, w, h = box_mm
    matrix = to_user_space(geometry)
    ax, ay = transformed(matrix, x, y)
    bx, by = transformed(matrix, x + w, y + h)
    return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)


def displayed_box(geometry: PageGeometry, user: Box) -> Box:
    """Return x0, y0, x1, y1 in user space as displayed x, y, w, h in mm: the way back from user_box."""
    a, b, c, d, e, f = to_user_space(geometry)
    determinant = a * d - b * c
    corners = []
    for x, y in (user[:2], user[2:]):
        right, up = x - e, y - f
        corners.append(((d * right - c * up) / determinant, (a * up - b * right) / determinant))
    (ax, ay), (bx, by) = corners
    return min(ax, bx), min(ay, by), abs(ax - bx), abs(ay - by)


def turned(angle_deg: float, x_mm: float, y_mm: float) -> Matrix:
    """Return the matrix from displayed mm to displayed mm that turns clockwise about a point."""
    if not angle_deg:
        return (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    # y runs down, so that this is clockwise to the eye.
    return (cos, sin, -sin, cos, x_mm - cos * x_mm + sin * y_mm, y_mm - sin * x_mm - cos * y_mm)


def turned_box(mark: Mark) -> Box:
    """Return the displayed x, y, w, h in mm of the upright box around a mark's turned one."""
    x, y, w, h = mark.x_mm, mark.y_mm, mark.w_mm, mark.h_mm
    cos, sin = (abs(value) for value in turned(mark.angle_deg, 0, 0)[:2])
    wide, high = w * cos + h * sin, w * sin + h * cos
    return x + (w - wide) / 2, y + (h - high) / 2, wide, high


def mark_space(geometry: PageGeometry, mark: Mark) -> Matrix:
    """Return the matrix to user space from displayed mm in which a turned mark stands upright."""
    middle = mark.x_mm + mark.w_mm / 2, mark.y_mm + mark.h_mm / 2
    return after(turned(mark.angle_deg, *middle), to_user_space(geometry))


def after(first: Matrix, then: Matrix) -> Matrix:
    """Return the matrix that does one thing, then another."""
    a, b, c, d, e, f = first
    origin_x, origin_y = then[4:]
    ends = [transformed(then, x, y) for x, y in ((a, b), (c, d), (e, f))]
    (ax, ay), (bx, by), (cx, cy) = ends
    return (ax - origin_x, ay - origin_y, bx - origin_x, by - origin_y, cx, cy)


def image_matrix(space: Matrix, box_mm: Box) -> Matrix:
    """Return the `cm` operands that make an image's unit square upright over x, y, w, h in mm of a space."""
    x, y, w, h = box_mm
    a, b, c, d, _, _ = space
    e, f = transformed(space, x, y + h)
    return (w * a, w * b, -h * c, -h * d, e, f)


def moved(space: Matrix, x_mm: float, y_mm: float) -> Matrix:
    """Return the `cm` operands after which drawing is in mm from a point of a space, y down."""
    return (*space[:4], *transformed(space, x_mm, y_mm))


def _number(value: object) -> float | None:
    """Return a PDF number that is finite and within MAX_COORDINATE; None for all else."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) <= MAX_COORDINATE else None


def _box(value: object) -> Box | None:
    """Return a rectangle with its corners in order (§7.9.5); None when it is none, or empty."""
    if not isinstance(value, pikepdf.Array) or len(value) != 4:
        return None
    numbers = [_number(value[index]) for index in range(4)]
    x0, y0, x1, y1 = numbers
    if x0 is None or y0 is None or x1 is None or y1 is None:
        return None
    box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    return box if box[2] > box[0] and box[3] > box[1] else None


def _intersection(first: Box, second: Box) -> Box | None:
    box = (
        max(first[0], second[0]),
        max(first[1], second[1]),
        min(first[2], second[2]),
        min(first[3], second[3]),
    )
    return box if box[2] > box[0] and box[3] > box[1] else None


def _rotation(value: object) -> int:
    """Return 0, 90, 180 or 270; what is no multiple of 90 goes to the nearest, as in MuPDF."""
    number = _number(value)
    return 0 if number is None else int((number % 360 + 45) // 90) * 90 % 360


def _user_unit(value: object) -> float:
    number = _number(value)
    return number if number is not None and 0 < number <= MAX_USER_UNIT else 1.0
