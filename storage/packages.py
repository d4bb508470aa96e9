"""The records of packages and their jobs: opening them, and reading how far they are."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.engine import Database
from storage.errors import NotFound, RecordRefused
from storage.events import writing
from storage.objects import Digest
from storage.rows import JobError, JobRecord, NewJob, NewPackage, OutputRecord, PackageRecord
from storage.schema import JobState, job_origins, job_outputs, jobs, packages

MAX_JOBS_PER_PACKAGE = 10_000
MAX_NAME_CHARS = 1_000
MAX_JOBS_TO_RING = 1_000


class PackageBook:
    """The part of the records that knows packages and jobs."""

    _database: Database

    def open_package(
        self, package: NewPackage, new_jobs: Sequence[NewJob], *, actor: str, at: datetime
    ) -> tuple[PackageRecord, bool]:
        """Record a package with its jobs, each RECEIVED. Returns it, and whether it is new.

        The same key again is the same package: nothing changes, its jobs stay as far as they are.
        Its id is the first half of the key; a job's id adds its ordinal.

        Raises:
            RecordRefused: no job, too many, two with one name, a name that is too long, no SHA-256.
        """
        _check_jobs(package, new_jobs)
        with writing(self._database) as transaction:
            connection = transaction.connection
            row = connection.execute(sa.select(packages).where(packages.c.key == package.key)).first()
            if row is not None:
                return PackageRecord(**row._mapping), False
            settings = dict(package.settings)
            record = PackageRecord(
                **{**vars(package), "settings": settings}, id=package.key[:32], created_at=at
            )
            connection.execute(sa.insert(packages), vars(record))
            rows = [_new_row(record.id, ordinal, job, at) for ordinal, job in enumerate(new_jobs)]
            connection.execute(sa.insert(jobs), rows)
            origins = [
                {**vars(job.origin), "findings": list(job.origin.findings), "job_id": row["id"]}
                for job, row in zip(new_jobs, rows, strict=True)
                if job.origin is not None
            ]
            if origins:
                connection.execute(sa.insert(job_origins), origins)
            detail = {"package": record.id, "key": record.key, "name": record.name, "jobs": len(rows)}
            transaction.append("package_opened", detail, actor=actor, at=at)
            for values, job in zip(rows, new_jobs, strict=True):
                received = {"name": values["name"], "source": values["source_digest"]}
                if job.origin is not None:
                    made_of = {key: getattr(job.origin, key) for key in ("name", "digest", "how", "tool")}
                    received["made_of"] = made_of
                transaction.append("received", received, actor=actor, at=at, job_id=values["id"])
        return record, True

    def package(self, package_id: str) -> PackageRecord:
        """Return a package.

        Raises:
            NotFound: no such package.
        """
        return self._package(packages.c.id == package_id, package_id)

    def package_by_key(self, key: Digest) -> PackageRecord:
        """Return the package of that identity.

        Raises:
            NotFound: no such package.
        """
        return self._package(packages.c.key == key, key)

    def _package(self, condition: sa.ColumnElement[bool], wanted: str) -> PackageRecord:
        with self._database.reading() as connection:
            row = connection.execute(sa.select(packages).where(condition)).first()
        if row is None:
            raise NotFound(
                f"no package {wanted} is recorded; its id is in what `bid sign` printed, and in the archive",
                zh=f"没有编号为 {wanted} 的文件包；编号见 bid sign 的输出，或档案资料（archive find --json）",
            )
        return PackageRecord(**row._mapping)

    def packages(self, *, limit: int | None = None) -> list[PackageRecord]:
        """Return every package, or the `limit` newest of them; newest first."""
        query = sa.select(packages).order_by(packages.c.created_at.desc(), packages.c.id).limit(limit)
        with self._database.reading() as connection:
            return [PackageRecord(**row._mapping) for row in connection.execute(query)]

    def jobs(self, package_id: str) -> list[JobRecord]:
        """Return a package's jobs in their order."""
        query = sa.select(jobs).where(jobs.c.package_id == package_id).order_by(jobs.c.ordinal)
        with self._database.reading() as connection:
            return [_job(row) for row in connection.execute(query)]

    def job(self, job_id: str) -> JobRecord:
        """Return a job.

        Raises:
            NotFound: no such job.
        """
        with self._database.reading() as connection:
            row = connection.execute(sa.select(jobs).where(jobs.c.id == job_id)).first()
        if row is None:
            raise NotFound(f"no job {job_id} is recorded; list the package's jobs", zh=f"没有作业 {job_id}")
        return _job(row)

    def outputs(self, job_id: str) -> dict[JobState, OutputRecord]:
        """Return the object each of a job's steps put."""
        query = sa.select(job_outputs).where(job_outputs.c.job_id == job_id)
        with self._database.reading() as connection:
            return {row.state: OutputRecord(**row._mapping) for row in connection.execute(query)}

    def jobs_to_ring(
        self,
        now: datetime,
        states: Collection[JobState],
        *,
        quiet_since_at: datetime | None = None,
        limit: int = MAX_JOBS_TO_RING,
    ) -> list[str]:
        """Return the ids of jobs in these states that wait for nothing (any more), longest quiet first.

        Args:
            quiet_since_at: only jobs nothing has happened to since then (None: all).
        """
        query = (
            sa.select(jobs.c.id)
            .where(jobs.c.state.in_(list(states)))
            .where(jobs.c.wait_until_at.is_(None) | (jobs.c.wait_until_at <= now))
            .order_by(jobs.c.updated_at, jobs.c.id)
            .limit(min(limit, MAX_JOBS_TO_RING))
        )
        if quiet_since_at is not None:
            query = query.where(jobs.c.updated_at <= quiet_since_at)
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())


