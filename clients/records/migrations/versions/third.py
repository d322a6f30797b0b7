"""Adds to signatures by which key they were made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns; no version before this one wrote signatures."""
    for name in ("key", "public_key"):
        column = sa.Column(name, sa.Text(), nullable=False, server_default="")
        op.add_column("audit_signatures", column)
