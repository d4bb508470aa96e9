"""Which documents of a package are worked on together: one large file, or many small ones in one transaction.

Chunks depend only on the package's file sizes, so everyone who rings for any document of a chunk,
at any time, means the same chunk.
"""

from collections.abc import Iterable, Sequence

from storage.rows import JobRecord

CHUNK_FILES = 32
CHUNK_BYTES = 8 << 20


def chunks(jobs: Sequence[JobRecord]) -> list[list[JobRecord]]:
    """Return a package's jobs in chunks, in the package's order."""
    made: list[list[JobRecord]] = []
    size_bytes = 0
    for job in jobs:
        fits = bool(made) and len(made[-1]) < CHUNK_FILES
        if fits and size_bytes + job.source_size_bytes <= CHUNK_BYTES:
            made[-1].append(job)
            size_bytes += job.source_size_bytes
        else:
            made.append([job])
            size_bytes = job.source_size_bytes
    return made


def chunk_of(jobs: Sequence[JobRecord], job_id: str) -> list[JobRecord]:
    """Return the chunk that a job of the package is in; empty when it is not of the package."""
    return next((chunk for chunk in chunks(jobs) if any(job.id == job_id for job in chunk)), [])


def doorbells_for(jobs: Sequence[JobRecord], wanted: Iterable[str]) -> list[str]:
    """Return one id to ring for each chunk that holds a wanted job."""
    ids = set(wanted)
    return [chunk[0].id for chunk in chunks(jobs) if any(job.id in ids for job in chunk)]
