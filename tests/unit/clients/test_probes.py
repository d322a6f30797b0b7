"""How a component is asked from outside, and what is said of its answer."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from clients.web import Probes, Web


async def test_each_request_finds_its_own_way_and_is_judged_by_its_status() -> None:
    connections = set()

    async def answer(request: web.Request) -> web.Response:
        connections.add(request.transport)
        return web.Response(status=int(request.query["status"]), body=b"x" * 100_000)

    app, shared = web.Application(), Web()
    app.router.add_get("/", answer)
    async with TestServer(app) as server:
        url = str(server.make_url("/?status=")).replace("127.0.0.1", "web.localhost")
        probes = Probes(shared)
        well = await probes.ask(f"{url}302", timeout_seconds=30)
        wanted = await probes.ask(f"{url}418", statuses=(418,), timeout_seconds=30)
        unwell = await probes.ask(f"{url}503", timeout_seconds=30)
        await shared.close()

    assert [one.passed for one in (well, wanted, unwell)] == [True, True, False]
    assert well.message.startswith("302 after ")
    assert (unwell.reason, unwell.message) == ("Status503", f"{url}503 answered 503")
    assert len(connections) == 3


@pytest.mark.parametrize("content", [b"", b"busy"])
async def test_a_server_is_judged_whether_or_not_it_says_something(content: bytes) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content))

    assert (await Probes(Web(transport=transport)).ask("http://web")).passed


async def test_no_answer_is_an_answer_too() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    silent = Probes(Web(transport=httpx.MockTransport(never)))
    late = await silent.ask("http://web", timeout_seconds=0.05)
    away = await Probes().ask("http://127.0.0.1:1", timeout_seconds=30)
    nonsense = await Probes().ask("http://[", timeout_seconds=30)

    assert [one.reason for one in (late, away, nonsense)] == ["Timeout", "NoAnswer", "NoAnswer"]
    assert late.message == "http://web did not answer within 0.05 s"
