"""What a PDF can do by itself: scripts and actions of the catalogue, the pages, the annotations, the form."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pikepdf

from stages.documents import Finding
from stages.pdf.sayings import page_numbers, say
from stages.pdf.syntax import name_text

MAX_CHAIN = 16
"""Actions looked at along /Next; a longer chain only repeats what is known of it."""

_ACTIONS = {
    "JavaScript": "javascript",
    "Launch": "launch-action",
    "SubmitForm": "submit-action",
    "ImportData": "submit-action",
    "Hide": "show-hide-action",
    "SetOCGState": "show-hide-action",
    "Rendition": "multimedia",
    "Sound": "multimedia",
    "Movie": "multimedia",
    "GoTo3DView": "multimedia",
    "RichMediaExecute": "multimedia",
    "URI": "uri-action",
    "GoToR": "uri-action",
    "GoToE": "uri-action",
}
_ORDER = tuple(dict.fromkeys(_ACTIONS.values()))
CATALOGUE, FORM = "catalogue", "form"
_PLACES = {CATALOGUE: ("the document itself", "文档级"), FORM: ("the form", "表单")}


@dataclass
class Actions:
    """Which actions were met, and where."""

    places: dict[str, set[str]] = field(default_factory=dict)
    pages: dict[str, list[int]] = field(default_factory=dict)

    def note(self, code: str, where: str | int) -> None:
        """Take in one action: `where` is CATALOGUE, FORM, or the index of a page."""
        if isinstance(where, int):
            pages = self.pages.setdefault(code, [])
            if not pages or pages[-1] != where:
                pages.append(where)
        else:
            self.places.setdefault(code, set()).add(where)

    def look(self, holder: pikepdf.Object, where: str | int) -> None:
        """Take in the action of a dictionary (/A) and its additional ones (/AA)."""
        for action in (holder.get("/A"), *_additional(holder)):
            self.look_at_action(action, where)

    def look_at_action(self, action: object, where: str | int) -> None:
        """Take in an action and those that follow it; what only moves about in the document is nothing."""
        waiting = [action]
        for _ in range(MAX_CHAIN):
            if not waiting:
                return
            next_one = waiting.pop()
            if not isinstance(next_one, pikepdf.Dictionary):
                continue
            code = _ACTIONS.get(name_text(next_one.get("/S")))
            if code:
                self.note(code, where)
            following = next_one.get("/Next")
            waiting += list(following)[:MAX_CHAIN] if isinstance(following, pikepdf.Array) else [following]

    def look_at_catalogue(self, root: pikepdf.Object) -> None:
        """Take in what runs when the file is opened, printed, saved."""
        names = root.get("/Names")
        if isinstance(names, pikepdf.Dictionary) and "/JavaScript" in names:
            self.note("javascript", CATALOGUE)
        self.look_at_action(root.get("/OpenAction"), CATALOGUE)
        self.look(root, CATALOGUE)

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for each kind of action, with where it stands."""
        for code in _ORDER:
            places = sorted(self.places.get(code, ()))
            pages = page_numbers(sorted(set(self.pages.get(code, ()))))
            if not places and not pages:
                continue
            where = [_PLACES[place][0] for place in places] + ([f"pages {pages}"] if pages else [])
            where_zh = [_PLACES[place][1] for place in places] + ([f"第 {pages} 页"] if pages else [])
            yield say(code, where=", ".join(where), where_zh="、".join(where_zh))


def _additional(holder: pikepdf.Object) -> Iterator[object]:
    actions = holder.get("/AA")
    if isinstance(actions, pikepdf.Dictionary):
        for _, action in actions.items():
            yield action
