"""The records of what came in, for jobs whose PDF had to be made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from storage.engine import Database
from storage.objects import Digest
from storage.schema import job_origins, jobs


@dataclass(frozen=True)
class OriginRecord:
    """What came in, when a job's PDF had to be made of it.

    Attributes:
        name: its path inside the package.
        how: what was done to it: converted, repaired, decrypted.
        tool: what did it, with its version.
        findings: what there was to say of it, each as plain JSON.
    """

    name: str
    digest: Digest
    size_bytes: int
    how: str
    tool: str
    findings: tuple[Mapping[str, Any], ...] = ()


class OriginBook:
    """The part of the records that knows what came in."""

    _database: Database

    def origins(self, package_id: str) -> dict[str, OriginRecord]:
        """Return what came in for those of a package's jobs whose PDF was made of it, by job id."""
        query = (
            sa.select(job_origins)
            .join(jobs, jobs.c.id == job_origins.c.job_id)
            .where(jobs.c.package_id == package_id)
        )
        with self._database.reading() as connection:
            return {row.job_id: origin_of_row(dict(row._mapping)) for row in connection.execute(query)}

    def origin(self, job_id: str) -> OriginRecord | None:
        """Return what came in for a job whose PDF was made of it; None for a job whose PDF came in."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(job_origins).where(job_origins.c.job_id == job_id)).first()
        return None if row is None else origin_of_row(dict(row._mapping))


def origin_of_row(values: Mapping[str, Any], prefix: str = "") -> OriginRecord:
    """Return the origin that a row of `job_origins` says, its columns' names behind a prefix."""
    found = {field.name: values[prefix + field.name] for field in fields(OriginRecord)}
    return OriginRecord(**{**found, "findings": tuple(found["findings"])})
