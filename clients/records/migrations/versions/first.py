"""Makes the tables, and the triggers that keep their rows as they were written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_APPEND_ONLY = ("audit_facts", "audit_signatures", "deployment_history")


def upgrade() -> None:
    """Makes everything."""
    _audit()
    _history()
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _audit() -> None:
    op.create_table(
        "audit_facts",
        sa.Column("organization", sa.String(63), primary_key=True),
        sa.Column("sequence", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("actor", "action", "project", "component", "environment")
        ),
        sa.UniqueConstraint("organization", "key", name="audit_facts_key"),
    )
    op.create_index(
        "audit_facts_by_component", "audit_facts", ["organization", "component", "sequence"]
    )
    op.create_table(
        "audit_heads",
        sa.Column("organization", sa.String(63), primary_key=True),
        sa.Column("sequence", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "audit_signatures",
        sa.Column("organization", sa.String(63), primary_key=True),
        sa.Column("sequence", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
    )


def _history() -> None:
    op.create_table(
        "deployment_history",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("key", sa.Text(), nullable=False, unique=True),
        sa.Column("organization", sa.String(63), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in (
                *("project", "component", "environment", "deployment", "release", "phase"),
            )
        ),
        sa.Column("started", _MOMENT, nullable=False),
        sa.Column("finished", _MOMENT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_index(
        "deployment_history_by_component",
        "deployment_history",
        ["organization", "component", "environment", "number"],
    )
    op.create_index(
        "deployment_history_by_name", "deployment_history", ["organization", "deployment"]
    )


def _guard_sqlite() -> None:
    for table in _APPEND_ONLY:
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION pavane_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION pavane_append_only()"
        )
