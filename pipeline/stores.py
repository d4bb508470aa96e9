"""Object stores opened by URL."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.errors import UsageRefused
from pipeline.settings import Settings
from storage.local_objects import FolderStore
from storage.objects import ObjectStore
from storage.s3_objects import S3Store


def open_store(settings: Settings) -> ObjectStore:
    """Open the object store the settings name.

    Raises:
        UsageRefused: an address of another kind, or S3 without its keys.
        StoreUnavailable: the store does not answer, or keeps no promise it makes about retention.
    """
    parts = urlsplit(settings.store_at)
    if parts.scheme == "file":
        return FolderStore(Path(unquote(parts.path)))
    if parts.scheme in ("s3", "s3+http"):
        bucket, _, prefix = parts.path.strip("/").partition("/")
        if not (parts.hostname and bucket and settings.s3_access_key):
            raise UsageRefused(
                "store_url needs host and bucket, s3_access_key and s3_secret_key; see docs/settings.md",
                zh="对象存储地址需要主机和桶，并设置 s3_access_key 与 s3_secret_key",
            )
        return S3Store(
            parts.netloc,
            bucket,
            settings.s3_access_key,
            settings.s3_secret_key.get_secret_value(),
            secure=parts.scheme == "s3",
            prefix=prefix,
        )
    raise UsageRefused(
        f"store_url: unknown scheme {parts.scheme!r}; use file://, s3:// or s3+http://",
        zh=f"store_url 的协议 {parts.scheme!r} 未知，可用 file://、s3://、s3+http://",
    )
