"""JSON as bytes that are always the same for the same value."""

import json


def canonical_json(value: object) -> bytes:
    """Return JSON with sorted keys, UTF-8, no spaces."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
