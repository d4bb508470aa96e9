"""One file inside an archive, before it is unpacked."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A file of an archive; what an archive yields is read in its order, each to its end before the next.

    Attributes:
        name: as `names.inner_name` returns it.
        chunks: its bytes as they come out, however many the archive says they are.
        packed_bytes: what they were packed into; None where that was checked for the whole archive.
    """

    name: str
    chunks: Iterator[bytes]
    packed_bytes: int | None
