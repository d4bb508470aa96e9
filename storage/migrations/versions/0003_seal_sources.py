"""Seals keep the digest of the image they were asked for with, beside that of the image with its pattern.

Revision: 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of seals made before nobody knows it."""
    op.add_column("seals", sa.Column("source_digest", sa.String(64), nullable=True))
