"""What one planning of a file gathers: marks kept on their pages, and warnings."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stages.documents import Mark, PageGeometry, SealFace
from stages.errors import PlacementRefused

SHIFT_TOLERANCE_MM = 0.05
"""A mark moved less than this to stay on its page is not worth a warning."""


@dataclass
class Draft:
    """What one call of plan() gathers."""

    name: str
    pages: tuple[PageGeometry, ...]
    faces: Mapping[str, SealFace]
    warnings: list[str] = field(default_factory=list)

    def mark(self, rule_index: int, seal: str, page_index: int, centre_mm: tuple[float, float]) -> Mark:
        """Return a mark with its centre at a point, moved inside when it would leave the page.

        Raises:
            PlacementRefused: the page is smaller than the seal.
        """
        page, (_, _, w, h) = self.pages[page_index], self.faces[seal].ink_box_mm
        if w > page.width_mm or h > page.height_mm:
            raise self.too_small(rule_index, seal, page_index, (w, h))
        x_wanted, y_wanted = centre_mm[0] - w / 2, centre_mm[1] - h / 2
        x = min(max(0.0, x_wanted), page.width_mm - w)
        y = min(max(0.0, y_wanted), page.height_mm - h)
        moved = max(abs(x - x_wanted), abs(y - y_wanted))
        if moved > SHIFT_TOLERANCE_MM:
            self.warnings.append(
                f"第 {page_index + 1} 页：{seal} 移动了 {moved:.1f} 毫米以免超出页面 / "
                f"page {page_index + 1}: {seal} moved {moved:.1f} mm to stay on it (rules[{rule_index}])"
            )
        return Mark(page_index, seal, x, y, w, h, rule_index)

    def too_small(
        self, rule_index: int, seal: str, page_index: int, need_mm: tuple[float, float]
    ) -> PlacementRefused:
        """Return the error for a seal that a page has no room for."""
        page = self.pages[page_index]
        has, needs = f"{page.width_mm:.1f} × {page.height_mm:.1f}", f"{need_mm[0]:.1f} × {need_mm[1]:.1f}"
        return PlacementRefused(
            f"{self.name}: page {page_index + 1} is {has} mm, too small for {seal} ({needs} mm); "
            f"correct the page size, or leave the page out in rules[{rule_index}]",
            zh=f"{self.name}：第 {page_index + 1} 页为 {has} mm，放不下{seal}（{needs} mm）；"
            f"请修正页面尺寸，或在 rules[{rule_index}] 中排除该页",
        )
