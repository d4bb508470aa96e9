"""The first tables, and the triggers that guard them.

Revision: 0001.
"""

import sqlalchemy as sa
from alembic import op

from storage.schema import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATES = (
    "'received', 'inspected', 'planned', 'stamped', 'signing', 'signed', 'awaiting_timestamp', "
    "'timestamped', 'verified', 'archived', 'refused', 'cancelled'"
)
_FINAL = "'archived', 'refused', 'cancelled'"
_HAVE_SIGNATURE = "'signed', 'awaiting_timestamp', 'timestamped', 'verified', 'archived'"


def _sha256(table: str, column: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        f"length({column}) = 64 AND trim({column}, '0123456789abcdef') = ''",
        name=op.f(f"ck_{table}_{column}_is_sha256"),
    )


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def upgrade() -> None:
    """Make every table and every trigger."""
    _keys_and_seals()
    _work()
    _keeping()
    _log()
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_triggers()
    else:
        _postgres_triggers()


def _keys_and_seals() -> None:
    op.create_table(
        "certificates",
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("not_before_at", UtcDateTime, nullable=False),
        sa.Column("not_after_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_certificates")),
        _sha256("certificates", "fingerprint"),
        _check("certificates", "validity", "not_before_at <= not_after_at"),
    )
    op.create_table(
        "seals",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("owner_code", sa.Text, nullable=False),
        sa.Column("shape", sa.Text, nullable=False),
        sa.Column("width_mm", sa.Float, nullable=False),
        sa.Column("height_mm", sa.Float, nullable=False),
        sa.Column("ink_box_mm", sa.JSON, nullable=False),
        sa.Column("image_digest", sa.String(64), nullable=False),
        sa.Column("eseal_digest", sa.String(64), nullable=True),
        sa.Column("standing", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("valid_from_at", UtcDateTime, nullable=False),
        sa.Column("valid_until_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seals")),
        sa.UniqueConstraint("name", name=op.f("uq_seals_name")),
        _sha256("seals", "image_digest"),
        _sha256("seals", "eseal_digest"),
        _check(
            "seals", "fits_canvas", "width_mm > 0 AND width_mm <= 70 AND height_mm > 0 AND height_mm <= 70"
        ),
        _check("seals", "validity", "valid_from_at <= valid_until_at"),
        _check("seals", "named", "length(id) > 0 AND length(name) > 0"),
    )
    op.create_table(
        "seal_bindings",
        sa.Column("seal_id", sa.String(64), nullable=False),
        sa.Column("certificate_fingerprint", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seal_id", name=op.f("pk_seal_bindings")),
        sa.ForeignKeyConstraint(["seal_id"], ["seals.id"], name=op.f("fk_seal_bindings_seal_id")),
        sa.ForeignKeyConstraint(
            ["certificate_fingerprint"],
            ["certificates.fingerprint"],
            name=op.f("fk_seal_bindings_certificate_fingerprint"),
        ),
    )


def _work() -> None:
    op.create_table(
        "packages",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("plan_digest", sa.String(64), nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("bidder", sa.Text, nullable=False),
        sa.Column("document_type", sa.Text, nullable=False),
        sa.Column("key_uri", sa.Text, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packages")),
        sa.UniqueConstraint("key", name=op.f("uq_packages_key")),
        _sha256("packages", "key"),
        _sha256("packages", "plan_digest"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(48), nullable=False),
        sa.Column("package_id", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("source_digest", sa.String(64), nullable=False),
        sa.Column("source_size_bytes", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("error_code", sa.Text, nullable=True),
        sa.Column("error_message", sa.Text, nullable=True),
        sa.Column("error_message_zh", sa.Text, nullable=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("wait_until_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.ForeignKeyConstraint(["package_id"], ["packages.id"], name=op.f("fk_jobs_package_id")),
        sa.UniqueConstraint("package_id", "name", name=op.f("uq_jobs_package_id")),
        sa.UniqueConstraint("package_id", "ordinal", name=op.f("uq_jobs_package_ordinal")),
        _sha256("jobs", "source_digest"),
        _check("jobs", "state_is_known", f"state IN ({_STATES})"),
        _check("jobs", "refused_says_why", "state <> 'refused' OR error_code IS NOT NULL"),
        _check("jobs", "error_is_whole", "(error_code IS NULL) = (error_message IS NULL)"),
        _check("jobs", "final_waits_for_nothing", f"wait_until_at IS NULL OR state NOT IN ({_FINAL})"),
        _check("jobs", "counts", "source_size_bytes >= 0 AND ordinal >= 0 AND attempts >= 0"),
    )
    op.create_index(op.f("ix_jobs_state"), "jobs", ["state", "updated_at"])
    op.create_table(
        "job_outputs",
        sa.Column("job_id", sa.String(48), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "state", name=op.f("pk_job_outputs")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_outputs_job_id")),
        _sha256("job_outputs", "digest"),
        _check("job_outputs", "state_is_known", f"state IN ({_STATES})"),
        _check("job_outputs", "counts", "size_bytes >= 0"),
    )
    op.create_table(
        "signature_claims",
        sa.Column("job_id", sa.String(48), nullable=False),
        sa.Column("certificate_fingerprint", sa.String(64), nullable=False),
        sa.Column("field_name", sa.Text, nullable=False),
        sa.Column("claimed_at", UtcDateTime, nullable=False),
        sa.Column("claimed_by", sa.Text, nullable=False),
        sa.Column("output_digest", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_signature_claims")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_signature_claims_job_id")),
        sa.ForeignKeyConstraint(
            ["certificate_fingerprint"],
            ["certificates.fingerprint"],
            name=op.f("fk_signature_claims_certificate_fingerprint"),
        ),
        _sha256("signature_claims", "output_digest"),
    )


def _keeping() -> None:
    digests = ("original_digest", "signed_digest", "verdict_digest", "manifest_digest", "evidence_digest")
    op.create_table(
        "archives",
        sa.Column("job_id", sa.String(48), nullable=False),
        *(sa.Column(name, sa.String(64), nullable=False) for name in digests),
        sa.Column("retain_until_at", UtcDateTime, nullable=False),
        sa.Column("archived_at", UtcDateTime, nullable=False),
        sa.Column("stamped_at", UtcDateTime, nullable=True),
        sa.Column("signer", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_archives")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_archives_job_id")),
        *(_sha256("archives", name) for name in digests),
    )
    for column in ("original_digest", "signed_digest", "archived_at"):
        op.create_index(op.f(f"ix_archives_{column}"), "archives", [column])
    op.create_table(
        "legal_holds",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("job_id", sa.String(48), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("placed_at", UtcDateTime, nullable=False),
        sa.Column("placed_by", sa.Text, nullable=False),
        sa.Column("lifted_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_legal_holds_job_id")),
        _check("legal_holds", "lifted_after_placed", "lifted_at IS NULL OR lifted_at >= placed_at"),
    )
    op.create_index(op.f("ix_legal_holds_job_id"), "legal_holds", ["job_id"])


def _log() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("job_id", sa.String(48), nullable=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("prev_digest", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
        sa.UniqueConstraint("digest", name=op.f("uq_events_digest")),
        _sha256("events", "prev_digest"),
        _sha256("events", "digest"),
        _check("events", "counts", "seq >= 1"),
    )
    op.create_index(op.f("ix_events_job_id"), "events", ["job_id"])
    head = op.create_table(
        "chain_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain_head")),
        _sha256("chain_head", "digest"),
        _check("chain_head", "is_one_row", "id = 1"),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "digest": "0" * 64}])


_NEVER = (
    ("events", "UPDATE", "the event log only grows"),
    ("events", "DELETE", "the event log only grows"),
    ("chain_head", "DELETE", "the event log only grows"),
    ("signature_claims", "DELETE", "a signature claim stays"),
    ("archives", "DELETE", "an archived document stays in the records"),
)
# table, before which act, when it is wrong, what is wrong; a condition is the same SQL on both databases.
_RULES = (
    ("jobs", "INSERT", "NEW.state <> 'received'", "a job begins as received"),
    (
        "jobs",
        "UPDATE",
        "OLD.state = 'archived' AND NEW.state <> 'archived'",
        "an archived document stays archived",
    ),
    (
        "jobs",
        "UPDATE",
        "NEW.state = 'signing' AND NOT EXISTS (SELECT 1 FROM signature_claims c WHERE c.job_id = NEW.id)",
        "a file is claimed before it is signed",
    ),
    (
        "jobs",
        "UPDATE",
        f"NEW.state IN ({_HAVE_SIGNATURE}) AND NOT EXISTS (SELECT 1 FROM signature_claims c"  # noqa: S608
        " WHERE c.job_id = NEW.id AND c.output_digest IS NOT NULL)",
        "no signature is recorded for this file",
    ),
    (
        "jobs",
        "UPDATE",
        "NEW.state = 'archived' AND NOT EXISTS (SELECT 1 FROM archives a WHERE a.job_id = NEW.id)",
        "an archived document has an archive record",
    ),
    (
        "jobs",
        "UPDATE",
        "NEW.source_digest <> OLD.source_digest OR NEW.package_id <> OLD.package_id OR NEW.name <> OLD.name",
        "what came in stays what it was",
    ),
    (
        "signature_claims",
        "UPDATE",
        "OLD.output_digest IS NOT NULL"
        " AND (NEW.output_digest IS NULL OR NEW.output_digest <> OLD.output_digest)",
        "a file is signed once",
    ),
    (
        "signature_claims",
        "UPDATE",
        "NEW.job_id <> OLD.job_id OR NEW.certificate_fingerprint <> OLD.certificate_fingerprint"
        " OR NEW.field_name <> OLD.field_name OR NEW.claimed_at <> OLD.claimed_at",
        "a signature claim stays as it was made",
    ),
    (
        "job_outputs",
        "UPDATE",
        "OLD.state = 'signed' AND NEW.digest <> OLD.digest",
        "a file is signed once",
    ),
    (
        "seal_bindings",
        "UPDATE",
        "NEW.certificate_fingerprint <> OLD.certificate_fingerprint",
        "a seal is bound to one certificate",
    ),
)


def _sqlite_triggers() -> None:
    for table, act, fact in _NEVER:
        op.execute(
            f"CREATE TRIGGER {table}_never_{act.lower()} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{fact}'); END"
        )
    for number, (table, act, wrong, fact) in enumerate(_RULES, start=1):
        op.execute(
            f"CREATE TRIGGER {table}_rule_{number} BEFORE {act} ON {table} WHEN {wrong} "
            f"BEGIN SELECT RAISE(ABORT, '{fact}'); END"
        )


def _postgres_triggers() -> None:
    for number, (table, act, fact) in enumerate(_NEVER, start=1):
        name = f"{table}_never_{number}"
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{fact}' USING ERRCODE = 'check_violation'; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    for table in ("events", "chain_head", "signature_claims", "archives"):
        op.execute(
            f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION events_never_1()"
        )
    for number, (table, act, wrong, fact) in enumerate(_RULES, start=1):
        name = f"{table}_rule_{number}"
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {wrong} THEN "
            f"RAISE EXCEPTION '{fact}' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
