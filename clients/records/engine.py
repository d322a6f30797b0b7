"""How the database is connected to: SQLite embedded, PostgreSQL through asyncpg."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from domain.errors import DependencyUnavailable, Errored, InvalidRequest

WRITES = {"pavane_writes": True}
"""Execution option of connections that write: SQLite takes its one writer's lock at once."""
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_NO_TABLE = re.compile("no such table|relation .* does not exist")
_BUSY_SECONDS = 20
_CONNECTIONS = 5


def parsed(url: str) -> URL:
    """Returns the URL with the driver that is used.

    Raises:
        InvalidRequest: It names no database that can be used. The message has no password.
    """
    try:
        given = make_url(url)
    except ArgumentError as error:
        raise InvalidRequest(
            "the URL of the records database is not one: use sqlite:////folder/records.db or "
            "postgresql://user@host/name"
        ) from error
    driver = _DRIVERS.get(given.get_backend_name())
    if driver is None:
        raise InvalidRequest(
            f"the records database cannot be {given.get_backend_name()}: use sqlite or postgresql"
        )
    return given.set(drivername=driver)


def connected(url: URL) -> AsyncEngine:
    """Returns the engine; nothing is connected before it is used."""
    if url.get_backend_name() != "sqlite":
        return create_async_engine(
            url,
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args={"timeout": 5, "command_timeout": 30},
        )
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = create_async_engine(url, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Transactions are begun by `_begin_sqlite`, not by the driver when it thinks fit.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer waits for the lock at its beginning, as a read lock cannot become one later."""
    writes = connection.get_execution_options().get("pavane_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turns errors of database and driver into ours; what is written never shows in them."""
    try:
        yield
    except DBAPIError as error:
        reason = _first_line(error.orig)
        if _NO_TABLE.search(reason):
            raise DependencyUnavailable(
                f"records database {where} has no tables yet: start a worker or run "
                "`pavane records migrate`"
            ) from None
        if "append-only" in reason:
            raise Errored(f"records database {where}: {reason}") from None
        raise DependencyUnavailable(f"records database {where}: {reason}") from None
    except (OSError, TimeoutError) as error:
        reason = _first_line(error)
        raise DependencyUnavailable(f"records database {where} does not answer: {reason}") from None
    except SQLAlchemyError as error:
        raise DependencyUnavailable(f"records database {where}: {_first_line(error)}") from None


def _first_line(error: BaseException | None) -> str:
    lines = str(error).splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
