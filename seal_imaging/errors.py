"""What can go wrong between pixels and a seal."""


class SealImagingError(Exception):
    """Root of this room's errors: a fact in English, the same fact in Chinese in `zh`."""

    def __init__(self, message: str, *, zh: str = "") -> None:
        super().__init__(message)
        self.zh = zh


class ImpressionUnusable(SealImagingError):
    """No seal impression, or one too faint, cut off or overprinted to use."""


class ScaleUnknown(ImpressionUnusable):
    """The impression was measured in pixels only, so no true-to-size image can be made of it."""


class ReaderUnavailable(SealImagingError):
    """The engine that reads text, or its model, is not installed or cannot be loaded."""
