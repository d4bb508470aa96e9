"""Writes a zip as it is read: a package of any size goes to the browser without being built first."""

import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

CHUNK_BYTES = 1024 * 1024


class _Outflow:
    """A file that only ever grows, and is emptied from the front."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._written = 0

    def write(self, data: bytes, /) -> int:
        self._pending += data
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        return

    def close(self) -> None:
        return

    def drain(self) -> bytes:
        data = bytes(self._pending)
        self._pending.clear()
        return data


def stream_zip(files: Iterable[tuple[str, Path]], *, made_at: datetime) -> Iterator[bytes]:
    """Return a zip's bytes, piece by piece; the files are stored, not deflated (PDFs are already).

    Args:
        files: the name inside the zip, and where the file lies.
    """
    outflow = _Outflow()
    with zipfile.ZipFile(outflow, "w", zipfile.ZIP_STORED) as archive:
        for name, path in files:
            entry = zipfile.ZipInfo(name, made_at.timetuple()[:6])
            entry.external_attr = 0o100644 << 16
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as target:
                while chunk := source.read(CHUNK_BYTES):
                    target.write(chunk)
                    yield outflow.drain()
    yield outflow.drain()
