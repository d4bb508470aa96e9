"""Whether a seal may be used at a given time."""

from datetime import datetime

from stages.errors import SigningRefused
from storage.rows import SealRecord


def check_in_force(seal: SealRecord, now: datetime) -> None:
    """Check that a seal may be used now.

    Raises:
        SigningRefused: its validity has not begun, or has ended.
    """
    if not seal.valid_from_at <= now <= seal.valid_until_at:
        raise SigningRefused(
            f"seal {seal.name} is valid from {seal.valid_from_at:%Y-%m-%d} to "
            f"{seal.valid_until_at:%Y-%m-%d} only; renew it before using it",
            zh=f"印章“{seal.name}”不在有效期内，请先续期",
        )
