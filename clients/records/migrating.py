"""Brings the tables up to date. The migrations lie beside this module and ship with it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from clients.records.engine import WRITES

CURRENT = "0003"
"""The newest migration; a test compares it with the files."""
_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x70617661_6E65  # "pavane": one number for everybody who migrates the same database


async def migrate(engine: AsyncEngine) -> bool:
    """Runs the migrations that are missing, in one transaction; False = none was."""
    async with engine.connect() as connection:
        if await connection.run_sync(current) == CURRENT:
            return False
    async with engine.connect() as connection:
        writing = await connection.execution_options(**WRITES)
        async with writing.begin():
            return await writing.run_sync(_upgrade)


def current(connection: Connection) -> str:
    """Returns the migration a database is at; empty = it has no tables."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def _upgrade(connection: Connection) -> bool:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    if current(connection) == CURRENT:
        return False  # somebody else did it while this process waited for the lock
    # Needed once in the life of a database, and slow to import.
    from alembic import command  # noqa: PLC0415 - said above
    from alembic.config import Config  # noqa: PLC0415 - said above

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return True
