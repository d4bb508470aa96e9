"""One step of one job: read the row, run the stage, put the object, then move the state in one transaction.

A step may be run again at any time: what it makes depends only on what is stored, so the second
run makes the same bytes, finds the object there already, and moves the state once.
"""

import logging
import secrets
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from pipeline.bench import INSPECTED, PLANNED, Bench
from pipeline.failures import REFUSALS, failure_of, message_zh
from pipeline.jobs import Act, next_state
from pipeline.keys import check_usable
from stages.authorities import Signer, TimestampAuthority, TrustAnchors, fingerprint_of
from stages.documents import SignatureRequest
from stages.errors import SigningRefused, TimestampUnavailable, Untrusted
from stages.inspect import inspect
from stages.manifests import canonical_json
from stages.plan import plan
from stages.plan_rules import PlanRules, parse_plan
from stages.sign import find_signature, sign
from stages.stamp import stamp, stamped_from
from stages.timestamp import timestamp
from stages.verdicts import check_verified, verdict_json
from stages.verify import verify
from storage.errors import AlreadyBound, Corrupt, StaleState
from storage.objects import ObjectStore, StoredObject
from storage.records import Records
from storage.rows import ClaimRecord, JobError, Move
from storage.schema import JobState

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
NONCE_BITS = 64


class Signers(Protocol):
    """Signing keys by URI, each opened once."""

    def signer(self, uri: str) -> Signer: ...


