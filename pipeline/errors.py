"""What can go wrong between a person's wish and the work: the errors of this room."""


class PipelineError(Exception):
    """Root of this room's errors: a fact in English, the same fact in Chinese in `zh`."""

    def __init__(self, message: str, *, zh: str = "") -> None:
        super().__init__(message)
        self.zh = zh


class UsageRefused(PipelineError):
    """Wrong arguments or settings."""


class Forbidden(PipelineError):
    """The role may not do this."""


class WrongState(PipelineError):
    """Not allowed now, or someone was first."""


class Unavailable(PipelineError):
    """Something outside does not answer; trying again later may help."""
