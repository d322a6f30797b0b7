"""The gate between worker and API server, with a scripted server behind it."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from devstack.certificates import Request
from devstack.faults.gate import Gate
from devstack.faults.model import Manner
from devstack.pki import Pki
from runtime.ports import free_port

pytestmark = pytest.mark.unit


class Upstream:
    """Answers with what it was asked; a watch tells one event and stays open."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.raw_path)
        if "watch" not in request.query:
            return web.json_response({"said": (await request.read()).decode()}, status=201)
        stream = web.StreamResponse()
        await stream.prepare(request)
        await stream.write(b'{"type":"ADDED"}\n')
        await asyncio.Event().wait()
        return stream


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


def tls(pki: Pki, *, server: bool) -> ssl.SSLContext:
    name = "server" if server else "client"
    made = pki.issue(name, Request(name, addresses=("127.0.0.1",)))
    purpose = ssl.Purpose.CLIENT_AUTH if server else ssl.Purpose.SERVER_AUTH
    context = ssl.create_default_context(purpose, cafile=str(made.authority))
    context.load_cert_chain(made.certificate, made.key)
    if server:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture
async def upstream(pki: Pki) -> AsyncIterator[tuple[Upstream, int]]:
    scripted, port = Upstream(), free_port()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", scripted.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls(pki, server=True)).start()
    yield scripted, port
    await runner.cleanup()


@pytest.fixture
async def gate(pki: Pki, upstream: tuple[Upstream, int]) -> AsyncIterator[tuple[Gate, str]]:
    port = free_port()
    gate = Gate(
        f"https://127.0.0.1:{upstream[1]}",
        port,
        serving=tls(pki, server=True),
        client=tls(pki, server=False),
    )
    await gate.open()
    yield gate, f"https://127.0.0.1:{port}"
    await gate.close()


@pytest.fixture
async def client(pki: Pki) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(ssl=tls(pki, server=False))
    limit = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(connector=connector, timeout=limit) as session:
        yield session


async def test_everything_is_passed_on_as_it_is(
    gate: tuple[Gate, str], upstream: tuple[Upstream, int], client: aiohttp.ClientSession
) -> None:
    async with client.post(f"{gate[1]}/api/v1/x?labelSelector=a%3Db", data="hello") as answer:
        assert (answer.status, await answer.json()) == (201, {"said": "hello"})

    assert upstream[0].asked == ["/api/v1/x?labelSelector=a%3Db"]


async def test_nobody_without_a_certificate_of_the_stack_gets_in(
    gate: tuple[Gate, str], pki: Pki
) -> None:
    stranger = ssl.create_default_context(cafile=str(pki.authority))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=stranger)) as session:
        with pytest.raises(aiohttp.ClientError):
            await _status(session, f"{gate[1]}/api/v1/x")


@pytest.mark.parametrize(
    ("manner", "method", "status"),
    [
        (Manner.BUSY, "GET", 429),
        (Manner.BROKEN, "GET", 500),
        (Manner.CONFLICTING, "PATCH", 409),
        (Manner.CONFLICTING, "GET", 201),
    ],
)
async def test_gate_misbehaves_until_it_is_told_to_behave(
    gate: tuple[Gate, str],
    client: aiohttp.ClientSession,
    manner: Manner,
    method: str,
    status: int,
) -> None:
    gate[0].misbehave(manner)
    refused = await _status(client, f"{gate[1]}/api/v1/x", method)
    gate[0].behave(manner)
    passed = await _status(client, f"{gate[1]}/api/v1/x", method)

    assert (refused, passed) == (status, 201)


async def test_silent_gate_answers_when_the_silence_ends(
    gate: tuple[Gate, str], upstream: tuple[Upstream, int], client: aiohttp.ClientSession
) -> None:
    gate[0].misbehave(Manner.SILENT)
    asking = asyncio.create_task(_status(client, f"{gate[1]}/held"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await asyncio.shield(asking)
    assert upstream[0].asked == []

    gate[0].behave(Manner.SILENT)

    assert await asking == 201


async def test_cut_breaks_what_is_open_and_refuses_what_is_new(
    gate: tuple[Gate, str], client: aiohttp.ClientSession
) -> None:
    watch = await client.get(f"{gate[1]}/api/v1/x?watch=1")
    assert await watch.content.readline() == b'{"type":"ADDED"}\n'

    await gate[0].cut()

    with pytest.raises(aiohttp.ClientError):
        await watch.content.readline()
    watch.close()
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.get(f"{gate[1]}/api/v1/x")
    await gate[0].open()
    assert await _status(client, f"{gate[1]}/api/v1/x") == 201


async def test_server_that_is_gone_looks_so_through_the_gate(
    pki: Pki, client: aiohttp.ClientSession
) -> None:
    port = free_port()
    gate = Gate(
        f"https://127.0.0.1:{free_port()}",
        port,
        serving=tls(pki, server=True),
        client=tls(pki, server=False),
    )
    await gate.open()
    try:
        with pytest.raises(aiohttp.ClientConnectionError):
            await _status(client, f"https://127.0.0.1:{port}/api/v1/x", "PATCH")
    finally:
        await gate.close()


async def test_expired_watch_ends_with_the_event_that_says_so(
    gate: tuple[Gate, str], client: aiohttp.ClientSession
) -> None:
    watch = await client.get(f"{gate[1]}/api/v1/x?watch=1")
    await watch.content.readline()

    assert gate[0].expire_watches() == 1

    told = json.loads(await watch.content.readline())
    assert (told["type"], told["object"]["code"]) == ("ERROR", 410)
    assert await watch.content.read() == b""
    watch.release()


async def _status(client: aiohttp.ClientSession, url: str, method: str = "GET") -> int:
    async with client.request(method, url) as answer:
        return answer.status
