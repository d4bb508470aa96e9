"""The pages as a plan takes them: as they are, or those of an odd size as if printed to fill a sheet."""

from dataclasses import replace

from seal_imaging.units import A4_MM
from stages.documents import FormField, InspectedDocument
from stages.errors import PlacementRefused
from stages.page_selection import page_list
from stages.pdf.page_size import fitted
from stages.plan_words import OddPages
from stages.sheet_sizes import A3_MM


def taken_pages(
    name: str, inspected: InspectedDocument, choice: OddPages
) -> tuple[InspectedDocument, tuple[tuple[int, float], ...]]:
    """Return a file with the geometry its marks are planned in, and each fitted page's index and factor.

    Raises:
        PlacementRefused: there are pages of an odd size, and the plan refuses them.
    """
    odd = inspected.odd_pages
    if not odd or choice == "as_is":
        return inspected, ()
    if choice == "refuse":
        pages, first = page_list(odd), inspected.pages[odd[0]]
        size = f"{first.width_mm:.0f} × {first.height_mm:.0f} mm"
        raise PlacementRefused(
            f"{name}: pages {pages} have a size no paper has ({size}); scan them again at their true size, "
            "or set odd_pages: as_a4",
            zh=f"{name}：第 {pages} 页尺寸异常（{size}）；请按实际大小重新扫描，或设置 odd_pages: as_a4",
        )
    sheet_mm = A3_MM if choice == "as_a3" else A4_MM
    geometries = list(inspected.pages)
    factors: dict[int, float] = {}
    for index in odd:
        geometries[index], factors[index] = fitted(geometries[index], sheet_mm)
    fields = tuple(_scaled(field, factors.get(field.page_index, 1.0)) for field in inspected.fields)
    return replace(inspected, pages=tuple(geometries), fields=fields), tuple(factors.items())


def odd_page_warnings(
    inspected: InspectedDocument, scales: tuple[tuple[int, float], ...], choice: OddPages, marked: set[int]
) -> list[str]:
    """Return what people should know of the pages of an odd size that carry marks."""
    if scales:
        sheet = "A3" if choice == "as_a3" else "A4"
        found = [(index, factor) for index, factor in scales if index in marked]
        if not found:
            return []
        pages = page_list([index for index, _ in found])
        low, high = min(factor for _, factor in found), max(factor for _, factor in found)
        by = f"{low:.3f}" if high - low < 0.0005 else f"{low:.3f}–{high:.3f}"
        return [
            f"第 {pages} 页尺寸异常，按铺满 {sheet} 打印盖章（缩放 {by}） / "
            f"pages {pages} have a size no paper has: seals are sized for a print that fills {sheet} "
            f"(scaled by {by})"
        ]
    odd = [index for index in inspected.odd_pages if index in marked]
    if not odd:
        return []
    first = inspected.pages[odd[0]]
    size = f"{first.width_mm:.0f} × {first.height_mm:.0f}"
    return [
        f"第 {page_list(odd)} 页尺寸异常（{size} 毫米），打印到 A4 时印章大小不对，可设置 odd_pages: as_a4 / "
        f"pages {page_list(odd)} have a size no paper has ({size} mm): printed to A4, seals on them are not "
        "true to size; set `odd_pages: as_a4`"
    ]


def _scaled(field: FormField, factor: float) -> FormField:
    return replace(
        field,
        x_mm=field.x_mm * factor,
        y_mm=field.y_mm * factor,
        w_mm=field.w_mm * factor,
        h_mm=field.h_mm * factor,
    )
