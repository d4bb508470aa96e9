"""Jobs remember what came in, when the PDF that is stamped had to be made of it.

Revision: 0006.
"""

import sqlalchemy as sa
from alembic import op

from storage.schema import is_sha256

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_FACT = "what came in stays what it was"


def upgrade() -> None:
    """Add the table; its rows never change."""
    op.create_table(
        "job_origins",
        sa.Column("job_id", sa.String(48), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("tool", sa.Text, nullable=False),
        sa.Column("findings", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_job_origins")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_origins_job_id")),
        sa.CheckConstraint(is_sha256("digest"), name=op.f("ck_job_origins_digest_is_sha256")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_job_origins_counts")),
        sa.CheckConstraint("length(name) > 0 AND length(how) > 0", name=op.f("ck_job_origins_named")),
    )
    op.create_index(op.f("ix_job_origins_digest"), "job_origins", ["digest"])
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER job_origins_never_{act.lower()} BEFORE {act} ON job_origins "
                f"BEGIN SELECT RAISE(ABORT, '{_FACT}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION job_origins_never() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_FACT}' USING ERRCODE = 'check_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER job_origins_never BEFORE UPDATE OR DELETE ON job_origins "
        "FOR EACH ROW EXECUTE FUNCTION job_origins_never()"
    )
