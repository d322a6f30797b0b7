from __future__ import annotations

import asyncio

import httpx
import uvicorn

from api.app import create_app
from api.main import _Server
from api.services import Services


async def test_a_stop_does_not_wait_for_those_who_follow(
    acme: str, dev: httpx.AsyncClient, services: Services
) -> None:
    order = {"organization": acme, "component": "web", "revision": "abcd" * 10}
    accepted = (await dev.post("/v1/builds", json=order)).json()
    server = _Server(
        uvicorn.Config(create_app(services), port=0, log_config=None, ws="none"), services
    )
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(60):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        headers = {"Authorization": "Bearer dev"}
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as client,
            client.stream("GET", accepted["links"]["events"], timeout=15) as answer,
        ):
            lines = answer.aiter_lines()
            first = await anext(lines)
            server.should_exit = True
            rest = [line async for line in lines]

    await asyncio.wait_for(serving, 8)
    assert first.startswith("id: ")
    assert any(line == "event: operation" for line in rest)
