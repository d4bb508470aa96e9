"""The S3 store against a real server: locks, versions, wrong credentials, silence."""

import hashlib
import io
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from minio import Minio
from minio.error import S3Error

from storage.errors import Corrupt, Retained, RetentionNotKept, StoreUnavailable
from storage.s3_objects import S3Store
from tests.simulators.s3_server import S3Server


@pytest.fixture
def client(s3: S3Server) -> Minio:
    return Minio(
        s3.endpoint, access_key=s3.access_key, secret_key=s3.secret_key, secure=False, region="us-east-1"
    )


def store_of(s3: S3Server, bucket: str) -> S3Store:
    return S3Store(s3.endpoint, bucket, s3.access_key, s3.secret_key, secure=False)


def key_of(digest: str) -> str:
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


@pytest.mark.needs_s3
def test_the_server_itself_refuses_to_delete_a_retained_version(
    s3: S3Server, new_bucket: Callable[..., str], client: Minio
) -> None:
    bucket = new_bucket(object_lock=True)
    store = store_of(s3, bucket)
    digest = store.put_bytes(b"signed").digest
    store.retain(digest, datetime.now(UTC) + timedelta(hours=1))
    version = client.stat_object(bucket, key_of(digest)).version_id
    with pytest.raises(S3Error, match="AccessDenied"):
        client.remove_object(bucket, key_of(digest), version_id=version)
    with pytest.raises(Retained):  # a clock that runs ahead does not help
        store.delete(digest, now=datetime.now(UTC) + timedelta(days=365))


@pytest.mark.needs_s3
def test_after_its_lock_ended_an_object_is_gone_with_all_versions(
    s3: S3Server, new_bucket: Callable[..., str], client: Minio
) -> None:
    bucket = new_bucket(object_lock=True)
    store = store_of(s3, bucket)
    digest = store.put_bytes(b"signed").digest
    client.put_object(bucket, key_of(digest), io.BytesIO(b"signed"), 6)
    store.retain(digest, datetime.now(UTC) + timedelta(seconds=1))
    time.sleep(2.5)
    store.delete(digest, now=datetime.now(UTC))
    assert list(client.list_objects(bucket, recursive=True, include_version=True)) == []


@pytest.mark.needs_s3
def test_bytes_put_over_an_object_by_others_are_found(
    s3: S3Server, new_bucket: Callable[..., str], client: Minio, tmp_path: Path
) -> None:
    bucket = new_bucket(object_lock=True)
    store = store_of(s3, bucket)
    digest = store.put_bytes(b"signed").digest
    client.put_object(bucket, key_of(digest), io.BytesIO(b"forged"), 6)
    with pytest.raises(Corrupt):
        store.read(digest)
    with pytest.raises(Corrupt):
        store.copy_to(digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.needs_s3
def test_a_file_that_changes_while_it_is_sent_is_not_kept(
    s3: S3Server, new_bucket: Callable[..., str]
) -> None:
    store = store_of(s3, new_bucket(object_lock=False))
    digest = hashlib.sha256(b"before").hexdigest()
    with pytest.raises(Corrupt):
        store._put(io.BytesIO(b"behind"), digest, 6)
    assert not store.has(digest)


@pytest.mark.needs_s3
def test_a_bucket_with_object_lock_passes_the_wormcheck_again_and_again(
    s3: S3Server, new_bucket: Callable[..., str]
) -> None:
    store = store_of(s3, new_bucket(object_lock=True))
    store.wormcheck(now=datetime.now(UTC))
    store.wormcheck(now=datetime.now(UTC))


@pytest.mark.needs_s3
def test_a_bucket_without_object_lock_fails_the_wormcheck(
    s3: S3Server, new_bucket: Callable[..., str]
) -> None:
    with pytest.raises(RetentionNotKept, match="no object lock"):
        store_of(s3, new_bucket(object_lock=False)).wormcheck(now=datetime.now(UTC))


@pytest.mark.needs_s3
@pytest.mark.parametrize("broken", ["remove_object", "set_object_retention", "remove_objects"])
def test_a_server_that_lets_a_lock_be_broken_fails_the_wormcheck(
    s3: S3Server, new_bucket: Callable[..., str], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def allowed(*_args: Any, **_options: Any) -> list[Any]:
        return []

    store = store_of(s3, new_bucket(object_lock=True))
    monkeypatch.setattr(store._client, broken, allowed)
    with pytest.raises(RetentionNotKept):
        store.wormcheck(now=datetime.now(UTC))


@pytest.mark.needs_s3
def test_wrong_credentials_are_unavailable_and_not_repeated(
    s3: S3Server, new_bucket: Callable[..., str]
) -> None:
    bucket = new_bucket(object_lock=True)
    store = S3Store(s3.endpoint, bucket, s3.access_key, "wrong-secret", secure=False)
    with pytest.raises(StoreUnavailable) as raised:
        store.put_bytes(b"x")
    assert "wrong-secret" not in str(raised.value)
    assert s3.access_key not in str(raised.value)
    with pytest.raises(StoreUnavailable):
        store.wormcheck(now=datetime.now(UTC))


def test_a_silent_server_is_unavailable(free_port: int) -> None:
    store = S3Store(f"127.0.0.1:{free_port}", "bucket", "a", "b", secure=False)
    for act in (lambda: store.put_bytes(b"x"), lambda: store.read("0" * 64), lambda: store.has("0" * 64)):
        with pytest.raises(StoreUnavailable):
            act()
