"""How a long act tells how far it is: an object passed in, which never touches stdout."""

from typing import Protocol


class Progress(Protocol):
    """Somebody who wants to know how far it is."""

    def begin(self, what: str, total: int) -> None:
        """A new round of `total` things begins."""
        ...

    def step(self, what: str) -> None:
        """One thing is done."""
        ...

    def note(self, what: str) -> None:
        """Something worth a line."""
        ...


class Silent:
    """Nobody wants to know."""

    def begin(self, what: str, total: int) -> None:
        return

    def step(self, what: str) -> None:
        return

    def note(self, what: str) -> None:
        return
