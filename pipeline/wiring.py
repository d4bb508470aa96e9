"""Where the parts are put together: one App for the command line, the web and the workers alike."""

import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType

import dramatiq

from pipeline.actors import Doorbells, declare_actors
from pipeline.archive_service import Archive
from pipeline.archiver import Archiver
from pipeline.authorities import HttpTimestampAuthority
from pipeline.bids import Bids
from pipeline.brokers import open_broker
from pipeline.clock import utc_now
from pipeline.conversions import KeptConversions
from pipeline.errors import UsageRefused
from pipeline.failover import FailoverAuthority
from pipeline.folders import make_folder
from pipeline.keyring import Keyring
from pipeline.marking import MarkingKeys
from pipeline.page_children import page_children
from pipeline.page_pictures import PagePictures
from pipeline.page_texts import GuardedTexts
from pipeline.permissions import Actor
from pipeline.plans import Plans
from pipeline.roots import read_crls, read_roots
from pipeline.runner import Runner
from pipeline.scratch import scratch_folder
from pipeline.seal_checks import SealChecks
from pipeline.seals import Seals
from pipeline.settings import Settings
from pipeline.staging import Staging
from pipeline.stampings import Stampings
from pipeline.steps import Steps
from pipeline.stores import open_store
from pipeline.tryout.pki import TryoutPki, create_pki, open_pki
from pipeline.tryout.tsa import TsaServer
from pipeline.withdrawals import Withdrawals
from seal_imaging import RapidReader
from stages.authorities import TrustAnchors
from storage.objects import ObjectStore
from storage.records import Records, open_records
from storage.s3_objects import S3Store


