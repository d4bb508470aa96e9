"""How a single check of a signature says no, or says that it cannot tell."""

from stages.errors import Indeterminate, Untrusted


class CheckFailed(Untrusted):
    """The check was made, and what it looked at is wrong.

    Attributes:
        code: stable, kebab-case, for programs.
        sub_indication: ETSI EN 319 102-1 Table 6.
    """

    def __init__(self, code: str, sub_indication: str, message: str, *, zh: str) -> None:
        super().__init__(message, zh=zh)
        self.code = code
        self.sub_indication = sub_indication


class CheckUnknown(Indeterminate):
    """The check could not be made, or its answer decides nothing.

    Attributes:
        code: stable, kebab-case, for programs.
        sub_indication: ETSI EN 319 102-1 Table 6.
    """

    def __init__(self, code: str, sub_indication: str, message: str, *, zh: str) -> None:
        super().__init__(message, zh=zh)
        self.code = code
        self.sub_indication = sub_indication
