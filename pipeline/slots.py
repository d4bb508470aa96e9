"""Text slots of a seal between what a person writes, the records and the stages."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from pipeline.errors import UsageRefused
from stages.documents import SlotAlign, TextSlot
from stages.pdf.slot_text import MAX_SLOT_CHARS
from storage.rows import SealRecord

_SLOT = TypeAdapter(TextSlot)
_FORM = "NAME=x,y,w,h[,chars][,left|center|right]"
_FORM_ZH = "名称=x,y,w,h[,字数][,left|center|right]"


def slots_from_record(seal: SealRecord) -> tuple[TextSlot, ...]:
    """Return the slots a seal's record keeps."""
    return tuple(_SLOT.validate_python(dict(slot)) for slot in seal.text_slots)


def slots_to_record(slots: tuple[TextSlot, ...]) -> tuple[Mapping[str, Any], ...]:
    """Return slots as the plain JSON the records keep."""
    return tuple(_SLOT.dump_python(slot, mode="json") for slot in slots)


def read_slot(text: str) -> TextSlot:
    """Return the slot that NAME=x,y,w,h[,chars][,left|center|right] states.

    Without chars it takes what fits its width; a shorter text stands in its middle.

    Raises:
        UsageRefused: it is not of this form.
    """
    name, _, values = text.partition("=")
    parts = [part.strip() for part in values.split(",")]
    align = SlotAlign(parts.pop()) if parts[-1] in set(SlotAlign) else SlotAlign.CENTER
    try:
        if len(parts) not in (4, 5):
            raise ValueError(f"{len(parts)} numbers")
        x, y, w, h = (float(part) for part in parts[:4])
        chars = int(parts[4]) if len(parts) == 5 else MAX_SLOT_CHARS
    except (ValueError, OverflowError) as error:
        raise UsageRefused(
            f"text slot {text!r}: write {_FORM}, in mm on the 70 mm canvas",
            zh=f"动态文字栏 {text!r} 格式不正确，应为 {_FORM_ZH}（毫米，70 毫米画布）",
        ) from error
    return TextSlot(name.strip(), x, y, w, h, chars, align)
