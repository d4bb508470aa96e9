"""What anybody here may ask of a scan: does it show a seal that was made here, by its micro-pattern."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from pipeline.clock import Clock
from pipeline.folders import make_folder
from pipeline.marking import MarkingKeys
from pipeline.permissions import Actor, Permission, check_may
from stages.errors import Indeterminate
from stages.ingest import read_scan
from stages.seal_check import CheckedImpression, MarkedSeal, PatternVerdict, check_seals
from stages.seal_images import read_pixels
from storage.objects import ObjectStore
from storage.records import Records
from storage.rows import SealRecord

_WORST_FIRST = (
    PatternVerdict.ABSENT,
    PatternVerdict.OTHER_SEAL,
    PatternVerdict.UNCLEAR,
    PatternVerdict.FOUND,
    PatternVerdict.UNKNOWN,
)
"""Of several impressions the worst decides; one of a stranger's seal says nothing."""


@dataclass(frozen=True)
class CheckedScan:
    """Every impression of a scan, and what they say together."""

    impressions: tuple[CheckedImpression, ...]
    verdict: PatternVerdict


class SealChecks:
    """The service that checks scans for micro-patterns."""

    def __init__(
        self, *, records: Records, store: ObjectStore, marking: MarkingKeys, scratch: Path, clock: Clock
    ) -> None:
        self._records = records
        self._store = store
        self._marking = marking
        self._scratch = scratch
        self._clock = clock

    def check(self, scan: Path, *, actor: Actor, seal: str | None = None) -> CheckedScan:
        """Look for the micro-pattern of one seal, or of any, in every impression on a scan.

        Raises:
            InputRefused: the scan cannot be read, or holds too many impressions.
            NotFound: there is no such seal.
            Indeterminate: no seal with a pattern was made here (the one named has none), or there is no
                impression on the scan.
        """
        by = check_may(actor, Permission.LIST_SEALS)
        wanted = self._records.seal(seal) if seal is not None else None
        marked = [record for record in self._records.seals() if record.micro_pattern]
        self._check_marked(wanted, marked)
        with tempfile.TemporaryDirectory(dir=make_folder(self._scratch), prefix="check-") as folder:
            seals = [self._marked(record, Path(folder)) for record in marked]
            found = check_seals(read_scan(scan), seals, wanted=wanted.name if wanted else None)
        if not found:
            raise Indeterminate(
                f"no seal impression on {scan.name}; scan at 300 dpi or more, in colour",
                zh=f"{scan.name} 上未找到印模，请用不低于 300 dpi 的彩色模式扫描",
            )
        verdicts = {one.verdict for one in found}
        verdict = next(worst for worst in _WORST_FIRST if worst in verdicts)
        detail = {"impressions": len(found), "verdict": verdict.value, "seal": wanted.id if wanted else ""}
        self._records.append_event("seal_checked", detail, actor=by, at=self._clock())
        return CheckedScan(tuple(found), verdict)

    def _check_marked(self, wanted: SealRecord | None, marked: list[SealRecord]) -> None:
        if wanted is not None and not wanted.micro_pattern:
            raise Indeterminate(
                f"seal {wanted.name} was made without a micro-pattern; make it again with --micro-pattern",
                zh=f"印章“{wanted.name}”制作时未加入防伪图样，请用 --micro-pattern 重新制作",
            )
        if not marked or not self._marking.exists:
            raise Indeterminate(
                "no seal with a micro-pattern was made here, or its secret is gone; "
                "check where the seal was made",
                zh="此处没有带防伪图样的印章，或其密钥文件已丢失，请在制章处核验",
            )

    def _marked(self, record: SealRecord, folder: Path) -> MarkedSeal:
        path = folder / f"{record.image_digest}.png"
        if not path.exists():
            self._store.copy_to(record.image_digest, path)
        return MarkedSeal(record.name, read_pixels(path), self._marking.key_of(record.id))
