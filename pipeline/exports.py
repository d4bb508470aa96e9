"""Objects of the store as files where a person wants them: whole, or not at all."""

import hashlib
import os
import tempfile
from pathlib import Path

from pipeline.folders import make_folder
from storage.objects import ObjectStore


def export_object(store: ObjectStore, digest: str, path: Path) -> Path:
    """Write an object to a path unless it is there already; what was there before is replaced at the end.

    Raises:
        UsageRefused: the folder cannot be made or written to.
        NotFound, Corrupt: the store does not have it, or not as it was put.
    """
    if path.is_file() and sha256_of(path) == digest:
        return path
    make_folder(path.parent)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".sealine-") as folder:
        fresh = Path(folder) / "object"
        store.copy_to(digest, fresh)
        fresh.chmod(0o644)
        os.replace(fresh, path)
    return path


def sha256_of(path: Path) -> str:
    """Return a file's digest, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
