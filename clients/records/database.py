"""Runs what is asked of the database to its end, whoever still waits for the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from clients.records.engine import WRITES, translated

T = TypeVar("T")


class Database:
    """One engine, whose connections are always given back.

    A caller that is cancelled, such as a request whose client is gone, leaves at once. Its work
    goes on: breaking it off would leave a connection that nobody closes, and a thread with it.
    """

    def __init__(self, engine: AsyncEngine, place: str) -> None:
        self.engine = engine
        self.place = place
        """Where the database is, without a password; part of each error."""
        self._running: set[asyncio.Task[object]] = set()

    async def read(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Returns what the work answers.

        Raises:
            DependencyUnavailable: The database does not answer.
        """
        return await self._to_its_end(work, writing=False)

    async def write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Does the work in one transaction: whole or not at all.

        Raises:
            DependencyUnavailable: The database does not answer.
        """
        return await self._to_its_end(work, writing=True)

    async def close(self) -> None:
        """Waits for what runs and ends the connections."""
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.engine.dispose()

    async def _to_its_end(
        self, work: Callable[[AsyncConnection], Awaitable[T]], *, writing: bool
    ) -> T:
        task: asyncio.Task[T] = asyncio.create_task(self._run(work, writing=writing))
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[T]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # it was told to whoever still waited

    async def _run(self, work: Callable[[AsyncConnection], Awaitable[T]], *, writing: bool) -> T:
        with translated(self.place):
            async with self.engine.connect() as connection:
                if not writing:
                    return await work(connection)
                writer = await connection.execution_options(**WRITES)
                async with writer.begin():
                    return await work(writer)
