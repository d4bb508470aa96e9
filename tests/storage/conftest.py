"""Real stores and real databases: every test of the contract runs over each of them."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from minio import Minio

from storage.local_objects import FolderStore
from storage.objects import ObjectStore
from storage.records import Records, open_records
from storage.s3_objects import S3Store
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


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    opened = open_records(records_url)
    yield opened
    opened.close()
