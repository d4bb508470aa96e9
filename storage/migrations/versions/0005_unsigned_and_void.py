"""Documents kept without a signature (暗标), documents voided by a signed record, unsigned stampings.

Revision: 0005.
"""

import sqlalchemy as sa
from alembic import op

from storage.schema import UtcDateTime, is_sha256

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OLD_STATES = (
    "'received', 'inspected', 'planned', 'stamped', 'signing', 'signed', 'awaiting_timestamp', "
    "'timestamped', 'verified', 'archived', 'refused', 'cancelled'"
)
_OLD_FINAL = "'archived', 'refused', 'cancelled'"
_OLD_CHECKS = {
    ("jobs", "state_is_known"): f"state IN ({_OLD_STATES})",
    ("job_outputs", "state_is_known"): f"state IN ({_OLD_STATES})",
    ("jobs", "final_waits_for_nothing"): f"wait_until_at IS NULL OR state NOT IN ({_OLD_FINAL})",
}
_NEVER = (
    ("voids", "UPDATE", "a void record stays as it was made"),
    ("voids", "DELETE", "a void record stays"),
    ("stampings", "UPDATE", "a stamping stays as it was made"),
)
# As in the first migration: table, before which act, when it is wrong, what is wrong.
_RULES = (
    (
        "jobs",
        "UPDATE",
        "NEW.state = 'kept_unsigned' AND NOT EXISTS (SELECT 1 FROM archives a WHERE a.job_id = NEW.id)",
        "a document that is kept has an archive record",
    ),
    (
        "jobs",
        "UPDATE",
        "OLD.state = 'kept_unsigned' AND NEW.state <> 'kept_unsigned'",
        "a document that is kept stays kept",
    ),
    (
        "jobs",
        "UPDATE",
        "NEW.state IN ('unsigned', 'kept_unsigned', 'cancelled')"
        " AND EXISTS (SELECT 1 FROM signature_claims c"
        " WHERE c.job_id = NEW.id AND c.output_digest IS NOT NULL)",
        "what is signed is neither cancelled nor kept unsigned",
    ),
    (
        "archives",
        "INSERT",
        "(NEW.signed_digest IS NULL) <> (NEW.verdict_digest IS NULL)",
        "a signed document is archived with its verdict",
    ),
    (
        "archives",
        "INSERT",
        "NEW.signed_digest IS NULL AND EXISTS (SELECT 1 FROM signature_claims c"
        " WHERE c.job_id = NEW.job_id AND c.output_digest IS NOT NULL)",
        "a signed document is archived with its signature",
    ),
)


def upgrade() -> None:
    """Let jobs be unsigned and archives be of unsigned documents; add the tables."""
    if op.get_bind().dialect.name == "sqlite":
        _widen_sqlite()
    else:
        _widen_postgres()
    op.create_table(
        "voids",
        sa.Column("job_id", sa.String(48), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("voided_at", UtcDateTime, nullable=False),
        sa.Column("voided_by", sa.Text, nullable=False),
        sa.Column("record_digest", sa.String(64), nullable=False),
        sa.Column("signature_digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_voids")),
        sa.ForeignKeyConstraint(["job_id"], ["archives.job_id"], name=op.f("fk_voids_job_id")),
        *(_sha256("voids", name) for name in ("record_digest", "signature_digest")),
    )
    op.create_table(
        "stampings",
        sa.Column("stamped_digest", sa.String(64), nullable=False),
        sa.Column("original_digest", sa.String(64), nullable=False),
        sa.Column("original_size_bytes", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("stamped_at", UtcDateTime, nullable=False),
        sa.Column("stamped_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("stamped_digest", name=op.f("pk_stampings")),
        *(_sha256("stampings", name) for name in ("stamped_digest", "original_digest")),
        sa.CheckConstraint("original_size_bytes >= 0", name=op.f("ck_stampings_counts")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_triggers()
    else:
        _postgres_triggers()


def _sha256(table: str, column: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(is_sha256(column), name=op.f(f"ck_{table}_{column}_is_sha256"))


def _widened(check: str) -> str:
    """Return a check's text with the new states."""
    is_final = check.startswith("wait")
    return check.removesuffix(")") + (", 'kept_unsigned')" if is_final else ", 'unsigned', 'kept_unsigned')")


def _widen_postgres() -> None:
    for (table, name), old in _OLD_CHECKS.items():
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, _widened(old))
    for column in ("signed_digest", "verdict_digest"):
        op.alter_column("archives", column, nullable=True)


def _widen_sqlite() -> None:
    """Change checks where they stand: what is stored stays as it is, so no table is copied.

    Source: https://www.sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes".
    """
    changes = [(table, old, _widened(old)) for (table, _), old in _OLD_CHECKS.items()]
    changes += [
        ("archives", f"{column} VARCHAR(64) NOT NULL", f"{column} VARCHAR(64)")
        for column in ("signed_digest", "verdict_digest")
    ]
    connection = op.get_bind()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    for table, old, new in changes:
        changed = connection.exec_driver_sql(
            "UPDATE sqlite_schema SET sql = replace(sql, ?, ?)"
            " WHERE type = 'table' AND name = ? AND instr(sql, ?) > 0",
            (old, new, table, old),
        )
        if changed.rowcount != 1:
            raise RuntimeError(f"table {table} is not as migration 0001 made it: {old!r} is missing")
    connection.exec_driver_sql("PRAGMA writable_schema=RESET")


def _sqlite_triggers() -> None:
    for table, act, fact in _NEVER:
        op.execute(
            f"CREATE TRIGGER {table}_never_{act.lower()} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{fact}'); END"
        )
    for number, (table, act, wrong, fact) in enumerate(_RULES, start=1):
        op.execute(
            f"CREATE TRIGGER {table}_rule_0005_{number} BEFORE {act} ON {table} WHEN {wrong} "
            f"BEGIN SELECT RAISE(ABORT, '{fact}'); END"
        )


def _postgres_triggers() -> None:
    for table, act, fact in _NEVER:
        name = f"{table}_never_{act.lower()}"
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{fact}' USING ERRCODE = 'check_violation'; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    for number, (table, act, wrong, fact) in enumerate(_RULES, start=1):
        name = f"{table}_rule_0005_{number}"
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {wrong} THEN "
            f"RAISE EXCEPTION '{fact}' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
