"""What is taken back (撤销印章): documents not yet signed leave the line, signed ones are voided."""

import secrets
from dataclasses import dataclass

from pipeline.archive_names import archived_as
from pipeline.clock import Clock
from pipeline.errors import WrongState
from pipeline.failures import refusals
from pipeline.jobs import STATE_LABELS, TRANSITIONS, Act
from pipeline.key_certificates import check_usable
from pipeline.moves import make_move
from pipeline.orders import order_from_record
from pipeline.permissions import Actor, Permission, check_may
from pipeline.steps import NONCE_BITS, Signers
from stages.authorities import Signer, TimestampAuthority, TrustAnchors, fingerprint_of
from stages.errors import SigningRefused
from stages.void import VoidedDocument, build_void_record, sign_void_record
from storage.errors import NotFound, RecordRefused, StaleState
from storage.objects import ObjectStore
from storage.records import Records
from storage.rows import ArchiveRecord, JobRecord, PackageRecord, VoidRecord
from storage.schema import JobState
from storage.voids import MAX_VOID_REASON_CHARS, already_void

MAX_SHOWN_FILES = 10
MAX_TRIES = len(JobState)
"""States only follow one another; a worker cannot be first more often than there are states."""


@dataclass(frozen=True)
class TakenBack:
    """How one document was taken back, or why it was not.

    Attributes:
        state: as it is now.
        void: how it was voided; None when it was not signed yet.
        error: why it was not taken back.
    """

    job_id: str
    file: str
    state: JobState
    void: VoidRecord | None = None
    error: Exception | None = None


