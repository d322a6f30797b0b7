"""Organizations that ask slow systems without end keep no other organization waiting."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.promotions.webhooks import WebhookActivities
from domain import ids
from domain.deliveries.promotion_effects import WebhookCall
from domain.deliveries.promotions import GateOutcome
from tests.serving import own_client, served
from workflows.common.calls import call, watch

pytestmark = pytest.mark.workflows
_LONGEST = 300


@workflow.defn(sandboxed=False)
class GateAsked:
    """One gate of one promotion."""

    @workflow.run
    async def run(self, asked: WebhookCall) -> GateOutcome:
        longest = watch(timedelta(seconds=_LONGEST))
        return await call(
            WebhookActivities.call_gate, asked, "ask", queue=ids.GATES_QUEUE, options=longest
        )


class Board:
    """A system that answers a call when it is told to."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[tuple[str, asyncio.Event]] = []
        """Who asked, in order, and what lets it be answered."""
        self._serving: list[Any] = []

    @property
    def waiting(self) -> Counter[str]:
        """How many calls of each are not answered."""
        return Counter(who for who, answered in self.calls if not answered.is_set())

    def answer(self, who: str) -> None:
        """Answers one call."""
        next(event for one, event in self.calls if one == who and not event.is_set()).set()

    async def close(self) -> None:
        """Answers all, and ends when that is done."""
        for _, answered in self.calls:
            answered.set()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.append(asyncio.current_task())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        (length,) = re.findall(r"content-length: (\d+)", head)
        who = json.loads(await reader.readexactly(int(length)))["who"]
        answered = asyncio.Event()
        self.calls.append((who, answered))
        await answered.wait()
        body = b'{"passed": true, "reason": "fine"}'
        lines = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(lines.encode() + body)
        await writer.drain()
        writer.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(90):
        while not holds():  # noqa: ASYNC110 - what comes over the wire has no event
            await asyncio.sleep(0.02)


async def test_the_next_free_place_is_for_the_organization_that_has_none(
    own_temporal: Client, tmp_path: Path
) -> None:
    board, places = Board(), 4
    for name in ("a", "b", "c", "late"):
        (tmp_path / name).write_text("key")
    gates = WebhookActivities(tmp_path, share=4, places=places)
    client = await own_client(own_temporal)
    workers = [
        Worker(client, task_queue=ids.LANES_QUEUE, workflows=[GateAsked]),
        Worker(
            client,
            task_queue=ids.GATES_QUEUE,
            activities=[gates.call_gate],
            max_concurrent_activities=places,
        ),
    ]

    async def ask(who: str, number: int) -> WorkflowHandle[Any, GateOutcome]:
        asked = WebhookCall(
            gate="board",
            id=f"{who}-{number}",
            organization=who,
            url=board.url,
            timeout_seconds=_LONGEST,
            body=json.dumps({"who": who}),
        )
        return await own_temporal.start_workflow(
            GateAsked.run, asked, id=f"gate/{who}/{number}", task_queue=ids.LANES_QUEUE
        )

    async with await asyncio.start_server(board.serve, "127.0.0.1", 0) as server, served(workers):
        board.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        # Two calls of one while there are places, then one of each other: now all are taken.
        asked = [await ask("a", number) for number in range(2)]
        await until(lambda: board.waiting["a"] == 2)
        asked += [await ask(who, 0) for who in ("b", "c")]
        await until(lambda: board.waiting.total() == places)
        asked += [await ask(who, number) for number in range(2, 6) for who in ("a", "b", "c")]
        late = await ask("late", 1)

        board.answer("a")
        await until(lambda: len(board.calls) > places)
        assert board.calls[places][0] == "late"
        board.answer("late")
        assert (await late.result()).passed
        for one in asked:
            with suppress(RPCError):  # it was answered
                await one.terminate()
        await board.close()
