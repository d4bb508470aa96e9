"""Finding archived documents by words, project, bidder or digest."""

from dataclasses import fields

import sqlalchemy as sa

from storage.engine import Database
from storage.errors import RecordRefused
from storage.origins import OriginRecord, origin_of_row
from storage.rows import ArchiveRecord, FoundArchive, VoidRecord
from storage.schema import archives, job_origins, jobs, packages, voids

MAX_SEARCH_CHARS = 200
MAX_SEARCH_TERMS = 8
MAX_FOUND = 1_000
MIN_DIGEST_CHARS = 8

_DIGESTS = (
    archives.c.original_digest,
    archives.c.signed_digest,
    archives.c.verdict_digest,
    archives.c.manifest_digest,
    archives.c.evidence_digest,
    voids.c.record_digest,
    job_origins.c.digest,
)
_WORDS = (
    jobs.c.name,
    job_origins.c.name,
    packages.c.name,
    packages.c.project,
    packages.c.bidder,
    archives.c.signer,
)
_VOID = tuple(voids.c[field.name].label(f"void_{field.name}") for field in fields(VoidRecord))
_ORIGIN = tuple(job_origins.c[field.name].label(f"origin_{field.name}") for field in fields(OriginRecord))
_HEX = frozenset("0123456789abcdef")


class ArchiveSearch:
    """The part of the records that finds archived documents."""

    _database: Database

    def find_archives(
        self,
        text: str = "",
        *,
        file: str | None = None,
        project: str | None = None,
        bidder: str | None = None,
        sha256: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[FoundArchive]:
        """Return archived documents, newest first.

        Args:
            text: words that must all occur in a file's name (the PDF's or that of what came in), package
                name, project, bidder or signer; a word of at least MIN_DIGEST_CHARS hex digits may also
                begin a digest.
            file, project, bidder: exactly.
            sha256: of what came in, the original, signed file, verdict, manifest, evidence or void
                record, whole.

        Raises:
            RecordRefused: text over MAX_SEARCH_CHARS or MAX_SEARCH_TERMS words.
        """
        terms = text.split()
        if len(text) > MAX_SEARCH_CHARS or len(terms) > MAX_SEARCH_TERMS:
            raise RecordRefused(
                f"a search takes {MAX_SEARCH_TERMS} words and {MAX_SEARCH_CHARS} characters; shorten it",
                zh=f"检索最多 {MAX_SEARCH_TERMS} 个词、{MAX_SEARCH_CHARS} 个字符，请缩短",
            )
        query = (
            sa.select(
                archives,
                jobs.c.name.label("job_name"),
                packages.c.id.label("package_id"),
                packages.c.name.label("package_name"),
                packages.c.project,
                packages.c.bidder,
                packages.c.document_type,
                *_VOID,
                *_ORIGIN,
            )
            .join(jobs, jobs.c.id == archives.c.job_id)
            .join(packages, packages.c.id == jobs.c.package_id)
            .outerjoin(voids, voids.c.job_id == archives.c.job_id)
            .outerjoin(job_origins, job_origins.c.job_id == archives.c.job_id)
            .where(*(_has(term) for term in terms))
            .order_by(archives.c.archived_at.desc(), archives.c.job_id)
            .limit(max(0, min(limit, MAX_FOUND)))
            .offset(max(0, offset))
        )
        if file is not None:
            query = query.where(sa.or_(jobs.c.name == file, job_origins.c.name == file))
        if project is not None:
            query = query.where(packages.c.project == project)
        if bidder is not None:
            query = query.where(packages.c.bidder == bidder)
        if sha256 is not None:
            wanted = sha256.lower()
            query = query.where(sa.or_(*(column == wanted for column in _DIGESTS)))
        with self._database.reading() as connection:
            return [_found(row) for row in connection.execute(query)]


def _has(term: str) -> sa.ColumnElement[bool]:
    anywhere = [column.icontains(term, autoescape=True) for column in _WORDS]
    lower = term.lower()
    if len(lower) >= MIN_DIGEST_CHARS and _HEX.issuperset(lower):
        anywhere += [column.startswith(lower, autoescape=True) for column in _DIGESTS]
    return sa.or_(*anywhere)


def _found(row: sa.Row[tuple[object, ...]]) -> FoundArchive:
    values = dict(row._mapping)
    archive = ArchiveRecord(**{field.name: values.pop(field.name) for field in fields(ArchiveRecord)})
    void = {field.name: values.pop(f"void_{field.name}") for field in fields(VoidRecord)}
    origin = origin_of_row(values, "origin_") if values["origin_digest"] else None
    for field in fields(OriginRecord):
        del values[f"origin_{field.name}"]
    return FoundArchive(
        archive=archive, void=VoidRecord(**void) if void["job_id"] else None, origin=origin, **values
    )
