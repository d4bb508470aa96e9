"""Text that is set in a seal when it is stamped: drawn as outlines of glyphs, so that no font is needed."""

import re
import threading
from functools import lru_cache

import pymupdf

from seal_imaging.units import CANVAS_MM
from stages.documents import Mark, SealFace, SlotAlign, TextSlot
from stages.errors import InputRefused, PlanRefused
from stages.pdf.syntax import numbers

MAX_SLOTS = 8
MAX_SLOT_CHARS = 60
MAX_SLOT_NAME_CHARS = 40
MIN_HEIGHT_MM = 1.0
"""Lower characters cannot be read on paper."""
MIN_CONDENSED = 0.6
"""A text too wide for its slot is made so much narrower at most."""

_BASELINE = 0.86
"""Of a character's height, from its top: Chinese characters hang 0.14 below the line."""
_NUMBER_OR_LETTER = re.compile(r"[A-Z]|-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")
_PATH = re.compile(r'<path id="[^"]*" d="([^"]*)"')
_lock = threading.Lock()


def check_slots(slots: tuple[TextSlot, ...]) -> None:
    """Check the slots a seal is to be made with.

    Raises:
        InputRefused: too many, two of one name, one without a name, off the canvas, too low or for no text.
    """
    if len(slots) > MAX_SLOTS or len({slot.name for slot in slots}) != len(slots):
        raise InputRefused(
            f"a seal has at most {MAX_SLOTS} text slots, each with its own name",
            zh=f"一枚印章最多 {MAX_SLOTS} 个动态文字栏，且名称不能重复",
        )
    for slot in slots:
        if not slot.name or len(slot.name) > MAX_SLOT_NAME_CHARS or not slot.name.isprintable():
            raise _slot_refused(slot, "give it a name of visible characters", "请给出名称")
        if slot.h_mm < MIN_HEIGHT_MM or slot.w_mm < MIN_HEIGHT_MM:
            raise _slot_refused(
                slot,
                f"it must be at least {MIN_HEIGHT_MM:g} mm high and wide",
                f"高和宽至少 {MIN_HEIGHT_MM:g} 毫米",
            )
        inside = slot.x_mm >= 0 and slot.y_mm >= 0
        inside &= slot.x_mm + slot.w_mm <= CANVAS_MM and slot.y_mm + slot.h_mm <= CANVAS_MM
        if not inside:
            raise _slot_refused(
                slot, f"it must lie on the {CANVAS_MM:g} mm canvas", f"应位于 {CANVAS_MM:g} 毫米画布之内"
            )
        if not 1 <= slot.max_chars <= MAX_SLOT_CHARS:
            raise _slot_refused(
                slot, f"it takes 1 to {MAX_SLOT_CHARS} characters", f"字数应为 1 至 {MAX_SLOT_CHARS}"
            )


def check_text(face: SealFace, text: tuple[tuple[str, str], ...]) -> None:
    """Check that every text has its slot in the seal, fits it, and can be drawn.

    Raises:
        PlanRefused: an unknown slot, too many characters, too wide, or a character without a glyph.
    """
    slots = {slot.name: slot for slot in face.slots}
    for name, value in text:
        slot = slots.get(name)
        if slot is None:
            known = "、".join(slots) or "none"
            raise PlanRefused(
                f"seal {face.name} has no text slot {name}; it has: {known}",
                zh=f"印章“{face.name}”没有名为“{name}”的动态文字栏；现有：{'、'.join(slots) or '无'}",
            )
        if len(value) > slot.max_chars:
            raise PlanRefused(
                f"seal {face.name}: the text for {name} has {len(value)} characters, the slot takes "
                f"{slot.max_chars}; shorten it",
                zh=f"印章“{face.name}”：“{name}”的文字有 {len(value)} 个字符，"
                f"最多 {slot.max_chars} 个，请缩短",
            )
        missing = next((character for character in value if not _has_glyph(character)), None)
        if missing is not None:
            raise PlanRefused(
                f"seal {face.name}: {name} has a character that cannot be drawn, U+{ord(missing):04X}; "
                "replace it",
                zh=f"印章“{face.name}”：“{name}”中有无法绘制的字符 U+{ord(missing):04X}，请替换",
            )
        if _condensed(slot, value) < MIN_CONDENSED:
            raise PlanRefused(
                f"seal {face.name}: the text for {name} is too wide for {slot.w_mm:g} mm; shorten it",
                zh=f"印章“{face.name}”：“{name}”的文字超出 {slot.w_mm:g} 毫米宽的文字栏，请缩短",
            )