class Withdrawals:
    """The service that takes documents back.

    Args:
        key_uri: the key of this process; a package may name another.
    """

    def __init__(
        self,
        *,
        records: Records,
        store: ObjectStore,
        signers: Signers,
        key_uri: str,
        authority: TimestampAuthority,
        trust: TrustAnchors,
        clock: Clock,
    ) -> None:
        self._records = records
        self._store = store
        self._signers = signers
        self._key_uri = key_uri
        self._authority = authority
        self._trust = trust
        self._clock = clock

    def withdraw(
        self, package_id: str, *, reason: str, actor: Actor, file: str | None = None
    ) -> list[TakenBack]:
        """Take a package's documents back, or one of them; one that cannot be does not stop the others.

        What is not signed yet leaves the line, and nothing signed of it will ever exist. What is archived
        is voided. What is being signed right now was claimed first, and can be voided once it is archived.

        Raises:
            NotFound: no such package, or no such file in it.
            RecordRefused: no reason, or one over MAX_VOID_REASON_CHARS.
        """
        by = check_may(actor, Permission.VOID_DOCUMENTS)
        _check_reason(reason)
        package = self._records.package(package_id)
        every = self._records.jobs(package_id)
        jobs = [job for job in every if file in (None, job.name)]
        if not jobs:
            names = [job.name for job in every[:MAX_SHOWN_FILES]]
            more = " …" if len(every) > len(names) else ""
            raise NotFound(
                f"package {package_id} has no file {file}; its files: {', '.join(names)}{more}",
                zh=f"文件包 {package_id} 中没有文件“{file}”；其中的文件：{'、'.join(names)}{more}",
            )
        return [self._take_back(job, package, reason, by) for job in jobs]

    def void(self, archive_id: str, *, reason: str, actor: Actor) -> VoidRecord:
        """Void one archived document: a signed and timestamped record says why; its bytes stay.

        Args:
            archive_id: or a file name that no other archived document has.

        Raises:
            NotFound: nothing is archived under that id, or several documents under that name.
            RecordRefused: no reason, or one over MAX_VOID_REASON_CHARS.
            AlreadyBound: it is void already.
            SigningRefused: the key at hand is not the one it was signed with, or may not be used any more.
            TimestampUnavailable: no authority answers; nothing was recorded, try again.
            Untrusted: what the authority answered is no timestamp.
        """
        by = check_may(actor, Permission.VOID_DOCUMENTS)
        _check_reason(reason)
        job = self._records.job(archived_as(self._records, archive_id).job_id)
        return self._void(job, self._records.package(job.package_id), reason, by)

    def _take_back(self, job: JobRecord, package: PackageRecord, reason: str, by: str) -> TakenBack:
        void = None
        try:
            if job.state in (JobState.ARCHIVED, JobState.KEPT_UNSIGNED):
                void = self._void(job, package, reason, by)
                return TakenBack(job.id, job.name, job.state, void)
            return self._cancel(job, package, reason, by)
        except refusals() as error:
            return TakenBack(job.id, job.name, self._records.job(job.id).state, void, error)

    def _cancel(self, job: JobRecord, package: PackageRecord, reason: str, by: str) -> TakenBack:
        for _ in range(MAX_TRIES):
            if job.state is JobState.CANCELLED:
                return TakenBack(job.id, job.name, job.state)
            if (job.state, Act.WITHDRAW) not in TRANSITIONS or self._is_signed(job):
                raise WrongState(
                    f"{job.name} is {job.state}: its signature was claimed first; "
                    "withdraw it again once it is archived, then it is voided",
                    zh=f"{job.name} 处于“{STATE_LABELS[job.state]}”：签名已先行开始，"
                    "请待其归档后再次撤回，届时作废",
                )
            move = make_move(
                job.id,
                job.state,
                Act.WITHDRAW,
                actor=by,
                at=self._clock(),
                detail={"reason": reason.strip()},
                error=_withdrawn(job, reason.strip()),
            )
            try:
                self._records.advance([move])
            except StaleState:  # a worker was first: look again where the document is
                job = self._records.job(job.id)
                if job.state in (JobState.ARCHIVED, JobState.KEPT_UNSIGNED):
                    return TakenBack(job.id, job.name, job.state, self._void(job, package, reason, by))
            else:
                return TakenBack(job.id, job.name, JobState.CANCELLED)
        raise WrongState(f"{job.name} keeps moving; try again", zh=f"{job.name} 正在处理，请稍后再试")

    def _is_signed(self, job: JobRecord) -> bool:
        return JobState.SIGNED in self._records.outputs(job.id)

    def _void(self, job: JobRecord, package: PackageRecord, reason: str, by: str) -> VoidRecord:
        archived = self._records.archive_of(job.id)
        if self._records.void_of(job.id) is not None:
            raise already_void(job.id)
        signer = self._signer(job, package)
        now = self._clock()
        check_usable(signer, now)
        claim = self._records.claim_of(job.id)
        is_signed = archived.signed_digest is not None
        document = VoidedDocument(
            name=job.name,
            sha256=voided_digest(archived),
            signature_field=claim.field_name if claim and is_signed else "",
            certificate=fingerprint_of(signer.certificate),
        )
        record = build_void_record(document, archive_id=job.id, reason=reason, by=by, at=now)
        cms = sign_void_record(
            record, signer, self._authority, self._trust, nonce=secrets.randbits(NONCE_BITS), now=now
        )
        kept = [self._store.put_bytes(data) for data in (record, cms)]
        for each in kept:
            self._store.retain(each.digest, archived.retain_until_at)
        void = VoidRecord(job.id, reason.strip(), now, by, kept[0].digest, kept[1].digest)
        self._records.void_archive(void)
        return void

    def _signer(self, job: JobRecord, package: PackageRecord) -> Signer:
        wanted = order_from_record(package.settings).certificate
        for uri in dict.fromkeys((self._key_uri, package.key_uri)):
            signer = self._signers.signer(uri)
            if fingerprint_of(signer.certificate) == wanted:
                return signer
        raise SigningRefused(
            f"{job.name}: only the key it was signed with can void it ({wanted[:16]}…); give it with --key",
            zh=f"{job.name}：须用签署时的密钥（证书 {wanted[:16]}…）作废，请用 --key 给出",
        )


def _withdrawn(job: JobRecord, reason: str) -> WrongState:
    """Return what is said of a withdrawn document from then on, also when it is submitted again."""
    return WrongState(
        f"{job.name} was withdrawn before it was signed ({reason}); "
        "to sign it after all, submit it with a plan that differs",
        zh=f"{job.name} 已在签名前撤回（{reason}）；如仍要签章，请修改方案后重新提交",
    )


def voided_digest(archived: ArchiveRecord) -> str:
    """Return the digest a void record names: of the signed file, or of an original kept unsigned."""
    return archived.signed_digest or archived.original_digest


def _check_reason(reason: str) -> None:
    if not 0 < len(reason.strip()) <= MAX_VOID_REASON_CHARS:
        raise RecordRefused(
            f"taking something back needs a reason of 1-{MAX_VOID_REASON_CHARS} characters; give one",
            zh=f"撤销须说明理由（1-{MAX_VOID_REASON_CHARS} 字符），请填写",
        )
