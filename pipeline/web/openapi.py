"""What the OpenAPI document says of bodies that the routes read piece by piece themselves."""

from typing import Any

from stages.plan_schema import plan_schema

_TEXT = {"type": "string"}
_FILE = {"type": "string", "format": "binary"}
_PLAN_REF = {"$ref": "#/components/schemas/Plan"}
_PLAN = {"description": "a plan as data, or its YAML text", "anyOf": [_PLAN_REF, _TEXT]}
_PRESET = {"type": "string", "description": "name of a preset, in place of a plan"}


def _body(json_: dict[str, Any] | None, form: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"multipart/form-data": {"schema": {"type": "object", "properties": form}}}
    if json_ is not None:
        content["application/json"] = {"schema": {"type": "object", "properties": json_}}
    return {"requestBody": {"required": True, "content": content}}


_PLAN_FORM = {"plan": _TEXT, "plan_file": _FILE, "preset": _PRESET}
PLAN_BODY = _body({"plan": _PLAN, "preset": _PRESET}, {"plan": _TEXT, "preset": _PRESET})
PRESET_BODY = _body({"name": _TEXT, "plan": _PLAN}, {"name": _TEXT, "plan": _TEXT})
_YES = {"type": "string", "enum": ["yes"]}
UPLOAD_BODY = _body(None, {"package": _FILE, "repair": _YES, "decrypt": _YES})
PACKAGE_BODY = _body(
    {
        "staged": {"type": "string", "description": "id of a package uploaded before"},
        "plan": _PLAN,
        "preset": _PRESET,
    },
    {"package": _FILE, **_PLAN_FORM},
)
RUN_BODY = _body({"run": _TEXT}, {"run": _TEXT})


def with_plan_schema(document: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI document in which the schema of plans stands among the components."""
    schema = plan_schema()
    parts = schema.pop("$defs", {})
    components = document.setdefault("components", {}).setdefault("schemas", {})
    for name, part in {**parts, "Plan": schema}.items():
        components[name] = _moved(part)
    return document


def _moved(value: Any) -> Any:
    """Return a schema whose references lead to the document's components."""
    if isinstance(value, dict):
        return {
            key: inner.replace("#/$defs/", "#/components/schemas/") if key == "$ref" else _moved(inner)
            for key, inner in value.items()
        }
    return [_moved(inner) for inner in value] if isinstance(value, list) else value
