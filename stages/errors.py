"""What can go wrong with a document, whoever asks."""


class StagesError(Exception):
    """Root of this room's errors: a fact in English, the same fact in Chinese in `zh`."""

    def __init__(self, message: str, *, zh: str = "") -> None:
        super().__init__(message)
        self.zh = zh


class InputRefused(StagesError):
    """The bytes handed in cannot be read, are encrypted, damaged, or over a named limit."""


class Damaged(InputRefused):
    """The PDF can only be read by guessing; a sound copy may be made of it when the user allows that."""


class Encrypted(InputRefused):
    """The PDF is encrypted, opens without a password, and an open copy may be made when the user allows."""


class NotAnonymous(InputRefused):
    """A file of an anonymous part (暗标) tells whose it is: by a name, or by a signature."""


class PlanRefused(StagesError):
    """The plan file itself is wrong: an unknown key, a missing value, a seal nobody knows."""


class PlacementRefused(StagesError):
    """There is no place for a mark, or the file's own signatures forbid it."""


class NothingToMark(PlacementRefused):
    """What the rules look for is not in this file; that a mark was found a place but no room is not this."""


class SigningRefused(StagesError):
    """Wrong PIN, or a key, certificate or seal that may not be used now."""


class KeyUnavailable(StagesError):
    """The device that holds the key does not answer; the document waits, nothing is lost."""


class Untrusted(StagesError):
    """It was checked, and it is wrong."""


class Indeterminate(StagesError):
    """It could not be checked."""


class TimestampUnavailable(StagesError):
    """No time-stamping authority answered; the document waits, nothing is lost."""
