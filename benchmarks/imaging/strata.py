"""The pages measured: what is drawn in each stratum, anew for each seed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.tryout.artwork import (
    BLUE,
    PURPLE,
    RED,
    Artwork,
    draw_fingerprint,
    draw_oval_seal,
    draw_rectangle_seal,
    draw_round_seal,
    draw_signature,
    draw_square_seal,
)
from pipeline.tryout.foreign_forms import draw_foreign_form
from pipeline.tryout.looks import (
    DOUBLE_STRUCK,
    DRAGGED,
    GLARING,
    OVER_INKED,
    PEN_OVER,
    PHONE_JPEG,
    PRESSED_ASKEW,
    SHADOWED,
    TILTED,
    TINTED,
)
from pipeline.tryout.specimens import (
    CLEAN,
    ENHANCED,
    FAINT,
    PHOTO,
    PRINTED_OVER,
    SHOW_THROUGH,
    PageLook,
    SpecimenPage,
    draw_specimen_page,
)
from seal_imaging import Reason

_TEXT = frozenset({Reason.OTHER_TEXT})
_SPARSE = frozenset({Reason.FAINT, Reason.INCOMPLETE})
_BLURRED = frozenset({Reason.SMEARED, Reason.DOUBLE_STRIKE})
_LIGHT = frozenset({Reason.GLARE})
WEAK = PageLook(density=(0.3, 0.8), least_missing=0.22, missing=0.40, turn_deg=10.0)
PRINTED_PHOTO = replace(PHOTO, printed_over=True, fringe_px=0.5)
_PLACES = "江南塞北云岭东湖青原西川南屏北岸"
_TRADES = ("建设工程", "路桥集团", "水利电力", "园林绿化", "信息技术", "消防安全")
_PEOPLE = "张李王赵陈周吴郑"
_GIVEN = "三四明华建国平安"


@dataclass(frozen=True)
class Stratum:
    """One kind of page.

    Attributes:
        colours: which inks: "red", or "blue" for blue and purple.
        has_strangers: fingerprints, signatures and a red headline lie among the seals.
        looks: how the three impressions of a seal were stamped, where each in its own way.
        expected: reasons of which one must be said of each impression.
        allowed: reasons that may be said besides; any other is a false alarm.
        is_foreign: on another maker's form, a red table with all that may lie beside seals.
        is_spoilt: no seal is made of such impressions; where they lie and how large they are is in doubt,
            so that they are summed up apart.
    """

    name: str
    look: PageLook
    dpi: float = 300.0
    colours: str = "red"
    has_strangers: bool = False
    looks: tuple[PageLook, ...] = ()
    expected: frozenset[Reason] = frozenset()
    allowed: frozenset[Reason] = frozenset()
    is_foreign: bool = False
    is_spoilt: bool = False


STRATA: tuple[Stratum, ...] = (
    Stratum("clean", CLEAN),
    Stratum("printed over", PRINTED_OVER, expected=_TEXT),
    Stratum("faint", FAINT, expected=frozenset({Reason.FAINT}), allowed=_SPARSE),
    Stratum("blue, purple", PageLook(), colours="blue"),
    Stratum("photo", PHOTO),
    Stratum("photo, printed", PRINTED_PHOTO, expected=_TEXT),
    Stratum("enhanced", ENHANCED, expected=_TEXT),
    Stratum("show-through", SHOW_THROUGH),
    Stratum("150 dpi", PRINTED_OVER, dpi=150.0, expected=_TEXT),
    Stratum("600 dpi", PRINTED_OVER, dpi=600.0, expected=_TEXT),
    Stratum("fringed", replace(PRINTED_OVER, fringe_px=0.8), expected=_TEXT),
    Stratum("JPEG 60", replace(PRINTED_OVER, jpeg_quality=60), expected=_TEXT),
    Stratum("weak", WEAK, expected=_SPARSE, allowed=frozenset({Reason.TILTED})),
    Stratum("strangers", PageLook(), has_strangers=True),
    Stratum("over-inked", OVER_INKED, expected=frozenset({Reason.SMEARED}), allowed=_BLURRED, is_spoilt=True),
    Stratum("dragged", DRAGGED, expected=_BLURRED, allowed=_SPARSE, is_spoilt=True),
    Stratum(
        "double strike",
        DOUBLE_STRUCK,
        expected=frozenset({Reason.DOUBLE_STRIKE}),
        allowed=_BLURRED | _SPARSE,
        is_spoilt=True,
    ),
    Stratum("pressed askew", PRESSED_ASKEW, expected=frozenset({Reason.FAINT}), allowed=_SPARSE),
    Stratum("tilted", TILTED, expected=frozenset({Reason.TILTED})),
    Stratum("glare", GLARING, expected=_LIGHT, allowed=_SPARSE),
    Stratum("shadow", SHADOWED, expected=_LIGHT, allowed=_SPARSE | _TEXT | _BLURRED),
    Stratum("blue pen", PEN_OVER, expected=_TEXT),
    Stratum("phone JPEG", PHONE_JPEG),
    Stratum("tinted paper", TINTED),
    Stratum(
        "good, smeared, weak",
        PageLook(),
        looks=(PageLook(missing=0.08), OVER_INKED, WEAK),
        allowed=_BLURRED | _SPARSE,
    ),
    Stratum("foreign form", PageLook(), dpi=200.0, is_foreign=True, allowed=_TEXT),
    Stratum("foreign, photo", PHOTO, dpi=200.0, is_foreign=True, allowed=_TEXT),
)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A page of a stratum and the seals on it."""

    seals: tuple[Artwork, ...]
    specimen: SpecimenPage
    expected: frozenset[Reason]
    allowed: frozenset[Reason]


