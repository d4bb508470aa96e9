"""The four lamps of a verification, lit by checks one after another."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from stages.crypto.checks import CheckFailed, CheckUnknown
from stages.crypto.tokens import TimestampToken
from stages.verdict_types import Cause, Indication, Lamp, SignatureVerdict

_T = TypeVar("_T")


@dataclass
class Lamps:
    """What was found so far; a lamp that no check has touched stays unknown."""

    lamps: dict[str, Lamp] = field(default_factory=dict)
    causes: list[Cause] = field(default_factory=list)
    failed: str = ""
    unknown: str = ""

    def run(self, lamp: str, *checks: Callable[[], _T]) -> _T | None:
        """Make checks in turn until one says no; light the lamp. Return what the last one returned."""
        result = None
        try:
            for check in checks:
                result = check()
        except CheckFailed as error:
            self.lamps[lamp] = Lamp.FAILED
            self.failed = self.failed or error.sub_indication
            self.note(error.code, str(error), error.zh)
            return None
        except CheckUnknown as error:
            self.lamps[lamp] = Lamp.UNKNOWN
            self.unknown = self.unknown or error.sub_indication
            self.note(error.code, str(error), error.zh)
            return None
        self.lamps[lamp] = Lamp.PASSED
        return result

    def note(self, code: str, message: str, message_zh: str) -> None:
        """Say something, once, that changes no lamp."""
        cause = Cause(code, message, message_zh)
        if cause not in self.causes:
            self.causes.append(cause)

    def lamp(self, name: str) -> Lamp:
        """Return how a lamp stands."""
        return self.lamps.get(name, Lamp.UNKNOWN)

    def verdict(
        self,
        field_name: str,
        *,
        signer: str,
        signed_at: datetime | None,
        token: TimestampToken | None,
        tryout: bool,
    ) -> SignatureVerdict:
        """Return what the four lamps come to: any failed, TOTAL-FAILED; all passed, TOTAL-PASSED."""
        four = [self.lamp(name) for name in ("integrity", "identity", "trust", "time")]
        if Lamp.FAILED in four:
            indication, sub_indication = Indication.TOTAL_FAILED, self.failed
        elif all(lamp is Lamp.PASSED for lamp in four):
            indication, sub_indication = Indication.TOTAL_PASSED, ""
        else:
            indication, sub_indication = Indication.INDETERMINATE, self.unknown or "GENERIC"
        return SignatureVerdict(
            field_name,
            indication,
            sub_indication,
            integrity=four[0],
            identity=four[1],
            trust=four[2],
            time=four[3],
            signer=signer,
            signed_at=signed_at,
            timestamp=token.stamped_at if token else None,
            timestamp_authority=token.authority if token else "",
            tryout=tryout,
            causes=tuple(self.causes),
        )
