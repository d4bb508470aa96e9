"""What speaks against a seal image, kept beside it, so that no seal is made of it by oversight."""

import hashlib
import json
from collections.abc import Collection, Sequence
from pathlib import Path

from seal_imaging import ImpressionUnusable, Reason
from stages.reason_words import WORDS

MAX_NOTES_BYTES = 64 * 1024


def write_notes(image: Path, reasons: Sequence[Reason], *, refusing: Sequence[Reason]) -> None:
    """Write the reasons against an image beside it, as `seal-00.json` beside `seal-00.png`.

    Args:
        refusing: those for which no seal may be made of it, unless somebody accepts them.
    """
    document = {
        "image": image.name,
        "image_sha256": hashlib.sha256(image.read_bytes()).hexdigest(),
        "reasons": [reason.value for reason in reasons],
        "refusing": [reason.value for reason in refusing],
    }
    _notes_path(image).write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")


def read_refusing(image: Path) -> tuple[Reason, ...]:
    """Return the refusing reasons kept beside an image; none for an image from elsewhere."""
    path = _notes_path(image)
    try:
        if path.stat().st_size > MAX_NOTES_BYTES:
            return ()
        document = json.loads(path.read_text("utf-8"))
        if document["image_sha256"] != hashlib.sha256(image.read_bytes()).hexdigest():
            return ()  # another picture under the same name: what was said of the first is not true of it
        known = {reason.value for reason in Reason}
        return tuple(Reason(value) for value in document["refusing"] if value in known)
    except (OSError, ValueError, TypeError, LookupError):
        return ()  # whatever lies there, it is not ours


def check_reasons(image: Path, accepted: Collection[Reason]) -> tuple[Reason, ...]:
    """Check that nothing refuses an image but what somebody accepts; return the reasons they accept.

    Raises:
        ImpressionUnusable: a reason that refuses is not accepted.
    """
    refusing = read_refusing(image)
    unaccepted = [reason for reason in refusing if reason not in accepted]
    if unaccepted:
        codes = "、".join(reason.value for reason in unaccepted)
        english = " ".join(WORDS[reason].en for reason in unaccepted)
        chinese = "".join(WORDS[reason].zh for reason in unaccepted)
        raise ImpressionUnusable(
            f"{image.name} is not fit to be made into a seal ({codes}): {english} To make it all the same, "
            f"accept each reason by name (--accept-reason {unaccepted[0].value})",
            zh=f"{image.name} 不宜制章（{codes}）：{chinese}确需制章时，请逐项确认"
            f"（--accept-reason {unaccepted[0].value}）。",
        )
    return refusing


def _notes_path(image: Path) -> Path:
    return image.with_suffix(".json")
