"""What extract found as JSON types; the field names are documented in docs/json.md and stay."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from seal_imaging import Quality, Reason
from seal_imaging.form import FormPlace
from stages.extraction import ExtractedImpression, ExtractedPage, ExtractedSeal, ExtractedSeals
from stages.reason_words import WORDS
from stages.seal_reading import SealReading

_FIGURES = tuple(field.name for field in fields(Quality) if field.name not in ("sectors", "reasons"))


def extraction_json(extracted: ExtractedSeals) -> dict[str, object]:
    """Return what was found; `page` counts from 1, sizes are mm, paths are as given."""
    return {
        "pages": [_page(one) for one in extracted.pages],
        "impressions": [_impression(one) for one in extracted.impressions],
        "seals": [_seal(one) for one in extracted.seals],
    }


def _page(one: ExtractedPage) -> dict[str, Any]:
    return {
        "page": one.page_index + 1,
        "kind": one.kind.value,
        "scale_source": one.scale_source.value,
        "px_per_mm": None if one.px_per_mm is None else round(one.px_per_mm, 4),
        "turn_deg": round(one.turn_deg, 3),
        "order": one.order_number,
        "form": None if one.form_kind is None else one.form_kind.value,
        "rows": [{"row": row.row.value, "boxes": [list(box) for box in row.boxes]} for row in one.rows],
        "impressions": list(one.impressions),
        "notes": [
            {"code": note.code, "message": note.message, "message_zh": note.message_zh} for note in one.notes
        ],
    }


def _impression(one: ExtractedImpression) -> dict[str, Any]:
    return {
        "index": one.index,
        "page": one.page_index + 1,
        "box_px": list(one.box_px),
        **_place(one.place),
        "size_mm": _rounded(one.size_mm),
        "shape": one.shape.value,
        "angle_deg": round(one.angle_deg, 3),
        "colour": one.colour.value,
        "quality": {
            **{name: round(getattr(one.quality, name), 4) for name in _FIGURES},
            "sectors": [round(share, 4) for share in one.quality.sectors],
            "reasons": [reason.value for reason in one.quality.reasons],
        },
        "advice": advice_json(one.quality.reasons, one.refusing),
        "image": str(one.image),
    }


def _place(place: FormPlace | None) -> dict[str, Any]:
    return {
        "row": None if place is None else place.row.value,
        "column": None if place is None else place.column + 1,
    }


def _seal(one: ExtractedSeal) -> dict[str, Any]:
    return {
        "members": list(one.members),
        "row": None if one.row is None else one.row.value,
        "size_mm": _rounded(one.size_mm),
        "shape": one.shape.value,
        "colour": one.colour.value,
        "image": str(one.image),
        "sources": None if one.sources is None else str(one.sources),
        "true_to_size": one.true_to_size,
        "text": _reading(one.reading),
        "reasons": [reason.value for reason in one.reasons],
        "advice": advice_json(one.reasons, one.refusing),
    }


def _reading(reading: SealReading | None) -> dict[str, Any] | None:
    if reading is None:
        return None
    text = reading.text
    return {
        "name": None if text.name is None else text.name.text,
        "lines": [line.text for line in text.lines],
        "code": None if text.code is None else text.code.text,
        "confidence": round(text.confidence, 4),
        "answer": None if reading.answer is None else reading.answer.value,
    }


def advice_json(reasons: Sequence[Reason], refusing: Sequence[Reason]) -> list[dict[str, Any]]:
    """Return what is wrong and what to do about it, a sentence for each reason."""
    return [
        {
            "reason": reason.value,
            "refuses": reason in refusing,
            "message": WORDS[reason].en,
            "message_zh": WORDS[reason].zh,
        }
        for reason in reasons
    ]


def _rounded(size_mm: tuple[float, float] | None) -> list[float] | None:
    return None if size_mm is None else [round(side, 3) for side in size_mm]
