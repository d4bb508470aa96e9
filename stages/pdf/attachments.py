"""Files inside of a PDF: their names and sizes, off the catalogue's name tree and the annotations."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pikepdf

from stages.documents import Finding
from stages.pdf.sayings import MAX_SHOWN, printable, say
from stages.pdf.syntax import ObjGen

MAX_TREE_NODES = 1_000
MAX_ATTACHMENTS = 5_000


@dataclass
class Attachments:
    """The files met so far: names, with sizes where they are known."""

    names: list[str] = field(default_factory=list)
    is_portfolio: bool = False
    _seen: set[ObjGen] = field(default_factory=set)

    def look_at_catalogue(self, root: pikepdf.Object) -> None:
        """Take in what the catalogue attaches (ISO 32000-2 §7.11.4, §14.13)."""
        self.is_portfolio = "/Collection" in root
        names = root.get("/Names")
        if isinstance(names, pikepdf.Dictionary):
            for specification in _leaves(names.get("/EmbeddedFiles")):
                self.add(specification)
        associated = root.get("/AF")
        for specification in associated if isinstance(associated, pikepdf.Array) else ():
            self.add(specification)

    def add(self, specification: object) -> None:
        """Take in one file specification; one met again is passed over."""
        if not isinstance(specification, pikepdf.Dictionary) or len(self.names) >= MAX_ATTACHMENTS:
            return
        if specification.is_indirect:
            if specification.objgen in self._seen:
                return
            self._seen.add(specification.objgen)
        files = specification.get("/EF")
        if not isinstance(files, pikepdf.Dictionary):
            return
        name = specification.get("/UF", specification.get("/F"))
        size = _size_bytes(files.get("/UF", files.get("/F")))
        shown = printable(str(name)) if isinstance(name, pikepdf.String) else "?"
        self.names.append(shown if size is None else f"{shown} ({size} bytes)")

    def findings(self) -> Iterator[Finding]:
        """Yield what is to be said of the files taken in."""
        if self.is_portfolio:
            yield say("portfolio")
        if self.names:
            more = f" … (+{len(self.names) - MAX_SHOWN})" if len(self.names) > MAX_SHOWN else ""
            yield say("attachments", names=", ".join(self.names[:MAX_SHOWN]) + more)


def _leaves(tree: object) -> Iterator[object]:
    """Yield the values of a name tree (ISO 32000-2 §7.9.6)."""
    waiting = [tree]
    for _ in range(MAX_TREE_NODES):
        if not waiting:
            return
        node = waiting.pop()
        if not isinstance(node, pikepdf.Dictionary):
            continue
        names, kids = node.get("/Names"), node.get("/Kids")
        if isinstance(names, pikepdf.Array):
            yield from list(names)[1::2]
        if isinstance(kids, pikepdf.Array):
            waiting += list(kids)


def _size_bytes(stream: object) -> int | None:
    """Return a file's size as it says itself; None when it does not."""
    if not isinstance(stream, pikepdf.Stream):
        return None
    parameters = stream.get("/Params")
    size = parameters.get("/Size") if isinstance(parameters, pikepdf.Dictionary) else None
    return size if isinstance(size, int) and not isinstance(size, bool) else None