@dataclass
class App:
    """Everything, put together on demand and put away by `close`."""

    settings: Settings
    ask_pin: Callable[[], str] | None = None
    given_pin: str | None = None

    def __post_init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> "App":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Put away what was opened."""
        self._stack.close()

    @cached_property
    def actor(self) -> Actor:
        """The local user."""
        return Actor(self.settings.user, self.settings.roles)

    @cached_property
    def home(self) -> Path:
        """The home folder, made for this user only."""
        return make_folder(self.settings.home, mode=0o700)

    @cached_property
    def scratch(self) -> Path:
        """This process's own folder to work in."""
        _ = self.home
        return self._stack.enter_context(scratch_folder(self.settings.scratch_folder))

    @cached_property
    def pki(self) -> TryoutPki:
        """The try-out authority, made on the spot when there is none."""
        _ = self.home
        folder = self.settings.pki_folder
        if not folder.exists():
            create_pki(folder, now=utc_now())
        return open_pki(folder)

    @cached_property
    def key_uri(self) -> str:
        """The signing key: the one in the settings, or the try-out one."""
        return self.settings.key or self.pki.signer_uri

    @cached_property
    def keyring(self) -> Keyring:
        """Every key this process opens."""
        return Keyring(
            tryout={self.pki.uri(role): partial(self.pki.pin, role) for role in ("signer", "maker")},
            pin_of_key=self.key_uri,
            ask_pin=self.ask_pin,
            given_pin=self.given_pin,
        )

    @cached_property
    def trust(self) -> TrustAnchors:
        """The roots in the settings, and the try-out one while key or timestamps are of the try-out kind.

        Raises:
            UsageRefused: there would be none: nothing that is signed could be verified.
        """
        roots = read_roots(self.settings.trust) if self.settings.trust else ()
        is_tryout = not (self.settings.key and self.settings.tsa_urls)
        if not (roots or is_tryout):
            raise UsageRefused(
                "a key and a time-stamping authority of your own need their roots; give --trust roots.pem",
                zh="使用自己的密钥和时间戳服务时，请用 --trust 给出它们的根证书",
            )
        return TrustAnchors(
            roots=(*roots, self.pki.root) if is_tryout else roots, crls=read_crls(self.settings.crls)
        )

    @cached_property
    def authority(self) -> FailoverAuthority:
        """The time-stamping authorities in the settings, or the try-out one in this process."""
        urls = self.settings.tsa_urls or (self._stack.enter_context(TsaServer(self.pki)).url,)
        return FailoverAuthority(
            [HttpTimestampAuthority(url, timeout_s=self.settings.tsa_timeout_s) for url in urls],
            max_per_minute=self.settings.tsa_max_per_minute,
        )

    @cached_property
    def records(self) -> Records:
        """The records, brought up to the newest schema."""
        _ = self.home
        records = open_records(self.settings.records_at)
        self._stack.callback(records.close)
        return records

    @cached_property
    def store(self) -> ObjectStore:
        """The object store."""
        _ = self.home
        return open_store(self.settings)

    @cached_property
    def broker(self) -> dramatiq.Broker:
        """The doorbell's wires."""
        _ = self.home
        broker = open_broker(self.settings.broker_at)
        self._stack.callback(broker.close)
        return broker

    @cached_property
    def runner(self) -> Runner:
        """What moves documents."""
        steps = Steps(
            signers=self.keyring,
            key_uri=self.key_uri,
            authority=self.authority,
            trust=self.trust,
            clock=utc_now,
            name=f"worker {socket.gethostname()}:{os.getpid()}",
            retry_s=self.settings.tsa_retry_s,
            passed_over=lambda: self.authority.passed_over,
            texts=self.texts,
        )
        return Runner(records=self.records, store=self.store, steps=steps, scratch=self.scratch)

    @cached_property
    def archiver(self) -> Archiver:
        """What archives packages; a store that promises retention is put to the test first.

        Raises:
            RetentionNotKept: what was locked could be deleted, or its retention shortened.
        """
        if isinstance(self.store, S3Store):
            self.store.wormcheck(now=utc_now())
        return Archiver(
            records=self.records,
            store=self.store,
            authority=self.authority,
            trust=self.trust,
            clock=utc_now,
            name=self.runner.steps.name,
            retry_s=self.settings.tsa_retry_s,
        )

    @cached_property
    def doorbells(self) -> Doorbells:
        """The actors, declared on the broker."""
        return declare_actors(self.broker, self.runner, self.archiver)

    @cached_property
    def bids(self) -> Bids:
        """The bid line's service."""
        return Bids(
            records=self.records,
            store=self.store,
            signers=self.keyring,
            scratch=self.scratch,
            clock=utc_now,
            ring=lambda jobs, wanted: self.doorbells.ring(jobs, wanted),
            reason=self.settings.reason,
            location=self.settings.location,
            pictures=self.pictures,
            texts=self.texts,
            derive=KeptConversions(self.home / "converted").derive,
        )

    @cached_property
    def texts(self) -> GuardedTexts:
        """Who looks for keywords, and what OCR has read before."""
        return GuardedTexts(self.home / "ocr", page_children())

    @cached_property
    def pictures(self) -> PagePictures:
        """The processes that render pages."""
        pictures = PagePictures()
        self._stack.callback(pictures.close)
        return pictures

    @cached_property
    def staging(self) -> Staging:
        """The service of uploaded packages."""
        return Staging(bids=self.bids, pictures=self.pictures)

    @cached_property
    def plans(self) -> Plans:
        """The service of kept plans."""
        return Plans(records=self.records, store=self.store, clock=utc_now)

    @cached_property
    def stampings(self) -> Stampings:
        """The service that stamps without signing."""
        return Stampings(bids=self.bids, records=self.records, clock=utc_now)

    @cached_property
    def withdrawals(self) -> Withdrawals:
        """The service that takes documents back."""
        return Withdrawals(
            records=self.records,
            store=self.store,
            signers=self.keyring,
            key_uri=self.key_uri,
            authority=self.authority,
            trust=self.trust,
            clock=utc_now,
        )

    @cached_property
    def marking(self) -> MarkingKeys:
        """The keys of micro-patterns."""
        return MarkingKeys(self.home)

    @cached_property
    def seal_checks(self) -> SealChecks:
        """Whether a scan shows a seal that was made here."""
        return SealChecks(
            records=self.records, store=self.store, marking=self.marking, scratch=self.scratch, clock=utc_now
        )

    @cached_property
    def seals(self) -> Seals:
        """The seal line's service."""
        return Seals(
            records=self.records,
            store=self.store,
            signers=self.keyring,
            maker_uri=self.pki.maker_uri,
            scratch=self.scratch,
            clock=utc_now,
            marking=self.marking,
            reader=RapidReader(),
        )

    @cached_property
    def archive(self) -> Archive:
        """The archivist's service."""
        return Archive(
            records=self.records,
            store=self.store,
            trust=self.trust,
            scratch=self.scratch,
            clock=utc_now,
        )
