"""Concurrent work whose first failure is told as it is, not wrapped in a group."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

from devstack.errors import DevstackError


async def together(*works: Coroutine[Any, Any, object]) -> None:
    """Does all works at once; when one fails the others are cancelled.

    Raises:
        DevstackError: the first that a work raised.
    """
    first: DevstackError | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except* DevstackError as failures:
        first = next(_leaves(failures))
    if first is not None:
        raise first


def _leaves(group: BaseExceptionGroup[DevstackError]) -> Iterator[DevstackError]:
    for failure in group.exceptions:
        if isinstance(failure, BaseExceptionGroup):
            yield from _leaves(failure)
        else:
            yield failure
