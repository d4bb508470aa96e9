"""A self-test of object lock: archiving is refused where a locked version can be deleted or shortened."""

import io
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from minio import Minio
from minio.commonconfig import COMPLIANCE, GOVERNANCE
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from minio.retention import Retention

from storage.errors import RetentionNotKept
from storage.s3_client import NO_LOCK, REFUSED, answers

PROBE_RETENTION_S = 300
MAX_OLD_PROBES = 100
_FOLDER = "wormcheck/"


def check_worm(client: Minio, bucket: str, prefix: str, *, now: datetime) -> None:
    """Lock a probe object and try to break the lock in four ways; remove the probes of earlier checks.

    Args:
        now: must be right within PROBE_RETENTION_S of the server's clock.

    Raises:
        RetentionNotKept: the bucket has no object lock, or the server let a lock be broken.
        StoreUnavailable: the server does not answer, or refuses to lock at all.
    """
    folder = f"{prefix}{_FOLDER}"
    key = f"{folder}{uuid.uuid4().hex}"
    until_at = now.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=PROBE_RETENTION_S)
    with answers():
        try:
            client.get_object_lock_config(bucket)
        except S3Error as error:
            if error.code in NO_LOCK:
                raise _broken("the bucket has no object lock", "存储桶未启用对象锁定") from error
            raise
        _remove_old(client, bucket, folder)
        version = client.put_object(
            bucket, key, io.BytesIO(b"probe"), 5, retention=Retention(COMPLIANCE, until_at)
        ).version_id
        if version is None:
            raise _broken("a put gives no version id", "写入后没有版本号")
        kept = client.get_object_retention(bucket, key, version_id=version)
        if kept is None or kept.mode != COMPLIANCE or kept.retain_until_date < until_at:
            raise _broken("the retention put is not the retention kept", "保管期限未按要求保存")

        if not _refuses(lambda: client.remove_object(bucket, key, version_id=version)):
            raise _broken("a locked version can be deleted", "可删除已锁定的版本")
        bypass = client.remove_objects(bucket, [DeleteObject(key, version)], bypass_governance_mode=True)
        if not [error.code for error in bypass]:
            raise _broken("a locked version can be deleted by bypassing", "可绕过锁定删除版本")
        sooner = Retention(COMPLIANCE, until_at - timedelta(seconds=PROBE_RETENTION_S // 2))
        if not _refuses(lambda: client.set_object_retention(bucket, key, sooner, version_id=version)):
            raise _broken("a retention can be shortened", "可缩短保管期限")
        weaker = Retention(GOVERNANCE, until_at)
        if not _refuses(lambda: client.set_object_retention(bucket, key, weaker, version_id=version)):
            raise _broken("a retention can be weakened", "可降低保管级别")

        client.put_object(bucket, key, io.BytesIO(b"other"), 5)  # a new version may lie over the locked one
        response = client.get_object(bucket, key, version_id=version)
        try:
            if response.read() != b"probe":
                raise _broken("a locked version can be overwritten", "可覆盖已锁定的版本")
        finally:
            response.close()
            response.release_conn()


def _refuses(act: Callable[[], object]) -> bool:
    try:
        act()
    except S3Error as error:
        if error.code in REFUSED:
            return True
        raise
    return False


def _remove_old(client: Minio, bucket: str, folder: str) -> None:
    """Remove probes whose lock has ended; those still locked stay."""
    for number, version in enumerate(client.list_objects(bucket, prefix=folder, include_version=True)):
        if number >= MAX_OLD_PROBES:
            return
        try:
            client.remove_object(bucket, version.object_name, version_id=version.version_id)
        except S3Error as error:
            if error.code not in REFUSED:
                raise


def _broken(fact: str, fact_zh: str) -> RetentionNotKept:
    return RetentionNotKept(
        f"the object store failed the retention self-test: {fact}; archiving is refused, use another store",
        zh=f"对象存储未通过保管自检：{fact_zh}；已拒绝归档，请更换存储",
    )
