"""Seals say whether their image carries a micro-pattern, and which texts are set when they are stamped.

Revision: 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns; seals made before have neither."""
    op.add_column("seals", sa.Column("micro_pattern", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("seals", sa.Column("text_slots", sa.JSON, nullable=False, server_default=sa.text("'[]'")))
