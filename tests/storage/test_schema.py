"""The migrations make the tables the program expects, on SQLite and Postgres."""

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage.records import Records
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
    import sqlalchemy as sa

    with records._database.reading() as connection:
        inspector = sa.inspect(connection)
        for table in metadata.sorted_tables:
            expected = {str(c.name) for c in table.constraints if isinstance(c, sa.CheckConstraint)}
            found = {str(check["name"]) for check in inspector.get_check_constraints(table.name)}
            assert found == expected, table.name


def test_every_state_is_known_to_the_database(records: Records) -> None:
    import sqlalchemy as sa

    with records._database.reading() as connection:
        checks = sa.inspect(connection).get_check_constraints("jobs")
    text = next(check["sqltext"] for check in checks if check["name"] == "ck_jobs_state_is_known")
    assert all(f"'{state.value}'" in text for state in JobState)
