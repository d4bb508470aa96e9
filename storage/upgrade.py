"""Bringing a database to the newest schema, also when several processes start at once."""

from pathlib import Path

import sqlalchemy as sa

from storage.engine import Database
from storage.errors import SchemaTooNew
from storage.schema import HEAD_REVISION

MIGRATIONS = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 0x5EA11E  # any constant number of ours (Postgres pg_advisory_xact_lock)


def upgrade_records(database: Database) -> None:
    """Run the migrations that are missing, all in one transaction; one process at a time.

    Raises:
        SchemaTooNew: the database has a revision this program does not know.
        StoreUnavailable: the database does not answer.
    """
    with database.reading() as connection:
        if _revision(connection) == HEAD_REVISION:
            return
    with database.writing() as connection:  # SQLite: BEGIN IMMEDIATE keeps the others out
        if database.dialect == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
        if _revision(connection) != HEAD_REVISION:
            _run(connection)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _run(connection: sa.Connection) -> None:
    from alembic import command  # takes a while to import, and is needed once in a database's life
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise SchemaTooNew(
            "the records were made by a later version of this program; start that version",
            zh="记录库由更新版本的程序创建，请使用该版本",
        ) from error
