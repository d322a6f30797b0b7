"""Answers that go on: cut off when something else happens, and joined from several sources."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def until(parts: AsyncGenerator[T, None], *stops: asyncio.Event) -> AsyncGenerator[T, None]:
    """Yields the parts until they end or one of the events is set, then closes their source."""
    waits = [asyncio.ensure_future(stop.wait()) for stop in stops]
    following: asyncio.Future[T] | None = None
    try:
        while True:
            following = asyncio.ensure_future(anext(parts))
            await asyncio.wait({following, *waits}, return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                return
            try:
                part = following.result()
            except StopAsyncIteration:
                return
            yield part
    finally:
        tasks: list[asyncio.Future[Any]] = [*waits]
        tasks += [following] if following is not None else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await parts.aclose()


async def begun(parts: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Waits for the first part, so that an error is still an error status and not a cut stream."""
    first = await anext(parts, None)
    return _with_first(first, parts)


async def _with_first(first: T | None, parts: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    try:
        if first is not None:
            yield first
        async for part in parts:
            yield part
    finally:
        await parts.aclose()


class Joined(AsyncIterator[T]):
    """Parts of several sources in the order in which they arrive; sources may join later."""

    def __init__(self) -> None:
        self._arrived: asyncio.Queue[T] = asyncio.Queue(maxsize=100)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def has(self, name: str) -> bool:
        """Tells whether a source of that name has been added."""
        return name in self._tasks

    def add(self, name: str, parts: AsyncIterator[T]) -> None:
        """Begins to read another source."""
        self._tasks[name] = asyncio.create_task(self._read(parts), name=f"join {name}")

    def run(self, adding: Coroutine[Any, Any, None]) -> None:
        """Runs what adds sources, as long as the parts are read."""
        self._tasks[""] = asyncio.create_task(adding, name="join")

    async def __anext__(self) -> T:
        return await self._arrived.get()

    async def close(self) -> None:
        """Ends all sources."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _read(self, parts: AsyncIterator[T]) -> None:
        async for part in parts:
            await self._arrived.put(part)
