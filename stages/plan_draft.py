"""What one planning of a file gathers: marks kept on their pages, and warnings."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from stages.documents import Mark, PageGeometry, SealFace
from stages.errors import PlacementRefused, PlanRefused
from stages.jitter import is_round, shaken
from stages.plan_kinds import AnchoredRule, Jitter, PlacedRule

SHIFT_TOLERANCE_MM = 0.05
"""A mark moved less than this to stay on its page is not worth a warning."""


class Place(Protocol):
    """A box on a page, in mm from the top left of the displayed page."""

    @property
    def page_index(self) -> int: ...
    @property
    def x_mm(self) -> float: ...
    @property
    def y_mm(self) -> float: ...
    @property
    def w_mm(self) -> float: ...
    @property
    def h_mm(self) -> float: ...


_Place = TypeVar("_Place", bound=Place)


@dataclass
class Draft:
    """What one call of plan() gathers.

    Attributes:
        seed: decides, with rule and page, how seals are shaken.
        scales: by page index, the factor of a page that is taken as filling a sheet.
    """

    name: str
    pages: tuple[PageGeometry, ...]
    faces: Mapping[str, SealFace]
    seed: str = ""
    scales: Mapping[int, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    _shaken: Counter[tuple[int, int]] = field(default_factory=Counter)

    def marks(
        self, rule_index: int, rule: PlacedRule, page_index: int, centre_mm: tuple[float, float]
    ) -> list[Mark]:
        """Return a rule's seals side by side, the middle of the row at a point; moved inside as one.

        Raises:
            PlacementRefused: the page is smaller than the row.
            PlanRefused: a seal is to be turned that is not round.
        """
        page = self.pages[page_index]
        sizes = [self.faces[name].ink_box_mm[2:] for name in rule.seal_names]
        is_row = rule.row == "horizontal"
        long_mm = sum(size[0 if is_row else 1] for size in sizes) + rule.gap_mm * (len(sizes) - 1)
        deep_mm = max(size[1 if is_row else 0] for size in sizes)
        w, h = (long_mm, deep_mm) if is_row else (deep_mm, long_mm)
        seals = "、".join(rule.seal_names)
        if w > page.width_mm or h > page.height_mm:
            raise self.too_small(rule_index, seals, page_index, (w, h))
        x_wanted, y_wanted = centre_mm[0] - w / 2, centre_mm[1] - h / 2
        x = min(max(0.0, x_wanted), page.width_mm - w)
        y = min(max(0.0, y_wanted), page.height_mm - h)
        moved = max(abs(x - x_wanted), abs(y - y_wanted))
        if moved > SHIFT_TOLERANCE_MM:
            self.warnings.append(
                f"第 {page_index + 1} 页：{seals} 移动了 {moved:.1f} 毫米以免超出页面 / "
                f"page {page_index + 1}: {seals} moved {moved:.1f} mm to stay on it (rules[{rule_index}])"
            )
        marks = []
        for name, (seal_w, seal_h) in zip(rule.seal_names, sizes, strict=True):
            if is_row:
                marks.append(Mark(page_index, name, x, y + (h - seal_h) / 2, seal_w, seal_h, rule_index))
                x += seal_w + rule.gap_mm
            else:
                marks.append(Mark(page_index, name, x + (w - seal_w) / 2, y, seal_w, seal_h, rule_index))
                y += seal_h + rule.gap_mm
        return marks if rule.jitter is None else [self._shaken_mark(mark, rule.jitter) for mark in marks]

    def _shaken_mark(self, mark: Mark, jitter: Jitter) -> Mark:
        """Return a mark turned and moved a little, still on its page; only a round seal is turned."""
        if jitter.angle_deg and not is_round(self.faces[mark.seal]):
            where = f"{self.name}: rules[{mark.rule}].jitter.angle_deg"
            raise PlanRefused(
                f"{where}: {mark.seal} is not round and stays upright; use place_mm alone",
                zh=f"{where}：“{mark.seal}”不是圆形章，不能转动；请只用 place_mm",
            )
        page, key = self.pages[mark.page_index], (mark.rule, mark.page_index)
        seed = f"{self.seed}|{mark.rule}|{mark.page_index}|{self._shaken[key]}"
        self._shaken[key] += 1
        angle_deg, right_mm, down_mm = shaken(seed, angle_deg=jitter.angle_deg, place_mm=jitter.place_mm)
        return replace(
            mark,
            x_mm=min(max(0.0, mark.x_mm + right_mm), page.width_mm - mark.w_mm),
            y_mm=min(max(0.0, mark.y_mm + down_mm), page.height_mm - mark.h_mm),
            angle_deg=angle_deg,
        )

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


def chosen(places: Sequence[_Place], rule: AnchoredRule) -> list[_Place]:
    """Return the places that a rule means by `occurrence`, counted over the file or on each page."""
    if rule.per == "file":
        return _nth(places, rule.occurrence)
    by_page: dict[int, list[_Place]] = {}
    for place in places:
        by_page.setdefault(place.page_index, []).append(place)
    return [place for on_page in by_page.values() for place in _nth(on_page, rule.occurrence)]


def _nth(places: Sequence[_Place], occurrence: str | int) -> list[_Place]:
    match occurrence:
        case "all":
            return list(places)
        case "first":
            return list(places[:1])
        case "last":
            return list(places[-1:])
    return list(places[int(occurrence) - 1 : int(occurrence)])


def anchor_mm(place: Place, rule: AnchoredRule) -> tuple[float, float]:
    """Return where the middle of a rule's seals goes for a place."""
    x, y = place.x_mm + place.w_mm / 2, place.y_mm + place.h_mm / 2
    match rule.anchor:
        case "left":
            x = place.x_mm
        case "right":
            x = place.x_mm + place.w_mm
        case "top":
            y = place.y_mm
        case "bottom":
            y = place.y_mm + place.h_mm
    return x + rule.offset_mm[0], y + rule.offset_mm[1]
