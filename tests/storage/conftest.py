"""Real stores and real databases: every test of the contract runs over each of them."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from minio import Minio

from storage.events import GENESIS_DIGEST
from storage.local_objects import FolderStore
from storage.objects import ObjectStore
from storage.records import Records, open_records
from storage.s3_objects import S3Store
from storage.schema import chain_head, metadata
from tests.simulators.postgres_server import PostgresServer, postgres_server
from tests.simulators.s3_server import S3Server, s3_server

NOW = datetime(2026, 3, 1, 8, 30, 0, 123456, tzinfo=UTC)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def new_bucket(s3: S3Server) -> Callable[..., str]:
    """Make an empty bucket, with or without object lock, and return its name."""
    client = Minio(
        s3.endpoint, access_key=s3.access_key, secret_key=s3.secret_key, secure=False, region="us-east-1"
    )

    def make(*, object_lock: bool) -> str:
        name = f"test-{uuid.uuid4().hex}"
        client.make_bucket(name, object_lock=object_lock)
        return name

    return make


@pytest.fixture(
    params=[
        "folder",
        pytest.param("s3-locked", marks=pytest.mark.needs_s3),
        pytest.param("s3-plain", marks=pytest.mark.needs_s3),
    ]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "objects")
    server: S3Server = request.getfixturevalue("s3")
    bucket = request.getfixturevalue("new_bucket")(object_lock=request.param == "s3-locked")
    return S3Store(server.endpoint, bucket, server.access_key, server.secret_key, secure=False, prefix="o/")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def records_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/records.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "records.db"
    open_records(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def migrated_database(postgres: PostgresServer) -> str:
    url = postgres.new_database()
    open_records(url).close()
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Records]:
    """Empty records, of a database that was migrated once for all tests."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "records.db")
        url = f"sqlite:///{tmp_path}/records.db"
    else:
        url = request.getfixturevalue("migrated_database")
        _empty(url)
    opened = open_records(url)
    yield opened
    opened.close()


def _empty(url: str) -> None:
    """Empty every table, past the triggers that forbid it, and put back what a test took away."""
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        tables = ", ".join(metadata.tables)
        connection.execute(sa.text(f"TRUNCATE {tables} RESTART IDENTITY"))
        for table in ("events", "chain_head"):
            connection.execute(sa.text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        connection.execute(sa.insert(chain_head), {"id": 1, "seq": 0, "digest": GENESIS_DIGEST})
    engine.dispose()
