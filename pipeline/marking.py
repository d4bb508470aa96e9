"""The keys of micro-patterns: one secret of this installation, and from it a key for each seal."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from pipeline.errors import UsageRefused

FILE_NAME = "micro-pattern.key"
SECRET_BYTES = 32


class MarkingKeys:
    """Gives each seal its own key; the secret is made when the first one is asked for.

    Args:
        home: gets the secret as a file that only its owner may read. Without it no pattern is found
            again: it belongs into the backup, and to nobody else.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / FILE_NAME

    def key_of(self, seal_id: str) -> bytes:
        """Return a seal's key, 32 bytes (HMAC-SHA256, RFC 2104).

        Raises:
            UsageRefused: the secret cannot be read or written, others may read it, or it is damaged.
        """
        return hmac.new(self._secret(), b"micro-pattern\0" + seal_id.encode(), hashlib.sha256).digest()

    @property
    def exists(self) -> bool:
        """Whether this installation has ever marked a seal."""
        return self._path.exists()

    def _secret(self) -> bytes:
        try:
            if not self._path.exists():
                self._create()
            readable_by_others = self._path.stat().st_mode & 0o077
            secret = self._path.read_bytes()
        except OSError as error:
            raise self._refused(f"cannot be used ({error.strerror})", "无法读写") from error
        if readable_by_others:
            raise self._refused("may be read by others; chmod 600", "可被他人读取，请执行 chmod 600")
        if len(secret) != SECRET_BYTES:
            raise self._refused("is damaged; take it from a backup", "已损坏，请从备份恢复")
        return secret

    def _create(self) -> None:
        """Write a new secret; of two processes that do so at once, the first one's stays."""
        draft = self._path.with_suffix(f".{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(SECRET_BYTES))
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, self._path)
        except FileExistsError:
            return
        finally:
            draft.unlink()

    def _refused(self, what: str, zh: str) -> UsageRefused:
        return UsageRefused(
            f"the secret of micro-patterns {self._path} {what}", zh=f"防伪图样密钥文件 {self._path} {zh}"
        )
