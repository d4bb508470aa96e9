"""Paging seals (骑缝章): one seal cut into strips, one strip on each page's edge.

Fanned out by hand, the pages show their edges with page 1 on top. At the right and bottom edge the first
page then carries the seal's beginning; at the left and top edge the last page does.

A landscape page that is bound turned lies in the volume as its reader holds it turned: its strip is laid
out on the turned page, and turned back with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType

from stages.documents import Mark, PageGeometry, SealFace, Strip
from stages.errors import PlacementRefused
from stages.pdf.ink_profile import InkProfile, ink_profile
from stages.plan_rules import PagingRule
from stages.plan_words import Landscape

MIN_INK_ALONG_MM = 0.3
"""A strip with less ink than this along the page's edge, on average over its width, is called blank."""
SAME_SIZE_MM = 1.0
"""Pages whose edges differ by less carry their strips at one height."""

_TURNS_DEG: Mapping[Landscape, float] = MappingProxyType({"turned_left": 90.0, "turned_right": 270.0})
"""How far a seal is turned on a page, clockwise, so that it stands upright once the page is turned."""
_OTHER_SIDE = {"right": "left", "left": "right", "top": "top", "bottom": "bottom"}
"""Where a sheet's back shows the edge that its front shows on a side, turned over like a book's leaf."""


@dataclass(frozen=True)
class PagedMarks:
    """The strips of a paging seal by page, and what people should know of them."""

    marks: tuple[Mark, ...]
    warnings: tuple[str, ...]


