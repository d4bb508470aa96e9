"""What any object store must do, over a folder and over S3 with and without object lock."""

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import storage.checked
from storage.errors import Corrupt, NotFound, RecordRefused, Retained, StorageError
from storage.objects import CHUNK_BYTES, ObjectStore

ABSENT = "0" * 64
BIG = os.urandom(CHUNK_BYTES) * 18  # more than one part of an S3 upload


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def big_file(tmp_path: Path) -> Path:
    path = tmp_path / "big.pdf"
    path.write_bytes(BIG)
    return path


def test_bytes_come_back_under_their_sha256(store: ObjectStore) -> None:
    stored = store.put_bytes("投标文件".encode())
    assert stored.digest == sha256("投标文件".encode())
    assert stored.size_bytes == 12
    assert store.has(stored.digest)
    assert store.read(stored.digest) == "投标文件".encode()


def test_nothing_at_all_can_be_kept(store: ObjectStore) -> None:
    assert store.read(store.put_bytes(b"").digest) == b""


def test_a_large_file_streams_in_and_out(store: ObjectStore, big_file: Path, tmp_path: Path) -> None:
    stored = store.put_file(big_file, digest=sha256(BIG))
    assert (stored.digest, stored.size_bytes) == (sha256(BIG), len(BIG))
    assert big_file.exists()
    store.copy_to(stored.digest, tmp_path / "out.pdf")
    assert (tmp_path / "out.pdf").read_bytes() == BIG
    with store.open(stored.digest) as reader:
        assert sha256(reader.read()) == stored.digest


def test_a_consumed_file_is_the_stores(store: ObjectStore, big_file: Path) -> None:
    stored = store.put_file(big_file, consume=True)
    assert not big_file.exists()
    assert store.has(stored.digest)


def test_a_file_that_is_there_already_is_consumed_too(store: ObjectStore, big_file: Path) -> None:
    stored = store.put_bytes(BIG)
    assert store.put_file(big_file, consume=True) == stored
    assert not big_file.exists()


def test_putting_twice_changes_nothing(store: ObjectStore) -> None:
    assert store.put_bytes(b"once") == store.put_bytes(b"once")
    assert store.read(sha256(b"once")) == b"once"


@pytest.mark.parametrize("consume", [False, True])
def test_a_file_with_another_digest_is_refused_and_stays(
    store: ObjectStore, big_file: Path, consume: bool
) -> None:
    with pytest.raises(Corrupt):
        store.put_file(big_file, digest=sha256(b"something else"), consume=consume)
    assert big_file.read_bytes() == BIG
    assert not store.has(sha256(BIG))
    assert not store.has(sha256(b"something else"))


def test_what_is_not_there_is_not_found(store: ObjectStore, tmp_path: Path) -> None:
    assert not store.has(ABSENT)
    with pytest.raises(NotFound):
        store.read(ABSENT)
    with pytest.raises(NotFound):
        store.open(ABSENT)
    with pytest.raises(NotFound):
        store.copy_to(ABSENT, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(NotFound):
        store.retain(ABSENT, datetime(2030, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "g" * 64])
def test_a_name_that_is_no_sha256_is_not_found(store: ObjectStore, name: str) -> None:
    for act in (store.read, store.open, store.has, store.retained_until):
        with pytest.raises(NotFound):
            act(name)
    with pytest.raises(NotFound):
        store.delete(name, now=datetime(2030, 1, 1, tzinfo=UTC))


def test_an_object_too_large_to_read_whole_is_refused(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = store.put_bytes(b"12345")
    monkeypatch.setattr(storage.checked, "MAX_READ_BYTES", 4)
    with pytest.raises(StorageError, match="stream it"):
        store.read(stored.digest)


def test_a_retained_object_is_not_deleted(store: ObjectStore) -> None:
    stored = store.put_bytes(b"signed")
    until_at = datetime.now(UTC) + timedelta(days=1)
    assert store.retained_until(stored.digest) is None
    store.retain(stored.digest, until_at)
    kept = store.retained_until(stored.digest)
    assert kept is not None
    assert until_at <= kept <= until_at + timedelta(seconds=1)
    with pytest.raises(Retained):
        store.delete(stored.digest, now=datetime.now(UTC))
    assert store.read(stored.digest) == b"signed"


def test_retention_grows_and_never_shrinks(store: ObjectStore) -> None:
    stored = store.put_bytes(b"signed")
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    store.retain(stored.digest, soon + timedelta(days=9))
    store.retain(stored.digest, soon)
    assert store.retained_until(stored.digest) == soon + timedelta(days=9)
    store.retain(stored.digest, soon + timedelta(days=10))
    assert store.retained_until(stored.digest) == soon + timedelta(days=10)


def test_a_retention_without_a_time_zone_is_refused(store: ObjectStore) -> None:
    stored = store.put_bytes(b"signed")
    with pytest.raises(RecordRefused):
        store.retain(stored.digest, datetime(2030, 1, 1))  # noqa: DTZ001


def test_an_object_nobody_retains_is_deleted_and_may_come_back(store: ObjectStore) -> None:
    stored = store.put_bytes(b"draft")
    store.delete(stored.digest, now=datetime.now(UTC))
    assert not store.has(stored.digest)
    store.delete(stored.digest, now=datetime.now(UTC))
    assert store.read(store.put_bytes(b"draft").digest) == b"draft"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=4096), step=st.integers(1, 500))
def test_a_reader_gives_the_bytes_in_any_steps(store: ObjectStore, data: bytes, step: int) -> None:
    stored = store.put_bytes(data)
    with store.open(stored.digest) as reader:
        parts = []
        while part := reader.read(step):
            parts.append(part)
    assert b"".join(parts) == data
