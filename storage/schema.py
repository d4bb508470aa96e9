"""The tables of the records, with the constraints that make wrong states impossible.

What a CHECK cannot say (a signed job has a signature, the event log only grows) the triggers of the
first migration say. Column names are the field names of the rows in `storage/rows.py`.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from storage.errors import RecordRefused

HEAD_REVISION = "0006"
"""The newest migration; a test holds it to what `storage/migrations/versions` says."""


class JobState(StrEnum):
    """Where a document is on its way from a folder to the archive."""

    RECEIVED = "received"
    INSPECTED = "inspected"
    PLANNED = "planned"
    STAMPED = "stamped"
    SIGNING = "signing"
    SIGNED = "signed"
    AWAITING_TIMESTAMP = "awaiting_timestamp"
    TIMESTAMPED = "timestamped"
    VERIFIED = "verified"
    ARCHIVED = "archived"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    UNSIGNED = "unsigned"
    KEPT_UNSIGNED = "kept_unsigned"


FINAL_STATES = frozenset({JobState.ARCHIVED, JobState.REFUSED, JobState.CANCELLED, JobState.KEPT_UNSIGNED})
"""States in which nobody waits for anything."""


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware instant in UTC; SQLite would give naive ones back."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise RecordRefused(
                "a time without a time zone was to be recorded; pass an aware instant",
                zh="要登记的时间没有时区，请传入带时区的时间",
            )
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _state() -> sa.Enum:
    return sa.Enum(
        JobState,
        native_enum=False,
        create_constraint=False,
        length=24,
        values_callable=lambda e: [m.value for m in e],
    )


def is_sha256(column: str) -> str:
    """Return SQL, the same on SQLite and Postgres, that holds for 64 lower-case hex digits."""
    return f"length({column}) = 64 AND trim({column}, '0123456789abcdef') = ''"


def _digest(name: str, *args: Any, **kwargs: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), *args, **kwargs)


def _digests(*columns: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(is_sha256(column), name=f"{column}_is_sha256") for column in columns]


_STATES = ", ".join(f"'{state.value}'" for state in JobState)
_FINAL = ", ".join(f"'{state.value}'" for state in JobState if state in FINAL_STATES)

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

certificates = sa.Table(
    "certificates",
    metadata,
    _digest("fingerprint", primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("not_before_at", UtcDateTime, nullable=False),
    sa.Column("not_after_at", UtcDateTime, nullable=False),
    *_digests("fingerprint"),
    sa.CheckConstraint("not_before_at <= not_after_at", name="validity"),
)

seals = sa.Table(
    "seals",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("owner_code", sa.Text, nullable=False),
    sa.Column("shape", sa.Text, nullable=False),
    sa.Column("width_mm", sa.Float, nullable=False),
    sa.Column("height_mm", sa.Float, nullable=False),
    sa.Column("ink_box_mm", sa.JSON, nullable=False),
    _digest("image_digest", nullable=False),
    _digest("eseal_digest", nullable=True),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("valid_from_at", UtcDateTime, nullable=False),
    sa.Column("valid_until_at", UtcDateTime, nullable=False),
    sa.Column("micro_pattern", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("text_slots", sa.JSON, nullable=False, server_default=sa.text("'[]'")),
    _digest("source_digest", nullable=True),  # without a CHECK: SQLite adds none to a table that is there
    *_digests("image_digest", "eseal_digest"),
    sa.CheckConstraint(
        "width_mm > 0 AND width_mm <= 70 AND height_mm > 0 AND height_mm <= 70", name="fits_canvas"
    ),
    sa.CheckConstraint("valid_from_at <= valid_until_at", name="validity"),
    sa.CheckConstraint("length(id) > 0 AND length(name) > 0", name="named"),
)

seal_bindings = sa.Table(
    "seal_bindings",
    metadata,
    sa.Column("seal_id", sa.ForeignKey("seals.id"), primary_key=True),
    sa.Column("certificate_fingerprint", sa.ForeignKey("certificates.fingerprint"), nullable=False),
)

packages = sa.Table(
    "packages",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    _digest("key", nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    _digest("plan_digest", nullable=False),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("bidder", sa.Text, nullable=False),
    sa.Column("document_type", sa.Text, nullable=False),
    sa.Column("key_uri", sa.Text, nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    *_digests("key", "plan_digest"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(48), primary_key=True),
    sa.Column("package_id", sa.ForeignKey("packages.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("ordinal", sa.Integer, nullable=False),
    _digest("source_digest", nullable=False),
    sa.Column("source_size_bytes", sa.BigInteger, nullable=False),
    sa.Column("state", _state(), nullable=False),
    sa.Column("error_code", sa.Text, nullable=True),
    sa.Column("error_message", sa.Text, nullable=True),
    sa.Column("error_message_zh", sa.Text, nullable=True),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("wait_until_at", UtcDateTime, nullable=True),
    sa.UniqueConstraint("package_id", "name"),
    sa.UniqueConstraint("package_id", "ordinal", name="uq_jobs_package_ordinal"),
    *_digests("source_digest"),
    sa.CheckConstraint(f"state IN ({_STATES})", name="state_is_known"),
    sa.CheckConstraint("state <> 'refused' OR error_code IS NOT NULL", name="refused_says_why"),
    sa.CheckConstraint("(error_code IS NULL) = (error_message IS NULL)", name="error_is_whole"),
    sa.CheckConstraint(f"wait_until_at IS NULL OR state NOT IN ({_FINAL})", name="final_waits_for_nothing"),
    sa.CheckConstraint("source_size_bytes >= 0 AND ordinal >= 0 AND attempts >= 0", name="counts"),
    sa.Index("ix_jobs_state", "state", "updated_at"),
)

job_origins = sa.Table(
    "job_origins",
    metadata,
    sa.Column("job_id", sa.ForeignKey("jobs.id"), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    _digest("digest", nullable=False, index=True),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("how", sa.Text, nullable=False),
    sa.Column("tool", sa.Text, nullable=False),
    sa.Column("findings", sa.JSON, nullable=False),
    *_digests("digest"),
    sa.CheckConstraint("size_bytes >= 0", name="counts"),
    sa.CheckConstraint("length(name) > 0 AND length(how) > 0", name="named"),
)

job_outputs = sa.Table(
    "job_outputs",
    metadata,
    sa.Column("job_id", sa.ForeignKey("jobs.id"), primary_key=True),
    sa.Column("state", _state(), primary_key=True),
    _digest("digest", nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    *_digests("digest"),
    sa.CheckConstraint(f"state IN ({_STATES})", name="state_is_known"),
    sa.CheckConstraint("size_bytes >= 0", name="counts"),
)

signature_claims = sa.Table(
    "signature_claims",
    metadata,
    sa.Column("job_id", sa.ForeignKey("jobs.id"), primary_key=True),
    sa.Column("certificate_fingerprint", sa.ForeignKey("certificates.fingerprint"), nullable=False),
    sa.Column("field_name", sa.Text, nullable=False),
    sa.Column("claimed_at", UtcDateTime, nullable=False),
    sa.Column("claimed_by", sa.Text, nullable=False),
    _digest("output_digest", nullable=True),
    *_digests("output_digest"),
)

archives = sa.Table(
    "archives",
    metadata,
    sa.Column("job_id", sa.ForeignKey("jobs.id"), primary_key=True),
    _digest("original_digest", nullable=False, index=True),
    _digest("signed_digest", nullable=True, index=True),
    _digest("verdict_digest", nullable=True),
    _digest("manifest_digest", nullable=False),
    _digest("evidence_digest", nullable=False),
    sa.Column("retain_until_at", UtcDateTime, nullable=False),
    sa.Column("archived_at", UtcDateTime, nullable=False, index=True),
    sa.Column("stamped_at", UtcDateTime, nullable=True),
    sa.Column("signer", sa.Text, nullable=False),
    *_digests("original_digest", "signed_digest", "verdict_digest", "manifest_digest", "evidence_digest"),
)

voids = sa.Table(
    "voids",
    metadata,
    sa.Column("job_id", sa.ForeignKey("archives.job_id"), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("voided_at", UtcDateTime, nullable=False),
    sa.Column("voided_by", sa.Text, nullable=False),
    _digest("record_digest", nullable=False),
    _digest("signature_digest", nullable=False),
    *_digests("record_digest", "signature_digest"),
)

stampings = sa.Table(
    "stampings",
    metadata,
    _digest("stamped_digest", primary_key=True),
    _digest("original_digest", nullable=False),
    sa.Column("original_size_bytes", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("stamped_at", UtcDateTime, nullable=False),
    sa.Column("stamped_by", sa.Text, nullable=False),
    *_digests("stamped_digest", "original_digest"),
    sa.CheckConstraint("original_size_bytes >= 0", name="counts"),
)

legal_holds = sa.Table(
    "legal_holds",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("job_id", sa.ForeignKey("jobs.id"), nullable=False, index=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("placed_at", UtcDateTime, nullable=False),
    sa.Column("placed_by", sa.Text, nullable=False),
    sa.Column("lifted_at", UtcDateTime, nullable=True),
    sa.CheckConstraint("lifted_at IS NULL OR lifted_at >= placed_at", name="lifted_after_placed"),
)

plan_presets = sa.Table(
    "plan_presets",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    _digest("plan_digest", nullable=True),
    sa.Column("saved_at", UtcDateTime, nullable=False),
    sa.Column("saved_by", sa.Text, nullable=False),
    *_digests("plan_digest"),
    sa.CheckConstraint("length(name) > 0", name="named"),
    sa.CheckConstraint("version >= 1", name="counts"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("job_id", sa.String(48), nullable=True, index=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    _digest("prev_digest", nullable=False),
    _digest("digest", nullable=False, unique=True),
    *_digests("prev_digest", "digest"),
    sa.CheckConstraint("seq >= 1", name="counts"),
)

chain_head = sa.Table(
    "chain_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.Integer, nullable=False),
    _digest("digest", nullable=False),
    *_digests("digest"),
    sa.CheckConstraint("id = 1", name="is_one_row"),
)
