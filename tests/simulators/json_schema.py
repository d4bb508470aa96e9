"""As much of JSON Schema 2020-12 as our schemas use; a keyword it does not know is an error."""

import re
from typing import Any

_WORDS_ONLY = frozenset({"$schema", "$defs", "title", "description", "default"})
_TYPES: dict[str, Any] = {
    "object": dict,
    "array": (list, tuple),
    "string": str,
    "boolean": bool,
    "number": (int, float),
    "integer": int,
}


def is_valid(value: Any, schema: Any, root: Any = None) -> bool:
    """Return whether a value is as a schema says."""
    root = schema if root is None else root
    return all(
        _holds(value, key, limit, schema, root) for key, limit in schema.items() if key not in _WORDS_ONLY
    )


def _holds(value: Any, key: str, limit: Any, schema: Any, root: Any) -> bool:
    match key:
        case "$ref":
            return is_valid(value, root["$defs"][limit.removeprefix("#/$defs/")], root)
        case "type":
            is_bool = isinstance(value, bool)
            return isinstance(value, _TYPES[limit]) and (limit == "boolean" or not is_bool)
        case "const":
            return bool(value == limit)
        case "enum":
            return value in limit
        case "anyOf":
            return any(is_valid(value, choice, root) for choice in limit)
        case "oneOf":
            return sum(is_valid(value, choice, root) for choice in limit) == 1
        case "not":
            return not is_valid(value, limit, root)
        case "if":
            branch = "then" if is_valid(value, limit, root) else "else"
            return is_valid(value, schema.get(branch, {}), root)
        case "then" | "else":
            return True
    if isinstance(value, dict):
        return _holds_of_object(value, key, limit, schema, root)
    if isinstance(value, list | tuple):
        return _holds_of_array(value, key, limit, schema, root)
    if isinstance(value, str):
        return _holds_of_string(value, key, limit)
    return _holds_of_number(value, key, limit)


def _holds_of_object(value: dict[str, Any], key: str, limit: Any, schema: Any, root: Any) -> bool:
    match key:
        case "required":
            return set(limit) <= set(value)
        case "properties":
            return all(is_valid(value[name], limit[name], root) for name in value.keys() & limit.keys())
        case "additionalProperties":
            more = value.keys() - schema.get("properties", {}).keys()
            return not more if limit is False else all(is_valid(value[name], limit, root) for name in more)
        case "propertyNames":
            return all(is_valid(name, limit, root) for name in value)
        case "maxProperties":
            return len(value) <= limit
    return _is_of_another_type(key)


def _holds_of_array(value: Any, key: str, limit: Any, schema: Any, root: Any) -> bool:
    match key:
        case "items":
            return all(is_valid(entry, limit, root) for entry in value[len(schema.get("prefixItems", ())) :])
        case "prefixItems":
            return all(is_valid(entry, one, root) for entry, one in zip(value, limit, strict=False))
        case "minItems":
            return len(value) >= limit
        case "maxItems":
            return len(value) <= limit
    return _is_of_another_type(key)


def _holds_of_string(value: str, key: str, limit: Any) -> bool:
    match key:
        case "minLength":
            return len(value) >= limit
        case "maxLength":
            return len(value) <= limit
        case "pattern":
            return re.search(limit, value) is not None
    return _is_of_another_type(key)


def _holds_of_number(value: Any, key: str, limit: Any) -> bool:
    match key:
        case "minimum":
            return bool(value >= limit)
        case "maximum":
            return bool(value <= limit)
        case "exclusiveMaximum":
            return bool(value < limit)
    return _is_of_another_type(key)


_KNOWN = frozenset(
    {"required", "properties", "additionalProperties", "propertyNames", "maxProperties", "items"}
    | {"prefixItems", "minItems", "maxItems", "minLength", "maxLength", "pattern", "minimum", "maximum"}
    | {"exclusiveMaximum"}
)


def _is_of_another_type(key: str) -> bool:
    """Return that a keyword says nothing of a value of this type; one nobody knows is a fault of the test."""
    assert key in _KNOWN, f"this validator does not know {key}"
    return True
