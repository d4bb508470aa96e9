"""The event log: append-only, each entry holding the digest of the one before."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from storage.engine import Database
from storage.errors import Corrupt, RecordRefused
from storage.objects import Digest
from storage.rows import EventRecord
from storage.schema import chain_head, events

GENESIS_DIGEST = "0" * 64
MAX_DETAIL_BYTES = 64 * 1024
MAX_ACTOR_CHARS = 200
MAX_ACT_CHARS = 100
EVENTS_PER_READ = 2_000


class Writing:
    """One transaction on the records that appends events; the head of the chain is locked while it lasts."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        # Locked first by every writer, so that writers queue up here and cannot deadlock further on.
        head = connection.execute(
            sa.select(chain_head.c.seq, chain_head.c.digest).where(chain_head.c.id == 1).with_for_update()
        ).one_or_none()
        if head is None:
            raise Corrupt(
                "the event log has lost its head; restore the records from a backup",
                zh="事件日志缺少链头，请从备份恢复记录库",
            )
        self._seq: int = head.seq
        self._digest: Digest = head.digest
        self._entries: list[dict[str, Any]] = []

    def append(
        self, act: str, detail: Mapping[str, Any], *, actor: str, at: datetime, job_id: str | None = None
    ) -> EventRecord:
        """Add an event that is kept with the rest of the transaction.

        Raises:
            RecordRefused: a naive time, a detail that is no JSON or too large, an act or actor too long.
        """
        if at.tzinfo is None:
            raise RecordRefused(
                f"event {act!r} has a time without a time zone; pass an aware instant",
                zh="事件时间没有时区，请传入带时区的时间",
            )
        if not 0 < len(act) <= MAX_ACT_CHARS or not 0 < len(actor) <= MAX_ACTOR_CHARS:
            raise RecordRefused(
                f"an event's act needs 1-{MAX_ACT_CHARS} characters, its actor 1-{MAX_ACTOR_CHARS}",
                zh=f"事件的动作须为 1-{MAX_ACT_CHARS} 字符，操作者须为 1-{MAX_ACTOR_CHARS} 字符",
            )
        event = chained(
            seq=self._seq + 1,
            job_id=job_id,
            at=at.astimezone(UTC),
            actor=actor,
            act=act,
            detail=canonical_json(detail),
            prev_digest=self._digest,
        )
        self._entries.append(vars(event))
        self._seq, self._digest = event.seq, event.digest
        return event

    def flush(self) -> None:
        """Write what was appended, and the new head."""
        if not self._entries:
            return
        self.connection.execute(sa.insert(events), self._entries)
        self.connection.execute(
            sa.update(chain_head).where(chain_head.c.id == 1).values(seq=self._seq, digest=self._digest)
        )
        self._entries = []


@contextmanager
def writing(database: Database) -> Iterator[Writing]:
    """Open a transaction that writes records together with their events: both are kept, or neither.

    Raises:
        StoreUnavailable, RecordRefused, Corrupt: as `Database.writing`.
    """
    with database.writing() as connection:
        transaction = Writing(connection)
        yield transaction
        transaction.flush()


def canonical_json(value: object) -> str:
    """Return JSON with sorted keys and no spaces.

    Raises:
        RecordRefused: not JSON, or over MAX_DETAIL_BYTES.
    """
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        size_bytes = len(text.encode())
    except (TypeError, ValueError) as error:
        raise RecordRefused(
            "an event's detail is not plain JSON; pass only text, numbers, lists and mappings",
            zh="事件详情不是合法的 JSON",
        ) from error
    if size_bytes > MAX_DETAIL_BYTES:
        raise RecordRefused(
            f"an event's detail has {size_bytes} bytes, over {MAX_DETAIL_BYTES}; put it as an object",
            zh=f"事件详情 {size_bytes} 字节，超过上限 {MAX_DETAIL_BYTES}",
        )
    return text


def chained(
    *, seq: int, job_id: str | None, at: datetime, actor: str, act: str, detail: str, prev_digest: Digest
) -> EventRecord:
    """Return the event with its digest: SHA-256 over the canonical JSON of every other field.

    `detail` goes in as the text that is stored, so that nothing depends on parsing it again.
    """
    body = {
        "seq": seq,
        "job_id": job_id,
        "at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "actor": actor,
        "act": act,
        "detail": detail,
        "prev_digest": prev_digest,
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return EventRecord(
        seq=seq,
        job_id=job_id,
        at=at,
        actor=actor,
        act=act,
        detail=detail,
        prev_digest=prev_digest,
        digest=digest,
    )


class EventLog:
    """The part of the records that appends to, reads and verifies the event log."""

    _database: Database

    def append_event(
        self, act: str, detail: Mapping[str, Any], *, actor: str, at: datetime, job_id: str | None = None
    ) -> EventRecord:
        """Append one event that goes with no other change.

        Raises:
            RecordRefused: as `Writing.append`.
        """
        with writing(self._database) as transaction:
            return transaction.append(act, detail, actor=actor, at=at, job_id=job_id)

    def events(self, job_id: str | None = None) -> Iterator[EventRecord]:
        """Yield every event, or one job's, oldest first, in several short reads."""
        after_seq = 0
        query = sa.select(events).order_by(events.c.seq).limit(EVENTS_PER_READ)
        if job_id is not None:
            query = query.where(events.c.job_id == job_id)
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(query.where(events.c.seq > after_seq)).all()
            for row in rows:
                yield EventRecord(**row._mapping)
            if len(rows) < EVENTS_PER_READ:
                return
            after_seq = rows[-1].seq

    def verify_events(self) -> int:
        """Check the whole chain and return how many events it has.

        Whoever can write to the database can rewrite the whole chain; that is found only by comparing
        its head with one that was timestamped elsewhere.

        Raises:
            Corrupt: names the first event that is missing, changed or out of place.
        """
        with self._database.reading() as connection:
            head = connection.execute(sa.select(chain_head.c.seq, chain_head.c.digest)).one_or_none()
            checked, digest = 0, GENESIS_DIGEST
            for row in connection.execution_options(yield_per=EVENTS_PER_READ).execute(
                sa.select(events).order_by(events.c.seq)
            ):
                event = EventRecord(**row._mapping)
                fields = {name: value for name, value in vars(event).items() if name != "digest"}
                if event.seq != checked + 1 or event.prev_digest != digest or chained(**fields) != event:
                    raise _broken(checked + 1)
                checked, digest = event.seq, event.digest
        if head is None or head.seq != checked or head.digest != digest:
            raise _broken(checked + 1)
        return checked


def _broken(seq: int) -> Corrupt:
    return Corrupt(
        f"the event log is broken at event {seq}: missing, changed or out of place; compare with a backup",
        zh=f"事件日志在第 {seq} 条处断链：缺失、被改动或错位，请与备份比对",
    )
