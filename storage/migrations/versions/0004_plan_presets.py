"""Plans are kept under names, version by version, so that a kind of tender is described once.

Revision: 0004.
"""

import sqlalchemy as sa
from alembic import op

from storage.schema import UtcDateTime, is_sha256

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_FACT = "a version of a preset stays as it was saved"


def upgrade() -> None:
    """Add the table; its rows never change."""
    op.create_table(
        "plan_presets",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("plan_digest", sa.String(64), nullable=True),
        sa.Column("saved_at", UtcDateTime, nullable=False),
        sa.Column("saved_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name="pk_plan_presets"),
        sa.CheckConstraint(is_sha256("plan_digest"), name=op.f("ck_plan_presets_plan_digest_is_sha256")),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_plan_presets_named")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_plan_presets_counts")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER plan_presets_never_{act.lower()} BEFORE {act} ON plan_presets "
                f"BEGIN SELECT RAISE(ABORT, '{_FACT}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION plan_presets_never() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_FACT}' USING ERRCODE = 'check_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER plan_presets_never BEFORE UPDATE OR DELETE ON plan_presets "
        "FOR EACH ROW EXECUTE FUNCTION plan_presets_never()"
    )
