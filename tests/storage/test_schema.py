"""The migrations make the tables the program expects, on SQLite and Postgres."""

from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage.records import Records, open_records
from storage.schema import HEAD_REVISION, JobState, metadata
from storage.upgrade import MIGRATIONS


def test_the_newest_migration_is_the_one_the_program_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD_REVISION]


def test_migrated_tables_are_the_tables_of_the_schema(records: Records) -> None:
    with records._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrated_checks_are_the_checks_of_the_schema(records: Records) -> None:
    with records._database.reading() as connection:
        inspector = sa.inspect(connection)
        for table in metadata.sorted_tables:
            expected = {str(c.name) for c in table.constraints if isinstance(c, sa.CheckConstraint)}
            found = {str(check["name"]) for check in inspector.get_check_constraints(table.name)}
            assert found == expected, table.name


def test_every_state_is_known_to_the_database(records: Records) -> None:
    with records._database.reading() as connection:
        checks = sa.inspect(connection).get_check_constraints("jobs")
    text = next(check["sqltext"] for check in checks if check["name"] == "ck_jobs_state_is_known")
    assert all(f"'{state.value}'" in text for state in JobState)


def test_seals_made_before_they_could_be_marked_have_neither_pattern_nor_slots(tmp_path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    url = f"sqlite:///{tmp_path / 'records.sqlite'}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        values = dict.fromkeys(("id", "name", "kind", "owner", "owner_code", "shape", "standing"), "x")
        values |= {"ink_box_mm": "[14, 14, 42, 42]", "image_digest": "1" * 64, "status": "active"}
        times = dict.fromkeys(("created_at", "valid_from_at", "valid_until_at"), "2026-03-01 08:30:00")
        row = {**values, **times, "width_mm": 42.0, "height_mm": 42.0}
        names = ", ".join(row)
        places = ", ".join(f":{name}" for name in row)
        connection.execute(sa.text(f"INSERT INTO seals ({names}) VALUES ({places})"), row)
    engine.dispose()
    with closing(open_records(url)) as records:
        (seal,) = records.seals()
    assert not seal.micro_pattern
    assert seal.text_slots == ()
    assert seal.source_digest is None
