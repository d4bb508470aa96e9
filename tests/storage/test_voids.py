"""Voided documents, documents kept unsigned, unsigned stampings: what the records allow of them."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from storage.errors import AlreadyBound, NotFound, RecordRefused, StaleState
from storage.records import Records, open_records
from storage.rows import ArchiveEntry, Move, NewClaim, NewJob, NewPackage, StampingRecord, VoidRecord
from storage.schema import JobState
from storage.upgrade import MIGRATIONS
from tests.storage.conftest import NOW
from tests.storage.test_archives import archived, digest_of, entry, verified

S = JobState


def void_of(job_id: str, **changes: object) -> VoidRecord:
    void = VoidRecord(job_id, "报价有误", NOW, "li (signer)", digest_of(6, 0), digest_of(7, 0))
    return replace(void, **changes)  # type: ignore[arg-type]


def unsigned(records: Records, *names: str) -> list[str]:
    """Open a package whose documents wait to be kept unsigned."""
    new = NewPackage(key="e" * 64, name="暗标", plan_digest="b" * 64)
    jobs = [NewJob(name, digest_of(1, number), 1) for number, name in enumerate(names)]
    record, _ = records.open_package(new, jobs, actor="a", at=NOW)
    ids = [job.id for job in records.jobs(record.id)]
    records.advance([Move(job_id, S.RECEIVED, S.UNSIGNED, "keep_unsigned", "w", NOW) for job_id in ids])
    return ids


def kept(job_id: str, number: int = 0) -> ArchiveEntry:
    return replace(entry(job_id, number, signer=""), signed_digest=None, verdict_digest=None, stamped_at=None)


def test_a_void_record_is_kept_once_with_its_event(records: Records) -> None:
    first, second = archived(records, "1.pdf", "2.pdf")
    records.void_archive(void_of(first))
    assert records.void_of(first) == void_of(first)
    assert records.void_of(second) is None
    with pytest.raises(AlreadyBound, match="void already"):
        records.void_archive(void_of(first, reason="另一理由"))
    assert [event.act for event in records.events(first)].count("voided") == 1
    records.verify_events()


def test_what_is_not_archived_is_not_voided(records: Records) -> None:
    (job_id,) = verified(records, "1.pdf")
    with pytest.raises(NotFound, match="nothing to void"):
        records.void_archive(void_of(job_id))
    with pytest.raises(NotFound):
        records.void_archive(void_of("no-such-job"))


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": " "},
        {"reason": "长" * 1_001},
        {"record_digest": "x"},
        {"voided_at": NOW.replace(tzinfo=None)},
    ],
    ids=["no reason", "too long", "no digest", "naive"],
)
def test_a_void_record_that_makes_no_sense_is_refused(records: Records, changes: dict[str, object]) -> None:
    (job_id,) = archived(records, "1.pdf")
    with pytest.raises(RecordRefused):
        records.void_archive(void_of(job_id, **changes))
    assert records.void_of(job_id) is None


def test_a_search_tells_what_is_void_and_finds_it_by_its_record(records: Records) -> None:
    first, _ = archived(records, "1.pdf", "2.pdf")
    records.void_archive(void_of(first))
    assert {found.job_name: found.void for found in records.find_archives()} == {
        "1.pdf": void_of(first),
        "2.pdf": None,
    }
    assert [found.job_name for found in records.find_archives(sha256=digest_of(6, 0))] == ["1.pdf"]


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM voids", "UPDATE voids SET reason = 'x'", "UPDATE stampings SET name = 'x'"],
)
def test_the_database_itself_guards_these_records(records: Records, statement: str) -> None:
    (job_id,) = archived(records, "1.pdf")
    records.void_archive(void_of(job_id))
    records.add_stampings([STAMPING])
    with pytest.raises(RecordRefused), records._database.writing() as connection:
        connection.execute(sa.text(statement))


def test_an_unsigned_document_is_kept_and_stays_kept(records: Records) -> None:
    (job_id,) = unsigned(records, "暗标.pdf")
    records.archive_jobs([kept(job_id)], actor="archiver", at=NOW)
    assert records.job(job_id).state is S.KEPT_UNSIGNED
    found = records.archive_of(job_id)
    assert (found.signed_digest, found.verdict_digest) == (None, None)
    assert [event.act for event in records.events(job_id)][-1] == "kept_unsigned"
    with pytest.raises(RecordRefused):
        records.advance([Move(job_id, S.KEPT_UNSIGNED, S.RECEIVED, "x", "w", NOW)])


def test_signed_and_unsigned_documents_are_archived_in_one_transaction(records: Records) -> None:
    (signed,) = verified(records, "1.pdf")
    (blind,) = unsigned(records, "2.pdf")
    with pytest.raises(StaleState):
        records.archive_jobs([entry(signed, 0), kept(signed, 1)], actor="archiver", at=NOW)
    records.archive_jobs([entry(signed, 0), kept(blind, 1)], actor="archiver", at=NOW)
    assert [records.job(job_id).state for job_id in (signed, blind)] == [S.ARCHIVED, S.KEPT_UNSIGNED]


def test_what_is_signed_is_neither_cancelled_nor_kept_unsigned(records: Records) -> None:
    (job_id,) = verified(records, "1.pdf")
    for state in (S.CANCELLED, S.UNSIGNED, S.KEPT_UNSIGNED):
        with pytest.raises(RecordRefused):
            records.advance([Move(job_id, S.VERIFIED, state, "x", "w", NOW)])
    with pytest.raises(StaleState):
        records.archive_jobs([kept(job_id)], actor="archiver", at=NOW)


def test_an_archive_record_has_signed_file_and_verdict_or_neither(records: Records) -> None:
    (blind,) = unsigned(records, "2.pdf")
    with pytest.raises(RecordRefused):
        records.archive_jobs([replace(kept(blind), verdict_digest="a" * 64)], actor="archiver", at=NOW)


def test_of_a_claim_and_a_withdrawal_the_first_counts(records: Records) -> None:
    first, second = unsigned(records, "1.pdf", "2.pdf")
    (certified,) = verified(records, "3.pdf")  # brings a certificate along
    assert records.job(certified).state is S.VERIFIED
    records.advance([Move(job_id, S.UNSIGNED, S.STAMPED, "x", "w", NOW) for job_id in (first, second)])
    records.claim_signatures([NewClaim(first, "c" * 64, "Sig1")], actor="w", at=NOW)
    with pytest.raises(StaleState):
        records.advance([Move(first, S.STAMPED, S.CANCELLED, "withdraw", "li", NOW)])
    records.advance([Move(second, S.STAMPED, S.CANCELLED, "withdraw", "li", NOW)])
    with pytest.raises(StaleState):
        records.claim_signatures([NewClaim(second, "c" * 64, "Sig1")], actor="w", at=NOW)
    assert records.claim_of(second) is None


STAMPING = StampingRecord("1" * 64, "2" * 64, 1_000, "投标函.pdf", NOW, "li (signer)")


def test_a_stamping_is_known_by_the_stamped_files_digest(records: Records) -> None:
    records.add_stampings([STAMPING])
    records.add_stampings([replace(STAMPING, name="again.pdf")])
    assert records.stamping_of("1" * 64) == STAMPING
    assert records.stamping_of("2" * 64) is None
    assert [event.act for event in records.events()].count("stamped_unsigned") == 2
    with pytest.raises(RecordRefused):
        records.add_stampings([replace(STAMPING, stamped_digest="x")])


def test_records_of_the_version_before_keep_every_row(tmp_path: Path) -> None:
    """The checks of tables in use are changed where they stand: no row, trigger or index is lost."""
    url = f"sqlite:///{tmp_path / 'records.sqlite'}"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        connection.execute(
            sa.text(
                "INSERT INTO packages (id, key, name, plan_digest, project, bidder, document_type, key_uri,"
                " settings, created_at) VALUES ('p', :key, 'n', :key, '', '', '', '', '{}', :at)"
            ),
            {"key": "a" * 64, "at": "2026-03-01 08:30:00"},
        )
        connection.execute(
            sa.text(
                "INSERT INTO jobs (id, package_id, name, ordinal, source_digest, source_size_bytes, state,"
                " attempts, created_at, updated_at) VALUES ('p-0', 'p', '1.pdf', 0, :key, 1, 'received', 0,"
                " :at, :at)"
            ),
            {"key": "a" * 64, "at": "2026-03-01 08:30:00"},
        )
        before = _names(connection)
    engine.dispose()
    with closing(open_records(url)) as records:
        assert records.job("p-0").name == "1.pdf"
        records.advance([Move("p-0", S.RECEIVED, S.UNSIGNED, "keep_unsigned", "w", NOW)])
        records.archive_jobs([kept("p-0")], actor="archiver", at=NOW)
        assert records.job("p-0").state is S.KEPT_UNSIGNED
        with records._database.reading() as connection:
            assert before <= _names(connection)
            assert connection.execute(sa.text("PRAGMA integrity_check")).scalar_one() == "ok"
            assert connection.execute(sa.text("PRAGMA foreign_key_check")).all() == []
        with pytest.raises(RecordRefused), records._database.writing() as connection:
            connection.execute(sa.text("UPDATE jobs SET state = 'no such state'"))


def _names(connection: sa.Connection) -> set[str]:
    return set(connection.execute(sa.text("SELECT name FROM sqlite_schema")).scalars())
