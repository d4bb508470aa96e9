"""The event log: it only grows, and whatever is changed in it is found."""

import threading
from datetime import datetime

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.errors import Corrupt, RecordRefused
from storage.events import GENESIS_DIGEST, MAX_DETAIL_BYTES, canonical_json, chained
from storage.records import Records
from tests.storage.conftest import NOW


def fill(records: Records, count: int = 5) -> None:
    for number in range(count):
        records.append_event("noted", {"number": number}, actor="alice", at=NOW)


def tamper(records: Records, *statements: str) -> None:
    """Do what an intruder with the database's password does: take the guards away first."""
    with records._database.writing() as connection:
        if records._database.dialect == "sqlite":
            for act in ("update", "delete"):
                connection.execute(sa.text(f"DROP TRIGGER events_never_{act}"))
        else:
            connection.execute(sa.text("ALTER TABLE events DISABLE TRIGGER USER"))
        for statement in statements:
            connection.execute(sa.text(statement))


def test_each_event_holds_the_digest_of_the_one_before(records: Records) -> None:
    fill(records, 3)
    log = list(records.events())
    assert [event.seq for event in log] == [1, 2, 3]
    assert [event.prev_digest for event in log] == [GENESIS_DIGEST, log[0].digest, log[1].digest]
    assert all(event.at == NOW for event in log)
    assert records.verify_events() == 3


def test_an_event_may_stand_for_a_job(records: Records) -> None:
    fill(records, 2)
    records.append_event("looked", {}, actor="bob", at=NOW, job_id="job-1")
    assert [(event.seq, event.act) for event in records.events("job-1")] == [(3, "looked")]


def test_long_logs_are_read_in_pieces(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.events.EVENTS_PER_READ", 2)
    fill(records, 5)
    assert [event.seq for event in records.events()] == [1, 2, 3, 4, 5]
    assert records.verify_events() == 5


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET actor = 'mallory' WHERE seq = 2",
        "DELETE FROM events WHERE seq = 5",
        "DELETE FROM chain_head",
    ],
)
def test_the_database_refuses_to_change_the_log(records: Records, statement: str) -> None:
    fill(records)
    with pytest.raises(RecordRefused), records._database.writing() as connection:
        connection.execute(sa.text(statement))
    assert records.verify_events() == 5


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("UPDATE events SET actor = 'mallory' WHERE seq = 2", 2),
        ("UPDATE events SET detail = '{}' WHERE seq = 4", 4),
        ("UPDATE events SET act = 'other' WHERE seq = 1", 1),
        ("UPDATE events SET job_id = 'other' WHERE seq = 3", 3),
        ("DELETE FROM events WHERE seq = 3", 3),
        ("DELETE FROM events WHERE seq = 1", 1),
        ("DELETE FROM events WHERE seq = 5", 5),
        ("DELETE FROM events WHERE seq > 2", 3),
        ("DELETE FROM events", 1),
    ],
)
def test_what_an_intruder_changes_is_found_and_named(
    records: Records, statement: str, first_bad: int
) -> None:
    fill(records)
    tamper(records, statement)
    with pytest.raises(Corrupt, match=f"at event {first_bad}:"):
        records.verify_events()


def test_a_log_without_its_head_takes_no_more_events(records: Records) -> None:
    fill(records)
    with records._database.writing() as connection:
        if records._database.dialect == "sqlite":
            connection.execute(sa.text("DROP TRIGGER chain_head_never_delete"))
        else:
            connection.execute(sa.text("ALTER TABLE chain_head DISABLE TRIGGER USER"))
        connection.execute(sa.text("DELETE FROM chain_head"))
    with pytest.raises(Corrupt):
        fill(records, 1)
    with pytest.raises(Corrupt):
        records.verify_events()


def test_many_writers_make_one_chain(records: Records) -> None:
    writers = [threading.Thread(target=fill, args=(records, 10)) for _ in range(5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert records.verify_events() == 50


@pytest.mark.parametrize(
    ("act", "actor", "detail"),
    [
        ("", "a", {}),
        ("x" * 101, "a", {}),
        ("x", "", {}),
        ("x", "a" * 201, {}),
        ("x", "a", {"not json": object()}),
        ("x", "a", {"nan": float("nan")}),
        ("x", "a", {"lone": "\udcff"}),
        ("x", "a", {"long": "x" * MAX_DETAIL_BYTES}),
    ],
)
def test_an_event_that_cannot_be_is_refused(
    records: Records, act: str, actor: str, detail: dict[str, object]
) -> None:
    with pytest.raises(RecordRefused):
        records.append_event(act, detail, actor=actor, at=NOW)
    assert records.verify_events() == 0


def test_an_event_without_a_time_zone_is_refused(records: Records) -> None:
    with pytest.raises(RecordRefused):
        records.append_event("x", {}, actor="a", at=datetime(2026, 1, 1))  # noqa: DTZ001


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc投标", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(details=st.lists(st.dictionaries(st.text("abc投标", max_size=3), json_values, max_size=3), max_size=3))
def test_any_detail_comes_back_and_verifies(records: Records, details: list[dict[str, object]]) -> None:
    before = records.verify_events()
    details = [detail for detail in details if "\\u0000" not in canonical_json(detail)]
    for detail in details:
        records.append_event("noted", detail, actor="a", at=NOW)
    assert records.verify_events() == before + len(details)
    assert [event.detail for event in records.events()][before:] == [canonical_json(d) for d in details]


def test_the_digest_covers_every_field() -> None:
    fields = {
        "seq": 1,
        "job_id": None,
        "at": NOW,
        "actor": "a",
        "act": "b",
        "detail": "{}",
        "prev_digest": GENESIS_DIGEST,
    }
    others = {
        "seq": 2,
        "job_id": "j",
        "at": NOW.replace(microsecond=0),
        "actor": "x",
        "act": "x",
        "detail": '{"a":1}',
        "prev_digest": "1" * 64,
    }
    digests = {chained(**fields).digest}  # type: ignore[arg-type]
    digests |= {chained(**{**fields, name: value}).digest for name, value in others.items()}  # type: ignore[arg-type]
    assert len(digests) == 8


@pytest.mark.parametrize(
    ("statements", "first_bad"),
    [
        (
            (
                "UPDATE events SET seq = 99 WHERE seq = 2",
                "UPDATE events SET seq = 2 WHERE seq = 3",
                "UPDATE events SET seq = 3 WHERE seq = 99",
            ),
            2,
        ),
        (
            (
                "INSERT INTO events (seq, at, actor, act, job_id, detail, prev_digest, digest)"
                " SELECT 6, at, 'mallory', act, job_id, detail, digest,"
                " substr(digest, 2) || substr(digest, 1, 1) FROM events WHERE seq = 5",
            ),
            6,
        ),
    ],
)
def test_a_reordered_or_inserted_event_is_found(
    records: Records, statements: tuple[str, ...], first_bad: int
) -> None:
    fill(records)
    tamper(records, *statements)
    with pytest.raises(Corrupt, match=f"at event {first_bad}:"):
        records.verify_events()
