"""Records of an earlier version, with documents in them, are brought up to date and keep every row."""

from collections.abc import Iterator
from contextlib import closing

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from storage.engine import open_database
from storage.errors import RecordRefused
from storage.records import Records, open_records
from storage.rows import Move, NewJob, NewPackage
from storage.schema import JobState, metadata
from storage.upgrade import MIGRATIONS
from tests.storage.conftest import NOW
from tests.storage.test_archives import archived, digest_of, entry, verified
from tests.storage.test_voids import kept, void_of

S = JobState


@pytest.fixture(params=["0003", "0005"])
def earlier(request: pytest.FixtureRequest, records_url: str) -> Iterator[Records]:
    """Records as a version before made them: today's calls write nothing there that it did not know."""
    database = open_database(records_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, request.param)
    records = Records(database)
    yield records
    records.close()


def rows(records: Records) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of the tables that are there already."""
    with records._database.reading() as connection:
        there = [table for table in metadata.sorted_tables if sa.inspect(connection).has_table(table.name)]
        return {
            table.name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=repr)
            for table in there
        }


def test_documents_of_an_earlier_version_keep_every_row_and_go_on(earlier: Records, records_url: str) -> None:
    done = archived(earlier, "已归档.pdf")[0]
    on_their_way = verified(earlier, "在途.pdf", key="d")[0]
    new = NewPackage(key="e" * 64, name="新到", plan_digest="b" * 64)
    package, _ = earlier.open_package(new, [NewJob("新到.pdf", digest_of(1, 9), 1)], actor="a", at=NOW)
    waiting = earlier.jobs(package.id)[0].id
    before, events = rows(earlier), earlier.verify_events()
    earlier.close()
    with closing(open_records(records_url)) as records:
        after = rows(records)
        assert {name: after[name] for name in before} == before
        assert records.verify_events() == events
        records.archive_jobs([entry(on_their_way, 5)], actor="archiver", at=NOW)
        records.advance([Move(waiting, S.RECEIVED, S.UNSIGNED, "keep_unsigned", "w", NOW)])
        records.archive_jobs([kept(waiting, 9)], actor="archiver", at=NOW)
        records.void_archive(void_of(done))
        assert [records.job(one).state for one in (done, on_their_way, waiting)] == [
            *(S.ARCHIVED, S.ARCHIVED, S.KEPT_UNSIGNED)
        ]
        for wrong in ("state = 'no such state'", "state = 'received'", "wait_until_at = updated_at"):
            with pytest.raises(RecordRefused), records._database.writing() as connection:
                connection.execute(
                    sa.text(f"UPDATE jobs SET {wrong} WHERE id = :id"),
                    {"id": waiting},
                )
