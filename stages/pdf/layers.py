"""A PDF's layers (optional content): which are hidden, which are printed otherwise than shown."""

from collections.abc import Iterator

import pikepdf

from stages.documents import Finding
from stages.pdf.sayings import say, some_names
from stages.pdf.syntax import ObjGen

MAX_LAYERS = 10_000
MAX_USAGES = 64


def layer_findings(root: pikepdf.Object) -> Iterator[Finding]:
    """Yield what is to be said of the layers (ISO 32000-2 §8.11.4)."""
    properties = root.get("/OCProperties")
    if not isinstance(properties, pikepdf.Dictionary):
        return
    yield say("optional-content")
    default = properties.get("/D")
    default = default if isinstance(default, pikepdf.Dictionary) else pikepdf.Dictionary()
    layers = list(_dictionaries(properties.get("/OCGs")))
    on, off = _members(default.get("/ON")), _members(default.get("/OFF"))
    starts_off = default.get("/BaseState") == pikepdf.Name.OFF
    shown = {
        layer.objgen: layer.objgen not in off and (not starts_off or layer.objgen in on) for layer in layers
    }
    viewed = _states(layers, default, "View", shown)
    printed = _states(layers, default, "Print", viewed)
    hidden = [layer for layer in layers if not viewed[layer.objgen]]
    differ = [layer for layer in layers if viewed[layer.objgen] != printed[layer.objgen]]
    for code, chosen in (("layers-hidden", hidden), ("layers-print-differ", differ)):
        if chosen:
            yield say(code, count=len(chosen), names=some_names([_name(layer) for layer in chosen]))


def _states(
    layers: list[pikepdf.Object], default: pikepdf.Object, event: str, otherwise: dict[ObjGen, bool]
) -> dict[ObjGen, bool]:
    """Return which layers are on for an event: their usage counts only where /AS says so (Table 101)."""
    states = dict(otherwise)
    asked: set[ObjGen] = set()
    for usage in _dictionaries(default.get("/AS"), MAX_USAGES):
        categories = usage.get("/Category")
        has_category = isinstance(categories, pikepdf.Array) and pikepdf.Name("/" + event) in list(categories)
        if usage.get("/Event") == pikepdf.Name("/" + event) and has_category:
            asked |= _members(usage.get("/OCGs"))
    for layer in layers:
        uses = layer.get("/Usage")
        section = uses.get("/" + event) if isinstance(uses, pikepdf.Dictionary) else None
        state = section.get(f"/{event}State") if isinstance(section, pikepdf.Dictionary) else None
        if layer.objgen in asked and state is not None:
            states[layer.objgen] = state == pikepdf.Name.ON
    return states


def _dictionaries(array: object, limit: int = MAX_LAYERS) -> Iterator[pikepdf.Object]:
    for thing in list(array)[:limit] if isinstance(array, pikepdf.Array) else ():
        if isinstance(thing, pikepdf.Dictionary):
            yield thing


def _members(array: object) -> set[ObjGen]:
    return {layer.objgen for layer in _dictionaries(array)}


def _name(layer: pikepdf.Object) -> str:
    name = layer.get("/Name")
    return str(name) if isinstance(name, pikepdf.String) else "?"
