"""What a batch signer may ask: check a package, see every mark, have it signed, take the result home."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from pipeline.bench import INSPECTED, PLANNED
from pipeline.clock import Clock
from pipeline.dry_runs import DryRun
from pipeline.intake import keep_files, new_jobs
from pipeline.jobs import Act, next_state
from pipeline.key_certificates import check_usable
from pipeline.moves import make_move
from pipeline.orders import FrozenSeal, SigningOrder, identity_of
from pipeline.packages import Deriver, HeldPackage, LookedAt, OpenedPackage, look, near_texts
from pipeline.page_pictures import PagePictures
from pipeline.permissions import Actor, Permission, check_may
from pipeline.plans import read_plan
from pipeline.preflight import CheckedFile, checked
from pipeline.progress import Progress, Silent
from pipeline.rehearsals import rehearse
from pipeline.results import FileResult, result_of
from pipeline.seals_in_force import check_in_force
from pipeline.slots import slots_from_record
from pipeline.steps import Signers
from pipeline.thumbnails import ThumbnailWish, draw_thumbnails
from pipeline.ways_back import way_back
from stages.authorities import fingerprint_of
from stages.derive import USUAL_CHOICES, Choices, derive
from stages.documents import SealFace
from stages.errors import NothingToMark, SigningRefused
from stages.pdf.text import LayerOnly, PageTexts
from stages.plan import rule_hits
from stages.plan_fit import check_rules_used
from stages.plan_rules import PlanRules, parse_plan
from stages.policy import retain_until
from storage.errors import NotFound
from storage.objects import ObjectStore
from storage.records import Records
from storage.rows import (
    JobRecord,
    Move,
    NewPackage,
    PackageRecord,
    SealRecord,
)
from storage.schema import FINAL_STATES, JobState


class Bids:
    """The bid line's service."""

    def __init__(
        self,
        *,
        records: Records,
        store: ObjectStore,
        signers: Signers,
        scratch: Path,
        clock: Clock,
        ring: Callable[[Sequence[JobRecord], Sequence[str]], None],
        reason: str,
        location: str,
        pictures: PagePictures,
        texts: PageTexts | None = None,
        derive: Deriver = derive,
    ) -> None:
        self._records = records
        self._store = store
        self._signers = signers
        self._scratch = scratch
        self._clock = clock
        self._ring = ring
        self._reason = reason
        self._location = location
        self._pictures = pictures
        self._texts = texts
        self._derive = derive

    def check(
        self,
        package: Path | HeldPackage,
        *,
        actor: Actor,
        plan: Path | bytes | None = None,
        choices: Choices = USUAL_CHOICES,
        progress: Progress | None = None,
    ) -> list[CheckedFile]:
        """Say of each file what it is before anything touches it.

        Args:
            plan: its bytes or file, for the parts of the package it names; its rules are not resolved.
            choices: what may be done to a file that cannot be stamped as it is.

        Raises:
            InputRefused: the package itself cannot be opened.
            PlanRefused: the plan is wrong, or puts a file into two parts.
        """
        check_may(actor, Permission.CHECK_BIDS)
        rules = self._read_plan(plan)[0] if plan is not None else None
        with OpenedPackage(package, self._scratch) as opened:
            looked = look(opened, None, {}, progress or Silent(), choices, derive=self._derive)
            owners = self._owners(rules) if rules is not None and rules.has_anonymous_part else []
            return checked(looked, rules, opened.scratch / "mended", owners=owners)

    def dry_run(
        self,
        package: Path | HeldPackage,
        plan: Path | bytes,
        *,
        actor: Actor,
        thumbnails: ThumbnailWish | None = None,
        choices: Choices = USUAL_CHOICES,
        progress: Progress | None = None,
    ) -> DryRun:
        """Resolve a plan to every mark it would draw, and try it out; no key is touched, nothing is kept.

        Args:
            plan: its bytes, or the file they stand in.
            thumbnails: which pages to draw, with their marks.
            choices: what may be done to a file that cannot be stamped as it is.

        Raises:
            InputRefused: the package cannot be opened.
            PlanRefused: the plan is wrong.
            NotFound: it names a seal nobody made.
            PlacementRefused: a rule of the plan is of no use anywhere in the package.
            UsageRefused: the folder of the thumbnails cannot be written to.
        """
        check_may(actor, Permission.CHECK_BIDS)
        progress = progress or Silent()
        with self.planned(package, plan, progress, choices) as (rules, looked, faces, scratch):
            run = rehearse(rules, looked, faces, scratch, progress)
            if thumbnails is None:
                return run
            return replace(run, thumbnails=draw_thumbnails(run, thumbnails, self._pictures, progress))

    @contextmanager
    def planned(
        self,
        package: Path | HeldPackage,
        plan: Path | bytes,
        progress: Progress,
        choices: Choices = USUAL_CHOICES,
    ) -> Iterator[tuple[PlanRules, list[LookedAt], Mapping[str, SealFace], Path]]:
        """Give a plan's rules, every file with its marks, the seals' faces, and a folder to work in.

        Raises:
            InputRefused, PlanRefused, NotFound, PlacementRefused: as for dry_run.
        """
        rules, _ = self._read_plan(plan)
        rules = rules.dated(self._today())
        with OpenedPackage(package, self._scratch) as opened:
            faces = self._faces(self._frozen_seals(rules), opened.scratch)
            looked = look(opened, rules, faces, progress, choices, self._texts, self._derive)
            self._check_used(rules, looked)
            yield rules, looked, faces, opened.scratch

    def submit(
        self,
        package: Path | HeldPackage,
        plan: Path | bytes,
        *,
        actor: Actor,
        key_uri: str,
        choices: Choices = USUAL_CHOICES,
        progress: Progress | None = None,
    ) -> PackageRecord:
        """Take a package in and set it going; the same package again is the one already there.

        Args:
            plan: its bytes, or the file they stand in.
            choices: what may be done to a file that cannot be stamped as it is.

        Raises:
            InputRefused, PlanRefused, PlacementRefused: as for dry_run; nothing was taken in.
            SigningRefused: the key cannot be opened or used, or a seal is not bound to its certificate.
        """
        by = check_may(actor, Permission.SIGN_BIDS)
        progress = progress or Silent()
        rules, plan_bytes = self._read_plan(plan)
        seals = self._frozen_seals(rules)
        signer = self._signers.signer(key_uri)
        check_usable(signer, self._clock())
        order = SigningOrder(
            seals=seals,
            certificate=fingerprint_of(signer.certificate),
            reason=self._reason,
            location=self._location,
            stamped_on=self._today() if rules.says_today else None,
            choices=choices,
        )
        rules = rules.dated(order.stamped_on) if order.stamped_on is not None else rules
        self._check_bound(order)
        with OpenedPackage(package, self._scratch) as opened:
            key = identity_of(opened.package, plan_bytes, order)
            try:
                known = self._records.package_by_key(key)
                progress.note(f"已受理过的文件包，继续 / known package {known.id}: going on")
            except NotFound:
                known = self._take_in(opened, rules, plan_bytes, order, key, by, key_uri, progress)
        self._wake(known.id, by)
        return known

    def _take_in(
        self,
        opened: HeldPackage,
        rules: PlanRules,
        plan_bytes: bytes,
        order: SigningOrder,
        key: str,
        by: str,
        key_uri: str,
        progress: Progress,
    ) -> PackageRecord:
        faces = self._faces(order.seals, opened.scratch)
        looked = look(opened, rules, faces, progress, order.choices, self._texts, self._derive)
        self._check_used(rules, looked)
        keep_files(self._store, looked, progress)
        plan_object = self._store.put_bytes(plan_bytes)
        now = self._clock()
        record, created = self._records.open_package(
            NewPackage(
                key=key,
                name=opened.package.name,
                plan_digest=plan_object.digest,
                project=rules.project or "",
                bidder=rules.bidder or "",
                document_type=rules.document_type,
                key_uri=key_uri,
                settings=order.to_record(),
            ),
            new_jobs(looked),
            actor=by,
            at=now,
        )
        if created:
            self._record_looks(record, looked, by, now)
        return record

    def _record_looks(
        self, record: PackageRecord, looked: Sequence[LookedAt], by: str, now: datetime
    ) -> None:
        """Keep what inspection and planning have found already, so that no worker does it again."""
        by_name = {job.name: job for job in self._records.jobs(record.id)}
        moves: list[Move] = []
        for file in looked:
            job = by_name[file.source.name]
            state = JobState.RECEIVED
            for act, data in (
                (Act.INSPECT, file.inspected and INSPECTED.dump_json(file.inspected)),
                (Act.PLAN, file.planned and PLANNED.dump_json(file.planned)),
            ):
                if data:
                    output = self._store.put_bytes(data)
                    moves.append(make_move(job.id, state, act, actor=by, at=now, output=output))
                    state = next_state(state, act)
            if file.error is not None:
                moves.append(make_move(job.id, state, Act.REFUSE, actor=by, at=now, error=file.error))
        self._records.advance(moves)

    def _wake(self, package_id: str, by: str) -> None:
        """Ring for every document that can go on, refusals that were no fault of the file taken back."""
        now = self._clock()
        moves = []
        for job in self._records.jobs(package_id):
            act = way_back(job, self._records.outputs(job.id))
            if act is not None:
                moves.append(make_move(job.id, job.state, act, actor=by, at=now))
        self._records.advance(moves)
        jobs = self._records.jobs(package_id)
        self._ring(jobs, [job.id for job in jobs if job.state not in FINAL_STATES])

    def packages(self, *, limit: int, actor: Actor) -> Sequence[PackageRecord]:
        """Return the packages taken in last, newest first."""
        check_may(actor, Permission.SIGN_BIDS)
        return self._records.packages(limit=limit)

    def results(self, package_id: str, out: Path | None = None, *, actor: Actor) -> list[FileResult]:
        """Return how each file came out, its signed file exported to `out` where there is one.

        Of a file that is kept unsigned (暗标) the original is exported; a voided one is not.
        """
        check_may(actor, Permission.SIGN_BIDS)
        origins = self._records.origins(package_id)
        return [
            result_of(self._records, self._store, job, origins.get(job.id), out)
            for job in self._records.jobs(package_id)
        ]

    def _today(self) -> date:
        """Return the day here, as people write it on paper."""
        return self._clock().astimezone().date()

    def _read_plan(self, plan: Path | bytes) -> tuple[PlanRules, bytes]:
        """Return a plan's rules and bytes; a kind of document that is not archived is refused right away."""
        data = plan if isinstance(plan, bytes) else read_plan(plan)
        rules = parse_plan(data)
        retain_until(rules.document_type, self._clock())
        return rules, data

    def _check_used(self, rules: PlanRules, looked: Sequence[LookedAt]) -> None:
        """Refuse the whole package when a rule is of no use in any file that could be read."""
        hits: dict[tuple[str, ...], Sequence[int]] = {}
        for file in looked:
            if file.planned is not None:
                hits[file.source.names] = rule_hits(file.planned, rules)
            else:  # where nothing was found there are no hits; of a file refused otherwise nobody knows
                found = 0 if isinstance(file.error, NothingToMark) else 1
                hits[file.source.names] = [found] * len(rules.rules)
        check_rules_used(
            rules, hits, nearest=lambda rule: near_texts(rule, rules, looked, self._texts or LayerOnly())
        )

    def _owners(self, rules: PlanRules) -> list[str]:
        """Return whose the plan's seals are; a seal that nobody made yet has no owner."""
        owners: list[str] = []
        for name in rules.seals:
            with suppress(NotFound):
                seal = self._records.seal(name)
                owners += [seal.owner, seal.owner_code]
        return owners

    def _seal_meant(self, rules: PlanRules, name: str) -> SealRecord:
        """Return a seal of a plan.

        Raises:
            NotFound: nobody made it; the message says which rule wants it and which seals there are.
        """
        try:
            return self._records.seal(name)
        except NotFound as error:
            index = next(index for index, rule in enumerate(rules.rules) if name in rule.seal_names)
            names = sorted({seal.name for seal in self._records.seals()})
            raise NotFound(
                f"plan: rules[{index}]: there is no seal {name}; known seals: {', '.join(names) or 'none'}",
                zh=f"用印方案 rules[{index}]：没有名为“{name}”的印章；现有印章：{'、'.join(names) or '无'}",
            ) from error

    def _frozen_seals(self, rules: PlanRules) -> tuple[FrozenSeal, ...]:
        frozen = []
        for name in sorted(rules.seals):
            seal = self._seal_meant(rules, name)
            whose = (seal.owner, seal.owner_code) if rules.has_anonymous_part else ()
            frozen.append(
                FrozenSeal(seal.id, name, seal.image_digest, seal.ink_box_mm, slots_from_record(seal), *whose)
            )
        return tuple(frozen)

    def _faces(self, seals: Sequence[FrozenSeal], folder: Path) -> dict[str, SealFace]:
        faces = {}
        for seal in seals:
            path = folder / f"seal-{seal.image_sha256}.png"
            if not path.exists():
                self._store.copy_to(seal.image_sha256, path)
            faces[seal.name] = seal.face(path)
        return faces

    def _check_bound(self, order: SigningOrder) -> None:
        now = self._clock()
        for frozen in order.seals:
            if self._records.bound_certificate(frozen.seal_id) != order.certificate:
                raise SigningRefused(
                    f"seal {frozen.name} is not bound to the signing certificate {order.certificate[:16]}…; "
                    "sign with the key the seal was made for",
                    zh=f"印章“{frozen.name}”未与当前签名证书绑定，请使用制章时绑定的证书签名",
                )
            check_in_force(self._records.seal(frozen.seal_id), now)
