"""Asks a service all the time, as its users do, and remembers which requests failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.durability.declared import COMPONENT
from tests.durability.place import ENVIRONMENT, PROJECT, Place

_PAUSE = 0.1


@asynccontextmanager
async def observed(place: Place, failures: list[str]) -> AsyncIterator[None]:
    """Notes every request that was not answered while the block lasts.

    It begins when the service answers: a gateway learns of a new route with some delay.
    """
    headers = {"Host": f"{COMPONENT}.{PROJECT}.{place.name}.{ENVIRONMENT}.localhost"}
    gateway = place.environment["PAVANE_GATEWAY__URL"]
    async with httpx.AsyncClient(base_url=gateway, headers=headers, trust_env=False) as client:
        while await _problem(client):  # noqa: ASYNC110 - the gateway is another process
            await asyncio.sleep(_PAUSE)
        asking = asyncio.create_task(_ask(client, failures))
        try:
            yield
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


async def _ask(client: httpx.AsyncClient, failures: list[str]) -> None:
    while True:
        problem = await _problem(client)
        if problem:
            failures.append(problem)
        await asyncio.sleep(_PAUSE)


async def _problem(client: httpx.AsyncClient) -> str:
    try:
        answer = await client.get("/", timeout=10)
    except httpx.HTTPError as error:
        return type(error).__name__
    return "" if answer.is_success else f"status {answer.status_code}"
