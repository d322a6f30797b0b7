"""No organization has all places in which gates are asked."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.promotions.webhooks import WebhookActivities
from domain.deliveries.promotion_effects import WebhookCall
from domain.deliveries.promotions import GateOutcome
from domain.errors import OutOfTurn

pytestmark = pytest.mark.unit


class Slow:
    """A system that answers when it is told to."""

    def __init__(self) -> None:
        self.url = ""
        self.asked = asyncio.Semaphore(0)
        self.answers = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked.release()
        await self.answers.wait()
        body = b'{"passed": true, "reason": "fine"}'
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        writer.write(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    async def listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        return server


async def test_an_organization_that_has_its_share_leaves_its_place_to_others_and_comes_again(
    tmp_path: Path,
) -> None:
    for name in ("acme", "globex"):
        (tmp_path / name).write_text("key")
    slow = Slow()
    server = await slow.listen()
    activities = WebhookActivities(tmp_path, share=2)

    async def ask(organization: str) -> GateOutcome:
        call = WebhookCall(gate="board", id="1", organization=organization, url=slow.url, body="{}")
        return await ActivityEnvironment().run(activities.call_gate, call)

    async with server:
        busy = [asyncio.ensure_future(ask("acme")) for _ in range(2)]
        for _ in busy:
            await slow.asked.acquire()

        with pytest.raises(OutOfTurn, match="2 gates of acme are being asked"):
            await ask("acme")
        other = asyncio.ensure_future(ask("globex"))
        await slow.asked.acquire()
        slow.answers.set()

        assert all(one.passed for one in await asyncio.gather(*busy, other))
        assert (await ask("acme")).passed
