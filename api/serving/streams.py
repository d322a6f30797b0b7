"""Answers that go on: cut off when something else happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
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
