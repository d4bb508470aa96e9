"""Which fields of a form a signature locks."""

from dataclasses import dataclass
from enum import StrEnum


class LockAction(StrEnum):
    """Which fields a signature locks (ISO 32000-2 Table 236, 258)."""

    ALL = "all"
    INCLUDE = "include"
    EXCLUDE = "exclude"


@dataclass(frozen=True)
class FieldLock:
    """What a signature locks in the form: every field, the named ones, or all but the named ones."""

    action: LockAction
    names: tuple[str, ...] = ()

    def is_locked(self, name: str) -> bool:
        """Return whether a field of this full name may not change; a name stands for all below it."""
        if self.action is LockAction.ALL:
            return True
        is_named = any(name == one or name.startswith(one + ".") for one in self.names)
        return is_named == (self.action is LockAction.INCLUDE)