def _check_jobs(package: NewPackage, new_jobs: Sequence[NewJob]) -> None:
    if not 0 < len(new_jobs) <= MAX_JOBS_PER_PACKAGE:
        raise RecordRefused(
            f"a package needs 1 to {MAX_JOBS_PER_PACKAGE} documents, this one has {len(new_jobs)}; split it",
            zh=f"文件包须含 1 至 {MAX_JOBS_PER_PACKAGE} 个文件，此包有 {len(new_jobs)} 个，请拆分",
        )
    names = [job.name for job in new_jobs]
    originals = [job.origin.name for job in new_jobs if job.origin is not None]
    for name in (package.name, *names, *originals):
        if not 0 < len(name) <= MAX_NAME_CHARS or not _is_text(name):
            raise RecordRefused(
                f"a name is empty, over {MAX_NAME_CHARS} characters, or no Unicode text; rename the file",
                zh=f"名称为空、超过 {MAX_NAME_CHARS} 个字符或不是合法文本，请改名",
            )
    if len(set(names)) != len(names):
        raise RecordRefused(
            "two documents of the package have one name; rename one of them",
            zh="文件包中有两个同名文件，请改名",
        )


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # a lone surrogate: the file system's bytes were not UTF-8
        return False
    return "\0" not in name


def _new_row(package_id: str, ordinal: int, job: NewJob, at: datetime) -> dict[str, Any]:
    return {
        "id": f"{package_id}-{ordinal:05d}",
        "package_id": package_id,
        "name": job.name,
        "ordinal": ordinal,
        "source_digest": job.source_digest,
        "source_size_bytes": job.source_size_bytes,
        "state": JobState.RECEIVED,
        "attempts": 0,
        "created_at": at,
        "updated_at": at,
    }


def _job(row: sa.Row[Any]) -> JobRecord:
    values = dict(row._mapping)
    code, message, message_zh = (
        values.pop(name) for name in ("error_code", "error_message", "error_message_zh")
    )
    error = JobError(code, message, message_zh or "") if code is not None else None
    return JobRecord(**values, error=error)
