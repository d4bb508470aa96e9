"""Stamping without signing: marks for print copies and for looking at, and their exact removal."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.bids import Bids
from pipeline.clock import Clock
from pipeline.errors import UsageRefused
from pipeline.exports import sha256_of
from pipeline.failures import refusals
from pipeline.folders import make_folder
from pipeline.packages import LookedAt
from pipeline.permissions import Actor, Permission, check_may
from pipeline.progress import Progress, Silent
from pipeline.seals_in_force import check_in_force
from stages.derive import USUAL_CHOICES, Choices
from stages.documents import SealFace
from stages.errors import InputRefused, PlacementRefused
from stages.stamp import stamp
from stages.unstamp import Before, Unstamped, unstamp
from storage.records import Records
from storage.rows import StampingRecord


@dataclass(frozen=True)
class StampedFile:
    """How one file of a package was stamped.

    Attributes:
        output: the stamped file; of a part of a blind bid (暗标) the original, unmarked.
        marks: how many were drawn.
        sha256: of the stamped file, lower-case hex.
        error: why it was not stamped.
    """

    file: str
    output: Path | None = None
    marks: int = 0
    sha256: str | None = None
    error: Exception | None = None


class Stampings:
    """The service that stamps without signing, and takes such marks back."""

    def __init__(self, *, bids: Bids, records: Records, clock: Clock) -> None:
        self._bids = bids
        self._records = records
        self._clock = clock

    def stamp(
        self,
        package: Path,
        plan: Path | bytes,
        out: Path,
        *,
        actor: Actor,
        choices: Choices = USUAL_CHOICES,
        progress: Progress | None = None,
    ) -> list[StampedFile]:
        """Write every file of a package to a folder with its marks drawn: no key is touched.

        Each file is recorded, so that its marks can be taken back; one refused does not stop the others.

        Args:
            plan: its bytes, or the file they stand in.
            choices: what may be done to a file that cannot be stamped as it is.

        Raises:
            InputRefused, PlanRefused, NotFound, PlacementRefused: as for a dry run; nothing was written.
            SigningRefused: a seal of the plan is not in force.
            UsageRefused: the folder cannot be written to.
        """
        by = check_may(actor, Permission.STAMP_BIDS)
        progress = progress or Silent()
        results = []
        with self._bids.planned(package, plan, progress, choices) as (_, looked, faces, scratch):
            for name in faces:
                check_in_force(self._records.seal(name), self._clock())
            make_folder(out)
            progress.begin("盖章（不签名）/ stamping, unsigned", len(looked))
            for file in looked:
                results.append(self._stamp_one(file, faces, scratch, out, by))
                progress.step(file.source.name)
        return results

    def unstamp(self, stamped: Path, out: Path, *, actor: Actor) -> Unstamped:
        """Write a stamped, unsigned file as it was before it was stamped, byte for byte.

        What was stamped here is held against the records; of another machine's stamping the file itself
        must give the proof.

        Raises:
            PlacementRefused: it was signed after it was stamped.
            InputRefused: its last change is no stamping, it was changed since, or it cannot be read.
            UsageRefused: `out` cannot be written to.
        """
        by = check_may(actor, Permission.STAMP_BIDS)
        if not stamped.is_file():
            raise InputRefused(f"{stamped}: there is no such file", zh=f"{stamped}：没有这个文件")
        if out.is_dir():
            raise UsageRefused(f"{out} is a folder; give a file name", zh=f"{out} 是文件夹，请给出文件名")
        stamped_digest = sha256_of(stamped)
        known = self._records.stamping_of(stamped_digest)
        before = Before(known.original_digest, known.original_size_bytes) if known else None
        if out.exists() and out.samefile(stamped):
            return unstamp(stamped, out, before=before)  # which refuses it
        make_folder(out.parent)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".sealine-") as folder:
            taken = unstamp(stamped, Path(folder) / "unstamped", before=before)
            taken.path.chmod(0o644)
            os.replace(taken.path, out)
        detail = {"stamped": stamped_digest, "original": taken.sha256, "recorded": known is not None}
        self._records.append_event("unstamped", detail, actor=by, at=self._clock())
        return Unstamped(out, taken.sha256, taken.size_bytes)

    def _stamp_one(
        self, file: LookedAt, faces: Mapping[str, SealFace], scratch: Path, out: Path, by: str
    ) -> StampedFile:
        source, planned = file.source, file.planned
        try:
            if planned is None:
                raise file.error or InputRefused(f"{source.name}: was not planned")
            if planned.marks and planned.inspected.signatures:
                raise PlacementRefused(
                    f"{source.name}: it is signed already, and marks without a signature would break that; "
                    "sign it (bid sign) instead",
                    zh=f"{source.name}：文件已有签名，不签名而盖章会使其失效；请用 bid sign 签章",
                )
            fresh = scratch / "stamped.pdf"
            fresh.unlink(missing_ok=True)
            stamp(source, planned, faces, fresh)
        except refusals() as error:
            return StampedFile(source.name, error=error)
        digest = sha256_of(fresh)
        if planned.marks:
            record = StampingRecord(
                stamped_digest=digest,
                original_digest=source.sha256,
                original_size_bytes=source.size_bytes,
                name=source.name,
                stamped_at=self._clock(),
                stamped_by=by,
            )
            self._records.add_stampings([record])
        output = _placed(fresh, out / source.name)
        return StampedFile(source.name, output, len(planned.marks), digest)


def _placed(fresh: Path, path: Path) -> Path:
    """Move a finished file to where a person wants it: whole, or not at all."""
    make_folder(path.parent)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".sealine-") as folder:
        near = Path(folder) / "stamped"
        with fresh.open("rb") as source, near.open("wb") as target:
            while piece := source.read(1 << 20):
                target.write(piece)
        near.chmod(0o644)
        os.replace(near, path)
    return path
