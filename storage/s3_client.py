"""The S3 client with our limits, and the server's errors in this room's words."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import minio.datatypes
import minio.lifecycleconfig
import minio.retention
import minio.time
import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from storage.errors import StoreUnavailable

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 120.0
RETRIES = 2
CONNECTIONS = 16

ABSENT = frozenset({"NoSuchKey", "NoSuchObject", "NoSuchVersion", "MethodNotAllowed"})
"""What servers call an object that is not there (a delete marker: MethodNotAllowed)."""

NO_LOCK = frozenset(
    {"ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration", "InvalidRequest"}
)
"""What servers call a bucket without object lock, or an object without retention."""

REFUSED = frozenset({"AccessDenied", "ObjectLocked", "InvalidRequest", "WORMProtected"})
"""What servers answer when a lock forbids an act."""

_sdk_date = minio.time.from_iso8601utc


def s3_client(endpoint: str, access_key: str, secret_key: str, *, secure: bool, region: str) -> Minio:
    """Return a client; nothing is asked of the server yet.

    Args:
        region: given, so that the SDK does not ask for it before the first request.
    """
    _accept_nanoseconds()
    pool = urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S),
        maxsize=CONNECTIONS,
        cert_reqs="CERT_REQUIRED",
        ca_certs=os.environ.get("SSL_CERT_FILE"),  # None: the system's
        retries=urllib3.Retry(total=RETRIES, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
    )
    return Minio(
        endpoint,
        access_key=access_key,
        secret_key=secret_key,
        secure=secure,
        region=region,
        http_client=pool,
    )


@contextmanager
def answers() -> Iterator[None]:
    """Say the server's and the network's errors in this room's words, without keys or addresses.

    Raises:
        StoreUnavailable: silent, refusing our credentials, or answering with an error.
    """
    try:
        yield
    except S3Error as error:
        raise _silent(f"it says {error.code}") from error
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
        raise _silent(type(error).__name__) from error


def _silent(why: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"the object store does not serve us ({why}); check its address, bucket, credentials and disk",
        zh=f"对象存储不可用（{why}），请检查地址、存储桶、凭据和磁盘空间",
    )


def _accept_nanoseconds() -> None:
    """Let the SDK read dates with nanoseconds.

    minio-py 7.2.20 cannot (`from_iso8601utc`), and Ceph RGW sends them: without this no retention
    date can be read back.
    """
    for module in (minio.datatypes, minio.lifecycleconfig, minio.retention, minio.time):
        module.from_iso8601utc = _date


def _date(value: str | None) -> datetime | None:
    if value is not None:
        value = re.sub(r"(\.\d{6})\d+Z$", r"\1Z", value)
    parsed: datetime | None = _sdk_date(value)
    return parsed
