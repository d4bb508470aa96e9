"""The steps of a document's job: each runs one stage on the bench, and says what is to be recorded of it.

A step may be run again at any time: what it makes depends only on what is stored, so the second run
makes the same bytes and finds the object there already.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from pipeline.bench import INSPECTED, PLANNED, Bench
from pipeline.clock import Clock
from pipeline.jobs import Act
from pipeline.key_certificates import check_usable
from pipeline.moves import make_move
from stages.authorities import Signer, TimestampAuthority, TrustAnchors, fingerprint_of
from stages.documents import SignatureRequest
from stages.errors import SigningRefused, TimestampUnavailable, Untrusted
from stages.inspect import inspect
from stages.manifests import canonical_json
from stages.pdf.carriers import signature_field_name
from stages.pdf.text import LayerOnly, PageTexts
from stages.plan import plan
from stages.sign import find_signature, sign
from stages.stamp import stamp, stamped_from
from stages.timestamp import timestamp
from stages.verdicts import check_verified, verdict_json
from stages.verify import verify
from storage.objects import StoredObject
from storage.rows import Move, NewClaim, NewSignature
from storage.schema import JobState

NONCE_BITS = 64

Outcome = Move | NewClaim | NewSignature
"""What a step wants recorded."""


class Signers(Protocol):
    """Signing keys by URI, each opened once."""

    def signer(self, uri: str) -> Signer: ...


@dataclass(frozen=True)
class Steps:
    """The steps, and what they need from outside.

    Attributes:
        key_uri: the key this process signs with; a package may name another.
        name: who stands in the log as having done it.
        retry_s: how long a document waits for a silent time-stamping authority.
        passed_over: authorities that are left alone at the moment, and why; the events tell.
        texts: who looks for a plan's keywords.
    """

    signers: Signers
    key_uri: str
    authority: TimestampAuthority
    trust: TrustAnchors
    clock: Clock
    name: str
    retry_s: float
    passed_over: Callable[[], Mapping[str, str]] = dict
    texts: PageTexts = field(default_factory=LayerOnly)

    def step_from(self, state: JobState) -> Callable[[Bench], Outcome] | None:
        """Return the step that leads on from a state; None when none does."""
        steps: Mapping[JobState, Callable[[Bench], Outcome]] = {
            JobState.RECEIVED: self._inspect,
            JobState.INSPECTED: self._plan,
            JobState.PLANNED: self._stamp,
            JobState.STAMPED: self._claim,
            JobState.SIGNING: self._sign,
            JobState.SIGNED: self._timestamp,
            JobState.AWAITING_TIMESTAMP: self._timestamp,
            JobState.TIMESTAMPED: self._verify,
        }
        return steps.get(state)

    def move(
        self,
        job_id: str,
        state: JobState,
        act: Act,
        *,
        output: StoredObject | None = None,
        detail: Mapping[str, object] | None = None,
        error: Exception | None = None,
        wait_until_at: datetime | None = None,
    ) -> Move:
        """Return a change of state, made here and now (see make_move)."""
        return make_move(
            job_id,
            state,
            act,
            actor=self.name,
            at=self.clock(),
            output=output,
            detail=detail,
            error=error,
            wait_until_at=wait_until_at,
        )

    def _done(self, bench: Bench, act: Act, output: StoredObject, **detail: object) -> Move:
        return self.move(bench.job.id, bench.job.state, act, output=output, detail=detail)

    def _inspect(self, bench: Bench) -> Outcome:
        inspected = inspect(bench.source())
        return self._done(bench, Act.INSPECT, bench.shop.store.put_bytes(INSPECTED.dump_json(inspected)))

    def _plan(self, bench: Bench) -> Outcome:
        planned = plan(bench.source(), bench.inspected, bench.shop.rules, bench.shop.faces, texts=self.texts)
        output = bench.shop.store.put_bytes(PLANNED.dump_json(planned))
        return self._done(bench, Act.PLAN, output, marks=len(planned.marks))

    def _stamp(self, bench: Bench) -> Outcome:
        if bench.planned.anonymous and not bench.planned.signed_invisibly:
            # 暗标: the file stays what it is, byte for byte.
            return self.move(
                bench.job.id, bench.job.state, Act.KEEP_UNSIGNED, detail={"kept": bench.job.source_digest}
            )
        stamped = stamp(bench.source(), bench.planned, bench.shop.faces, bench.fresh_document())
        output = bench.shop.store.put_bytes(bench.tail(stamped.base_size_bytes))
        bench.reached = JobState.STAMPED
        return self._done(bench, Act.STAMP, output)

    def _claim(self, bench: Bench) -> Outcome:
        signer = self._signer(bench)
        check_usable(signer, self.clock())
        inspected = bench.inspected
        if inspected.signatures:  # what would be refused in the end is refused before the key is used
            earlier = verify(bench.source().path, self.trust, self.clock())
            check_verified(earlier, name=bench.job.name)
        field_name = signature_field_name(bench.job.name, bench.planned)
        return NewClaim(bench.job.id, fingerprint_of(signer.certificate), field_name)

    def _sign(self, bench: Bench) -> Outcome:
        signer = self._signer(bench)
        document = bench.build(JobState.STAMPED)
        stamped = stamped_from(
            document, bench.planned, bench.shop.faces, base_size_bytes=bench.job.source_size_bytes
        )
        request = SignatureRequest(
            field_name=bench.claim.field_name,
            signed_at=bench.claim.claimed_at,
            reason="" if bench.planned.anonymous else bench.shop.order.reason,
            location="" if bench.planned.anonymous else bench.shop.order.location,
        )
        bench.reached = None  # from here on the file grows
        sign(stamped, signer, request)
        output = bench.shop.store.put_bytes(bench.tail(bench.size_in(JobState.STAMPED)))
        bench.reached = JobState.SIGNED
        return NewSignature(bench.job.id, output.digest, output.size_bytes)

    def _signer(self, bench: Bench) -> Signer:
        for uri in dict.fromkeys((self.key_uri, bench.shop.package.key_uri)):
            signer = self.signers.signer(uri)
            if fingerprint_of(signer.certificate) == bench.shop.order.certificate:
                return signer
        raise SigningRefused(
            f"{bench.job.name}: the key at hand is not the one this package was submitted for; "
            "use the same key, or submit the package again",
            zh=f"{bench.job.name}：当前密钥与提交时的证书不一致，请使用原密钥或重新提交",
        )

    def _timestamp(self, bench: Bench) -> Outcome:
        document = bench.build(JobState.SIGNED)
        field_name = bench.claim.field_name
        signed = find_signature(document, field_name, base_size_bytes=bench.job.source_size_bytes)
        now = self.clock()
        bench.reached = None
        try:
            stamped = timestamp(
                signed,
                self.authority,
                self.trust.time_roots,
                nonce=secrets.randbits(NONCE_BITS),
                now=now,
            )
        except (TimestampUnavailable, Untrusted) as error:
            wait_until_at = now + timedelta(seconds=self.retry_s)
            return self.move(
                bench.job.id, bench.job.state, Act.AWAIT_TIMESTAMP, error=error, wait_until_at=wait_until_at
            )
        output = bench.shop.store.put_bytes(bench.tail(bench.size_in(JobState.STAMPED)))
        bench.reached = JobState.TIMESTAMPED
        detail: dict[str, object] = {
            "stamped_at": stamped.stamped_at.isoformat(),
            "authority": stamped.authority,
        }
        passed_over = self.passed_over()
        if passed_over:
            detail["passed_over"] = dict(passed_over)
        return self._done(bench, Act.TIMESTAMP, output, **detail)

    def _verify(self, bench: Bench) -> Outcome:
        document = bench.build(JobState.TIMESTAMPED)
        verdict = verify(document, self.trust, self.clock())
        check_verified(verdict, name=bench.job.name)
        bench.reached = None
        kept = bench.shop.store.put_file(document, consume=True)
        report = verdict_json(Path(bench.job.name), verdict)
        report["signed"] = {"sha256": kept.digest, "size_bytes": kept.size_bytes}
        output = bench.shop.store.put_bytes(canonical_json(report))
        return self._done(bench, Act.VERIFY, output, signed=kept.digest)
