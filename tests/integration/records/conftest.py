from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from clients.records import SqlRecords
from tests.postgresql import postgresql


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of its own for each test."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new folder' / 'records.db'}"
    server = request.getfixturevalue("postgresql_server")
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(f"{server}/postgres")
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return f"{server}/{name}"


@pytest.fixture
async def records(url: str) -> AsyncIterator[SqlRecords]:
    records = SqlRecords.open(url)
    await records.migrate()
    yield records
    await records.close()


@pytest.fixture
async def writers(url: str, records: SqlRecords) -> AsyncIterator[list[SqlRecords]]:
    """Several processes' connections to the same database."""
    made = [SqlRecords.open(url) for _ in range(4)]
    yield made
    await asyncio.gather(*(each.close() for each in made))