def groups_of_pages(page_indices: Sequence[int], every: int) -> list[Sequence[int]]:
    """Return the runs of pages that share one seal; a page left alone joins the run before it."""
    if every < 2:
        groups = [page_indices]
    else:
        groups = [page_indices[start : start + every] for start in range(0, len(page_indices), every)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        last = groups.pop()
        groups[-1] = [*groups[-1], *last]
    return [group for group in groups if len(group) > 1]


def even_groups(page_indices: Sequence[int], most: int) -> list[Sequence[int]]:
    """Return runs of at most `most` pages (3 where 2 would leave one alone) as equal as can be."""
    count = len(page_indices)
    if count < 2:
        return []
    groups = max(1, min(-(-count // max(most, 2)), count // 2))
    bounds = [count * order // groups for order in range(groups + 1)]
    return [page_indices[start:end] for start, end in pairwise(bounds)]


def cuts_of(count: int, first_last: float, profile: InkProfile | None) -> list[float]:
    """Return the count + 1 places, 0 to 1, where a seal is cut.

    Args:
        first_last: how wide the first and the last strip are, in parts of another one.
        profile: when given, only what is inked counts as width, so that a strip reaches over a gap.
    """
    weights = [1.0] * count
    weights[0] = weights[-1] = first_last
    total, running, shares = sum(weights), 0.0, [0.0]
    for weight in weights[:-1]:
        running += weight
        shares.append(running / total)
    shares.append(1.0)
    if profile is None:
        return shares
    return [0.0, *(profile.place_of(share) for share in shares[1:-1]), 1.0]


def paging_marks(
    pages: Sequence[PageGeometry],
    page_indices: Sequence[int],
    rule: PagingRule,
    face: SealFace,
    rule_index: int,
) -> PagedMarks:
    """Return the strips of a paging seal; a single page gets none.

    A strip is never blank: where equal widths would leave one without ink, gaps in the seal count as
    nothing.

    Raises:
        PlacementRefused: strips are narrower than the rule takes.
        InputRefused: the seal's picture cannot be read.
    """
    fronts = [index for index in page_indices if rule.sheets == "single" or index % 2 == 0]
    backs = [index for index in page_indices if rule.sheets == "both" and index % 2 == 1]
    cutting = _Cutting(pages, rule, face, rule_index, turned_pages(pages, page_indices, rule.landscape))
    cutting.cut_side(fronts, rule.paging, begins_first=rule.paging in ("right", "bottom"))
    cutting.cut_side(backs, _OTHER_SIDE[rule.paging], begins_first=rule.paging in ("right", "top"))
    marks = tuple(sorted(cutting.marks, key=lambda mark: mark.page_index))
    return PagedMarks(marks, tuple(cutting.warnings()) if marks else ())


def turned_pages(
    pages: Sequence[PageGeometry], page_indices: Sequence[int], landscape: Landscape
) -> frozenset[int]:
    """Return which pages lie turned in the volume: the landscape ones that are no longer than it is high.

    A longer sheet (A3 landscape among A4) is bound at its left and folded. Without an upright page all
    landscape pages are turned.
    """
    if landscape == "as_displayed":
        return frozenset()
    across = [index for index in page_indices if pages[index].width_mm > pages[index].height_mm]
    upright = [pages[index].height_mm for index in page_indices if index not in across]
    longest_mm = max(upright) + SAME_SIZE_MM if upright else float("inf")
    return frozenset(index for index in across if pages[index].width_mm <= longest_mm)


class _Cutting:
    """One paging seal being cut: its marks so far, and what was noticed."""

    def __init__(
        self,
        pages: Sequence[PageGeometry],
        rule: PagingRule,
        face: SealFace,
        rule_index: int,
        turned: frozenset[int],
    ) -> None:
        self.marks: list[Mark] = []
        self._pages = pages
        self._rule = rule
        self._face = face
        self._index = rule_index
        self._turned = turned
        _, _, w, h = face.ink_box_mm
        self._is_upright = rule.paging in ("left", "right")
        self._cut_mm = w if self._is_upright else h
        self._narrowest_mm = self._cut_mm
        self._skips_gaps = False
        self._differs_mm = 0.0

    def cut_side(self, page_indices: Sequence[int], side: str, *, begins_first: bool) -> None:
        """Cut the seal for one side of the sheets.

        Args:
            begins_first: the first page, not the last one, carries the seal's beginning.
        """
        rule = self._rule
        if rule.every == "auto":
            strips = self._cut_mm / max(rule.min_strip_mm, 0.01) - 2 * rule.first_last + 2
            most = int(strips + 1e-9)  # 42 mm by 1.2 mm are 35 strips, not 34.999999
            groups = even_groups(page_indices, most)
        else:
            groups = groups_of_pages(page_indices, rule.every)
        for group in groups:
            self._cut_group(group, side, begins_first=begins_first)

    def _cut_group(self, group: Sequence[int], side: str, *, begins_first: bool) -> None:
        cuts = self._cuts(len(group))
        lengths = [self._along_mm(self._bound_mm(index)) for index in group]
        if self._rule.position_mm is None:
            self._differs_mm = max(self._differs_mm, max(lengths) - min(lengths))
        for order, page_index in enumerate(group):
            part = order if begins_first else len(group) - 1 - order
            strip = Strip(side, cuts[part], cuts[part + 1])
            self._narrowest_mm = min(self._narrowest_mm, (strip.end - strip.start) * self._cut_mm)
            self.marks.append(self._mark(page_index, strip))

    @cached_property
    def _profile(self) -> InkProfile:
        return ink_profile(self._face, across=self._is_upright)

    def _cuts(self, count: int) -> list[float]:
        first_last, profile = self._rule.first_last, self._profile
        cuts = cuts_of(count, first_last, None)
        if all(profile.along_mm(start, end) >= MIN_INK_ALONG_MM for start, end in pairwise(cuts)):
            return cuts
        self._skips_gaps = True
        return cuts_of(count, first_last, profile)

    def _bound_mm(self, page_index: int) -> tuple[float, float]:
        """Return a page's width and height as it lies in the volume."""
        page = self._pages[page_index]
        size = (page.width_mm, page.height_mm)
        return (size[1], size[0]) if page_index in self._turned else size

    def _along_mm(self, size_mm: tuple[float, float]) -> float:
        return size_mm[1] if self._is_upright else size_mm[0]

    def _mark(self, page_index: int, strip: Strip) -> Mark:
        rule, size_mm = self._rule, self._bound_mm(page_index)
        _, _, seal_w, seal_h = self._face.ink_box_mm
        seal_along = seal_h if self._is_upright else seal_w
        across = (strip.end - strip.start) * self._cut_mm
        length = self._along_mm(size_mm)
        middle = rule.position * length if rule.position_mm is None else rule.position_mm
        along_at = min(max(0.0, middle - seal_along / 2), max(0.0, length - seal_along))
        if strip.side in ("left", "right"):
            x = size_mm[0] - across - rule.edge_mm if strip.side == "right" else rule.edge_mm
            box = (x, along_at, across, seal_along)
        else:
            y = size_mm[1] - across - rule.edge_mm if strip.side == "bottom" else rule.edge_mm
            box = (along_at, y, seal_along, across)
        mark = Mark(page_index, self._face.name, *box, self._index, strip)
        return self._turned_back(mark) if page_index in self._turned else mark

    def _turned_back(self, mark: Mark) -> Mark:
        """Return a mark of the turned page where it stands on the page as displayed."""
        page = self._pages[mark.page_index]
        x, y = mark.x_mm + mark.w_mm / 2, mark.y_mm + mark.h_mm / 2
        is_left = self._rule.landscape == "turned_left"
        x, y = (page.width_mm - y, x) if is_left else (y, page.height_mm - x)
        return replace(
            mark,
            x_mm=x - mark.w_mm / 2,
            y_mm=y - mark.h_mm / 2,
            angle_deg=_TURNS_DEG[self._rule.landscape],
        )

    def warnings(self) -> list[str]:
        """Return what people should know of the strips.

        Raises:
            PlacementRefused: they are narrower than the rule takes.
        """
        seal, where, found = self._face.name, f"rules[{self._index}]", []
        if self._narrowest_mm < self._rule.min_strip_mm - 1e-6:
            widths, least = f"{self._narrowest_mm:.2f}", f"{self._rule.min_strip_mm:g}"
            way, way_zh = "set `every` to repeat the seal", "可用 every 分段重复"
            if self._rule.every == "auto":  # so few pages, or gaps in the seal, that runs do not help
                way, way_zh = "lower `min_strip_mm`", "请减小 min_strip_mm"
            if self._rule.narrow == "refuse":
                raise PlacementRefused(
                    f"{where}: paging seal {seal}: strips would be only {widths} mm wide, "
                    f"less than {least} mm; {way}",
                    zh=f"{where}：骑缝章 {seal}：每页仅 {widths} 毫米宽，不足 {least} 毫米，{way_zh}",
                )
            found.append(
                f"骑缝章 {seal}：每页仅 {widths} 毫米宽，{way_zh} / "
                f"paging seal {seal}: strips are only {widths} mm wide ({where}); {way}"
            )
        if self._skips_gaps:
            found.append(
                f"骑缝章 {seal}：等宽切分会有空白条，已略过印章中的空隙切分 / "
                f"paging seal {seal}: strips of equal width would be blank on some pages, "
                f"so gaps in the seal are not counted ({where})"
            )
        if self._differs_mm > SAME_SIZE_MM:
            found.append(
                f"骑缝章 {seal}：页面大小不一，各条不在同一高度，可用 position_mm 对齐 / "
                f"paging seal {seal}: pages differ by {self._differs_mm:.0f} mm, so strips stand at "
                f"different places of their edges ({where}); set `position_mm` to align them"
            )
        return found