class Runner:
    """Moves documents along the bid line, one step after another.

    Args:
        name: who stands in the log as having done it.
        retry_s: how long a document waits for the time-stamping authority before it is rung again.
    """

    def __init__(
        self,
        *,
        records: Records,
        store: ObjectStore,
        signers: Signers,
        authority: TimestampAuthority,
        trust: TrustAnchors,
        scratch: Path,
        clock: Clock,
        name: str,
        retry_s: float,
    ) -> None:
        self.records = records
        self.store = store
        self.signers = signers
        self.authority = authority
        self.trust = trust
        self.scratch = scratch
        self.clock = clock
        self.name = name
        self.retry_s = retry_s
        self._steps: Mapping[JobState, Callable[[Bench], None]] = {
            JobState.RECEIVED: self._inspect,
            JobState.INSPECTED: self._plan,
            JobState.PLANNED: self._stamp,
            JobState.STAMPED: self._claim,
            JobState.SIGNING: self._sign,
            JobState.SIGNED: self._timestamp,
            JobState.AWAITING_TIMESTAMP: self._timestamp,
            JobState.TIMESTAMPED: self._verify,
        }

    def run(self, job_id: str) -> JobState:
        """Take a document as far as it goes now, and return the state it rests in.

        Raises:
            StoreUnavailable: the store or the records are silent; ring again later.
        """
        job = self.records.job(job_id)
        if job.state not in self._steps:
            return job.state
        self.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.scratch, prefix="job-") as folder:
            bench = Bench(
                records=self.records,
                store=self.store,
                job=job,
                package=self.records.package(job.package_id),
                folder=Path(folder),
            )
            while bench.job.state in self._steps:
                before = bench.job.state
                self._step(bench)
                bench.refresh()
                if bench.job.state in (before, JobState.AWAITING_TIMESTAMP):
                    break
            return bench.job.state

    def _step(self, bench: Bench) -> None:
        try:
            self._steps[bench.job.state](bench)
        except (StaleState, AlreadyBound):
            log.info("job %s: another worker was first", bench.job.id)
        except REFUSALS as error:
            self.refuse(bench.job.id, error)

    def refuse(self, job_id: str, error: Exception) -> None:
        """Record that a document cannot go on, and why."""
        job = self.records.job(job_id)
        self._move(job_id, job.state, Act.REFUSE, error=error)

    def _move(
        self,
        job_id: str,
        state: JobState,
        act: Act,
        *,
        output: StoredObject | None = None,
        detail: Mapping[str, object] | None = None,
        error: Exception | None = None,
        wait_until_at: datetime | None = None,
    ) -> None:
        job_error = None
        if error is not None:
            job_error = JobError(failure_of(error).exit_code.name, str(error), message_zh(error))
        self.records.advance(
            [
                Move(
                    job_id=job_id,
                    expected=state,
                    to=next_state(state, act),
                    output=(output.digest, output.size_bytes) if output else None,
                    act=act,
                    detail=dict(detail or {}),
                    actor=self.name,
                    at=self.clock(),
                    error=job_error,
                    wait_until_at=wait_until_at,
                )
            ]
        )

    def _inspect(self, bench: Bench) -> None:
        inspected = inspect(bench.source())
        output = self.store.put_bytes(INSPECTED.dump_json(inspected))
        self._move(bench.job.id, bench.job.state, Act.INSPECT, output=output)

    def rules(self, bench: Bench) -> PlanRules:
        """Return the plan the package was submitted with."""
        return parse_plan(self.store.read(bench.package.plan_digest))

    def _plan(self, bench: Bench) -> None:
        planned = plan(bench.source(), bench.inspected(), self.rules(bench), bench.faces())
        output = self.store.put_bytes(PLANNED.dump_json(planned))
        detail = {"marks": len(planned.marks)}
        self._move(bench.job.id, bench.job.state, Act.PLAN, output=output, detail=detail)

    def _stamp(self, bench: Bench) -> None:
        bench.document.unlink(missing_ok=True)
        stamped = stamp(bench.source(), bench.planned(), bench.faces(), bench.document)
        output = self.store.put_bytes(bench.tail(stamped.base_size_bytes))
        bench.reached = JobState.STAMPED
        self._move(bench.job.id, bench.job.state, Act.STAMP, output=output)

    def _claim(self, bench: Bench) -> None:
        signer = self._signer(bench)
        check_usable(signer, self.clock())
        taken = {signature.field_name for signature in bench.inspected().signatures}
        numbers = (f"Signature{number}" for number in range(1, len(taken) + 2))
        self.records.claim_signature(
            bench.job.id,
            expected=bench.job.state,
            fingerprint=fingerprint_of(signer.certificate),
            field_name=next(name for name in numbers if name not in taken),
            actor=self.name,
            at=self.clock(),
        )

    def _sign(self, bench: Bench) -> None:
        signer = self._signer(bench)
        claim = self._claim_of(bench)
        document = bench.build(JobState.STAMPED)
        stamped_size_bytes = document.stat().st_size
        stamped = stamped_from(
            document, bench.planned(), bench.faces(), base_size_bytes=bench.job.source_size_bytes
        )
        request = SignatureRequest(
            field_name=claim.field_name,
            signed_at=claim.claimed_at,
            reason=bench.order.reason,
            location=bench.order.location,
        )
        bench.reached = None  # from here on the file grows
        sign(stamped, signer, request)
        output = self.store.put_bytes(bench.tail(stamped_size_bytes))
        self.records.record_signature(
            bench.job.id, (output.digest, output.size_bytes), actor=self.name, at=self.clock()
        )
        bench.reached = JobState.SIGNED

    def _claim_of(self, bench: Bench) -> ClaimRecord:
        claim = self.records.claim_of(bench.job.id)
        if claim is None:
            raise Corrupt(
                f"job {bench.job.id} is {bench.job.state} without a claim: "
                "the records were changed from outside; restore them from a backup",
                zh=f"作业 {bench.job.id} 缺少签名登记，记录可能被外部改动",
            )
        return claim

    def _signer(self, bench: Bench) -> Signer:
        signer = self.signers.signer(bench.package.key_uri)
        if fingerprint_of(signer.certificate) != bench.order.certificate:
            raise SigningRefused(
                f"{bench.job.name}: the key at hand is not the one this package was submitted for; "
                "use the same key, or submit the package again",
                zh=f"{bench.job.name}：当前密钥与提交时的证书不一致，请使用原密钥或重新提交",
            )
        return signer

    def _timestamp(self, bench: Bench) -> None:
        document = bench.build(JobState.SIGNED)
        field_name = self._claim_of(bench).field_name
        signed = find_signature(document, field_name, base_size_bytes=bench.job.source_size_bytes)
        stamped_size_bytes = bench.job.source_size_bytes + self._size(bench, JobState.STAMPED)
        now = self.clock()
        bench.reached = None
        try:
            stamped = timestamp(
                signed,
                self.authority,
                self.trust.timestamp_roots or self.trust.roots,
                nonce=secrets.randbits(NONCE_BITS),
                now=now,
            )
        except (TimestampUnavailable, Untrusted) as error:
            wait_until_at = now + timedelta(seconds=self.retry_s)
            self._move(
                bench.job.id, bench.job.state, Act.AWAIT_TIMESTAMP, error=error, wait_until_at=wait_until_at
            )
            return
        output = self.store.put_bytes(bench.tail(stamped_size_bytes))
        detail = {"stamped_at": stamped.stamped_at.isoformat(), "authority": stamped.authority}
        self._move(bench.job.id, bench.job.state, Act.TIMESTAMP, output=output, detail=detail)
        bench.reached = JobState.TIMESTAMPED

    def _size(self, bench: Bench, state: JobState) -> int:
        return self.records.outputs(bench.job.id)[state].size_bytes

    def _verify(self, bench: Bench) -> None:
        document = bench.build(JobState.TIMESTAMPED)
        verdict = verify(document, self.trust, self.clock())
        check_verified(verdict)
        kept = self.store.put_file(document, consume=True)
        bench.reached = None
        report = verdict_json(Path(bench.job.name), verdict)
        report["signed"] = {"sha256": kept.digest, "size_bytes": kept.size_bytes}
        output = self.store.put_bytes(canonical_json(report))
        self._move(bench.job.id, bench.job.state, Act.VERIFY, output=output, detail={"signed": kept.digest})
