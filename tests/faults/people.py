"""Somebody who uses the API and the command line of the stack, and what is shown to them."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
BUDGET = timedelta(hours=2)
PAUSE = timedelta(seconds=30)
_LOOK = 0.2
Operation = dict[str, Any]


class Person:
    """Somebody who uses the API of the stack."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.answers: set[int] = set()
        """Every status with which the API answered who looked at operations."""

    async def post(self, path: str, body: Any) -> Any:
        """Gives an order; a worker that does not take it in time is asked again, as advised."""
        key = {"Idempotency-Key": uuid.uuid4().hex}
        async with asyncio.timeout(PATIENCE):
            answer = await self.client.post(path, json=body, headers=key)
            while "no worker took the order in time" in answer.text:
                answer = await self.client.post(path, json=body, headers=key)
        assert answer.is_success, answer.text
        return answer.json()

    async def listed(self, organization: str) -> list[str]:
        """The ids of the operations that are listed."""
        answer = await self.client.get("/v1/operations", params={"organization": organization})
        assert answer.is_success, answer.text
        return [one["id"] for one in answer.json()["items"]]

    async def sees(self, operation_id: str, holds: Callable[[Operation], object]) -> Operation:
        """Returns the operation once it is as wanted; an API that is away is asked again."""
        shown: object = "never asked"
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    try:
                        answer = await self.client.get(f"/v1/operations/{operation_id}")
                    except httpx.TransportError as error:
                        shown = error
                    else:
                        self.answers.add(answer.status_code)
                        shown = answer.json()
                        if answer.is_success and holds(answer.json()):
                            return dict(answer.json())
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            raise AssertionError(f"never as wanted, last seen: {shown}") from None

    async def ended(self, operation_id: str) -> Operation:
        return await self.sees(operation_id, lambda shown: shown["finished"])

    async def followed(self, operation_id: str) -> tuple[Operation, list[Operation]]:
        """Returns the operation when it has ended, and all that was seen to be tried again."""
        tried: list[Operation] = []

        def looked_at(shown: Operation) -> object:
            tried.extend(retrying(shown))
            return shown["finished"]

        return await self.sees(operation_id, looked_at), tried


class Terminal:
    """`pavane` as somebody runs it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    async def runs(self, *arguments: str, stdin: str = "") -> tuple[int, str]:
        """Runs a command; returns its exit code and all that it wrote."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", *arguments),
            cwd=ROOT,
            env={**self._environment, "COLUMNS": "240"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate(stdin.encode())
        assert process.returncode is not None
        return process.returncode, output.decode()


def told(shown: Operation) -> str:
    """An operation as a failing test tells it, whole."""
    return json.dumps(shown, indent=1)


def runs(name: str) -> Callable[[Operation], bool]:
    """Tells of an operation whether it is in the step of that name."""

    def in_step(shown: Operation) -> bool:
        return any(one["name"] == name and one["phase"] == "Running" for one in shown["steps"])

    return in_step


def retrying(shown: Operation, what: str = "") -> list[Operation]:
    """The entries of what failed and is tried again that begin with these words."""
    return [
        one
        for one in shown["retrying"]
        if one["what"].startswith(what) and one["type"] != "NoWorker"
    ]


def waits(shown: Operation, nextly: str = "") -> bool:
    """Whether something is tried again and it is told when; until then nothing changes."""
    return any(one["nextTry"] for one in retrying(shown, nextly))


def tried_for_two_hours(retry: Operation) -> None:
    """Asserts that somebody is told of a next try soon, and of an end after two hours."""
    now = datetime.now(UTC)
    assert retry["attempt"] > 1, retry
    assert datetime.fromisoformat(retry["nextTry"]) - now <= PAUSE, retry
    left = datetime.fromisoformat(retry["until"]) - now
    assert BUDGET - timedelta(seconds=PATIENCE) <= left <= BUDGET, retry