def draw(stratum: Stratum, *, seed: int, pages: int, font: bytes) -> Iterator[Drawn]:
    """Yield pages of three seals three times, of names, sizes and inks nobody saw before."""
    for number in range(pages):
        rng = np.random.default_rng([seed, number, STRATA.index(stratum)])
        seals = _seals(rng, font, colours=stratum.colours)
        if stratum.is_foreign:
            px_per_mm = stratum.dpi / 25.4
            form = draw_foreign_form(seals, rng, font, look=stratum.look, px_per_mm=px_per_mm)
            yield Drawn(tuple(seals), form, stratum.expected, stratum.allowed)
            continue
        strangers = [draw_fingerprint(int(rng.integers(1 << 30)))] if stratum.has_strangers else []
        if stratum.has_strangers:
            strangers.append(draw_signature(int(rng.integers(1 << 30)), ink_rgb=(190, 40, 50)))
        drawn_all = [*seals, *strangers]
        page_mm = (210.0, 18.0 + sum(one.size_mm[1] + 0.3 * one.size_mm[0] + 6 for one in drawn_all))
        specimen = draw_specimen_page(
            drawn_all,
            rng=rng,
            font=font,
            px_per_mm=stratum.dpi / 25.4,
            look=stratum.look,
            looks=stratum.looks,
            page_mm=page_mm,
            margin_mm=6.0,
        )
        truths = tuple(truth for truth in specimen.truths if truth.seal_index < len(seals))
        page = _with_headline(specimen.page, specimen.px_per_mm) if stratum.has_strangers else specimen.page
        sheet = SpecimenPage(page, truths, specimen.px_per_mm)
        yield Drawn(tuple(seals), sheet, stratum.expected, stratum.allowed)


def _seals(rng: np.random.Generator, font: bytes, *, colours: str) -> list[Artwork]:
    def ink(rgb: tuple[int, int, int]) -> tuple[int, int, int]:
        red, green, blue = (int(np.clip(v + rng.integers(-14, 15), 12, 235)) for v in rgb)
        return red, green, blue

    def pick(letters: str, count: int) -> str:
        return "".join(rng.choice(list(letters), count))

    company = pick(_PLACES, 2) + pick(_PLACES, 2) + str(rng.choice(_TRADES)) + "有限公司"
    person = pick(_PEOPLE, 1) + pick(_GIVEN, int(rng.integers(1, 3)))
    licence = "".join(str(v) for v in rng.integers(0, 10, 8))
    oval = draw_oval_seal(
        str(rng.choice(["注册监理工程师", "中华人民共和国注册建造师", "注册造价工程师"])),
        font,
        lines=(person, licence),
        size_mm=[(50.0, 36.0), (44.0, 29.0), (50.0, 35.0)][int(rng.integers(3))],
        ink_rgb=ink(BLUE if rng.uniform() < 0.5 else PURPLE),
    )
    rectangle = draw_rectangle_seal(
        ("一级注册结构工程师", "姓名 " + person, "编号 " + licence),
        font,
        size_mm=(63.0, 28.0),
        ink_rgb=ink(BLUE if colours == "blue" else RED),
    )
    name = draw_square_seal(
        (person + "之印")[:4] if len(person) < 3 else person + "印",
        font,
        side_mm=float(rng.choice([18.0, 20.0, 22.0])),
        ink_rgb=ink(PURPLE if colours == "blue" else RED),
    )
    if colours == "blue":
        return [oval, rectangle, name]
    has_line = rng.uniform() < 0.4
    round_seal = draw_round_seal(
        company,
        font,
        diameter_mm=float(rng.choice([38.0, 40.0, 42.0, 45.0])),
        border_mm=float(rng.uniform(0.9, 1.3)),
        bottom_text=str(rng.choice(["财务专用章", "合同专用章"])) if has_line else "",
        code=licence if rng.uniform() < 0.5 else "",
        ink_rgb=ink(RED),
    )
    return [round_seal, rectangle if rng.uniform() < 0.5 else oval, name]


def _with_headline(page: NDArray[np.uint8], px_per_mm: float) -> NDArray[np.uint8]:
    """Return the page with a red rule and red letters along its lower edge, as official papers have."""
    marked = page.copy()
    bottom, width = page.shape[0], page.shape[1]
    red, thick = (205, 30, 35), max(2, round(0.6 * px_per_mm))
    cv2.line(
        marked,
        (round(0.1 * width), bottom - 3 * thick),
        (round(0.9 * width), bottom - 3 * thick),
        red,
        thick,
    )
    where, size = (round(0.1 * width), bottom - 6 * thick), 0.25 * px_per_mm
    cv2.putText(marked, "NOTICE 2026 No. 18", where, cv2.FONT_HERSHEY_DUPLEX, size, red, 2 * thick)
    return marked
