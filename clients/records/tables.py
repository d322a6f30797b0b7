"""The tables. The first migration made them; `tests` compare them with what migrations make."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class Moment(TypeDecorator[datetime]):
    """An aware time in UTC, also where the database knows no time zones (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Writes UTC; drops the zone where it cannot be kept."""
        if value is None:
            return None
        aware = value.astimezone(UTC)
        return aware.replace(tzinfo=None) if dialect.name == "sqlite" else aware

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Reads UTC."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.replace(tzinfo=UTC)


METADATA = MetaData()

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only when the type is exactly INTEGER."""

FACTS = Table(
    "audit_facts",
    METADATA,
    Column("organization", String(63), primary_key=True),
    Column("sequence", NUMBER, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("body", Text, nullable=False),
    # Copies of what the body says, for filters only; never believed when the chain is verified.
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("component", Text, nullable=False),
    Column("environment", Text, nullable=False),
    UniqueConstraint("organization", "key", name="audit_facts_key"),
    Index("audit_facts_by_component", "organization", "component", "sequence"),
)

HEADS = Table(
    "audit_heads",
    METADATA,
    Column("organization", String(63), primary_key=True),
    Column("sequence", NUMBER, nullable=False, autoincrement=False),
    Column("hash", String(64), nullable=False),
)
"""Where each chain ends; its row is what writers of a chain wait for."""

SIGNATURES = Table(
    "audit_signatures",
    METADATA,
    Column("organization", String(63), primary_key=True),
    Column("sequence", NUMBER, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("signature", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("key", Text, nullable=False, server_default=""),
    Column("public_key", Text, nullable=False, server_default=""),
)

HISTORY = Table(
    "deployment_history",
    METADATA,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("organization", String(63), nullable=False),
    Column("project", Text, nullable=False),
    Column("component", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("deployment", Text, nullable=False),
    Column("release", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("started", Moment, nullable=False),
    Column("finished", Moment, nullable=False),
    Column("body", Text, nullable=False),
    Index("deployment_history_by_component", "organization", "component", "environment", "number"),
    Index("deployment_history_by_name", "organization", "deployment"),
)

STOPS = Table(
    "emergency_stops",
    METADATA,
    Column("organization", String(63), primary_key=True),
    Column("environment", String(63), primary_key=True),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Moment, nullable=False),
)
"""What is stopped now; both empty = everything. Who changed it when is in the chains."""

APPEND_ONLY = (FACTS, SIGNATURES, HISTORY)
"""Tables whose rows nobody changes or deletes: triggers refuse it."""