def text_operators(face: SealFace, mark: Mark) -> bytes:
    """Return operators that draw a mark's texts in mm from the mark's top left, y down; colour is not set.

    Raises:
        PlanRefused: see check_text.
    """
    check_text(face, mark.text)
    slots = {slot.name: slot for slot in face.slots}
    left_mm, top_mm, _, _ = face.ink_box_mm
    drawn = []
    for name, value in mark.text:
        slot = slots[name]
        condensed = _condensed(slot, value)
        width_mm = slot.h_mm * condensed * _width_em(value)
        x_mm = slot.x_mm - left_mm
        if slot.align is not SlotAlign.LEFT:
            free_mm = slot.w_mm - width_mm
            x_mm += free_mm if slot.align is SlotAlign.RIGHT else free_mm / 2
        baseline_mm = slot.y_mm - top_mm + _BASELINE * slot.h_mm
        for character in value:
            outline = _outline(character)
            if outline:
                matrix = numbers(slot.h_mm * condensed, 0, 0, -slot.h_mm, x_mm, baseline_mm)
                drawn.append(b"q %s cm %s f Q\n" % (matrix, outline))
            x_mm += slot.h_mm * condensed * _advance_em(character)
    return b"".join(drawn)


def _condensed(slot: TextSlot, value: str) -> float:
    """Return how much narrower than drawn the text must be for its slot, at most 1."""
    width_mm = slot.h_mm * _width_em(value)
    return min(1.0, slot.w_mm / width_mm) if width_mm > 0 else 1.0


def _width_em(value: str) -> float:
    return sum(_advance_em(character) for character in value)


@lru_cache(maxsize=1)
def _font() -> pymupdf.Font:
    return pymupdf.Font("cjk")


@lru_cache(maxsize=4096)
def _has_glyph(character: str) -> bool:
    with _lock:
        return character.isprintable() and bool(_font().has_glyph(ord(character)))


@lru_cache(maxsize=4096)
def _advance_em(character: str) -> float:
    with _lock:
        return float(_font().glyph_advance(ord(character)))


@lru_cache(maxsize=4096)
def _outline(character: str) -> bytes:
    """Return a character's outline as path operators, its em square one by one, y up; empty for a blank.

    MuPDF gives outlines only as SVG (`text_as_path`): absolute M, L, H, V, C and Z.
    """
    with _lock, pymupdf.open() as document:
        page = document.new_page(width=100, height=100)
        writer = pymupdf.TextWriter(page.rect)
        writer.append((20, 60), character, font=_font(), fontsize=20)
        writer.write_text(page)
        found = _PATH.search(page.get_svg_image(text_as_path=True))
    return _operators(found.group(1)) if found else b""


def _operators(path: str) -> bytes:
    """Return an SVG path as PDF path operators (ISO 32000-2 §8.5.2)."""
    made: list[bytes] = []
    letter, values, x, y = "M", list[float](), 0.0, 0.0
    takes = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6}
    for token in _NUMBER_OR_LETTER.findall(path):
        if token.isalpha():
            letter = token
            if letter == "Z":
                made.append(b"h")
            continue
        values.append(float(token))
        if len(values) < takes[letter]:
            continue
        if letter == "C":
            made.append(numbers(*values) + b" c")
            x, y = values[4:]
        else:
            x = values[0] if letter != "V" else x
            y = values[-1] if letter != "H" else y
            made.append(numbers(x, y) + (b" m" if letter == "M" else b" l"))
            letter = "L" if letter == "M" else letter
        values = []
    return b" ".join(made)


def _slot_refused(slot: TextSlot, what: str, zh: str) -> InputRefused:
    return InputRefused(
        f"text slot {slot.name!r} ({slot.x_mm:g}, {slot.y_mm:g}, {slot.w_mm:g} x {slot.h_mm:g} mm): {what}",
        zh=f"动态文字栏“{slot.name}”：{zh}",
    )
